"""Which sentences of the evidence a claim is held against. Pure, and linear in the evidence."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import groupby

from guardrail.claims.segment import sentences
from guardrail.claims.words import Lexicon, content_words, words
from guardrail.conversation import Evidence

__all__ = ["Passage", "Source", "Sources"]

WORDS = 85
"""About so many words of evidence are read together with a claim."""
_LONGEST = 60
"""A sentence longer than this is read in pieces: tables and lists come without full stops."""
_LOOKED_AT = 4096
"""A claim is compared with about so many sentences, those with its rarest words first: long evidence stays linear."""
_TITLE = 20
"""Words of a title that are read."""
_TRIED = 64
"""The best so many sentences are tried for the room that is left."""


@dataclass(frozen=True, slots=True)
class Source:
    """One sentence of the evidence."""

    evidence: Evidence
    text: str
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """The sentences that a claim is held against, in the order of the evidence."""

    text: str
    """Them, and the titles of what they stand in."""
    sources: tuple[Source, ...]
    best: Source | None
    """The one that has most in common with the claim."""
    overlap: float
    """Share (0..1) of the claim's words of content that all of the evidence has."""
    shared: int
    """How many words of content that is."""


class Sources:
    """The evidence of one check, cut into sentences and indexed by word."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self.sources = [source for piece in evidence for source in _cut(piece)]
        titles = {piece: words(_title(piece)) for piece in evidence}
        # An answer that names its source says nothing new.
        named = [token for piece in evidence for token in (*titles[piece], *words(piece.url or ""))]
        self.lexicon = Lexicon.of([*named, *(token for source in self.sources for token in source.tokens)])
        self.words = sum(len(source.tokens) for source in self.sources)
        """How many words the evidence has."""
        self._short = self.words <= WORDS
        self._where = defaultdict[str, list[int]](list)
        for place, source in enumerate(self.sources):
            for token in {*source.tokens, *titles[source.evidence]}:
                self._where[token].append(place)

    def passage(self, claim: str) -> Passage:
        """What to read together with ``claim``."""
        wanted = set(content_words(words(claim)))
        shared = [token for token in wanted if token in self._where]
        overlap = len(shared) / len(wanted) if wanted else 0.0
        scores = self._scores(shared)
        chosen = list(range(len(self.sources))) if self._short else self._chosen(scores)
        best = max(scores, key=lambda place: (scores[place], -place), default=None)
        picked = tuple(self.sources[place] for place in chosen)
        first = None if best is None else self.sources[best]
        return Passage(_text(picked), picked, first, overlap, len(shared))

    def _scores(self, shared: Sequence[str]) -> Counter[int]:
        """How much each sentence has in common with a claim; rare words count for more."""
        scores: Counter[int] = Counter()
        looked_at = 0
        for token in sorted(shared, key=lambda token: (len(self._where[token]), token)):
            places = self._where[token]
            looked_at += len(places)
            if scores and looked_at > _LOOKED_AT:
                break
            weight = math.log(1 + len(self.sources) / len(places))
            for place in places[:_LOOKED_AT]:
                scores[place] += weight / (1 + 0.02 * len(self.sources[place].tokens))  # type: ignore[assignment]
        return scores

    def _chosen(self, scores: Counter[int]) -> list[int]:
        chosen: list[int] = []
        length = 0
        for place in nsmallest(_TRIED, scores, key=lambda place: (-scores[place], place)):
            size = len(self.sources[place].tokens)
            if chosen and length + size > WORDS:
                continue
            chosen.append(place)
            length += size
            if length >= 0.9 * WORDS:
                break
        return sorted(chosen or range(min(1, len(self.sources))))


def _text(sources: Sequence[Source]) -> str:
    """The sentences, those of a titled piece behind its title: "It" is often what the title names."""
    said: list[str] = []
    for piece, run in groupby(sources, key=lambda source: source.evidence):
        said += [f"{title}." for title in (_title(piece),) if title]
        said += [source.text for source in run]
    return " ".join(said)


def _title(piece: Evidence) -> str:
    return " ".join((piece.title or "").split()[:_TITLE]).rstrip(".")


def _cut(piece: Evidence) -> list[Source]:
    found = []
    for sentence in sentences(piece.text):
        tokens = words(sentence.text)
        if len(tokens) <= _LONGEST:
            found.append(Source(piece, sentence.text, tuple(tokens)))
        else:
            found += _pieces(piece, sentence.text)
    return found


def _pieces(piece: Evidence, text: str) -> list[Source]:
    parts = text.split()
    cuts = [" ".join(parts[at : at + _LONGEST]) for at in range(0, len(parts), _LONGEST)]
    return [Source(piece, cut, tuple(words(cut))) for cut in cuts]
