"""Times that follow from those at hand: other days, other zones, other ways to say them."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.checks import find
from guardrail.checks.reckoned import days_between, later, minutes_between, minutes_from
from guardrail.conversation import Evidence

RIGHT = [
    ("The webinar starts at 15:00 UTC and lasts 45 minutes. Delhi is UTC+5:30.", "In Delhi it begins at 8:30 pm."),
    ("Sent: Tuesday 14 May 2024. The samples arrived yesterday; results in a fortnight.",
     "They arrived on Monday, 13 May 2024. The results follow around 28 May."),
    ("Open Mon–Fri 08:30–17:00, Sat 10:00–14:00.", "On Saturdays it is open until two in the afternoon."),
    ("The court ruled on 17 September 2020; appeals within one month.", "One could appeal until 17 October 2020."),
    ("The office closes on Christmas Eve.", "It closes on 24 December."),
    ("The gate closes at 08:25.", "The gate closes at twenty-five past eight."),
    ("She signed them in 1962.", "She signed them in '62."),
    ("Born on 4 March 1950, she published a novel at 31.", "Her novel came out in 1981."),
    ("The plan takes 12 weeks from Monday 6 January 2025.", "It ends on Sunday 30 March."),
]  # fmt: skip
WRONG = [
    ("The court ruled on 17 September 2020; appeals within one month.", "Until 17 November 2020.", "17 November 2020"),
    ("The webinar starts at 15:00 UTC. Delhi is UTC+5:30.", "In Delhi it begins at 9:30 pm.", "9:30 pm"),
    ("The samples arrived on Monday 13 May 2024.", "They arrived on Tuesday.", "Tuesday"),
    ("Founded in the early nineteenth century by merchants; a wing was added in 1933.",
     "Merchants founded it in the early 1900s.", "1900"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "said"), RIGHT)
def test_a_time_that_follows_is_no_finding(told: str, said: str) -> None:
    assert find(said, [Evidence(told, "retrieved")]) == []


@pytest.mark.parametrize(("told", "said", "wrong"), WRONG)
def test_a_time_that_does_not_follow_is_found(told: str, said: str, wrong: str) -> None:
    assert [finding.text for finding in find(said, [Evidence(told, "retrieved")])] == [wrong]


def test_a_month_later_is_the_same_day_or_the_last_one_of_the_month() -> None:
    assert later(datetime.date(2024, 1, 31), (1, 0)) == datetime.date(2024, 2, 29)
    assert later(datetime.date(2024, 3, 31), (1, 0), -1) == datetime.date(2024, 2, 29)
    assert later(datetime.date(9998, 12, 1), (12, 0)) is None


@given(st.dates(datetime.date(1000, 1, 1), datetime.date(2100, 1, 1)), st.integers(0, 400))
def test_days_later_are_days_between(day: datetime.date, count: int) -> None:
    other = later(day, (0, count))
    assert other is not None
    assert count == 0 or count in days_between([day, other])


@given(st.lists(st.integers(0, 1439), max_size=5), st.lists(st.integers(1, 2000), max_size=12))
def test_minutes_stay_within_a_day(times: list[int], spans: list[int]) -> None:
    assert all(0 <= minute < 1440 for minute in minutes_from(times, spans) | minutes_between(times))
