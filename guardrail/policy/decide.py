"""From a verdict to the next step: the one place where a policy is applied. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from guardrail.action import Action
from guardrail.policy.model import Rules, Step
from guardrail.verdict import Status, Verdict

__all__ = ["Decision", "decide"]

RELEASE = (Step(do=Action.PASS),)
"""What follows a reliable verdict, whatever the policy says."""
LAST_RESORT = Step(do=Action.FLAG)
"""What follows the last step of a chain that does not end: the least risky attempt is flagged."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one verdict."""

    step: Step
    chain: str
    """Which list of the policy the step stands in, such as ``on_error.timeout``."""
    place: int
    """Its place in that list, from 0."""

    @property
    def key(self) -> tuple[str, int]:
        """What is remembered once the step has been tried in vain."""
        return self.chain, self.place


def decide(rules: Rules, verdict: Verdict, spent: Collection[tuple[str, int]] = ()) -> Decision:
    """The first step that the policy foresees for ``verdict`` and that is not in ``spent``.

    ``spent`` holds the `Decision.key` of steps that were tried in vain. A reliable verdict is
    always released. When every step is spent the answer is flagged, so that the loop ends and
    nothing is lost.
    """
    chain, steps = _chain(rules, verdict)
    for place, step in enumerate(steps):
        if (chain, place) not in spent:
            return Decision(step, chain, place)
    return Decision(LAST_RESORT, chain, len(steps))


def _chain(rules: Rules, verdict: Verdict) -> tuple[str, tuple[Step, ...]]:
    if verdict.status is Status.RELIABLE:
        return "on_reliable", RELEASE
    if verdict.status is Status.UNRELIABLE:
        return "on_unreliable", rules.on_unreliable
    # A cause that the policy names goes before the general rule, for `unknown` too.
    if verdict.cause is not None and verdict.cause in rules.on_error:
        return f"on_error.{verdict.cause.value}", rules.on_error[verdict.cause]
    if verdict.status is Status.UNKNOWN:
        return "on_unknown", rules.on_unknown
    return "on_error.default", rules.on_error["default"]
