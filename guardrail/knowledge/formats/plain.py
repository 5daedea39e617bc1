"""Plain text: paragraphs between blank lines. Pure."""

from __future__ import annotations

import re

from guardrail.knowledge.document import Document, Section
from guardrail.knowledge.formats.decoding import decoded

__all__ = ["read"]

_BLANK = re.compile(r"\n[ \t]*\n\s*")


def read(content: bytes) -> Document:
    """One section; pages that a form feed parts count as paragraphs."""
    text = decoded(content).replace("\f", "\n\n")
    return Document("", (Section("", tuple(part.strip() for part in _BLANK.split(text) if part.strip())),))
