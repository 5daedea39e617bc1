"""What can be said of an answer without reading it: measures that a verifier has to beat. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from guardrail.claims.words import Lexicon, novelty, words
from guardrail.conversation import Evidence

__all__ = ["Baselines", "baselines"]


@dataclass(frozen=True, slots=True)
class Baselines:
    """Simple measures of one answer."""

    length: int
    """Characters."""
    word_novelty: float
    """Share (0..1) of its words of content that the evidence lacks."""
    bigram_novelty: float
    """Share (0..1) of its pairs of neighbouring words that the evidence lacks."""


def baselines(answer: str, evidence: Sequence[Evidence]) -> Baselines:
    """Measure ``answer`` against all of ``evidence`` taken together."""
    new = novelty(answer, Lexicon.of(words("\n".join(piece.text for piece in evidence))))
    return Baselines(len(answer), new.word, new.pair)
