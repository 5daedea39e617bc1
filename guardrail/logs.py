"""The default listener: short lines to the ``guardrail`` logger. Content is never logged."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from guardrail.action import Action
from guardrail.events import ActionTaken, Event, Listener, OutcomeReady, Retrying, VerdictGiven
from guardrail.outcome import Outcome
from guardrail.verdict import Status

__all__ = ["LogListener", "broadcast", "forgotten", "logger", "once"]

logger = logging.getLogger("guardrail")
_said: set[str] = set()


class LogListener(Listener):
    """One line an outcome: DEBUG when it passed, INFO when acted upon, WARNING without a verdict."""

    def on_verdict(self, event: VerdictGiven) -> None:
        """Says what the verifier found."""
        verdict = event.verdict
        logger.debug("%s attempt %d: %s", event.id, event.attempt, verdict.status.value)

    def on_action(self, event: ActionTaken) -> None:
        """Says which rule decided."""
        logger.debug("%s attempt %d: %s by %s", event.id, event.attempt, event.action.value, event.rule)

    def on_retry(self, event: Retrying) -> None:
        """Says that a verifier is asked again, and why."""
        logger.info("%s: %s, asking again in %.1f s", event.verifier, event.cause.value, event.wait)

    def on_outcome(self, event: OutcomeReady) -> None:
        """Says how it ended."""
        outcome = event.outcome
        if logger.isEnabledFor(level := _level(outcome)):
            logger.log(level, "%s", _line(outcome))


def _level(outcome: Outcome) -> int:
    if outcome.verdict is not None and outcome.verdict.status is Status.ERROR:
        return logging.WARNING
    return logging.DEBUG if outcome.action is Action.PASS else logging.INFO


def _line(outcome: Outcome) -> str:
    verdict = outcome.verdict
    status = verdict.status.value if verdict else outcome.mode
    cause = f" ({verdict.cause.value})" if verdict and verdict.cause else ""
    return (
        f"{outcome.id} {outcome.action.value}: {status}{cause}, attempts={len(outcome.attempts)} "
        f"added={outcome.added:.0f}ms policy={outcome.policy}@{outcome.digest}"
    )


def broadcast(listeners: Sequence[Listener], event: Event) -> None:
    """Tell every listener; one that fails is logged and costs nobody an answer."""
    for listener in listeners:
        try:
            listener.hear(event)
        except Exception:  # a listener is foreign code, and the answer must not be lost to it
            logger.exception("the listener %r failed", type(listener).__name__)


def once(key: str, message: str) -> None:
    """Log a warning the first time in this process that ``key`` comes up."""
    if key not in _said:
        _said.add(key)
        logger.warning("%s", message)


@contextmanager
def forgotten() -> Iterator[None]:
    """Inside, everything that `once` has said is said anew."""
    said = set(_said)
    _said.clear()
    try:
        yield
    finally:
        _said.update(said)
