"""Two verifiers, compared on the same rows."""

from __future__ import annotations

import numpy as np
import pytest

from guardrail.evaluate.baselines import Baselines
from guardrail.evaluate.judgement import Judgement
from guardrail.evaluate.metrics import auroc
from guardrail.evaluate.resampling import areas
from guardrail.evaluate.versus import differences
from guardrail.verdict import Status


def judged(unreliable: bool, risk: float | None, source: str = "a") -> Judgement:
    return Judgement(source, unreliable, Status.RELIABLE, risk, None, 0.1, "v 1", "default", Baselines(1, 0.0, 0.0))


def drawn(n: int, seed: int, skill: float, other: float) -> list[tuple[Judgement, Judgement]]:
    """Pairs of verdicts on the same rows; ``skill`` is how far the risks of the labels lie apart."""
    random = np.random.default_rng(seed)
    labels = random.random(n) < 0.5
    noise = random.normal(size=(3, n))
    risks = [1 / (1 + np.exp(-(k * labels + noise[0] + own))) for k, own in ((skill, noise[1]), (other, noise[2]))]
    return [
        (judged(bool(label), float(first)), judged(bool(label), float(second)))
        for label, first, second in zip(labels, *risks, strict=True)
    ]


def test_the_area_of_a_resample_is_that_of_the_rows_written_out() -> None:
    random = np.random.default_rng(1)
    labels, risks = random.random(40) < 0.4, np.round(random.random(40), 1)
    counts = random.multinomial(40, np.full(40, 1 / 40), size=20)
    for area, count in zip(areas(labels, risks, counts), counts, strict=True):
        written = np.repeat(np.arange(40), count)
        assert area == pytest.approx(auroc(labels[written].tolist(), risks[written].tolist()))


def test_the_better_verifier_is_told_and_the_same_one_is_not() -> None:
    [found, mean] = differences(drawn(600, 1, skill=3.0, other=1.0))
    assert 0 < found.low < found.value < found.high
    assert (mean.source, mean.value, mean.low) == ("", found.value, found.low)
    pairs = [(first, first) for first, _ in drawn(300, 2, 1.0, 1.0)]
    assert [(one.value, one.low, one.high) for one in differences(pairs)] == [(0.0, 0.0, 0.0)] * 2


def test_turned_round_the_difference_is_turned_round() -> None:
    pairs = drawn(300, 3, 2.0, 1.0)
    one, other = differences(pairs)[0], differences([(b, a) for a, b in pairs])[0]
    assert (other.value, other.low, other.high) == pytest.approx((-one.value, -one.high, -one.low))


def test_sources_count_the_same_in_the_mean_and_one_of_a_single_label_not_at_all() -> None:
    pairs = drawn(200, 4, 2.0, 1.0)
    more = [(judged(x.unreliable, x.risk, "b"), judged(y.unreliable, y.risk, "b")) for x, y in drawn(100, 5, 1.0, 2.0)]
    alone = [(judged(True, 0.5, "c"), judged(True, None, "c"))]
    a, b, mean = differences([*pairs, *more, *alone])
    assert (a.source, b.source) == ("a", "b")
    assert mean.value == pytest.approx((a.value + b.value) / 2)
    assert mean.low < mean.value < mean.high
    assert differences(alone) == []


def test_sources_of_a_few_rows_each_have_intervals_too() -> None:
    few = [
        (judged(label, risk, f"s{n}"), judged(label, 1 - risk, f"s{n}"))
        for n in range(30)
        for label, risk in ((False, 0.1), (True, 0.9))
    ]
    *each, mean = differences(few)
    assert [(one.low, one.high) for one in (*each, mean)] == [(1.0, 1.0)] * 31
    assert {one.fewest for one in (*each, mean)} == {1}


def test_the_fewer_label_is_counted() -> None:
    pairs = [(judged(n < 3, n / 50), judged(n < 3, n / 40)) for n in range(40)]
    assert differences(pairs)[0].fewest == 3


def test_of_100_pairs_that_are_equally_good_about_95_intervals_hold_0() -> None:
    held = sum(one.low <= 0 <= one.high for seed in range(100) for one in differences(drawn(120, seed, 1.0, 1.0))[:1])
    assert 88 <= held <= 100
