"""Scores with intervals, beside what they have to beat."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.evaluate.baselines import Baselines
from guardrail.evaluate.judgement import Judgement
from guardrail.train.measured import BASELINES, Measured, measured
from guardrail.verdict import Status

metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is of the extra eval")


def judged(unreliable: bool, risk: float, *, length: int = 10, new: float = 0.0) -> Judgement:
    status = Status.UNRELIABLE if risk >= 0.5 else Status.RELIABLE
    return Judgement("set", unreliable, status, risk, None, 0.01, "embedded", "default", Baselines(length, new, new))


def of(rows: list[Judgement], contexts: list[int] | None = None, other: list[Judgement] | None = None) -> Measured:
    return measured("", rows, contexts or list(range(len(rows))), {"base": other or rows})


def drawn(count: int, *, apart: float, seed: int = 1) -> list[Judgement]:
    """Risks of unreliable rows are higher by ``apart`` on average."""
    chance = random.Random(seed)
    return [judged(n % 2 > 0, min(1, max(0, chance.gauss(0.4 + apart * (n % 2), 0.2)))) for n in range(count)]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.3, 0.5, 0.9])), min_size=6, max_size=40))
def test_the_scores_are_those_of_scikit_learn(pairs: list[tuple[bool, float]]) -> None:
    rows = [judged(*pair) for pair in [*pairs, (True, 0.3), (False, 0.3)]]
    found = of(rows)
    labels = [row.unreliable for row in rows]
    assert found.auroc.value == pytest.approx(metrics.roc_auc_score(labels, [row.risk for row in rows]))
    called = [row.status is Status.UNRELIABLE for row in rows]
    assert found.balanced_accuracy.value == pytest.approx(metrics.balanced_accuracy_score(labels, called))
    assert found.auroc.low <= found.auroc.high


def test_an_interval_narrows_with_more_rows_and_holds_the_score() -> None:
    few, many = (of(drawn(count, apart=0.2)).auroc for count in (60, 960))
    assert many.high - many.low < (few.high - few.low) / 2
    assert few.low < few.value < few.high


def test_rows_of_one_context_tell_less_than_as_many_of_different_ones() -> None:
    rows = [row for row in drawn(40, apart=0.2) for _ in range(8)]
    apart, together = of(rows).auroc, of(rows, [place // 8 for place in range(len(rows))]).auroc
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_a_model_is_not_ahead_of_itself_and_is_of_a_worse_one() -> None:
    good, bad = drawn(300, apart=0.4), drawn(300, apart=0.05)
    same = of(good).rivals[0].ahead
    assert (same.value, same.low, same.high) == (0, 0, 0)
    assert of(good, other=bad).rivals[0].ahead.low > 0
    assert of(bad, other=good).rivals[0].ahead.high < 0


def test_baselines_stand_beside_it_and_length_may_count_either_way() -> None:
    rows = [judged(n % 2 > 0, 0.5, length=20 - n % 2, new=float(n % 2)) for n in range(40)]
    found = of(rows)
    assert [rival.name for rival in found.rivals] == ["base", *BASELINES]
    assert [rival.auroc.value for rival in found.rivals[1:]] == [1, 1, 1]
    assert found.auroc.value == 0.5
