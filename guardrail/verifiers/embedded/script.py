"""Whether a text is written in the script that the model has learnt. Pure."""

from __future__ import annotations

import re

__all__ = ["is_latin"]

_LETTER = re.compile(r"[^\W\d_]")
_LATIN = re.compile(r"[A-Za-z\xaa\xba\xc0-\u024f\u1e00-\u1eff]")
_LOOKED_AT = 4000
"""Characters of a text that are looked at."""


def is_latin(text: str) -> bool:
    """Whether at least half of the letters at the beginning of ``text`` are Latin; true where it has none."""
    seen = text[:_LOOKED_AT]
    return 2 * len(_LATIN.findall(seen)) >= len(_LETTER.findall(seen))
