"""The chunks of a chat model's stream taken apart, and made anew: what is shown, and what is said about it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk
from langchain_core.utils._merge import merge_dicts

from guardrail.verdict import Usage
from guardrail_langchain.messages import text_of

__all__ = ["About", "Piece", "body_of", "calls_tool", "like", "split", "whole_chunk"]

_OF_A_CHUNK = ("content", "id", "name", "additional_kwargs", "response_metadata", "usage_metadata")
_WITH_TEXT = ("model_provider", "logprobs")
"""What is said of a chunk itself, and not of the whole."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk as it may be shown, and which upstream it came from: 0 is the first."""

    source: int
    chunk: ChatGenerationChunk


@dataclass(slots=True)
class About:
    """What the chunks of one upstream say about the whole: its metadata, its tokens, why it ended."""

    metadata: list[Mapping[str, Any]] = field(default_factory=list)
    tokens: UsageMetadata | None = None

    def take(self, chunk: ChatGenerationChunk) -> Usage | None:
        """Keeps what ``chunk`` says; returns the tokens that it tells of."""
        said = {**chunk.message.response_metadata, **(chunk.generation_info or {})}
        said = {key: value for key, value in said.items() if key != "logprobs"}
        if said and said not in self.metadata[-1:]:
            self.metadata.append(said)
        tokens = getattr(chunk.message, "usage_metadata", None)
        if tokens is None:
            return None
        self.tokens = add_usage(self.tokens, tokens)
        return Usage(tokens["input_tokens"], tokens["output_tokens"])

    @property
    def merged(self) -> dict[str, Any]:
        """The metadata as one."""
        unlike = [said for place, said in enumerate(self.metadata) if said not in self.metadata[:place]]
        return merge_dicts({}, *map(dict, unlike))


def body_of(chunk: ChatGenerationChunk) -> ChatGenerationChunk | None:
    """``chunk`` without what it says about the whole; None where nothing is left."""
    message = chunk.message
    if not (message.content or calls_tool(chunk) or message.additional_kwargs):
        return None
    metadata = {key: value for key, value in message.response_metadata.items() if key in _WITH_TEXT}
    info = {key: value for key, value in (chunk.generation_info or {}).items() if key in _WITH_TEXT}
    update: dict[str, Any] = {"response_metadata": metadata, "usage_metadata": None, "chunk_position": None}
    return _with(chunk, update, info or None)


def calls_tool(chunk: ChatGenerationChunk) -> bool:
    """Whether ``chunk`` is a part of a call."""
    return bool(getattr(chunk.message, "tool_call_chunks", None))


def split(piece: Piece, at: int) -> tuple[Piece, Piece]:
    """Two pieces in the place of one: ``at`` characters of its text, and the rest."""
    chunk = piece.chunk
    first, second = _cut(chunk.message.content, at)
    # Log-probabilities are told by token, and would tell the rest of it.
    metadata = {key: value for key, value in chunk.message.response_metadata.items() if key != "logprobs"}
    head = _with(chunk, {"content": first, "response_metadata": metadata}, None)
    tail = AIMessageChunk(content=second, id=chunk.message.id, response_metadata=metadata)
    return Piece(piece.source, head), Piece(piece.source, ChatGenerationChunk(message=tail))


def like(model: BaseMessage | None, text: str, **fields: Any) -> ChatGenerationChunk:
    """``text`` as a chunk that goes on after ``model``, a chunk of the same stream: of the same form."""
    content: str | list[str | dict[str, Any]] = text
    if model is not None and isinstance(model.content, list) and text:
        last = next((block for block in reversed(model.content) if _text(block)), None)
        place = {"index": last["index"]} if isinstance(last, dict) and "index" in last else {}
        content = [{"type": "text", "text": text, **place}]
    if model is not None and "model_provider" in model.response_metadata:
        about = {"model_provider": model.response_metadata["model_provider"], **fields.pop("response_metadata", {})}
        fields["response_metadata"] = about
    return ChatGenerationChunk(message=AIMessageChunk(content=content, id=model.id if model else None, **fields))


def whole_chunk(generation: ChatGeneration, output: Mapping[str, Any] | None = None) -> ChatGenerationChunk:
    """A whole answer as the only chunk of a stream; ``output`` is what its provider said of the whole."""
    fields = {key: value for key, value in generation.message.model_dump().items() if key in _OF_A_CHUNK}
    fields["response_metadata"] = {**(output or {}), **fields["response_metadata"]}
    calls = [
        tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=place)
        for place, call in enumerate(getattr(generation.message, "tool_calls", ()))
    ]
    message = AIMessageChunk(**fields, tool_call_chunks=calls, chunk_position="last")
    return ChatGenerationChunk(message=message, generation_info=generation.generation_info)


def _with(chunk: ChatGenerationChunk, update: Mapping[str, Any], info: dict[str, Any] | None) -> ChatGenerationChunk:
    message = chunk.message.model_copy(update=update)
    return chunk.model_copy(update={"message": message, "text": text_of(message), "generation_info": info})


def _text(block: object) -> bool:
    return isinstance(block, str) or (isinstance(block, Mapping) and isinstance(block.get("text"), str))


def _cut(content: str | Sequence[str | dict[str, Any]], at: int) -> tuple[Any, Any]:
    if isinstance(content, str):
        return content[:at], content[at:]
    first: list[Any] = []
    rest: list[Any] = []
    for block in content:
        text = block if isinstance(block, str) else block.get("text")
        if not isinstance(text, str):
            (first if at else rest).append(block)
            continue
        head, tail = text[:at], text[at:]
        at -= len(head)
        if head or not tail:
            first.append(_said(block, head))
        if tail:
            rest.append(_said(block, tail, bare=bool(head)))
    return first, rest


def _said(block: str | dict[str, Any], text: str, *, bare: bool = False) -> Any:
    """``block`` with another text; ``bare``: without what the part before it says already, such as citations."""
    if isinstance(block, str):
        return text
    kept = {key: value for key, value in block.items() if key in ("type", "index")} if bare else block
    return {**kept, "text": text}
