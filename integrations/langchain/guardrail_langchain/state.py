"""Reading and rewriting the state of a graph: a dict, a pydantic model or a dataclass."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, convert_to_messages

from guardrail.conversation import Evidence
from guardrail.errors import ConfigError
from guardrail.grounding import as_evidence
from guardrail.logs import once

__all__ = [
    "EVIDENCE_KEYS",
    "answer_in",
    "documents_under",
    "field_of",
    "keys_of",
    "messages_in",
    "with_answer",
    "with_messages",
]

EVIDENCE_KEYS = ("context", "documents", "source_documents")
"""Where graphs and chains keep what they have retrieved."""


def keys_of(names: Iterable[str]) -> tuple[str, ...]:
    """``names``; a lone one is a string, which would else be taken for its letters."""
    return (names,) if isinstance(names, str) else tuple(names)


def field_of(state: Any, key: str) -> Any:
    """What stands under ``key``; None where nothing does."""
    return state.get(key) if isinstance(state, Mapping) else getattr(state, key, None)


def messages_in(state: Any, key: str) -> list[BaseMessage]:
    """The messages under ``key``. Raises `ConfigError` where there are none to be read."""
    found = field_of(state, key)
    if found is None:
        raise ConfigError(f"the state has no {key!r} to answer to: name the key of its messages with messages=")
    return convert_to_messages(found if isinstance(found, Sequence) and not isinstance(found, str) else [found])


def with_messages(state: Any, key: str, messages: list[BaseMessage]) -> Any:
    """``state`` with other messages."""
    if isinstance(state, Mapping):
        return {**state, key: messages}
    if hasattr(state, "model_copy"):
        return state.model_copy(update={key: messages})
    return dataclasses.replace(state, **{key: messages})


def documents_under(holder: Any, keys: Iterable[str]) -> Iterator[Evidence]:
    """The documents of ``holder``, a state or a context; what holds no text is left out, with a warning."""
    for key in keys:
        for item in _listed(field_of(holder, key)):
            try:
                yield as_evidence(item, "retrieved")
            except ConfigError as error:
                once(f"langchain:evidence:{key}", f"{key!r} is not taken as evidence: {error}")


def _listed(value: Any) -> Iterable[Any]:
    if value is None or value == "":
        return ()
    single = isinstance(value, str | Mapping) or hasattr(value, "page_content") or not isinstance(value, Iterable)
    return (value,) if single else value


def answer_in(result: Any, key: str) -> AIMessage:
    """The answer that a node has given: text, a message, or an update of the state with a message of the assistant's.

    Raises `ConfigError` for anything else.
    """
    if isinstance(result, str):
        return AIMessage(result)
    if isinstance(result, AIMessage):
        return result
    for message in reversed(_listed_messages(result, key)):
        if isinstance(message, AIMessage):
            return message
    raise ConfigError(
        f"guard_node() guards what answers with a string, an AIMessage or an update with an AIMessage under {key!r}; "
        f"this gave a {type(result).__name__}"
    )


def with_answer(result: Any, key: str, answer: AIMessage, *, without: str) -> dict[str, Any]:
    """The update of the state that ``result`` is, with ``answer`` in the place of its own.

    Messages whose id begins with ``without`` are left out.
    """
    if not isinstance(result, Mapping):
        return {key: [answer]}
    own = answer_in(result, key)
    listed = [answer if message is own else message for message in _listed_messages(result, key)]
    return {**result, key: [message for message in listed if not _id(message).startswith(without)]}


def _id(message: Any) -> str:
    return getattr(message, "id", None) or ""


def _listed_messages(result: Any, key: str) -> list[Any]:
    found = result.get(key) if isinstance(result, Mapping) else None
    return list(found) if isinstance(found, Sequence) and not isinstance(found, str) else [found]
