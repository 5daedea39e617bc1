"""The words of content of a text. Pure, and English."""

from __future__ import annotations

import re
from itertools import takewhile

__all__ = ["STOP", "WORD", "forms", "stem", "stems"]

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
STOP = frozenset(
    "a about above after again all also am an and any are as at be been before being below between both but by can "
    "could did do does during each few for from further had has have he her here hers him his how i if in into is it "
    "its just me more most my no nor not now of off on once only or other our out over own same she should so some such "
    "than that the their them then there these they this those through to too under until up very was we were what "
    "when where which while who whom why will with would you your yes".split()
)


def stems(text: str) -> frozenset[str]:
    """The words of content of ``text``, in lower case and without the commonest English endings; no numbers."""
    words = (word.lower() for word in WORD.findall(text))
    return frozenset(stem(word) for word in words if word not in STOP and not word[0].isdigit())


def stem(word: str) -> str:
    """A word in lower case without its commonest English ending."""
    word = re.sub(r"['’]s?$", "", word)
    for ending in ("ing", "ied", "ies", "ed", "es", "ys", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def forms(one: str, two: str) -> bool:
    """Whether two stems may be forms of one word: nearly all of the shorter one begins both."""
    if one == two:
        return True
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, two, strict=False)))
    return shared >= max(5, min(len(one), len(two)) - 1)
