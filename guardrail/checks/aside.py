"""What in a text is not prose: code, addresses, citation markers, the numbering of lists. Pure."""

from __future__ import annotations

import re

__all__ = ["MARKER", "NUMBERING", "URL", "prose", "without"]

URL = re.compile(r"\bhttps?://[^\s<>()\[\]\"'“”]+(?:\([^\s<>()]*\)[^\s<>()\[\]\"'“”]*)*|\bwww\.[^\s<>()\[\]\"'“”]+")
MARKER = re.compile(
    r"\[\^?\s*(?:(?:source|document|doc|passage|ref|evidence)s?[ :#]*)?\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\s*\]"
    r"|\((?:see |cf\.? |from )?sources?[ #:]*\d{1,3}\)|【[^】\n]{0,40}】|(?<=[\w.,;:!?)\]»”\"'])(?<![ \d/]m)(?<![ \d/][ckmdn]m)(?<![ \d/]ft)(?<![ \d/]in)[ ]?[¹²³⁰⁴-⁹]+(?:[,⁻][¹²³⁰⁴-⁹]+)*",
    re.IGNORECASE,
)
"""A citation marker: ``[1]``, ``[2, 3]``, ``[^4]``, ``[Source 5]``, ``【6】``, or a raised figure."""
NUMBERING = re.compile(r"^[ \t>]*(?:[-*•][ \t]+)?(?:\*\*)?(?:(?:step|option|part|point|question|no\.|#+)[ \t]*)?"
                       r"\(?\d{1,3}(?:\.\d{1,2})*(?:[.):]|[ ]-)(?=\s)(?:\*\*)?", re.MULTILINE | re.IGNORECASE)  # fmt: skip
_CODE = re.compile(
    r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`(?![~<>=^v]{0,2}\d[\d.,:/ %-]*(?:\s?[a-zA-Z]{1,3})?`)[^`\n]+`|\$\$.*?\$\$|<[a-zA-Z/][^>\n]{0,80}>",
    re.DOTALL,
)
BLANK = "\ufffc"
"""Stands for a character that is not prose: no word, no space, no punctuation."""


def prose(text: str) -> str:
    """``text`` with everything that is not prose blanked out; places keep their numbers."""
    return without(text, _CODE, URL, MARKER, NUMBERING)


def without(text: str, *patterns: re.Pattern[str]) -> str:
    """``text`` with what the patterns match blanked out."""
    for pattern in patterns:
        text = pattern.sub(lambda match: re.sub(r"[^\n]", BLANK, match[0]), text)
    return text
