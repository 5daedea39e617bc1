"""What chains are asked: a text, messages, a prompt, or a dict with a question, a history and context. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, convert_to_messages
from langchain_core.prompt_values import PromptValue

from guardrail.conversation import Evidence
from guardrail_langchain.artifacts import documents_of

__all__ = ["contexts_in", "messages_of"]

_QUESTIONS = ("question", "input", "query", "messages", "prompt", "text")
_HISTORIES = ("chat_history", "history", "conversation")
_CONTEXTS = ("context", "documents", "docs", "source_documents", "input_documents", "passages")


def messages_of(asked: Any) -> list[BaseMessage]:
    """The conversation that ``asked`` opens or continues; empty where it holds none."""
    if isinstance(asked, str):
        return [HumanMessage(asked)]
    if isinstance(asked, BaseMessage):
        return [asked]
    if isinstance(asked, PromptValue):
        return asked.to_messages()
    if isinstance(asked, Mapping):
        history = [message for key in _HISTORIES for message in messages_of(asked.get(key))]
        questions = (messages_of(asked[key]) for key in _QUESTIONS if key in asked)
        return [*history, *next(filter(None, questions), [])]
    if isinstance(asked, Sequence) and not isinstance(asked, bytes):
        return _messages(asked)
    return []


def contexts_in(asked: Mapping[Any, Any]) -> tuple[list[Evidence], list[str]]:
    """The documents that stand under the names of context, and the texts that do."""
    found = [asked[key] for key in _CONTEXTS if asked.get(key)]
    documents = [document for value in found if not isinstance(value, str) for document in _documents(value)]
    return documents, [value.strip() for value in found if isinstance(value, str) and value.strip()]


def _documents(value: Any) -> Sequence[Evidence]:
    if isinstance(value, Sequence) and value and all(isinstance(item, str) and item.strip() for item in value):
        return [Evidence(item.strip(), "retrieved") for item in value]
    return documents_of(value, "retrieved")


def _messages(asked: Sequence[Any]) -> list[BaseMessage]:
    try:
        return convert_to_messages(asked)
    except (NotImplementedError, ValueError):
        return []  # a list of something else
