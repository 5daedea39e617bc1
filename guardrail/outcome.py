"""What the caller gets: the answer that may be shown, and how it came to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from guardrail.action import Action, most_severe
from guardrail.conversation import Evidence, Turn
from guardrail.verdict import Cause, Finding, Usage, Verdict

__all__ = ["Attempt", "Mode", "Outcome", "join"]

Mode = Literal["enforce", "shadow", "unsampled"]
"""``shadow``: decided and reported, never acted on. ``unsampled``: not verified at all."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One go: an answer, what was found in it, and what the policy then said to do."""

    turn: Turn
    verdict: Verdict
    action: Action
    generated: float
    """Seconds that the answer took to generate; 0 for an answer that was at hand."""
    verified: float
    """Seconds until the verdict was in."""
    model: str | None = None
    """The model that a fallback went to; None for the request's own."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One guarded turn, ended."""

    id: str
    action: Action
    """How the released text came to be: ``regenerate`` means that a regenerated answer was
    released, ``flag`` that an answer was released although it is not known to be reliable."""
    text: str
    """Safe to show: the released answer, or the policy's message when it was blocked."""
    turn: Turn | None
    """The released turn; None when blocked."""
    attempts: tuple[Attempt, ...] = ()
    added: float = 0.0
    """Milliseconds that guarding added after the first answer was there."""
    usage: Usage | None = None
    """Tokens spent beyond the first answer, as far as they are known."""
    policy: str = ""
    """Name of the policy that decided."""
    digest: str = ""
    """Digest of the resolved policy file."""
    mode: Mode = "enforce"
    notes: tuple[str, ...] = ()
    """Whatever was cut, missing or could not be done, in words."""
    evidence: tuple[Evidence, ...] = ()
    choices: tuple[Outcome, ...] = ()
    """One per choice when the request asked for several; empty otherwise."""

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the released answer; on the last one judged when it was blocked."""
        if not self.attempts:
            return None
        released = [attempt for attempt in self.attempts if attempt.turn is self.turn]
        return (released or self.attempts)[-1].verdict

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of ``verdict``."""
        return self.verdict.findings if self.verdict else ()

    @property
    def cause(self) -> Cause | None:
        """Why there is no verdict, if there is none."""
        return self.verdict.cause if self.verdict else None


def join(outcomes: Sequence[Outcome]) -> Outcome:
    """One outcome for a request with several choices: the most severe, with all of them in ``choices``.

    Of a single outcome it is that outcome. Choices are guarded at the same time, so ``added`` is the longest.
    """
    if len(outcomes) == 1:
        return outcomes[0]
    action = most_severe(outcome.action for outcome in outcomes)
    worst = next(outcome for outcome in outcomes if outcome.action is action)
    spent = [outcome.usage for outcome in outcomes if outcome.usage is not None]
    return replace(
        worst,
        added=max(outcome.added for outcome in outcomes),
        usage=sum(spent[1:], spent[0]) if spent else None,
        choices=tuple(outcomes),
    )
