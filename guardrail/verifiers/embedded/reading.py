"""How the claims of an answer fare when they are held against the evidence.

A claim is read by itself, and once more among its neighbours where there is room for them: alone a wrong word stands
out, and beside them "it" has a name. The mean of both counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from guardrail.claims import Sentence, with_question
from guardrail.claims.words import Lexicon, Novelty, novelty, words
from guardrail.verdict import Finding
from guardrail.verifiers.embedded.model import Model
from guardrail.verifiers.embedded.select import Passage, Sources
from guardrail.verifiers.embedded.units import Unit

__all__ = ["Held", "Reader", "Reading"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One claim, what it was held against, and how it fared."""

    claim: Sentence
    passage: Passage
    novelty: Novelty
    risk: float
    """The model's or that of the surest check, whichever is higher."""
    alone: float
    """What the model says of the claim without its neighbours."""
    found: tuple[Finding, ...] = ()
    """What the checks found in the claim."""


@dataclass(frozen=True, slots=True)
class Held:
    """One claim beside what it is held against."""

    claim: Sentence
    passage: Passage
    logit: float
    """How surely the claim is unreliable; any real number."""
    alone: float
    """The same without its neighbours."""
    everywhere: Novelty
    """What no evidence has."""
    here: Novelty
    """What ``passage`` lacks."""


class Reader:
    """Reads the claims of one answer.

    ``known``: whether the evidence bears out all numbers of a claim, in whatever form. ``look_at_clock`` raises when
    time is over.
    """

    def __init__(
        self,
        model: Model,
        sources: Sources,
        question: str,
        *,
        known: Callable[[Sentence], bool],
        look_at_clock: Callable[[], None],
    ) -> None:
        self._model = model
        self._sources = sources
        self._question = question
        self._known = known
        self._look_at_clock = look_at_clock

    def read(self, units: Sequence[Unit]) -> list[Reading]:
        """One reading for each claim of ``units``, in order."""
        risk = self._model.settings.risk
        return [
            Reading(
                held.claim,
                held.passage,
                held.everywhere,
                risk=risk(held.logit, held.everywhere, held.here),
                alone=risk(held.alone, held.everywhere, held.here),
            )
            for held in self.held(units)
        ]

    def held(self, units: Sequence[Unit]) -> list[Held]:
        """Each claim of ``units`` beside what it is held against, in order."""
        claims = [(self._asked(unit.text), self._asked(claim.text), claim) for unit in units for claim in unit.claims]
        texts = dict.fromkeys(text for together, alone, _ in claims for text in (together, alone))
        passages = {text: self._sources.passage(text) for text in texts}
        pairs = [(passages[text].text, text) for text in texts]
        logits = dict(zip(texts, self._model.logits(pairs, self._look_at_clock), strict=True))
        return [
            self._held(claim, passages[alone], logits[together], logits[alone]) for together, alone, claim in claims
        ]

    def _asked(self, text: str) -> str:
        return with_question(text, self._question)

    def _held(self, claim: Sentence, passage: Passage, together: float, alone: float) -> Held:
        everywhere = novelty(claim.text, self._sources.lexicon)
        if self._known(claim):  # "330 m" is no news where the evidence says "330 metres"
            everywhere = replace(everywhere, number=0.0)
        here = novelty(claim.text, Lexicon.of(words(passage.text)))
        return Held(claim, passage, (together + alone) / 2, alone, everywhere, here)
