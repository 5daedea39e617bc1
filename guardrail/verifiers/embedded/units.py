"""Neighbouring sentences that are read together: what "it" is, and what "cool" is said of, stands next door. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guardrail.claims.segment import Sentence, sentences
from guardrail.claims.words import words
from guardrail.verifiers.embedded.select import WORDS

__all__ = ["Unit", "room", "units"]

_TOGETHER, _ALONE = 60, 0
_SHORT = 2 * WORDS
_FENCES = ("```", "~~~")


@dataclass(frozen=True, slots=True)
class Unit:
    """Sentences in a row with at least one claim among them."""

    text: str
    claims: tuple[Sentence, ...]


def room(evidence: int) -> int:
    """How many words of an answer are read together, beside evidence of so many words.

    Evidence that is read whole, or half of it, can bear out several claims at once; out of long evidence each claim
    needs passages of its own.
    """
    return _TOGETHER if evidence <= _SHORT else _ALONE


def units(answer: str, claims: Sequence[Sentence], *, room: int, since: int = 0) -> list[Unit]:
    """``claims`` of ``answer``, each in one unit of about ``room`` words, in order.

    What ends before ``since`` may stand in a unit beside what is behind it, as far as there is room. No unit reaches
    over code, and a sentence longer than ``room`` is a unit by itself.
    """
    found = sentences(answer)
    sizes = [len(words(sentence.text)) for sentence in found]
    begins = next((place for place, sentence in enumerate(found) if sentence.end > since), len(found))
    starts = [claim.start for claim in claims]
    made = []
    for first, last in _runs(answer, found, sizes, begins, room):
        inside = claims[bisect_left(starts, found[first].start) : bisect_left(starts, found[last].end)]
        if inside:
            start = _back(answer, found, sizes, first, last, room)
            made.append(Unit(answer[found[start].start : found[last].end], tuple(inside)))
    return made


def _runs(
    answer: str, found: Sequence[Sentence], sizes: Sequence[int], begins: int, room: int
) -> Iterator[tuple[int, int]]:
    """The first and the last of the sentences that stand together, from ``begins`` on."""
    first, size = begins, 0
    for place in range(begins, len(found)):
        full = size + sizes[place] > room or _apart(answer, found[place - 1], found[place])
        if place > first and full:
            yield first, place - 1
            first, size = place, 0
        size += sizes[place]
    if first < len(found):
        yield first, len(found) - 1


def _back(answer: str, found: Sequence[Sentence], sizes: Sequence[int], first: int, last: int, room: int) -> int:
    """Where a unit begins that may reach back as far as there is room."""
    size = sum(sizes[first : last + 1])
    while first > 0 and size + sizes[first - 1] <= room and not _apart(answer, found[first - 1], found[first]):
        first -= 1
        size += sizes[first]
    return first


def _apart(answer: str, one: Sentence, next_: Sentence) -> bool:
    return any(fence in answer[one.start : next_.end] for fence in _FENCES)
