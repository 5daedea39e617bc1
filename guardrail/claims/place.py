"""Which clause of a claim has the words that its evidence lacks. Pure, and English."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from guardrail.claims.words import content_words, words

__all__ = ["bad_clause"]

_CUT = re.compile(
    r"[,;:](?=\s)|\s[-–]\s|[()—]|\b(?:and|but|while|whereas|because|although|though|since|so|which|who|if|when|after|before|"
    r"until|unless)\b",
    re.IGNORECASE,
)
_MOST = 0.6
"""A larger share of new words is all over the claim."""
_TOLD = 0.2
"""The clause must have at least this share of new words,"""
_REST = 0.34
"""and no other clause more than this."""
_SAID = frozenset({"yes", "no", "not"})


def bad_clause(claim: str, evidence: str) -> tuple[int, int]:
    """Start and end, in characters, of the clause of ``claim`` whose words ``evidence`` lacks.

    All of the claim where they stand all over it, or where it has none: then the relation is wrong.
    """
    if _CUT.search(claim) is None:
        return 0, len(claim)
    known = _index(words(evidence))
    shares = {place: share for place in _clauses(claim) if (share := _share(claim[slice(*place)], known)) is not None}
    whole = _share(claim, known)
    if len(shares) < 2 or not whole or whole > _MOST:
        return 0, len(claim)
    best = max(shares, key=lambda place: shares[place])
    if shares[best] < _TOLD or any(share > _REST for place, share in shares.items() if place != best):
        return 0, len(claim)
    return _trimmed(claim, *best)


def _share(text: str, known: dict[str, set[str]]) -> float | None:
    """The share of the words of content that are new; None where there are none."""
    tokens = [_stem(token) for token in content_words(words(text)) if token not in _SAID]
    return sum(not _is_known(token, known) for token in tokens) / len(tokens) if tokens else None


def _clauses(claim: str) -> Iterator[tuple[int, int]]:
    edges = [0, *(edge for match in _CUT.finditer(claim) for edge in match.span()), len(claim)]
    yield from [*pairwise(edges)][::2]


def _trimmed(claim: str, start: int, end: int) -> tuple[int, int]:
    text = claim[start:end]
    start += len(text) - len(text.lstrip())
    return start, start + len(text.strip().rstrip(".!?"))


def _stem(token: str) -> str:
    for ending in ("ing", "ed", "es", "s", "e", "y"):
        if token.endswith(ending) and len(token) - len(ending) >= 3:
            return token[: -len(ending)]
    return token


_BEGINNING = 5
"""Words of which so many letters are the same may be forms of one."""


def _index(tokens: Iterable[str]) -> dict[str, set[str]]:
    known: dict[str, set[str]] = {}
    for token in tokens:
        known.setdefault(token[:3], set()).add(_stem(token))
    return known


def _is_known(token: str, known: dict[str, set[str]]) -> bool:
    others = known.get(token[:3], set())
    if token in others:
        return True
    return any(token[:least] == other[:least] for other in others if (least := _least(token, other)))


def _least(one: str, two: str) -> int:
    shorter = min(len(one), len(two))
    return max(_BEGINNING, shorter - 1) if shorter >= _BEGINNING else 0
