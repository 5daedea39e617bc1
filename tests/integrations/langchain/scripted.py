"""A chat model that says what it was told to, token by token, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import Field, PrivateAttr

__all__ = ["ScriptedModel", "calling"]

_TOKENS = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
_PIECE = 3
"""Characters of a token."""


def calling(tool: str, **arguments: Any) -> AIMessage:
    """An answer that calls ``tool``."""
    return AIMessage("", tool_calls=[{"name": tool, "args": arguments, "id": "call-1"}])


class ScriptedModel(BaseChatModel):
    """Answers with the lines of ``script`` in turn; the last one again and again."""

    script: list[AIMessage] = Field(repr=False)  # callbacks are told the model's repr
    _asked: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _options: list[dict[str, Any]] = PrivateAttr(default_factory=list)

    def __init__(self, *script: AIMessage | str, **more: Any) -> None:
        lines = [AIMessage(line) if isinstance(line, str) else line for line in script]
        super().__init__(script=lines, **more)  # type: ignore[call-arg]

    @property
    def asked(self) -> list[list[BaseMessage]]:
        """The messages of each call."""
        return self._asked

    @property
    def options(self) -> list[dict[str, Any]]:
        """The keyword arguments of each call."""
        return self._options

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _next(self, messages: list[BaseMessage], options: dict[str, Any]) -> AIMessage:
        said = self.script[min(len(self._asked), len(self.script) - 1)]
        self._asked.append(messages)
        self._options.append(options)
        return said.model_copy(update={"usage_metadata": _TOKENS, "response_metadata": {"model_name": "scripted"}})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next(messages, kwargs))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        said = self._next(messages, kwargs)
        text = str(said.text)
        for place in range(0, len(text), _PIECE):
            yield ChatGenerationChunk(message=AIMessageChunk(content=text[place : place + _PIECE]))
        calls = [
            tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=place)
            for place, call in enumerate(said.tool_calls)
        ]
        last = AIMessageChunk(content="", tool_call_chunks=calls, response_metadata=said.response_metadata)
        yield ChatGenerationChunk(message=last.model_copy(update={"usage_metadata": _TOKENS}))

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[Any, AIMessage]:
        return self.bind(tools=list(tools), tool_choice=tool_choice, **kwargs)
