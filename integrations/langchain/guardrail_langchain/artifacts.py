"""Documents that came with a message: as parts of its content, or kept by a tool beside the text for the LLM. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from guardrail.conversation import Evidence, Origin
from guardrail.errors import ConfigError
from guardrail.grounding import as_evidence

__all__ = ["DOCUMENT_PARTS", "documents_of", "documents_with", "parts_by_document"]

DOCUMENT_PARTS = ("document", "search_result", "text-plain")
"""Kinds of content that are documents, and nothing that anybody says."""

_LISTS = ("documents", "context", "docs", "source_documents", "sources", "results", "passages", "chunks")
"""Where a mapping keeps its documents."""
_GLUE = 40
"""Characters that may stand between two documents in the text that was made of them."""


def documents_with(messages: Iterable[BaseMessage]) -> tuple[Evidence, ...]:
    """The documents in the content of ``messages`` and in the artifacts of tools, with their titles and addresses."""
    return tuple(document for message in messages for document in _documents_with(message))


def _documents_with(message: BaseMessage) -> Iterator[Evidence]:
    origin: Origin = "retrieved"
    if isinstance(message, ToolMessage):
        origin = "tool"
        if message.artifact is not None:
            yield from _documents(message.artifact, origin)
    if not isinstance(message.content, str) and not isinstance(message, AIMessage):
        for block in message.content:
            if isinstance(block, dict) and block.get("type") in DOCUMENT_PARTS and (text := _text_of(block)):
                yield Evidence(text, origin, title=_string(block.get("title")), url=_string(block.get("source")))


def _text_of(value: object) -> str:
    """The text of a part of content, however deep it lies."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return "\n".join(filter(None, map(_text_of, value)))
    if not isinstance(value, dict):
        return ""
    inner = [value.get(key) for key in ("text", "data", "content") if key in value]
    if value.get("type") == "document" and isinstance(source := value.get("source"), dict):
        inner = [source] if source.get("type") in ("text", "content") else []
    return "\n".join(filter(None, map(_text_of, inner)))


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


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
