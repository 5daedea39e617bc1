"""What an HTTP answer without a verdict means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.verdict import Cause
from guardrail.verifiers.status import cause_of, retry_after

NOW = 1_750_000_000.0


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (301, Cause.GONE),
        (307, Cause.GONE),
        (400, Cause.UNPARSABLE),
        (401, Cause.AUTH),
        (402, Cause.AUTH),
        (403, Cause.AUTH),
        (404, Cause.GONE),
        (408, Cause.TIMEOUT),
        (410, Cause.GONE),
        (413, Cause.OVER_LENGTH),
        (418, Cause.UNPARSABLE),
        (422, Cause.UNPARSABLE),
        (429, Cause.RATE_LIMITED),
        (500, Cause.SERVER),
        (503, Cause.SERVER),
        (504, Cause.SERVER),
        (529, Cause.SERVER),
    ],
)
def test_a_status_has_one_cause(status: int, cause: Cause) -> None:
    assert cause_of(status) is cause


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": " 2.5 "}, 2.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "86400000"}, 86_400_000.0),
        ({"retry-after": "inf"}, float("inf")),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Sun, 15 Jun 2025 15:06:50 GMT"}, 10.0),
        ({"retry-after": "Sun, 15 Jun 2025 15:06:30 GMT"}, 0.0),
        ({"retry-after": "Sun, 15 Jun 2025 15:06:50 GMT", "date": "Sun, 15 Jun 2025 15:06:48 GMT"}, 2.0),
        ({"retry-after": "Sun, 15 Jun 2025 15:06:50 GMT", "date": "yesterday"}, 10.0),
        ({"retry-after": "Sun, 99 Foo 2025"}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "odd", "retry-after": "9"}, 9.0),
    ],
)
def test_retry_after_is_read_in_each_of_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@given(st.text(), st.text())
def test_no_header_breaks_the_reading(value: str, date: str) -> None:
    seconds = retry_after({"retry-after": value, "date": date}, NOW)
    assert seconds is None or seconds >= 0
