"""What a verifier is: the one interface between guardrail and any reliability model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from guardrail.conversation import Evidence, Message, Turn
from guardrail.sampling import Sampler
from guardrail.verdict import Verdict

__all__ = ["Check", "Verifier"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to verify."""

    conversation: tuple[Message, ...]
    """The history, oldest first, without the turn under judgement."""
    turn: Turn
    evidence: tuple[Evidence, ...] = ()
    threshold: float | None = None
    """The risk (0..1) from which the policy calls an answer unreliable; None: the verifier's own."""
    remaining: float | None = None
    """Seconds that are left for this; None means without bound."""
    since: int = 0
    """Characters of the turn's text that have their verdict: the question is about what follows them. A verifier may
    judge the whole text all the same, as long as its findings say where."""
    sampler: Sampler | None = field(default=None, compare=False, repr=False)
    """Asks the application's LLM for further answers; None where there is nothing to generate with."""

    def after(self, seconds: float) -> Check:
        """The same, with ``seconds`` of its time spent."""
        return self if self.remaining is None else replace(self, remaining=max(0.0, self.remaining - seconds))


@runtime_checkable
class Verifier(Protocol):
    """Anything that turns a conversation, a turn and evidence into a `Verdict`.

    One call is one attempt. When no verdict can be had it raises `VerifierError` with the cause,
    never anything else that it could foresee; retries, deadlines and the policy are others'
    business. Both twins give the same verdict. A verifier that is asked from several threads
    or tasks at once must cope.
    """

    @property
    def id(self) -> str:
        """What it is called in reports, such as ``embedded``."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever its verdicts may change."""
        ...

    def verify(self, check: Check) -> Verdict:
        """Verify in the calling thread."""
        ...

    async def averify(self, check: Check) -> Verdict:
        """Verify without ever blocking the event loop."""
        ...

    def close(self) -> None:
        """Give back what is held. Safe to call twice."""
        ...

    async def aclose(self) -> None:
        """The same, from an event loop."""
        ...
