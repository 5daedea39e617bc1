"""Reliability diagrams, and what is read off them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.evaluate.reliability import BINS, bins, expected_calibration_error

ROWS = st.lists(st.tuples(st.booleans(), st.none() | st.floats(0, 1)), max_size=60)


def error(rows: list[tuple[bool, float | None]]) -> float | None:
    return expected_calibration_error(bins([label for label, _ in rows], [risk for _, risk in rows]))


@given(rows=ROWS)
def test_every_row_with_a_risk_is_in_one_bin(rows: list[tuple[bool, float | None]]) -> None:
    found = bins([label for label, _ in rows], [risk for _, risk in rows])
    assert sum(one.rows for one in found) == sum(risk is not None for _, risk in rows)
    for one in found:
        assert one.rows > 0
        assert one.low - 1e-9 <= one.risk <= one.high + 1e-9
    assert len(found) <= BINS


@given(rows=ROWS)
def test_the_error_lies_between_0_and_1_and_the_order_of_rows_is_nothing(rows: list[tuple[bool, float | None]]) -> None:
    found = error(rows)
    assert (found is None) == all(risk is None for _, risk in rows)
    assert found is None or 0 <= found <= 1
    assert error(rows[::-1]) == pytest.approx(found)


def test_risks_that_are_the_labels_have_no_error_and_those_turned_round_all_of_it() -> None:
    assert error([(True, 1.0), (False, 0.0)]) == 0
    assert error([(True, 0.0), (False, 1.0)]) == 1


def test_an_error_by_hand() -> None:
    assert error([(True, 0.9), (False, 0.9), (False, 0.1), (False, None)]) == pytest.approx((2 * 0.4 + 0.1) / 3)


def test_labels_that_are_drawn_from_the_risks_have_almost_none() -> None:
    random = np.random.default_rng(3)
    risks = random.random(50_000)
    labels = random.random(50_000) < risks
    found = error(list(zip(labels.tolist(), risks.tolist(), strict=True)))
    assert found is not None
    assert found < 0.02
    overconfident = error(list(zip(labels.tolist(), np.round(risks).tolist(), strict=True)))
    assert overconfident == pytest.approx(0.25, abs=0.01)
