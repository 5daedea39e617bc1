"""The worst errors of a verifier, with the text of the answer. Pure."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from guardrail.evaluate.judgement import Judgement
from guardrail.evaluate.scores import NO_RISK

__all__ = ["Mistake", "Worst"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """An answer whose verdict is not its label."""

    judgement: Judgement
    place: str
    """Its file and line."""
    question: str
    answer: str
    evidence: str
    findings: tuple[str, ...] = ()
    """What the verifier marked."""

    @property
    def distance(self) -> float:
        """Between the risk and the label, 0..1; without a risk that of `NO_RISK`."""
        risk = NO_RISK if self.judgement.risk is None else self.judgement.risk
        return abs(risk - self.judgement.unreliable)


@dataclass(slots=True)
class Worst:
    """Keeps the ``most`` worst errors of each label, so that not all texts are held."""

    most: int = 10
    _kept: dict[bool, list[tuple[float, int, Mistake]]] = field(default_factory=lambda: {False: [], True: []})
    _seen: int = 0

    def add(self, mistake: Mistake) -> None:
        """Keep ``mistake`` if it is one of the worst so far; of equally bad ones the first."""
        self._seen += 1
        kept = self._kept[mistake.judgement.unreliable]
        heapq.heappush(kept, (mistake.distance, -self._seen, mistake))
        if len(kept) > self.most:
            heapq.heappop(kept)

    def of(self, unreliable: bool) -> list[Mistake]:
        """The worst errors with this label, the worst first."""
        return [mistake for _, _, mistake in sorted(self._kept[unreliable], reverse=True, key=lambda kept: kept[:2])]
