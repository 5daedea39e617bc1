"""Without evidence: an answer held against further answers of the same LLM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.claims import claims
from guardrail.conversation import Evidence, Message, Turn
from guardrail.errors import ConfigError, VerifierError
from guardrail.sampling import Sample, Samples
from guardrail.testing import ScriptedVerifier, failure, reliable, unknown, unreliable
from guardrail.verdict import Cause, FindingKind, Status, Usage, Verdict
from guardrail.verifiers.agreement import Hearing, improbability, judged, readings
from guardrail.verifiers.consistency import ConsistencyVerifier
from guardrail.verifiers.protocol import Check, Verifier
from tests.verifiers.asking import ask, both

ASKED = (Message("user", ("Who painted Guernica?",)),)
ANSWER = "Picasso painted it. It hangs in London."


class Canned:
    """A sampler that has its answers ready."""

    def __init__(self, *texts: str, usage: Usage | None = None, problem: str = "", late: bool = False) -> None:
        self.wishes: list[Sample] = []
        self._samples = Samples(tuple(Turn(text) for text in texts), usage, problem, late)

    def sample(self, wish: Sample) -> Samples:
        self.wishes.append(wish)
        return self._samples

    async def asample(self, wish: Sample) -> Samples:
        return self.sample(wish)


def about(check: Check) -> Verdict:
    """Against each claim at the risk 0.9 whose last word the sample lacks, at 0.1 where it has it."""
    (sample,) = check.evidence
    lacking = [c.text for c in claims(check.turn.text) if c.text.rstrip(".").split()[-1] not in sample.text]
    return unreliable(*lacking, risk=0.9) if lacking else reliable(0.1)


def holding(verifier: Verifier | Callable[[Check], Verdict] = about, **options: Any) -> ConsistencyVerifier:
    inner = verifier if isinstance(verifier, Verifier) else ScriptedVerifier(verifier, repeat=True, id="inner")
    return ConsistencyVerifier(inner, **options)


def check(*samples: str, answer: str = ANSWER, sampler: Any = None, **more: Any) -> Check:
    return Check(ASKED, Turn(answer), sampler=sampler or Canned(*samples), **more)


SAME = "Picasso painted it. It hangs in London."
OTHERS = ("Picasso painted it, it hangs in Madrid.", "Picasso painted it. It is in Paris.")


@both
def test_what_is_said_again_each_time_is_reliable(how: str) -> None:
    verdict = ask(holding(), check(SAME, SAME, SAME), how)
    assert (verdict.status, verdict.findings) == (Status.RELIABLE, ())
    assert verdict.risk == pytest.approx(0.1)
    assert verdict.explanation == "3 further answers of the LLM say the same"
    assert [(piece.text, piece.origin) for piece in verdict.evidence] == [(SAME, "sample")] * 3


@both
def test_what_is_said_otherwise_is_found_in_its_place_with_the_samples_that_differ(how: str) -> None:
    verdict = ask(holding(), check(SAME, *OTHERS, threshold=0.55), how)
    (finding,) = verdict.findings
    assert ANSWER[finding.start : finding.end] == finding.text == "It hangs in London."
    assert finding.risk == verdict.risk == pytest.approx((0.1 + 0.9 + 0.9) / 3)
    assert finding.explanation == "2 of 3 further answers do not say so"
    assert [piece.text for piece in finding.evidence] == list(OTHERS)
    assert verdict.status is Status.UNRELIABLE
    assert verdict.explanation == "1 of 2 claims are not borne out by 3 further answers of the LLM"


@both
def test_the_threshold_of_the_policy_decides(how: str) -> None:
    asked = {t: ask(holding(), check(SAME, *OTHERS, threshold=t), how).status for t in (0.6, 0.7)}
    assert asked == {0.6: Status.UNRELIABLE, 0.7: Status.RELIABLE}


@both
def test_the_answer_is_held_against_each_sample_alone_whatever_else_there_is(how: str) -> None:
    inner = ScriptedVerifier(reliable(), repeat=True)
    given = Evidence("It hangs in Madrid.", "user")
    ask(holding(inner), check("One.", "Two.", evidence=(given,), remaining=9.0), how)
    assert sorted(one.evidence[0].text for one in inner.checks) == ["One.", "Two."]
    assert {(len(one.evidence), one.turn.text, one.threshold, one.sampler) for one in inner.checks} == {
        (1, ANSWER, 0.0, None)
    }


@both
def test_without_a_generator_it_is_unknown(how: str) -> None:
    verdict = ask(holding(), Check(ASKED, Turn(ANSWER)), how)
    assert (verdict.status, verdict.cause) == (Status.UNKNOWN, Cause.NO_GENERATOR)
    assert (verdict.verifier, verdict.version[:11]) == ("consistency", "5 samples a")


@both
@pytest.mark.parametrize("answer", ["Hello!", "How can I help you?", "```\nprint(1)\n```"])
def test_for_what_claims_nothing_nothing_is_drawn(answer: str, how: str) -> None:
    sampler = Canned(SAME)
    verdict = ask(holding(), check(answer=answer, sampler=sampler), how)
    assert (verdict.status, verdict.explanation, sampler.wishes) == (Status.RELIABLE, "no_claim", [])


@both
def test_samples_are_bounded_by_the_answers_length_and_the_time_that_is_left(how: str) -> None:
    sampler = Canned(SAME)
    options: dict[str, Any] = {"samples": 3, "temperature": 0.7, "concurrency": 2, "timeout": 4.0}
    ask(holding(**options), check(sampler=sampler), how)
    ask(holding(**options), check(sampler=sampler, remaining=2.0), how)
    ask(holding(max_tokens=7, **options), check(sampler=sampler), how)
    bound = len(ANSWER) // 3 + 16
    assert sampler.wishes == [
        Sample(3, bound, 0.7, 2, 4.0),
        Sample(3, bound, 0.7, 2, 2.0 * (1 - 0.2)),
        Sample(3, 7, 0.7, 2, 4.0),
    ]


@both
@pytest.mark.parametrize(("late", "cause"), [(True, Cause.TIMEOUT), (False, Cause.SERVER)])
def test_without_a_single_sample_there_is_no_verdict(late: bool, cause: Cause, how: str) -> None:
    sampler = Canned("  ", problem="the LLM is down", late=late)
    with pytest.raises(VerifierError, match="no further answer of the LLM came: the LLM is down") as caught:
        ask(holding(), check(sampler=sampler), how)
    assert caught.value.cause is cause


@both
def test_a_sample_about_which_the_other_verifier_says_nothing_has_no_voice(how: str) -> None:
    def sometimes(check: Check) -> Verdict:
        if "Paris" in check.evidence[0].text:
            raise failure(Cause.TIMEOUT)
        return unknown(None) if "Rome" in check.evidence[0].text else about(check)

    verdict = ask(holding(sometimes), check(SAME, SAME, "In Paris.", "In Rome."), how)
    assert verdict.status is Status.RELIABLE
    assert verdict.risk == pytest.approx(0.1)


@both
def test_when_the_other_verifier_fails_on_each_so_does_this(how: str) -> None:
    with pytest.raises(VerifierError) as caught:
        ask(holding(ScriptedVerifier(failure(Cause.AUTH), repeat=True)), check(SAME, SAME), how)
    assert caught.value.cause is Cause.AUTH


@both
def test_when_the_other_verifier_cannot_tell_of_any_it_is_unknown(how: str) -> None:
    inner = ScriptedVerifier(unknown(Cause.LANGUAGE), repeat=True)
    verdict = ask(holding(inner), check(SAME, SAME), how)
    assert (verdict.status, verdict.cause, verdict.findings) == (Status.UNKNOWN, Cause.LANGUAGE, ())


@both
def test_a_judge_that_says_yes_or_no_gives_the_share_of_samples_that_differ(how: str) -> None:
    def boolean(check: Check) -> Verdict:
        bad = "London" not in check.evidence[0].text
        return Verdict(Status.UNRELIABLE if bad else Status.RELIABLE, risk=float(bad))

    verdict = ask(holding(boolean), check(SAME, SAME, *OTHERS, "Nobody knows."), how)
    assert verdict.risk == pytest.approx(3 / 5)
    assert [finding.kind for finding in verdict.findings] == [FindingKind.UNSUPPORTED] * 2


@both
def test_the_tokens_of_the_samples_and_of_the_judge_are_counted(how: str) -> None:
    costly = ScriptedVerifier(Verdict(Status.RELIABLE, risk=0.0, usage=Usage(3, 1)), repeat=True)
    verdict = ask(holding(costly), check(sampler=Canned(SAME, SAME, usage=Usage(20, 10))), how)
    assert verdict.usage == Usage(26, 12)


def test_its_version_changes_with_whatever_changes_verdicts() -> None:
    settings: list[dict[str, Any]] = [
        {}, {"samples": 3}, {"temperature": 0.5}, {"max_tokens": 9}, {"logprobs": 0.5},
    ]  # fmt: skip
    versions = {holding(**options).version for options in settings}
    assert len(versions) == len(settings)
    assert holding(timeout=3.0, concurrency=2).version == holding().version


@pytest.mark.parametrize("options", [{"samples": 0}, {"temperature": 0.0}])
def test_settings_that_leave_nothing_to_compare_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="samples must be 1 or more"):
        holding(**options)


# token probabilities


def turn(text: str, *tokens: tuple[str, float]) -> Turn:
    return Turn(text, logprobs=tuple(value for _, value in tokens), tokens=tuple(token for token, _ in tokens))


SURE = turn(
    "Rain fell. Snow fell.", ("Rain", 0.0), (" fell", 0.0), (".", 0.0), (" Snow", -1.0), (" fell", -3.0), (".", -2.0)
)


def test_a_claim_is_as_improbable_as_its_own_tokens() -> None:
    one, two = claims(SURE.text)
    assert improbability(SURE, one) == 0.0
    assert improbability(SURE, two) == pytest.approx(1 - 2.718281828**-2.0)


@pytest.mark.parametrize(
    "known", [Turn("Rain fell."), Turn("Rain fell.", logprobs=(-1.0, -2.0)), turn("Rain fell.", ("", -1.0))]
)
def test_without_known_tokens_nothing_is_told(known: Turn) -> None:
    assert improbability(known, claims("Rain fell.")[0]) is None


@both
def test_the_weight_of_token_probabilities_is_mixed_into_the_risk(how: str) -> None:
    text = "It is blue."
    unsure = turn(text, ("It", -9.0), (" is", -9.0), (" blue.", -9.0))
    for weight, risk in ((0.0, 0.1), (0.5, 0.55), (1.0, 1.0)):
        verdict = ask(holding(logprobs=weight), Check(ASKED, unsure, sampler=Canned(text)), how)
        assert verdict.risk == pytest.approx(risk, abs=0.001)


@both
def test_an_answer_without_token_probabilities_is_judged_by_its_samples_alone(how: str) -> None:
    assert ask(holding(logprobs=0.5), check(SAME), how).risk == pytest.approx(0.1)


# invariants


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.floats(0, 1))
def test_the_risk_is_the_mean_over_the_samples_whatever_their_order(risks: list[float], threshold: float) -> None:
    heard = [Hearing(Evidence(str(n), "sample"), Verdict(Status.RELIABLE, risk=risk)) for n, risk in enumerate(risks)]
    one, other = (judged(readings(claims(ANSWER), each), each, threshold) for each in (heard, heard[::-1]))
    assert one.risk == pytest.approx(sum(risks) / len(risks))
    assert (one.status, [f.text for f in one.findings]) == (other.status, [f.text for f in other.findings])
    assert (one.status is Status.UNRELIABLE) == bool(one.findings)


@given(st.text(max_size=60), st.lists(st.tuples(st.text(max_size=5), st.floats(-20, 0)), max_size=12))
def test_tokens_that_do_not_fit_the_text_break_nothing(text: str, tokens: Sequence[tuple[str, float]]) -> None:
    for claim in claims(text):
        found = improbability(turn(text, *tokens), claim)
        assert found is None or 0 <= found <= 1
