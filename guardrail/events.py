"""What a guard tells while it works: a listener protocol, and nothing that listens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from guardrail.action import Action
from guardrail.conversation import Turn
from guardrail.outcome import Outcome
from guardrail.verdict import Cause, Verdict

__all__ = ["ActionTaken", "Event", "Listener", "OutcomeReady", "Retrying", "TurnGenerated", "VerdictGiven"]


@dataclass(frozen=True, slots=True)
class TurnGenerated:
    """An answer is there and about to be judged."""

    id: str
    """The `Outcome.id` that the guarded turn will end with."""
    turn: Turn
    attempt: int
    """1 for the first answer."""


@dataclass(frozen=True, slots=True)
class VerdictGiven:
    """A verifier has judged an answer, or could not."""

    id: str
    verdict: Verdict
    attempt: int


@dataclass(frozen=True, slots=True)
class ActionTaken:
    """The policy has decided what comes next."""

    id: str
    action: Action
    attempt: int
    rule: str
    """Which list of the policy said so, such as ``on_unreliable``."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """A call to a verifier failed and will be made again."""

    verifier: str
    cause: Cause
    attempt: int
    """How many attempts have failed."""
    wait: float
    """Seconds until the next."""


@dataclass(frozen=True, slots=True)
class OutcomeReady:
    """A guarded turn has ended."""

    outcome: Outcome


Event: TypeAlias = TurnGenerated | VerdictGiven | ActionTaken | Retrying | OutcomeReady


class Listener:
    """Hears of every step. Subclass it and override what you need; each method does nothing here.

    Listeners are called in the thread or task that does the work, so they should be quick. An
    exception from a listener is logged and goes no further.
    """

    def on_turn(self, event: TurnGenerated) -> None:
        """An answer is there."""

    def on_verdict(self, event: VerdictGiven) -> None:
        """A verdict is in."""

    def on_action(self, event: ActionTaken) -> None:
        """The policy has decided."""

    def on_retry(self, event: Retrying) -> None:
        """A verifier is asked again."""

    def on_outcome(self, event: OutcomeReady) -> None:
        """A guarded turn has ended."""

    def hear(self, event: Event) -> None:
        """Sorts events to the methods above."""
        match event:
            case TurnGenerated():
                self.on_turn(event)
            case VerdictGiven():
                self.on_verdict(event)
            case ActionTaken():
                self.on_action(event)
            case Retrying():
                self.on_retry(event)
            case OutcomeReady():
                self.on_outcome(event)
