"""Words, numbers and names, and how much of them is new. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Lexicon", "Novelty", "content_words", "names", "novelty", "words"]

_CJK = "぀-ヿ㐀-鿿가-힯"
_WORD = re.compile(rf"\d+(?:[.,]\d+)*|[{_CJK}]|[^\W\d_{_CJK}]+(?:['’][^\W\d_{_CJK}]+)?")
"""A number, a Chinese, Japanese or Korean character, or a word."""
_NAME = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-Z][\w'’-]+(?:[.,]\d+)*")
_STOP = frozenset(
    (
        "a about above after again all also am an and any are as at be because been before being below "
        "between both but by can could did do does doing down during each few for from further had has "
        "have having he her here hers him his how i if in into is it its itself just me more most my no "
        "nor not now of off on once only or other our out over own same she should so some such than "
        "that the their them then there these they this those through to too under until up very was we "
        "were what when where which while who whom why will with would you your yes "
    ).split()
)


def words(text: str) -> list[str]:
    """The words of ``text`` in lower case; numbers without their thousands separators."""
    return [_plain(match) for match in _WORD.findall(text)]


def content_words(tokens: Iterable[str]) -> list[str]:
    """The words that carry meaning."""
    return [token for token in tokens if token not in _STOP]


def names(text: str) -> set[str]:
    """Capitalised words that do not begin a sentence, in lower case."""
    return {match.lower() for match in _NAME.findall(text)}


def _plain(token: str) -> str:
    if token[0].isdigit():
        return re.sub(r",(?=\d{3}\b)", "", token)
    return token.lower()


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words and pairs of neighbours in a text."""

    words: frozenset[str]
    pairs: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, tokens: Sequence[str]) -> Lexicon:
        """The lexicon of ``tokens``."""
        return cls(frozenset(_stems(tokens)), frozenset(_pairs(tokens)))


@dataclass(frozen=True, slots=True)
class Novelty:
    """Shares (0..1) of a claim that its evidence lacks."""

    word: float
    pair: float
    number: float


def novelty(claim: str, lexicon: Lexicon) -> Novelty:
    """What ``claim`` says that is not in ``lexicon``."""
    tokens = words(claim)
    content = content_words(tokens)
    return Novelty(
        word=_share([stem not in lexicon.words for stem in _stems(content)]),
        pair=_share([pair not in lexicon.pairs for pair in _pairs(tokens)]),
        number=_share([token not in lexicon.words for token in content if token[0].isdigit()]),
    )


def _share(missing: Sequence[bool]) -> float:
    return sum(missing) / len(missing) if missing else 0.0


def _pairs(tokens: Sequence[str]) -> list[tuple[str, str]]:
    stems = _stems(tokens)
    return list(pairwise(stems))


def _stems(tokens: Iterable[str]) -> list[str]:
    """Words without the commonest English endings, so that a plural is not news."""
    return [_stem(token) for token in tokens]


def _stem(token: str) -> str:
    for ending in ("ing", "ed", "es", "s"):
        if token.endswith(ending) and len(token) - len(ending) >= 4:
            return token[: -len(ending)]
    return token
