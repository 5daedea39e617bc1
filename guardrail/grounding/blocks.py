"""Quotations and tables that stand in a user's running text: facts whatever their sentences look like. Pure."""

from __future__ import annotations

import re
from itertools import groupby

__all__ = ["set_off"]

_QUOTED = re.compile(r"[ \t]{0,3}>[ \t]?(?:[^>\s]|$)")


def set_off(text: str) -> tuple[tuple[str, ...], str]:
    """The Markdown quotations and tables of ``text``, verbatim, and the text without them."""
    blocks: list[str] = []
    kept: list[str] = []
    for kind, run in groupby(text.split("\n"), _kind):
        lines = list(run)
        if kind == "quotation" or (kind == "table" and any(map(_is_rule, lines))):
            blocks.append("\n".join(lines).strip())
            kept.append("")
        else:
            kept += lines
    return tuple(blocks), "\n".join(kept)


def _kind(line: str) -> str:
    if _QUOTED.match(line):
        return "quotation"
    row = line.strip()
    return "table" if len(row) > 1 and row[0] == row[-1] == "|" else "text"


def _is_rule(row: str) -> bool:
    """Whether a row of a table is the one below its head."""
    return "-" in row and set(row) <= set("|-: \t")
