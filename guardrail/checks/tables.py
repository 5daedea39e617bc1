"""Tables of Markdown and of tabs: where they stand, their lines and cells. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["RULE", "cells", "lines", "tables_in"]

RULE = re.compile(r"[ \t]*\|?[ :|\t-]*-[ :|\t-]*")
_ROWS = re.compile(
    r"(?:^[ \t]*[^|\n]*\|[^|\n]*\|.*(?:\n|\Z)){2,}|(?:^[^\t\n]*\t[^\t\n]*\t.*(?:\n|\Z)){2,}", re.MULTILINE
)


def tables_in(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _ROWS.finditer(text)] if "|" in text or "\t" in text else []


def lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for line in text[start:end].splitlines(keepends=True):
        yield at, at + len(line.rstrip())
        at += len(line)


def cells(text: str, start: int, end: int) -> list[tuple[int, int]]:
    sign = "|" if "|" in text[start:end] else "\t"
    inner = text[start:end].strip()
    at = start + text[start:end].index(inner) if inner else start
    if sign == "|":
        at += inner.startswith("|")
        inner = inner.strip("|")
    found = []
    for cell in inner.split(sign):
        found.append((at, at + len(cell)))
        at += len(cell) + 1
    return found
