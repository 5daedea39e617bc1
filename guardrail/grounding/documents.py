"""One document: a string, a mapping or an object with text and perhaps a title and an address."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from guardrail.conversation import Evidence, Origin
from guardrail.errors import ConfigError

__all__ = ["as_evidence", "documents_in"]

TEXT_KEYS = ("text", "page_content", "content", "body", "snippet", "passage", "chunk", "excerpt")
"""Where documents keep their text, the most telling name first."""
TITLE_KEYS = ("title", "name", "filename", "file_name", "heading")
URL_KEYS = ("url", "source", "link", "uri", "href", "source_url", "path", "file_path")
_METADATA_KEYS = ("metadata", "meta", "attributes", "document")
_REMEDY = "pass a string, an Evidence, a mapping with one of " + ", ".join(TEXT_KEYS) + ", or a LangChain Document"


def as_evidence(item: object, origin: Origin = "caller") -> Evidence:
    """Read one document of almost any shape.

    Args:
        item: A string; an `Evidence`, which is returned as it is; a mapping with ``text`` (or
            ``page_content``, ``content``, ``body``, ``snippet`` ...) and perhaps ``title`` and
            ``url`` or ``source``, there or in its ``metadata``; or an object with such attributes.
        origin: Where it was found.

    Raises:
        ConfigError: It holds no text; the message names the type and the remedy.
    """
    if isinstance(item, Evidence):
        return item
    if isinstance(item, str):
        if not item.strip():
            raise ConfigError(f"an empty string holds no text to verify against; {_REMEDY}")
        return Evidence(item.strip(), origin)
    fields = item if isinstance(item, Mapping) else _attributes(item)
    found = _from_fields(fields, origin)
    if found is None:
        keys = f" with the keys {', '.join(map(str, fields))}" if isinstance(item, Mapping) else ""
        raise ConfigError(f"something of type {type(item).__name__}{keys} holds no text; {_REMEDY}")
    return found


def _attributes(item: object) -> Mapping[object, object]:
    names = (*TEXT_KEYS, *TITLE_KEYS, *URL_KEYS, *_METADATA_KEYS)
    return {name: getattr(item, name, None) for name in names}


def _from_fields(fields: Mapping[object, object], origin: Origin) -> Evidence | None:
    text = _first(fields, TEXT_KEYS)
    if text is None:
        return None
    places = [fields, *(inner for key in _METADATA_KEYS if isinstance(inner := fields.get(key), Mapping))]
    title = next((found for place in places if (found := _first(place, TITLE_KEYS))), None)
    url = next((found for place in places if (found := _first(place, URL_KEYS))), None)
    return Evidence(text, origin, title=title, url=url)


def _first(fields: Mapping[object, object], keys: Sequence[str]) -> str | None:
    """The first of ``keys`` that holds some text."""
    return next((value.strip() for key in keys if isinstance(value := fields.get(key), str) and value.strip()), None)


_LIST_KEYS = ("documents", "results", "passages", "chunks", "sources", "hits", "items", "data", "matches")
"""Where an object that wraps documents keeps their list."""


def documents_in(text: str, origin: Origin) -> tuple[Evidence, ...]:
    """The documents of a text that is a JSON array of them (or an object that wraps one); else nothing."""
    stripped = text.strip()
    if not stripped.startswith(("[", "{")):
        return ()
    try:
        value = json.loads(stripped)
    except (ValueError, RecursionError):
        return ()
    return documents_of(value, origin)


def documents_of(value: object, origin: Origin) -> tuple[Evidence, ...]:
    """The documents of a parsed JSON value; nothing unless every entry is one."""
    if isinstance(value, Mapping):
        return next((found for key in _LIST_KEYS if (found := documents_of_list(value.get(key), origin))), ())
    return documents_of_list(value, origin)


def documents_of_list(value: object, origin: Origin) -> tuple[Evidence, ...]:
    """The documents of a list whose every entry is an object with text; else nothing."""
    if not isinstance(value, list) or not value:
        return ()
    found = [_from_fields(entry, origin) if isinstance(entry, Mapping) else None for entry in value]
    documents = tuple(piece for piece in found if piece is not None)
    return documents if len(documents) == len(found) else ()
