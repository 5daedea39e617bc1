"""A listener that prints how each answer came to be."""

from __future__ import annotations

from guardrail import Finding, Listener
from guardrail.events import OutcomeReady

__all__ = ["Telling"]


class Telling(Listener):
    """One line for each guarded answer, and one for each place that was found in a draft."""

    def on_outcome(self, event: OutcomeReady) -> None:
        """Print it."""
        outcome = event.outcome
        if outcome.turn is not None and outcome.turn.tool_calls:
            return
        for attempt in outcome.attempts:
            for finding in attempt.verdict.findings:
                print(f"not supported: {finding.text!r}, held against {_source(finding)}")
        print(f"guardrail: {outcome.action.value}, {len(outcome.attempts)} drafts")


def _source(finding: Finding) -> str | None:
    """Which document it was held against."""
    return next((piece.url or piece.title for piece in finding.evidence), None)
