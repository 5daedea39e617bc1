"""The model that the examples ask: a real one where OPENAI_BASE_URL is set, else one that says what it is told to."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

__all__ = ["chat_model"]

Script = Mapping[str, Sequence[str | AIMessage]]


def chat_model(script: Script) -> BaseChatModel:
    """A chat model; offline it answers with the lines of ``script`` under a word that the conversation has."""
    if "OPENAI_BASE_URL" in os.environ:
        from langchain_openai import ChatOpenAI

        return ChatOpenAI(model=os.environ.get("OPENAI_MODEL", "gpt-5-mini"), temperature=0)
    return Offline(script)


class Offline(BaseChatModel):
    """Says the lines of its script, one a call."""

    _left: dict[str, list[str | AIMessage]] = PrivateAttr(default_factory=dict)

    def __init__(self, script: Script) -> None:
        super().__init__()
        self._left = {word: list(lines) for word, lines in script.items()}

    @property
    def _llm_type(self) -> str:
        return "offline"

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any) -> ChatResult:
        said = " ".join(str(message.text) for message in messages)
        word = next(word for word in self._left if word in said)
        line = self._left[word].pop(0)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(line) if isinstance(line, str) else line)])

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        """Its script knows which tools there are."""
        return self
