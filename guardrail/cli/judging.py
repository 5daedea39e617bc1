"""Labelled rows, judged several at a time."""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from guardrail.cli.labelled import Bad, Item, Labelled
from guardrail.evaluate.judgement import Judgement
from guardrail.evaluate.judging import judge
from guardrail.guard import Guard
from guardrail.ordered import in_order
from guardrail.outcome import Outcome
from guardrail.policy.model import Policy
from guardrail.verifiers.protocol import Verifier

__all__ = ["Judged", "Result", "guard_with", "judged"]


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled row, and what came of it."""

    labelled: Labelled
    outcome: Outcome
    judgement: Judgement
    versus: Judgement | None = None
    """What another verifier made of it, where one is asked too."""


Result: TypeAlias = Judged | Bad


def guard_with(policy: Policy, verifiers: Mapping[str, Verifier] | None) -> Guard:
    """A guard with those of ``verifiers`` that ``policy``, which names only what is asked, has."""
    return Guard(policy, verifiers={name: one for name, one in (verifiers or {}).items() if name in policy.verifiers})


def judged(
    guard: Guard, items: Iterable[Item], *, jobs: int | None, versus: Guard | None = None
) -> Generator[Result, None, None]:
    """Each row judged, ``jobs`` at a time, in their order; what is bad is passed through in its place."""
    at_once = jobs or max(one.concurrency for one in (guard, versus) if one is not None)
    yield from in_order(functools.partial(_judge, guard, versus), items, concurrency=at_once)


def _judge(guard: Guard, versus: Guard | None, item: Item) -> Result:
    if isinstance(item, Bad):
        return item
    outcome, judgement = judge(guard, item.case)
    # After the other: what two verifiers have in common is worked out for the first of them, whose time is told.
    other = None if versus is None else judge(versus, item.case)[1]
    return Judged(item, outcome, judgement, other)
