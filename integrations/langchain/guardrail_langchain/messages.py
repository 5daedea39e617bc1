"""LangChain's messages read into the values of guardrail. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from guardrail.conversation import Message, Role, ToolCall, Turn
from guardrail_langchain.artifacts import DOCUMENT_PARTS, documents_of, parts_by_document

__all__ = ["read_conversation", "read_message", "read_turn", "text_of"]

_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "developer",
    "human": "user",
    "user": "user",
    "ai": "assistant",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_FENCED = re.compile(r"\s*```\w*[ \t]*\n((?:(?!```).)*)```\s*", re.DOTALL)
Content = str | Sequence[str | Mapping[str, object]]


def read_conversation(messages: Iterable[BaseMessage]) -> tuple[Message, ...]:
    """The conversation as guardrail knows it; what holds no text is named in `Message.omitted`."""
    return tuple(map(read_message, messages))


def read_message(message: BaseMessage) -> Message:
    """One message of any kind; a kind that is not known here is taken for the user's."""
    parts, omitted = _parts(message.content)
    tool_call_id = None
    if isinstance(message, ToolMessage):
        tool_call_id = message.tool_call_id
        parts = parts_by_document(parts, documents_of(message.artifact))
    return Message(
        role=_role(message),
        parts=parts,
        tool_calls=_calls(message) if isinstance(message, AIMessage) else (),
        tool_call_id=tool_call_id,
        name=message.name,
        refusal=_refusal(message),
        omitted=omitted,
    )


def read_turn(message: BaseMessage, info: Mapping[str, object], *, index: int = 0, structured: bool = False) -> Turn:
    """The answer in ``message``; ``info`` is what its generation says besides.

    ``structured``: a parser reads it. The arguments of its one call are the answer, which is what structured output by
    tools means; of text in a fence, it is what the fence is around.
    """
    said = {**info, **message.response_metadata}
    calls = _calls(message) if isinstance(message, AIMessage) else ()
    answered = structured and len(calls) == 1
    text = text_of(message)
    if answered:
        text = calls[0].arguments
    elif structured and (fenced := _FENCED.fullmatch(text)):
        text = fenced[1].strip()
    return Turn(
        text=text,
        tool_calls=() if answered else calls,
        index=index,
        refusal=_refusal(message),
        finish_reason=_text(said.get("finish_reason") or said.get("stop_reason")),
        logprobs=_logprobs(said.get("logprobs")),
    )


def text_of(message: BaseMessage) -> str:
    """The text of an answer; that of several parts is one text."""
    return message.content if isinstance(message.content, str) else "".join(_parts(message.content)[0])


def _role(message: BaseMessage) -> Role:
    if message.type == "chat":
        return _ROLES.get(getattr(message, "role", "user"), "user")
    if message.type == "system" and message.additional_kwargs.get("__openai_role__") == "developer":
        return "developer"
    return _ROLES.get(message.type.removesuffix("MessageChunk").lower(), "user")


def _parts(content: Content) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The texts of a message, and the kinds of its parts that hold none."""
    if isinstance(content, str):
        return ((content,) if content else ()), ()
    texts, omitted = [], []
    for block in content:
        text = block if isinstance(block, str) else block.get("text")
        is_document = isinstance(block, Mapping) and block.get("type") in DOCUMENT_PARTS
        if isinstance(text, str) and not is_document:
            texts.append(text)
        elif isinstance(block, Mapping):
            omitted.append(str(block.get("type")))
    return tuple(filter(None, texts)), tuple(omitted)


def _calls(message: AIMessage) -> tuple[ToolCall, ...]:
    calls = [
        ToolCall(call.get("id") or "", call["name"], json.dumps(call["args"], ensure_ascii=False, default=str))
        for call in message.tool_calls
    ]
    # Arguments that are no JSON are a call all the same: the application is told of it, and answers to it.
    calls += [
        ToolCall(call.get("id") or "", call.get("name") or "", call.get("args") or "")
        for call in message.invalid_tool_calls
    ]
    return tuple(calls)


def _refusal(message: BaseMessage) -> str | None:
    if refusal := message.additional_kwargs.get("refusal"):
        return str(refusal)
    blocks = message.content if not isinstance(message.content, str) else []
    refusals = (block["refusal"] for block in blocks if isinstance(block, dict) and block.get("type") == "refusal")
    return next(map(str, refusals), None)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _logprobs(value: object) -> tuple[float, ...] | None:
    """The log-probabilities of the tokens, where the provider wrote them as OpenAI does."""
    tokens = value.get("content") if isinstance(value, Mapping) else None
    if not isinstance(tokens, list) or not all(isinstance(token, Mapping) for token in tokens):
        return None
    found = [token.get("logprob") for token in tokens]
    return tuple(map(float, found)) if found and all(isinstance(item, int | float) for item in found) else None
