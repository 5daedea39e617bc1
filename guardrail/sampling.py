"""Further answers of the application's own LLM, for a verifier to hold an answer against. Pure.

A verifier has no client of the application's. It is handed a `Sampler` with what it checks, and asks that for a
`Sample`; who generates performs it, and nobody else ever sees what comes of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from guardrail.conversation import Turn
from guardrail.verdict import Usage

__all__ = ["Recorded", "Sample", "Sampler", "Samples"]


@dataclass(frozen=True, slots=True)
class Sample:
    """An effect: ask the LLM the same once more, ``n`` times. Given back: `Samples`."""

    n: int
    max_tokens: int
    """Of each answer, so that they cost about what the answer under judgement did."""
    temperature: float = 1.0
    """0 and up. At 0 all answers would be the same, and tell nothing."""
    concurrency: int | None = None
    """How many at once; None: all."""
    remaining: float | None = None
    """Seconds that are left for all of them; None means without bound."""


@dataclass(frozen=True, slots=True)
class Samples:
    """What came of a `Sample`: as many answers as there were in time, in no order."""

    turns: tuple[Turn, ...]
    usage: Usage | None = None
    """Tokens spent on them; None where nobody said, or where they were drawn, and counted, for an earlier check."""
    problem: str = ""
    """Why some are missing, in words."""
    late: bool = False
    """Whether it is because the time was over."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A sampler of answers that were drawn before."""

    texts: tuple[str, ...]

    def sample(self, wish: Sample) -> Samples:
        """The first ``wish.n`` of them."""
        missing = f"only {len(self.texts)} are recorded" if len(self.texts) < wish.n else ""
        return Samples(tuple(Turn(text) for text in self.texts[: wish.n]), problem=missing)

    async def asample(self, wish: Sample) -> Samples:
        """The same."""
        return self.sample(wish)


class Sampler(Protocol):
    """Performs a `Sample` for one conversation. Asked again, it may give back what it drew before."""

    def sample(self, wish: Sample) -> Samples:
        """In the calling thread, within ``wish.remaining`` seconds. A failed generation is told, not raised."""
        ...

    async def asample(self, wish: Sample) -> Samples:
        """The same for an event loop; cancelling it ends what is in flight."""
        ...
