"""Texts given on the command line: as they stand, or as ``@file``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from guardrail.cli.source import MAX_ROW
from guardrail.conversation import Evidence
from guardrail.errors import InputError

__all__ = ["evidence_of", "text_of"]


def text_of(value: str, *, option: str) -> str:
    """The text that ``value`` stands for: itself, a file's content for ``@file``, ``@...`` for ``@@...``.

    Raises:
        InputError: The file cannot be read, is above 32 MiB or is no UTF-8 text.
    """
    if not value.startswith("@"):
        return value
    if value.startswith("@@"):
        return value[1:]
    return _file_text(value[1:], option)


def evidence_of(values: Sequence[str], *, option: str) -> tuple[Evidence, ...]:
    """One piece of evidence for each value; a file's name is its title.

    Raises:
        InputError: As `text_of`, and for a text that is empty.
    """
    return tuple(_piece(value, option) for value in values)


def _piece(value: str, option: str) -> Evidence:
    text = text_of(value, option=option)
    is_file = value.startswith("@") and not value.startswith("@@")
    if not text.strip():
        raise InputError(f"{option}: {value[1:] + ': ' if is_file else ''}empty; give the text to hold answers against")
    return Evidence(text.strip(), "caller", title=Path(value[1:]).name if is_file else None)


def _file_text(name: str, option: str) -> str:
    try:
        with Path(name).open("rb") as stream:
            data = stream.read(MAX_ROW + 1)
    except FileNotFoundError as error:
        raise InputError(f"{option}: {name}: no such file; for a text that begins with @ write @@") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{option}: {name}: cannot be read: {reason}") from error
    if len(data) > MAX_ROW:
        raise InputError(f"{option}: {name}: larger than {MAX_ROW // (1024 * 1024)} MiB; give a part of it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{option}: {name}: no UTF-8 text (byte {error.start}); save it as UTF-8") from error
