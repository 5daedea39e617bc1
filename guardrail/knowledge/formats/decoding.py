"""Bytes of a text as text. Pure."""

from __future__ import annotations

import codecs

from guardrail.errors import InputError

__all__ = ["decoded"]

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def decoded(content: bytes) -> str:
    """``content`` in UTF-8, or in UTF-16 where it says so. Raises `InputError` for anything else."""
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(f"it is not {encoding.removesuffix('-sig').upper()} (byte {error.start})") from error
    if "\0" in text:
        raise InputError("it is no text: it holds zero bytes")
    return text.replace("\r\n", "\n").replace("\r", "\n")
