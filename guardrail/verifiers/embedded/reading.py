"""How the claims of an answer fare when they are held against the evidence.

Neighbouring claims are read together. Alone are read, besides, those with a number or a name that the evidence lacks,
and those of a unit that is bad, to find which.
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

__all__ = ["Part", "Reader", "Reading"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One claim, what it was held against, and how it fared."""

    claim: Sentence
    passage: Passage
    novelty: Novelty
    risk: float
    """The model's or that of the surest check, whichever is higher."""
    found: tuple[Finding, ...] = ()
    """What the checks found in the claim."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is read at once."""

    text: str
    passage: Passage
    everywhere: Novelty
    here: Novelty


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

    def read(self, units: Sequence[Unit], threshold: float) -> list[Reading]:
        """One reading for each claim of ``units``, in order. ``threshold``: the risk that is bad, 0..1."""
        together = [self.part(unit.text, unit.claims) for unit in units]
        alone = {
            claim: self.part(claim.text, [claim]) for unit in units if len(unit.claims) > 1 for claim in unit.claims
        }
        suspect = [claim for claim, part in alone.items() if part.everywhere.number or part.everywhere.name]
        risks = self._risks([*together, *(alone[claim] for claim in suspect)])
        of_units, of_claims = risks[: len(units)], dict(zip(suspect, risks[len(units) :], strict=True))
        bad = [unit for unit, risk in zip(units, of_units, strict=True) if risk >= threshold]
        rest = [claim for unit in bad for claim in unit.claims if claim in alone and claim not in of_claims]
        of_claims |= zip(rest, self._risks([alone[claim] for claim in rest]), strict=True)
        found = []
        for unit, part, risk in zip(units, together, of_units, strict=True):
            own = [of_claims.get(claim, risk) for claim in unit.claims]
            for claim, final in zip(unit.claims, _shared(risk, own, threshold), strict=True):
                read = alone.get(claim, part)
                found.append(Reading(claim, read.passage, read.everywhere, final))
        return found

    def part(self, text: str, claims: Sequence[Sentence]) -> Part:
        """``text``, which states ``claims``, with what it is held against."""
        asked = with_question(text, self._question)
        passage = self._sources.passage(asked)
        here = Lexicon.of(words(passage.text))
        said = " ".join(claim.text for claim in claims)
        each = [self._new(claim) for claim in claims]
        everywhere = replace(
            novelty(said, self._sources.lexicon),
            number=max(new.number for new in each),
            name=max(new.name for new in each),
        )
        return Part(asked, passage, everywhere, novelty(said, here))

    def _new(self, claim: Sentence) -> Novelty:
        new = novelty(claim.text, self._sources.lexicon)
        # "330 m" is no news where the evidence says "330 metres".
        return replace(new, number=0.0) if self._known(claim) else new

    def _risks(self, parts: Sequence[Part]) -> list[float]:
        logits = self._model.logits([(part.passage.text, part.text) for part in parts], self._look_at_clock)
        settings = self._model.settings
        return [settings.risk(logit, part.everywhere, part.here) for logit, part in zip(logits, parts, strict=True)]


def _shared(risk: float, own: Sequence[float], threshold: float) -> list[float]:
    """The risk of each claim of a unit, from the unit's and from what each has by itself.

    In a good unit a claim may be bad by itself. In a bad one, those that are bad by themselves are, or the worst.
    """
    if risk < threshold:
        return [max(risk, alone) for alone in own]
    worst = max(own)
    return [max(risk, alone) if alone >= min(threshold, worst) else alone for alone in own]
