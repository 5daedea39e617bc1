"""Counting rows, and the exit code that they amount to. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TypeAlias

from guardrail.action import Action
from guardrail.cli.errors import BAD_INPUT
from guardrail.cli.rows import BadRow, Row
from guardrail.outcome import Outcome
from guardrail.verdict import Status

__all__ = ["CLEAN", "FAIL_ON", "NO_VERDICT", "UNFIT", "Judged", "Result", "Tally", "exit_code"]

CLEAN, UNFIT, NO_VERDICT = 0, 1, 3
"""Exit codes: every answer passed or was flagged; some would not be shown as it is; some got no verdict."""

FAIL_ON = ("unknown", "flag", "unreliable")
"""What ``--fail-on`` may name: a status or an action."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A row and what came of it."""

    row: Row
    outcome: Outcome

    @property
    def status(self) -> str:
        """The verdict's status, or the mode where nothing was verified."""
        return self.outcome.verdict.status.value if self.outcome.verdict else self.outcome.mode


Result: TypeAlias = Judged | BadRow


def exit_code(result: Result, fail_on: Collection[str] = ()) -> int:
    """The exit code that one row asks for; of many rows the highest applies."""
    if isinstance(result, BadRow):
        return BAD_INPUT
    if result.status == Status.ERROR.value:
        return NO_VERDICT
    action = result.outcome.action
    if action.severity > Action.FLAG.severity or {result.status, action.value} & set(fail_on):
        return UNFIT
    return CLEAN


@dataclass(slots=True)
class Tally:
    """How many rows there were of each kind."""

    fail_on: Collection[str] = ()
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows by (status, action)."""
    bad: int = 0
    code: int = CLEAN
    """The highest exit code so far."""

    def add(self, result: Result) -> None:
        """Count one row."""
        self.code = max(self.code, exit_code(result, self.fail_on))
        if isinstance(result, BadRow):
            self.bad += 1
        else:
            self.counts[result.status, result.outcome.action.value] += 1

    @property
    def rows(self) -> int:
        """All rows, bad ones included."""
        return self.counts.total() + self.bad
