"""Marks in prompts and replies, such as tags, that material under review must not be able to forge. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["defused", "sections"]


def defused(text: str, marks: Sequence[str]) -> str:
    """``text`` with a space behind the first character of each of ``marks``, in whatever case, that stands in it.

    So no answer ends its own place in the prompt, and a judge that quotes one does not say the mark.
    """
    pattern = re.compile("|".join(re.escape(mark) for mark in marks), re.IGNORECASE)
    # Again, as what stood beside a mark may have become one: of six backticks, say.
    while pattern.search(text):
        text = pattern.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)
    return text


def sections(text: str, *names: str) -> dict[str, str] | None:
    """What stands between the tags ``names``, stripped; None unless ``text`` is these tags in order and no more.

    The first closing tag closes: a quotation of it leaves text over, and so no verdict.
    """
    found = {}
    for name in names:
        text = text.strip()
        if not text.startswith(f"<{name}>"):
            return None
        inside, closing, text = text.removeprefix(f"<{name}>").partition(f"</{name}>")
        if not closing:
            return None
        found[name] = inside.strip()
    return None if text.strip() else found
