"""How often the LLM is asked again: one step at a time as in tenacity's own loop."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from guardrail.attempts import Again, loop, settle
from guardrail.policy.model import Step

STEPS: list[dict[str, Any]] = [
    {},
    {"stop": {"after_attempt": 4}},
    {"stop": {"after_delay": 3.0}},
    {"stop": {"before_delay": 3.0}, "wait": {"fixed": 1.0}},
    {"stop": {"after_attempt": 5}, "wait": {"exponential": {"multiplier": 0.5}}},
    {"stop": {"after_attempt": 4}, "wait": {"incrementing": {"start": 1.0, "increment": 1.0}}},
]


def looped(step: Step, moments: Sequence[float]) -> list[float]:
    """The waits of tenacity's loop where attempts end at ``moments``."""
    pauses: list[float] = []
    waits: list[float] = []
    for attempt, moment in zip(loop(step, pauses), moments, strict=False):
        if attempt.retry_state.attempt_number > 1:
            waits.append(sum(pauses))
            pauses.clear()
        settle(attempt, False, moment)
    return waits


def in_steps(step: Step, moments: Sequence[float]) -> list[float]:
    """Those of `Again`, each asked for in another thread."""
    again, waits = Again(step), list[float | None]()
    for moment in moments:
        with ThreadPoolExecutor(1) as pool:
            waits.append(pool.submit(again.next, moment).result())
        if waits[-1] is None:
            break
    return [wait for wait in waits if wait is not None]


@pytest.mark.parametrize("options", STEPS)
def test_a_step_at_a_time_is_as_the_loop_and_a_matter_of_no_thread(options: dict[str, Any]) -> None:
    step = Step.model_validate({"do": "regenerate", **options})
    moments = [0.0, 0.5, 1.5, 2.5, 4.0, 8.0]
    assert in_steps(step, moments[:-1]) == looped(step, moments)
