"""A policy's stop and wait are tenacity's objects of the same name."""

from __future__ import annotations

from typing import Any

import pytest
import tenacity
from hypothesis import given
from hypothesis import strategies as st
from tenacity import RetryCallState

from guardrail.errors import PolicyError
from guardrail.policy.model import Exponential, Policy, Retry, Step, Stop, Wait


def state(attempt: int, elapsed: float, upcoming: float = 0.0) -> RetryCallState:
    """What tenacity shows to its stops and waits after the given try."""
    found = RetryCallState(tenacity.Retrying(), None, (), {})
    found.attempt_number = attempt
    found.set_result(None)
    found.outcome_timestamp = found.start_time + elapsed
    found.upcoming_sleep = upcoming
    return found


STOPS: list[tuple[dict[str, Any], Any]] = [
    ({"after_attempt": 3}, tenacity.stop_after_attempt(3)),
    ({"after_delay": "10s"}, tenacity.stop_after_delay(10)),
    ({"before_delay": "10s"}, tenacity.stop_before_delay(10)),
    ({"after_attempt": 3, "after_delay": "10s"}, tenacity.stop_after_attempt(3) | tenacity.stop_after_delay(10)),
    (
        {"any": [{"after_attempt": 2}, {"after_delay": "3s"}]},
        tenacity.stop_any(tenacity.stop_after_attempt(2), tenacity.stop_after_delay(3)),
    ),
    (
        {"all": [{"after_attempt": 2}, {"after_delay": "3s"}]},
        tenacity.stop_all(tenacity.stop_after_attempt(2), tenacity.stop_after_delay(3)),
    ),
]


@pytest.mark.parametrize(("written", "theirs"), STOPS)
def test_a_stop_stops_when_tenacitys_does(written: dict[str, Any], theirs: Any) -> None:
    ours = Stop(**written).build()
    for attempt in range(1, 6):
        for elapsed in (0.0, 2.9, 3.0, 9.9, 10.0, 11.0):
            for upcoming in (0.0, 8.0):
                at = state(attempt, elapsed, upcoming)
                assert ours(at) == theirs(at)


WAITS: list[tuple[dict[str, Any], Any]] = [
    ({}, tenacity.wait_none()),
    ({"none": {}}, tenacity.wait_none()),
    ({"fixed": "1500ms"}, tenacity.wait_fixed(1.5)),
    ({"fixed": {"wait": "1s"}}, tenacity.wait_fixed(1)),
    ({"incrementing": {"start": "1s", "increment": "2s"}}, tenacity.wait_incrementing(1, 2)),
    ({"incrementing": {}}, tenacity.wait_incrementing()),
    ({"exponential": {}}, tenacity.wait_exponential()),
    ({"exponential": {"multiplier": 0.5, "max": "3s", "exp_base": 3, "min": "1s"}},
     tenacity.wait_exponential(multiplier=0.5, max=3, exp_base=3, min=1)),
    ({"exponential_jitter": {"multiplier": 2, "jitter": "0s", "max": "9s"}},
     tenacity.wait_exponential_jitter(multiplier=2, jitter=0, max=9)),
    ({"chain": [{"fixed": "1s"}, {"fixed": "5s"}]},
     tenacity.wait_chain(tenacity.wait_fixed(1), tenacity.wait_fixed(5))),
    ({"combine": [{"fixed": "1s"}, {"exponential": {}}]}, tenacity.wait_fixed(1) + tenacity.wait_exponential()),
]  # fmt: skip


@pytest.mark.parametrize(("written", "theirs"), WAITS)
def test_a_wait_waits_as_long_as_tenacitys(written: dict[str, Any], theirs: Any) -> None:
    ours = Wait(**written).build()
    assert [ours(state(n, 0.0)) for n in range(1, 9)] == [theirs(state(n, 0.0)) for n in range(1, 9)]


RANDOM = [
    ({"random": {"min": "1s", "max": "2s"}}, 1.0, 2.0),
    ({"random": {}}, 0.0, 1.0),
    ({"random_exponential": {"multiplier": 1, "max": "4s"}}, 0.0, 4.0),
    ({"exponential_jitter": {"jitter": "1s", "max": "3s", "min": "1s"}}, 1.0, 3.0),
]


@pytest.mark.parametrize(("written", "low", "high"), RANDOM)
def test_a_random_wait_stays_between_its_bounds_and_varies(written: dict[str, Any], low: float, high: float) -> None:
    wait = Wait(**written).build()
    waits = {wait(state(1, 0.0)) for _ in range(50)}
    assert low <= min(waits) <= max(waits) <= high
    assert len(waits) > 1


def test_python_gives_seconds_as_numbers() -> None:
    assert Wait(fixed=1.5) == Wait.model_validate({"fixed": "1500ms"})
    assert Stop(after_delay=2) == Stop.model_validate({"after_delay": "2s"})
    assert Wait(exponential=Exponential(max=3.0)).build()(state(9, 0.0)) == 3.0


ENDLESS = [
    (Stop, {}, "a loop must end"),
    (Stop, {"never": True}, "a loop must end"),
    (Stop, {"any": []}, "at least one stop"),
    (Stop, {"all": []}, "at least one stop"),
    (Stop, {"after_attempt": 0}, "must be 1 or more"),
    (Stop, {"after_attempt": 2.5}, "must be a whole number, not 2.5"),
    (Stop, {"after_attempt": True}, "must be a number"),
    (Stop, {"after_delay": float("inf")}, "a year, or less"),
    (Stop, {"after_delay": float("nan")}, "finite"),
    (Stop, {"any": [{"all": [{}]}]}, "a loop must end"),
    (Wait, {"chain": []}, "at least one wait"),
    (Wait, {"fixed": 1, "none": {}}, "exactly one of none, fixed"),
    (Wait, {"random": {"min": 3, "max": 1}}, "must not be more than 'max'"),
    (Wait, {"exponential": {"multiplier": 0}}, "must be more than 0"),
    (Wait, {"exponential_jitter": {"initial": 2}}, "write 'multiplier'"),
    (Wait, {"fixed": -1}, "must be 0 or more"),
    (Retry, {"stop": Stop(after_delay=10), "wait": Wait()}, "as fast as it can"),
    (Step, {"do": "regenerate", "stop": {"after_attempt": 1}}, "the answer at hand is the first attempt"),
]  # fmt: skip


@pytest.mark.parametrize(("part", "written", "words"), ENDLESS)
def test_what_would_not_end_or_makes_no_sense_is_refused(part: Any, written: dict[str, Any], words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        part(**written)


def test_a_retry_without_a_bound_on_tries_may_wait_instead() -> None:
    assert not Retry(stop=Stop(after_delay=10), wait=Wait(fixed=1)).stop.limits_attempts
    assert Retry(stop=Stop(any=(Stop(after_attempt=2),)), wait=Wait()).stop.limits_attempts
    assert Retry(stop=Stop(all=(Stop(after_attempt=2), Stop(after_attempt=3))), wait=Wait()).stop.limits_attempts


def test_regenerate_once_is_two_attempts_and_the_default() -> None:
    step = Policy().policies["default"].on_unreliable[0]
    assert step.stop_rule == Stop(after_attempt=2)
    assert step.wait_rule == Wait()
    stop = step.stop_rule.build()
    assert [stop(state(n, 0.0)) for n in (1, 2)] == [False, True]


simple_stops = st.one_of(
    st.integers(1, 9).map(lambda n: Stop(after_attempt=n)),
    st.integers(0, 9).map(lambda n: Stop(after_delay=n)),
)
stops = st.recursive(
    simple_stops,
    lambda inner: st.tuples(st.sampled_from(["any", "all"]), st.lists(inner, min_size=1, max_size=3)).map(
        lambda made: Stop(any=tuple(made[1])) if made[0] == "any" else Stop(all=tuple(made[1]))
    ),
    max_leaves=6,
)


@given(stops)
def test_every_stop_that_can_be_written_ends(stop: Stop) -> None:
    assert stop.build()(state(10, 10.0))


@given(stops)
def test_a_stop_that_limits_attempts_ends_whatever_the_clock_says(stop: Stop) -> None:
    assert stop.limits_attempts == stop.build()(state(10, -1.0))
