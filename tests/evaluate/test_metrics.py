"""Metrics hold to what they are defined as."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Sequence
from itertools import product
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from guardrail.errors import MissingExtra
from guardrail.evaluate.metrics import auroc, average_precision, balanced_accuracy, f1, percentile

RISKS = st.integers(0, 20).map(lambda n: n / 20)
"""Few enough for ties."""
ROWS = st.lists(st.tuples(st.booleans(), RISKS), min_size=2, max_size=30).filter(
    lambda rows: len({label for label, _ in rows}) == 2
)
CALLS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=30).filter(
    lambda rows: len({label for label, _ in rows}) == 2
)


def split(rows: Sequence[tuple[bool, float]]) -> tuple[list[bool], list[float]]:
    return [label for label, _ in rows], [risk for _, risk in rows]


def chance_of_the_higher_risk(labels: Sequence[bool], risks: Sequence[float]) -> float:
    """AUROC by its definition: all pairs of an unreliable and a reliable row, a tie counting half."""
    bad = [risk for label, risk in zip(labels, risks, strict=True) if label]
    good = [risk for label, risk in zip(labels, risks, strict=True) if not label]
    return sum((b > g) + 0.5 * (b == g) for b, g in product(bad, good)) / (len(bad) * len(good))


@given(rows=ROWS)
def test_auroc_is_the_chance_that_the_unreliable_answer_has_the_higher_risk(rows: list[tuple[bool, float]]) -> None:
    assert auroc(*split(rows)) == pytest.approx(chance_of_the_higher_risk(*split(rows)))


@given(rows=ROWS, random=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows: list[tuple[bool, float]], random: Random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    for metric in (auroc, average_precision):
        assert metric(*split(shuffled)) == pytest.approx(metric(*split(rows)))


@given(rows=ROWS)
def test_turning_labels_round_turns_auroc_round(rows: list[tuple[bool, float]]) -> None:
    labels, risks = split(rows)
    area, turned = auroc(labels, risks), auroc([not label for label in labels], risks)
    assert area is not None
    assert turned == pytest.approx(1 - area)


@given(rows=ROWS)
def test_only_the_order_of_risks_counts(rows: list[tuple[bool, float]]) -> None:
    labels, risks = split(rows)
    for metric in (auroc, average_precision):
        assert metric(labels, [risk**3 / 2 for risk in risks]) == pytest.approx(metric(labels, risks))


@given(rows=ROWS, risk=RISKS)
def test_a_constant_risk_ranks_nothing(rows: list[tuple[bool, float]], risk: float) -> None:
    labels, _ = split(rows)
    assert auroc(labels, [risk] * len(labels)) == pytest.approx(0.5)
    assert average_precision(labels, [risk] * len(labels)) == pytest.approx(sum(labels) / len(labels))


@given(rows=ROWS)
def test_a_risk_that_is_the_label_ranks_everything(rows: list[tuple[bool, float]]) -> None:
    labels, _ = split(rows)
    assert auroc(labels, [float(label) for label in labels]) == 1.0
    assert average_precision(labels, [float(label) for label in labels]) == 1.0


@given(rows=CALLS)
def test_balanced_accuracy_and_f1_are_counts(rows: list[tuple[bool, bool]]) -> None:
    labels, called = [label for label, _ in rows], [call for _, call in rows]
    hit, miss = rows.count((True, True)), rows.count((True, False))
    alarm, quiet = rows.count((False, True)), rows.count((False, False))
    assert balanced_accuracy(labels, called) == pytest.approx((hit / (hit + miss) + quiet / (quiet + alarm)) / 2)
    assert f1(labels, called) == pytest.approx(2 * hit / (2 * hit + miss + alarm))


@pytest.mark.parametrize("metric", [auroc, average_precision, balanced_accuracy, f1])
@pytest.mark.parametrize("labels", [[], [True], [False, False], [True, True, True]])
def test_a_single_label_can_not_be_told_apart(metric: Callable[..., float | None], labels: list[bool]) -> None:
    assert metric(labels, [True for _ in labels]) is None


@given(values=st.lists(st.floats(0, 1e6), min_size=1, max_size=20), share=st.floats(0, 1))
def test_a_percentile_lies_among_the_values_and_grows_with_the_share(values: list[float], share: float) -> None:
    found, middle = percentile(values, share), percentile(values, share / 2)
    assert found is not None
    assert middle is not None
    assume(max(values) == 0 or max(values) > 1e-9)
    assert min(values) - 1e-9 <= middle <= found + 1e-9 <= max(values) + 2e-9


def test_percentiles_of_few_values() -> None:
    assert percentile([], 0.5) is None
    assert percentile([7], 0.95) == 7
    assert percentile([10, 20, 30, 40], 0.5) == 25
    assert percentile(list(range(101)), 0.95) == 95


def test_without_scikit_learn_the_install_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: object, **kwargs: object) -> object:
        if name.startswith("sklearn"):
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    for name in [name for name in sys.modules if name.startswith("sklearn")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"pip install 'guardrail-llm\[eval\]'"):
        auroc([True, False], [0.1, 0.2])
