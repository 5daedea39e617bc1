"""Names in a text: where they stand and which words they are made of. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from guardrail.checks.content import STOP

__all__ = ["Named", "named", "plain"]

_PART = r"(?:[A-ZÀ-ÖØ-Þ][\w'’]*(?:[-&.][\w'’]+)*|\d+[A-Z]\w*)"
_RUN = re.compile(
    rf"(?<![\w.@/_#-]){_PART}(?:(?:[ ](?:of|de|la|van|von|der|del|&)[ ]|(?:(?<=\b[A-Z])\.|(?<=\bSt)\.|(?<=\bDr)\.|(?<=\bMr)\.)?[ ]){_PART})*"
)
_FIRST = re.compile(r"(?:\A|[.!?:;\n>*•\"“”|(\[-])[ \t*_\"“(]*\Z")
_TITLES = frozenset(
    "mr mrs ms miss dr prof professor sir lady lord dame president senator king queen prince princess minister captain general "
    "colonel judge justice saint st the of de la van von der del & a an prime chief".split()
)
_NONE = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september "
    "october november december i yes no ok am pm utc gmt ceo cfo cto coo cio cmo vp hr".split()
)


@dataclass(frozen=True, slots=True)
class Named:
    """One mention of a name."""

    start: int
    end: int
    text: str
    words: frozenset[str]
    """Without titles and links, in lower case and without accents."""

    def alike(self, other: Named) -> bool:
        """Whether one mention may be short for the other."""
        if self.words <= other.words or other.words <= self.words:
            return True
        one, two = sorted((self, other), key=lambda name: len(name.words))
        initials = "".join(part[0] for part in two.text.split() if part[:1].isupper()).casefold()
        short = "".join(one.words)
        return short == initials or any(word.startswith(f"{short}-") for word in two.words)


def named(text: str, taken: Iterable[tuple[int, int]] = (), sure: frozenset[str] = frozenset()) -> list[Named]:
    """The names in ``text`` outside of ``taken`` places; a capital that a sentence's start explains makes none.

    ``sure``: words that are names wherever they stand.
    """
    busy = bytearray(len(text) + 1)
    for start, end in taken:
        busy[start:end] = b"\1" * (end - start)
    surely = _surely(text) | sure
    found = []
    for match in _RUN.finditer(text):
        start = match.start()
        if _FIRST.search(text[max(0, start - 6) : start]):
            start += _opening(match[0], surely)
        name = text[start : match.end()]
        parts = re.split(r"[ ]+", name)
        words = frozenset(plain(part) for part in parts if len(part) == 1 < len(parts) or plain(part) not in _TITLES)
        words -= _NONE | STOP
        if len("".join(words)) > 1 and not any(busy[start : match.end()]):
            found.append(Named(start, match.end(), name, words))
    return found


_WITHIN = re.compile(r"(?<=[\w,] )[A-ZÀ-ÖØ-Þ][\w'’-]*")
_DOES = re.compile(r"\b([A-ZÀ-ÖØ-Þ][\w'’-]*) (?:is|was|has|had|will|can|did|[a-z]{3,}(?:ed|s))\b")
_LOWER = re.compile(r"\b[a-z][\w'’-]*")


def _surely(text: str) -> frozenset[str]:
    """Words that are names although they begin a sentence: the text has them within one, or they do something and are
    nowhere in lower case."""
    low = frozenset(_LOWER.findall(text)) if len(text) < _SHORT else None
    does = () if low is None else (word for word in _DOES.findall(text) if word.lower() not in low)
    return frozenset(_WITHIN.findall(text)) | frozenset(word for word in does if not word.endswith("ing"))


_SHORT = 2000
"""Characters of a text of which what does something is taken for a name; a long one names it more than once."""


def _opening(run: str, surely: frozenset[str]) -> int:
    """How much of a run at a sentence's start is no name: its first word, unless it surely is one."""
    first, _, rest = run.partition(" ")
    if first.lower() in STOP or first.lower() in _OPENERS or (first.endswith("ing") and first not in surely):
        return len(first) + bool(rest)
    return 0 if rest or not first[1:].islower() or first in surely else len(first)


_OPENERS = frozenset(
    "there here yes no however then thus hence today currently according unlike like since one two three four five six several "
    "many most some any no nobody everyone everything each every next last finally first second third".split()
)


def plain(word: str) -> str:
    """Without accents, dots, possessive ending and case."""
    word = re.sub(r"['’]s?\Z", "", word.replace(".", ""))
    letters = unicodedata.normalize(
        "NFKD", word.replace("ß", "ss").replace("ø", "o").replace("ł", "l").replace("Ø", "O")
    )
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()
