"""How the claims of an answer fare when they are held against the evidence.

A claim is read by itself, and once more among its neighbours where there is room for them: alone a wrong word stands
out, and beside them "it" has a name. The mean of both counts, and besides what is new in the claim what is new in the
whole answer: in words that mostly are the evidence's, one that is not weighs less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from guardrail.claims import Sentence, with_question
from guardrail.claims.words import Novelty, novelty
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
    """What the model says of the claim as if it were the whole answer."""
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
    novelty: Novelty
    """What it says that no evidence has."""


class Reader:
    """Reads the claims of one answer.

    ``look_at_clock`` raises when time is over.
    """

    def __init__(
        self,
        model: Model,
        sources: Sources,
        question: str,
        *,
        look_at_clock: Callable[[], None],
    ) -> None:
        self._model = model
        self._sources = sources
        self._question = question
        self._look_at_clock = look_at_clock

    def read(self, answer: str, units: Sequence[Unit]) -> list[Reading]:
        """One reading for each claim of ``units``, which are of ``answer``, in order."""
        risk, whole = self._model.settings.risk, self.new(answer)
        return [
            Reading(
                held.claim,
                held.passage,
                held.novelty,
                risk=risk(held.logit, held.novelty, whole),
                alone=risk(held.alone, held.novelty, held.novelty),
            )
            for held in self.held(units)
        ]

    def new(self, text: str) -> Novelty:
        """What an answer, or a claim, says that no evidence has."""
        return novelty(text, self._sources.lexicon)

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
        return Held(claim, passage, (together + alone) / 2, alone, self.new(claim.text))
