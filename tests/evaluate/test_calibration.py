"""Thresholds keep what they promise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from guardrail.errors import InputError
from guardrail.evaluate.baselines import Baselines
from guardrail.evaluate.bounds import allowed, rows_needed, upper_bound
from guardrail.evaluate.calibration import ALWAYS, NEVER, Rate, between, choose, score, span
from guardrail.evaluate.judgement import Judgement
from guardrail.verdict import Status

CONFIDENCES = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])
TARGETS = st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.3, 0.5])
SCORES = st.integers(0, 20).map(lambda n: n / 20) | st.sampled_from([NEVER, ALWAYS])
"""Few enough for ties."""


def judged(unreliable: bool, risk: float | None, status: Status = Status.RELIABLE) -> Judgement:
    return Judgement("a", unreliable, status, risk, None, 0.1, "scripted 1", "default", Baselines(1, 0.0, 0.0))


def wrong(scores: Sequence[float], rate: Rate, threshold: float) -> int:
    called = sum(one >= threshold for one in scores)
    return called if rate == "false_block" else len(scores) - called


# the bound


def chance_of_at_most(errors: int, n: int, rate: float) -> float:
    return sum(math.comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(errors + 1))


@given(n=st.integers(1, 60), data=st.data(), confidence=CONFIDENCES)
def test_at_the_bound_so_few_errors_have_just_the_chance_that_is_left(
    n: int, data: st.DataObject, confidence: float
) -> None:
    errors = data.draw(st.integers(0, n))
    bound = upper_bound(errors, n, confidence)
    if errors == n:
        assert bound == 1.0
    else:
        assert chance_of_at_most(errors, n, bound) == pytest.approx(1 - confidence, rel=1e-6)
        assert bound > errors / n or confidence == 0.5


@given(n=st.integers(1, 200), confidence=CONFIDENCES)
def test_the_bound_grows_with_the_errors_and_with_the_confidence(n: int, confidence: float) -> None:
    bounds = [upper_bound(errors, n, confidence) for errors in range(n + 1)]
    assert bounds == sorted(bounds)
    assert all(upper_bound(errors, n, 0.995) >= bound for errors, bound in enumerate(bounds))


@given(n=st.integers(1, 500), target=TARGETS, confidence=CONFIDENCES)
def test_one_error_more_than_allowed_is_beyond_the_target(n: int, target: float, confidence: float) -> None:
    most = allowed(n, target, confidence)
    assert -1 <= most < n
    assert most < 0 or upper_bound(most, n, confidence) <= target
    assert upper_bound(most + 1, n, confidence) > target


@given(target=TARGETS, confidence=CONFIDENCES)
def test_the_rows_needed_are_the_fewest_that_can_do(target: float, confidence: float) -> None:
    n = rows_needed(target, confidence)
    assert (1 - target) ** n <= 1 - confidence + 1e-12
    assert allowed(n, target, confidence) >= 0 or (1 - target) ** n == pytest.approx(1 - confidence)
    assert n == 1 or allowed(n - 1, target, confidence) < 0


def test_bounds_that_tables_have() -> None:
    assert upper_bound(0, 59, 0.95) == pytest.approx(0.0495, abs=1e-4)
    assert upper_bound(1, 10, 0.975) == pytest.approx(0.4450, abs=1e-4)
    assert (rows_needed(0.05, 0.95), rows_needed(0.02, 0.95), rows_needed(0.01, 0.99)) == (59, 149, 459)


# the threshold


@given(
    mine=st.lists(SCORES, min_size=1, max_size=30),
    others=st.lists(SCORES, max_size=10),
    rate=st.sampled_from(["false_block", "missed"]),
    data=st.data(),
)
def test_no_better_threshold_keeps_to_what_is_allowed(
    mine: list[float], others: list[float], rate: Rate, data: st.DataObject
) -> None:
    among = data.draw(st.integers(0, len(mine) - 1))
    found = span(mine, rate, among, others)
    candidates = [n / 40 for n in range(41)]  # all risks, and between them
    fit = [one for one in candidates if wrong(mine, rate, one) <= among]
    assert (found is None) == (not fit)
    if found is None:
        return
    threshold = between(*found)
    assert 0 <= threshold <= 1
    assert wrong(mine, rate, threshold) <= among
    other: Rate = "missed" if rate == "false_block" else "false_block"
    assert wrong(others, other, threshold) == min(wrong(others, other, one) for one in fit)


@given(
    rows=st.lists(st.tuples(st.booleans(), st.integers(0, 20).map(lambda n: n / 20)), min_size=40, max_size=80),
    rate=st.sampled_from(["false_block", "missed"]),
    target=st.sampled_from([0.2, 0.3, 0.5]),
    random=st.randoms(use_true_random=False),
)
def test_the_order_of_rows_changes_nothing_and_the_bound_is_within_the_target(
    rows: list[tuple[bool, float]], rate: Rate, target: float, random: Random
) -> None:
    judgements = [judged(*row) for row in rows]
    try:
        found = choose(judgements, rate, target, 0.9)
    except InputError:
        assume(False)
    random.shuffle(judgements)
    assert choose(judgements, rate, target, 0.9) == found
    assert found.observed <= found.bound <= target
    mine = [risk for unreliable, risk in rows if unreliable is (rate == "missed")]
    assert (found.n, found.errors) == (len(mine), wrong(mine, rate, found.threshold))


def test_a_row_without_a_risk_is_called_at_no_threshold_and_counted() -> None:
    rows = [judged(label, risk) for label in (False, True) for risk in (0.2, 0.9) for _ in range(30)]
    silent = [judged(True, None), judged(True, 0.99, Status.UNKNOWN), judged(False, None, Status.ERROR)]
    assert [score(row, "missed") for row in silent] == [NEVER] * 3
    found = choose([*rows, *silent], "missed", 0.2, 0.9)
    assert (found.n, found.errors, found.without_risk) == (62, 2, 3)
    assert found.threshold <= 0.2


def test_a_row_that_is_called_unreliable_without_a_risk_is_called_at_every_threshold() -> None:
    assert score(judged(False, None, Status.UNRELIABLE), "missed") == ALWAYS
    rows = [judged(False, None, Status.UNRELIABLE)] * 10 + [judged(False, 0.1)] * 50 + [judged(True, 0.9)]
    with pytest.raises(InputError, match=r"no threshold keeps false_block within 0\.1: 10 of 60 reliable rows"):
        choose(rows, "false_block", 0.1, 0.9)


def test_an_error_counts_against_the_rate_whichever_it_is() -> None:
    """When the verifier works again it may say anything of the row."""
    rows = [judged(label, 0.1 + 0.8 * label) for label in (False, True) for _ in range(60)]
    late = [judged(label, None, Status.ERROR) for label in (False, True)] * 2
    blocked = choose([*rows, *late], "false_block", 0.1, 0.9)
    assert (blocked.errors, blocked.n, blocked.other_errors, blocked.without_risk) == (2, 62, 2, 2)
    missed = choose([*rows, *late], "missed", 0.1, 0.9)
    assert (missed.errors, missed.n, missed.other_errors, missed.without_risk) == (2, 62, 0, 4)
    with pytest.raises(InputError, match="60 of 62 reliable rows have a risk of 1, an error, or an unreliable verdict"):
        choose([judged(True, 0.9), *rows[:2], *late[:1] * 60], "false_block", 0.1, 0.9)


def test_a_judge_that_only_says_yes_or_no_gets_a_threshold_between() -> None:
    rows = [judged(False, float(n == 0)) for n in range(200)] + [judged(True, 1.0), judged(True, 0.0)]
    found = choose(rows, "false_block", 0.05, 0.95)
    assert (found.threshold, found.errors, found.other_errors) == (0.5, 1, 1)


def test_too_few_rows_are_refused_with_the_number_that_it_takes() -> None:
    rows = [judged(False, 0.1)] * 148 + [judged(True, 0.9)] * 500
    with pytest.raises(InputError, match=r"148 rows are labelled reliable, too few .* it takes 149 even if"):
        choose(rows, "false_block", 0.02, 0.95)
    assert choose([*rows, judged(False, 0.1)], "false_block", 0.02, 0.95).errors == 0


@pytest.mark.parametrize(("label", "missing"), [(True, "reliable"), (False, "unreliable")])
@pytest.mark.parametrize("rate", ["false_block", "missed"])
def test_rows_of_one_label_are_refused(label: bool, missing: str, rate: Rate) -> None:
    with pytest.raises(InputError, match=f"no row is labelled {missing}: a threshold takes rows of both labels"):
        choose([judged(label, 0.5)] * 500, rate, 0.1, 0.9)


@pytest.mark.parametrize(
    ("rate", "rows", "said"),
    [
        ("false_block", [(False, 1.0)] * 20 + [(False, 0.1)] * 80, "20 of 100 reliable rows have a risk of 1"),
        ("missed", [(True, None)] * 20 + [(True, 0.9)] * 80, "20 of 100 unreliable rows have no risk"),
    ],
)
def test_what_cannot_be_reached_is_refused_with_what_can(
    rate: Rate, rows: list[tuple[bool, float | None]], said: str
) -> None:
    both = [judged(*row) for row in (*rows, (True, 0.5), (False, 0.5)) if row[1] != 0.5 or row[0] is (rate != "missed")]
    with pytest.raises(InputError, match=said) as error:
        choose(both, rate, 0.1, 0.9)
    assert f"can be reached with confidence 0.9 is {upper_bound(20, 100, 0.9):.4g}" in str(error.value)


# the guarantee, by simulation

RESAMPLES = 1000
CONFIDENCE = 0.95
SLACK = 3 * math.sqrt(CONFIDENCE * (1 - CONFIDENCE) / RESAMPLES)
"""Three standard deviations of the share of 1,000 trials that fail with a chance of 5 %."""


def population(kind: str, random: np.random.Generator) -> np.ndarray:
    """200,000 scores of one class."""
    scores = random.beta(2, 3, 200_000)
    if kind == "coarse":
        return np.round(scores, 1)
    if kind == "without":
        scores[random.random(scores.size) < 0.06] = NEVER
    if kind == "always":
        scores[random.random(scores.size) < 0.03] = ALWAYS
    return scores


def true_rate(scores: np.ndarray, rate: Rate, threshold: float) -> float:
    """``scores`` are sorted."""
    below = float(np.searchsorted(scores, threshold, side="left")) / scores.size
    return 1 - below if rate == "false_block" else below


def share_beyond(kind: str, rate: Rate, target: float, n: int, among: int) -> float:
    """The share of resamples whose chosen threshold has a true rate beyond the target."""
    random = np.random.default_rng(20)
    whole = np.sort(population(kind, random))
    samples = random.choice(whole, (RESAMPLES, n))
    found = [span(sample.tolist(), rate, among) for sample in samples]
    rates = [true_rate(whole, rate, between(*one)) for one in found if one is not None]
    return sum(one > target for one in rates) / RESAMPLES


@pytest.mark.parametrize("kind", ["fine", "coarse", "without", "always"])
@pytest.mark.parametrize("rate", ["false_block", "missed"])
@pytest.mark.parametrize(("target", "n"), [(0.1, 200), (0.05, 400)])
def test_of_1000_resamples_no_more_than_the_confidence_leaves_are_beyond_the_target(
    kind: str, rate: Rate, target: float, n: int
) -> None:
    beyond = share_beyond(kind, rate, target, n, allowed(n, target, CONFIDENCE))
    assert beyond <= 1 - CONFIDENCE + SLACK
    if kind == "fine":
        assert beyond >= 0.01, "a bound that never fails is not exact, and gives answers away"


@pytest.mark.parametrize("rate", ["false_block", "missed"])
def test_a_threshold_that_fits_the_sample_alone_is_beyond_the_target_half_of_the_time(rate: Rate) -> None:
    assert share_beyond("fine", rate, 0.1, 200, among=20) > 0.4
