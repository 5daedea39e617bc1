"""Reading files of the formats that are known, each by a library of its own, which is loaded when a file needs it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from guardrail.errors import InputError, MissingExtra
from guardrail.knowledge.document import Document

__all__ = ["SUFFIXES", "read"]

Reader: TypeAlias = Callable[[bytes], Document]
SUFFIXES: Mapping[str, str] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "plain",
    ".text": "plain",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
}
"""The module of each suffix."""


def read(path: Path, content: bytes) -> Document:
    """What the file at ``path`` says, whose bytes are ``content``.

    Raises:
        InputError: It cannot be read, or says nothing; the message says why, without the path.
        MissingExtra: The library for its format is not installed.
    """
    name = SUFFIXES[path.suffix.lower()]
    try:
        module = importlib.import_module(f"guardrail.knowledge.formats.{name}")
    except ModuleNotFoundError as error:
        raise MissingExtra(f"{path} needs {error.name}: pip install 'guardrail-llm[knowledge]'") from error
    reader: Reader = module.read
    document = reader(content)
    if not any(paragraph.strip() for section in document.sections for paragraph in section.paragraphs):
        raise InputError("it holds no text")
    return document
