"""Durations are written with a unit, and read back exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.policy.durations import format_seconds, parse_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("8s", 8.0),
        ("250ms", 0.25),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("0s", 0.0),
        ("1.5s", 1.5),
        ("0.1s", 0.1),
        ("90m", 5400.0),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "8", "s", "8 s", "8sec", "-8s", "1e3s", "8S", "1m30s", "8s\n", "∞", "٣s", ".5s"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 8s"):
        parse_seconds(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(8, "8s"), (0.25, "250ms"), (120, "2m"), (7200, "2h"), (1.5, "1.5s"), (0, "0s"), (61, "61s")]
)
def test_a_duration_is_written_short(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


@given(st.floats(0, 366 * 24 * 3600))
def test_what_is_written_is_read_back_exactly(seconds: float) -> None:
    assert parse_seconds(format_seconds(seconds)) == seconds
