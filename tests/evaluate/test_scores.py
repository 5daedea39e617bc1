"""Scores of sources, and the baselines beside them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.conversation import Evidence, Message, Turn
from guardrail.errors import ConfigError
from guardrail.evaluate.baselines import Baselines, baselines
from guardrail.evaluate.judgement import Judgement
from guardrail.evaluate.judging import Case, for_all, judge
from guardrail.evaluate.scores import Quality, by_source, mean_quality, scores
from guardrail.guard import Guard
from guardrail.policy.loading import load
from guardrail.policy.model import Policy, Rules, Threshold, Verify
from guardrail.testing import ScriptedVerifier, failure, reliable, unknown
from guardrail.verdict import Cause, Status
from guardrail.verifiers.protocol import Check

SOME = Baselines(10, 0.2, 0.4)


def judged(
    unreliable: bool, risk: float | None, status: Status = Status.RELIABLE, source: str = "a", **more: object
) -> Judgement:
    found = Judgement(source, unreliable, status, risk, None, 0.1, "scripted 1", "default", SOME)
    return replace(found, **more)  # type: ignore[arg-type]


JUDGEMENTS = st.lists(
    st.builds(
        judged,
        unreliable=st.booleans(),
        risk=st.none() | st.floats(0, 1),
        status=st.sampled_from(Status),
        source=st.sampled_from("abc"),
    ),
    max_size=40,
)


@given(rows=JUDGEMENTS)
def test_no_row_is_lost_whatever_became_of_it(rows: list[Judgement]) -> None:
    found = by_source(rows)
    assert sum(one.rows for one in found) == len(rows)
    for one in found:
        assert sum(sum(counts.values()) for counts in one.confusion.values()) == one.rows
        assert sum(one.confusion[True].values()) == one.unreliable


@given(rows=JUDGEMENTS)
def test_scores_lie_between_0_and_1_or_are_undefined_with_a_reason(rows: list[Judgement]) -> None:
    for one in by_source(rows):
        values = [getattr(one.quality, field.name) for field in fields(Quality) if field.name != "ece"]
        assert all(value is None or 0 <= value <= 1 for value in values)
        assert (one.quality.ece is None) == (one.quality.coverage == 0)
        assert (None in values) == (one.undefined is not None)


def test_a_row_without_a_risk_ranks_between_the_others() -> None:
    rows = [judged(True, 0.9), judged(True, None), judged(False, None), judged(False, 0.1)]
    quality = scores("a", rows).quality
    assert quality.auroc == pytest.approx(7 / 8)
    assert quality.coverage == 0.5


def test_with_no_verdict_at_all_nothing_is_told_apart() -> None:
    rows = [judged(label, None, status) for label in (True, False) for status in (Status.UNKNOWN, Status.ERROR)]
    quality = scores("a", rows).quality
    assert (quality.auroc, quality.balanced_accuracy, quality.f1, quality.coverage) == (0.5, 0.5, 0.0, 0.0)


def test_only_the_verdict_unreliable_calls_a_row_unreliable() -> None:
    rows = [judged(True, 0.9, status) for status in Status] + [judged(False, 0.9)]
    found = scores("a", rows)
    assert found.quality.balanced_accuracy == pytest.approx((1 / 4 + 1) / 2)
    assert found.confusion[True] == dict.fromkeys(Status, 1)
    assert found.confusion[False] == {**dict.fromkeys(Status, 0), Status.RELIABLE: 1}


@pytest.mark.parametrize(("label", "word"), [(True, "unreliable"), (False, "reliable")])
def test_a_source_with_one_label_says_why_it_has_no_score(label: bool, word: str) -> None:
    found = scores("a", [judged(label, 0.3), judged(label, 0.4)])
    assert found.quality.auroc is None
    assert found.undefined == f"every row is labelled {word}; telling apart takes both labels"


@pytest.mark.parametrize("lengths", [(10, 20), (20, 10)])
def test_length_counts_in_the_direction_that_suits(lengths: tuple[int, int]) -> None:
    rows = [
        judged(label, 0.5, baselines=replace(SOME, length=length))
        for label, length in zip((False, True), lengths, strict=True)
    ]
    assert scores("a", rows).quality.length == 1.0


def test_latencies_are_milliseconds_of_all_rows() -> None:
    found = scores("a", [judged(True, None, Status.ERROR, seconds=n / 100) for n in range(101)])
    assert found.p50 == pytest.approx(500)
    assert found.p95 == pytest.approx(950)


def test_each_source_counts_the_same_in_the_mean() -> None:
    good = [judged(label, float(label)) for label in (True, False)]
    bad = [judged(label, 0.5, source="b") for label in (True, False, False, False)]
    alone = [judged(True, 0.5, source="c")]
    mean = mean_quality(by_source([*good, *bad, *alone]))
    assert mean.auroc == pytest.approx(0.75)
    assert mean.coverage == 1.0


def test_the_mean_over_nothing_is_nothing() -> None:
    assert set(vars_of(mean_quality([]))) == {None}


def vars_of(quality: Quality) -> list[float | None]:
    return [getattr(quality, field.name) for field in fields(Quality)]


# baselines


def test_baselines_hold_the_answer_against_all_evidence_together() -> None:
    evidence = [Evidence("The tower is tall.", "caller"), Evidence("It stands in Paris.", "tool")]
    assert baselines("The tower stands in Paris.", evidence) == Baselines(26, 0.0, 1 / 4)
    assert baselines("Nobody knows.", evidence).word_novelty == 1.0
    assert baselines("The tower is tall.", []) == Baselines(18, 1.0, 1.0)


def test_an_answer_without_words_has_no_novelty() -> None:
    assert baselines("", []) == Baselines(0, 0.0, 0.0)


# judging


def case(answer: str = "It is tall.", **more: object) -> Case:
    check = Check((Message("user", ("How tall is it?",)),), Turn(answer), (Evidence("It is tall.", "caller"),))
    return Case("a", True, check, **more)  # type: ignore[arg-type]


def test_every_row_is_judged_whatever_share_the_policy_samples() -> None:
    verifier = ScriptedVerifier(reliable(0.2), repeat=True)
    policy = for_all(Policy(policies={"default": Rules(sample=0.0)}))
    with Guard(policy, verifiers={"main": verifier}) as guard:
        outcome, found = judge(guard, case())
    assert outcome.mode == "enforce"
    assert (found.status, found.risk, found.verifier, found.policy) == (Status.RELIABLE, 0.2, "scripted 1", "default")
    assert found.baselines == Baselines(11, 0.0, 0.0)
    assert found.seconds >= 0


@pytest.mark.parametrize(("threshold", "status"), [(0.1, Status.UNRELIABLE), (0.3, Status.RELIABLE)])
def test_the_verdict_is_read_at_the_policys_threshold(threshold: float, status: Status) -> None:
    rules = Rules(verify=Verify(threshold=Threshold(risk=threshold)))
    verifier = ScriptedVerifier(reliable(0.2))
    with Guard(for_all(Policy(policies={"default": rules})), verifiers={"main": verifier}) as guard:
        assert judge(guard, case())[1].status is status


@pytest.mark.parametrize(
    ("script", "status", "cause"),
    [(lambda: unknown(), Status.UNKNOWN, Cause.NO_EVIDENCE), (lambda: failure(Cause.AUTH), Status.ERROR, Cause.AUTH)],
)
def test_what_gives_no_risk_is_kept_with_its_cause(script: Callable[[], object], status: Status, cause: Cause) -> None:
    with Guard(for_all(Policy()), verifiers={"main": ScriptedVerifier(script())}) as guard:  # type: ignore[arg-type]
        found = judge(guard, case())[1]
    assert (found.status, found.cause, found.risk) == (status, cause, None)


def test_a_verifier_that_the_policy_has_not_is_named_with_those_it_has() -> None:
    with pytest.raises(ConfigError, match=r"no verifier 'mian'; did you mean 'main'\?"):
        for_all(Policy(), "mian")
    with pytest.raises(ConfigError, match="no verifier 'x'; there are main"):
        for_all(Policy(), "x")


def test_the_verifier_that_is_named_is_asked_under_every_rule() -> None:
    policy = Policy(verifiers={"other": {"kind": "embedded"}}, policies={"strict": Rules()})  # type: ignore[dict-item]
    found = for_all(policy, "other")
    assert [rules.verify.with_ for rules in found.policies.values()] == ["other", "other"]
    assert [rules.verify.with_ for rules in policy.policies.values()] == ["main", "main"]


def test_verifiers_that_nobody_asks_are_not_built_nor_waited_for() -> None:
    remote = {
        "kind": "chat",
        "dialect": "lynx",
        "model": "m",
        "base_url": "http://127.0.0.1/v1",
        "api_key": "${NO_KEY}",
    }
    specs = {"main": {**remote, "fallback": "local"}, "local": {"kind": "embedded"}}
    policy = load({"version": 1, "verifiers": specs})
    assert set(for_all(policy).verifiers) == {"main", "local"}
    with Guard(for_all(policy, "local")) as guard:
        assert set(guard.policy.verifiers) == {"local"}
        assert guard.concurrency == (os.cpu_count() or 1)
