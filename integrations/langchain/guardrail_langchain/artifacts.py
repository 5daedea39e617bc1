"""Documents that came with a message: what tools keep beside the text that the LLM reads. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from langchain_core.messages import BaseMessage, ToolMessage

from guardrail.conversation import Evidence, Origin
from guardrail.errors import ConfigError
from guardrail.grounding import as_evidence

__all__ = ["documents_of", "documents_with", "parts_by_document"]

_LISTS = ("documents", "context", "docs", "source_documents", "sources", "results", "passages", "chunks")
"""Where a mapping keeps its documents."""
_GLUE = 40
"""Characters that may stand between two documents in the text that was made of them."""


def documents_with(messages: Iterable[BaseMessage]) -> tuple[Evidence, ...]:
    """The documents that the artifacts of tool messages hold, each with its title and address."""
    found = [
        document
        for message in messages
        if isinstance(message, ToolMessage) and message.artifact is not None
        for document in documents_of(message.artifact)
    ]
    return tuple(found)


def documents_of(value: object, origin: Origin = "tool") -> tuple[Evidence, ...]:
    """The documents that ``value`` is or holds: a list of them, or a mapping with such a list; else nothing."""
    return tuple(_documents(value, origin))


def _documents(value: object, origin: Origin) -> Iterator[Evidence]:
    if hasattr(value, "page_content"):
        yield from _document(value, origin)
    elif isinstance(value, Mapping):
        for key in _LISTS:
            if key in value:
                yield from _documents(value[key], origin)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for item in value:
            if hasattr(item, "page_content") or isinstance(item, Mapping):
                yield from _document(item, origin)


def _document(value: object, origin: Origin) -> Iterator[Evidence]:
    try:
        yield as_evidence(value, origin)
    except ConfigError:
        return  # an artifact may be anything; what holds no text is no evidence


def parts_by_document(parts: tuple[str, ...], documents: Sequence[Evidence]) -> tuple[str, ...]:
    """A text that is nothing but ``documents`` one after the other, cut at their edges; else ``parts`` as they are.

    So that the same document is not evidence twice: once as itself, and once in the text that was made of all.
    """
    if len(parts) != 1 or not documents:
        return parts
    text, at = parts[0], 0
    for document in documents:
        start = text.find(document.text, at)
        if start < 0 or start - at > _GLUE:
            return parts
        at = start + len(document.text)
    return tuple(document.text for document in documents) if len(text) - at <= _GLUE else parts
