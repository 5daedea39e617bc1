"""The points of a report's plots."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.evaluate.baselines import Baselines
from guardrail.evaluate.curves import Curve, by_length, precision_recall, risk_coverage, roc
from guardrail.evaluate.judgement import Judgement
from guardrail.evaluate.metrics import auroc
from guardrail.verdict import Status


def judged(unreliable: bool, risk: float | None, length: int = 10) -> Judgement:
    return Judgement("a", unreliable, Status.RELIABLE, risk, None, 0.1, "v 1", "default", Baselines(length, 0.0, 0.0))


ROWS = st.lists(
    st.builds(judged, st.booleans(), st.integers(0, 10).map(lambda n: n / 10), st.integers(1, 20)),
    min_size=2,
    max_size=40,
)
BOTH = ROWS.filter(lambda rows: len({row.unreliable for row in rows}) == 2)


def area(curve: Curve) -> float:
    points = list(zip(curve.x, curve.y, strict=True))
    return sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in itertools.pairwise(points))


@given(rows=BOTH)
def test_the_area_below_the_roc_curve_is_the_auroc(rows: list[Judgement]) -> None:
    curve = roc(rows)
    assert curve is not None
    assert area(curve) == pytest.approx(auroc([r.unreliable for r in rows], [r.risk or 0.0 for r in rows]))


@given(rows=BOTH)
def test_precision_ends_at_the_share_of_unreliable_rows_when_all_are_called(rows: list[Judgement]) -> None:
    curve = precision_recall(rows)
    assert curve is not None
    assert (curve.x[0], curve.x[-1]) == (0.0, 1.0)
    assert curve.y[-1] == pytest.approx(sum(row.unreliable for row in rows) / len(rows))


@given(rows=ROWS)
def test_with_everything_let_through_the_risk_is_the_share_of_unreliable_rows(rows: list[Judgement]) -> None:
    curve = risk_coverage(rows)
    assert curve is not None
    assert curve.x[-1] == 1.0
    assert curve.y[-1] == pytest.approx(sum(row.unreliable for row in rows) / len(rows))
    assert list(curve.x) == sorted(set(curve.x))
    assert risk_coverage(rows[::-1]) == curve


def test_rows_of_the_same_risk_are_let_through_together() -> None:
    rows = [judged(True, 0.2), judged(False, 0.2), judged(False, 0.1), judged(True, None)]
    assert risk_coverage(rows) == Curve((0.25, 0.75, 1.0), (0.0, 1 / 3, 0.5))


def test_one_label_has_no_curve_to_tell_apart_by() -> None:
    assert roc([judged(True, 0.3)]) is precision_recall([judged(True, 0.3)]) is None
    assert risk_coverage([]) is None


@given(rows=ROWS)
def test_every_row_is_in_one_part_by_length(rows: list[Judgement]) -> None:
    parts = by_length(rows)
    assert sum(len(part) for _, part in parts) == len(rows)
    assert 1 <= len(parts) <= 3
    lengths = [{row.baselines.length for row in part} for _, part in parts]
    assert all(max(a) < min(b) for a, b in itertools.pairwise(lengths))


def test_parts_are_called_by_their_lengths() -> None:
    rows = [judged(False, 0.1, length) for length in (1, 2, 3, 4, 5, 9)]
    assert [name for name, _ in by_length(rows)] == ["1 to 2 characters", "3 to 4 characters", "5 to 9 characters"]
    assert [name for name, _ in by_length(rows[:1])] == ["1 characters"]
    assert by_length([]) == []
