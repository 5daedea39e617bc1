"""One verdict out of several."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from guardrail.conversation import Evidence
from guardrail.errors import VerifierError
from guardrail.testing import failure, reliable, unknown, unreliable
from guardrail.verdict import Cause, Finding, FindingKind, Status, Usage, Verdict
from guardrail.verifiers.combining import Answer, Combine, combined

HOW: tuple[Combine, ...] = get_args(Combine)
UNRELIABLE, RELIABLE, UNKNOWN = Status.UNRELIABLE, Status.RELIABLE, Status.UNKNOWN


def named(*answers: Answer) -> dict[str, Answer]:
    return {f"m{place}": answer for place, answer in enumerate(answers)}


@pytest.mark.parametrize(
    ("how", "risks", "status", "risk"),
    [
        ("any", (0.1, 0.9), UNRELIABLE, 0.9),
        ("any", (0.1, 0.4), RELIABLE, 0.4),
        ("any", (0.5, 0.6), UNRELIABLE, 0.6),
        ("all", (0.1, 0.9), RELIABLE, 0.1),
        ("all", (0.8, 0.9), UNRELIABLE, 0.8),
        ("all", (0.1, 0.4), RELIABLE, 0.1),
        ("mean", (0.1, 0.9, 0.6), UNRELIABLE, pytest.approx(0.5333, abs=1e-3)),
        ("mean", (0.1, 0.7), RELIABLE, pytest.approx(0.4)),
        ("mean", (0.25, 0.75), UNRELIABLE, 0.5),
    ],
)
def test_the_threshold_of_the_policy_is_what_counts(
    how: Combine, risks: tuple[float, ...], status: Status, risk: float
) -> None:
    # What the members call their own risks does not matter: the policy's threshold does.
    verdict = combined(named(*(reliable(risk) for risk in risks)), how, threshold=0.5)
    assert (verdict.status, verdict.risk) == (status, risk)


@pytest.mark.parametrize(("how", "status"), [("any", UNRELIABLE), ("all", RELIABLE), ("mean", UNRELIABLE)])
def test_without_a_threshold_the_members_own_words_count(how: Combine, status: Status) -> None:
    assert combined(named(unreliable(risk=0.4), reliable(0.6)), how, threshold=None).status is status


@pytest.mark.parametrize(
    ("how", "status", "risk"), [("any", UNRELIABLE, None), ("all", RELIABLE, 0.2), ("mean", UNRELIABLE, 0.6)]
)
def test_a_verdict_without_a_risk_has_a_voice(how: Combine, status: Status, risk: float | None) -> None:
    verdict = combined(named(replace(unreliable(), risk=None), reliable(0.2)), how, threshold=0.5)
    assert (verdict.status, verdict.risk) == (status, risk)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("mute", [unknown(), failure(Cause.TIMEOUT)])
@pytest.mark.parametrize("heard", [reliable(0.1), unreliable(risk=0.9)])
def test_who_gives_no_verdict_has_no_voice_and_is_named(how: Combine, mute: Answer, heard: Verdict) -> None:
    verdict = combined({"weak": heard, "strong": mute}, how, threshold=0.5)
    assert (verdict.status, verdict.risk, verdict.cause) == (heard.status, heard.risk, None)
    assert verdict.explanation.splitlines()[1].startswith(("strong: no verdict (timeout)", "strong: unknown (no_ev"))


@pytest.mark.parametrize("how", HOW)
def test_where_nobody_can_tell_the_whole_is_unknown(how: Combine) -> None:
    verdict = combined(named(unknown(), failure(Cause.CONNECT), unknown(Cause.LANGUAGE)), how, threshold=0.5)
    assert (verdict.status, verdict.risk, verdict.cause) == (UNKNOWN, None, Cause.NO_EVIDENCE)


@pytest.mark.parametrize("how", HOW)
def test_where_all_fail_there_is_no_verdict(how: Combine) -> None:
    with pytest.raises(VerifierError, match=r"m0: no verdict \(auth\); m1: no verdict \(timeout\)") as caught:
        combined(named(failure(Cause.AUTH), failure(Cause.TIMEOUT)), how, threshold=0.5)
    assert caught.value.cause is Cause.TIMEOUT


def test_findings_are_merged_and_one_place_counts_once() -> None:
    held = (Evidence("Paris.", "caller"),)
    low = Finding(0, 6, "London", FindingKind.UNSUPPORTED, 0.6)
    high = Finding(0, 6, "London", FindingKind.CONTRADICTED, 0.9, held)
    other = Finding(10, 14, "1999", FindingKind.DATE)
    harmless = Finding(20, 22, "it", FindingKind.NAME, 0.1)
    answers = named(
        Verdict(UNRELIABLE, risk=0.6, findings=(other, low), evidence=held, usage=Usage(1, 2)),
        Verdict(UNRELIABLE, risk=0.9, findings=(high, harmless), evidence=held, usage=Usage(10, 20)),
        reliable(0.0),
    )
    verdict = combined(answers, "any", threshold=0.5)
    assert verdict.findings == (high, other)
    assert (verdict.usage, verdict.evidence) == (Usage(11, 22), held)
    assert combined(answers, "all", threshold=0.5).findings == ()


def test_what_each_said_is_told() -> None:
    verdict = combined(
        {"local": unreliable(risk=0.826, explanation="one claim"), "j": reliable()}, "any", threshold=0.5
    )
    assert verdict.explanation == "local: unreliable, risk 0.83: one claim\nj: reliable, risk 0"


risks = st.floats(0, 1)
statuses = st.sampled_from([RELIABLE, UNRELIABLE])
findings = st.builds(
    lambda start, kind, risk: Finding(start, start + 1, "x", kind, risk),
    st.integers(0, 2),
    st.sampled_from(FindingKind),
    st.none() | risks,
)
given_verdicts = st.builds(
    lambda status, risk, found, tokens: Verdict(status, risk=risk, findings=tuple(found), usage=tokens),
    statuses,
    st.none() | risks,
    st.lists(findings, max_size=3),
    st.none() | st.builds(Usage, st.integers(0, 9), st.integers(0, 9)),
)
mutes = st.builds(unknown, st.none() | st.sampled_from(Cause)) | st.builds(failure, st.sampled_from(Cause))
panels = st.lists(given_verdicts | mutes, min_size=1, max_size=5)
thresholds = st.none() | st.floats(0.001, 1)


def outcome(answers: dict[str, Answer], how: Combine, threshold: float | None) -> object:
    try:
        verdict = combined(answers, how, threshold=threshold)
    except VerifierError as error:
        return error.cause
    return replace(verdict, explanation="", evidence=())


@given(panels, st.sampled_from(HOW), thresholds, st.randoms())
def test_the_order_of_the_members_does_not_matter(
    answers: list[Answer], how: Combine, threshold: float | None, chance: random.Random
) -> None:
    shuffled = list(named(*answers).items())
    chance.shuffle(shuffled)
    assert outcome(named(*answers), how, threshold) == outcome(dict(shuffled), how, threshold)


@given(panels, thresholds)
@example([reliable(0.3), reliable(0.3), reliable(0.3)], 0.3)
def test_any_is_the_strictest_and_all_the_mildest(answers: list[Answer], threshold: float | None) -> None:
    if all(isinstance(answer, VerifierError) for answer in answers):
        return
    if threshold is None:  # then a member may call a risk of 0.1 unreliable, and the mean knows only 0.5
        answers = [replace(a, risk=None) if isinstance(a, Verdict) else a for a in answers]
    any_, mean, all_ = (combined(named(*answers), how, threshold=threshold).status for how in ("any", "mean", "all"))
    assert (all_ is not UNRELIABLE) or (mean is UNRELIABLE)
    assert (mean is not UNRELIABLE) or (any_ is UNRELIABLE)


@given(panels, st.sampled_from(HOW), st.floats(0.001, 1))
@example([replace(unreliable("x", risk=0.1), risk=None), unreliable(risk=0.9)], "any", 0.5)
def test_reading_the_whole_at_the_threshold_again_changes_nothing(
    answers: list[Answer], how: Combine, threshold: float
) -> None:
    if all(isinstance(answer, VerifierError) for answer in answers):
        return
    verdict = combined(named(*answers), how, threshold=threshold)
    assert verdict.at(threshold) == verdict


@given(panels, st.sampled_from(HOW), thresholds)
def test_nobodys_verdict_is_never_reliable(answers: list[Answer], how: Combine, threshold: float | None) -> None:
    mute = [answer for answer in answers if not isinstance(answer, Verdict) or answer.status is UNKNOWN]
    if mute:
        found = outcome(named(*mute), how, threshold)
        assert isinstance(found, Cause) or (isinstance(found, Verdict) and found.status is UNKNOWN)
