"""PDF, by pypdf."""

from __future__ import annotations

import io
import logging
import re

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from guardrail.errors import InputError
from guardrail.knowledge.document import Document, Section

__all__ = ["read"]

# It tells of every oddity of a file; what keeps one from being read is raised.
logging.getLogger("pypdf").addHandler(logging.NullHandler())
_BLANK = re.compile(r"\n[ \t]*\n\s*")
_HYPHEN = re.compile(r"(?<=[a-zà-ÿ])-\n(?=[a-zà-ÿ])")


def read(content: bytes) -> Document:
    """A section a page. Pages that are pictures hold no text."""
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise InputError("it is encrypted")
        title = (reader.metadata.title if reader.metadata else None) or ""
        texts = [page.extract_text() for page in reader.pages]
    except InputError:
        raise
    except (PyPdfError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        # A damaged file leads the library astray in as many ways as there are.
        raise InputError(f"it is no PDF that can be read: {error}") from error
    sections = (Section("", _paragraphs(text), f"#page={number}") for number, text in enumerate(texts, 1))
    return Document(title.strip(), tuple(section for section in sections if section.paragraphs))


def _paragraphs(text: str) -> tuple[str, ...]:
    """Between blank lines; words that are broken at the end of a line are joined."""
    whole = _HYPHEN.sub("", text.replace("\r\n", "\n"))
    return tuple(" ".join(part.split()) for part in _BLANK.split(whole) if part.strip())
