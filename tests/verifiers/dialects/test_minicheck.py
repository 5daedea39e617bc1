"""The dialect of MiniCheck: one sentence at a time, Yes is good."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.errors import VerifierError
from guardrail.verdict import Cause, Status
from guardrail.verifiers.dialects import MiniCheck, Reading, Token
from tests.verifiers.asking import check

U, R = Status.UNRELIABLE, Status.RELIABLE
MINICHECK = MiniCheck()


@pytest.mark.parametrize(
    ("content", "expected"),
    [("Yes", (R, 0.0)), ("No", (U, 1.0)), (" yes.\n", (R, 0.0)), ("**No**", (U, 1.0)), ('"NO"', (U, 1.0))],
)
def test_yes_means_supported(content: str, expected: tuple[Status, float]) -> None:
    reading = MINICHECK.read(content, "stop", check=check())
    assert (reading.status, reading.risk) == expected


@pytest.mark.parametrize(
    "content", ["Yes, but", "No doubt", "Yes and no", "Claim: Yes", "1", "supported", "Yes Yes", "Yes\nNo", "Yes|No"]
)
def test_what_is_more_than_one_word_is_no_verdict(content: str) -> None:
    with pytest.raises(VerifierError) as caught:
        MINICHECK.read(content, "stop", check=check())
    assert caught.value.cause is Cause.UNPARSABLE


def token(text: str, **likely: float) -> Token:
    return Token(text, tuple((word, math.log(share)) for word, share in likely.items()))


@pytest.mark.parametrize(
    ("said", "tokens", "risk"),
    [
        (U, [token("No", No=0.6, Yes=0.2)], 0.75),
        (U, [token("No", No=0.3, no=0.3, Yes=0.2)], 0.75),
        (R, [token("Yes", Yes=0.9, No=0.1)], 0.1),
        (R, [token(" yes", maybe=0.5)], 0.0),
        (R, [token("Yes", Yes=0.2, No=0.8)], 0.0),  # against the word that was said
        (R, [Token("Yes", ())], 0.0),
        (U, [], 1.0),
        (U, [token("Well", No=0.1, Yes=0.9)], 1.0),
    ],
)
def test_the_risk_is_the_probability_of_no_where_it_is_known(said: Status, tokens: list[Token], risk: float) -> None:
    weighed = MINICHECK.weighed(Reading(said, float(said is U)), tokens)
    assert weighed.status is said
    assert weighed.risk == pytest.approx(risk)


LIKELY = st.tuples(st.sampled_from(["Yes", "No", "YES", "x"]), st.floats(allow_nan=False))
TOKENS = st.builds(Token, st.sampled_from(["Yes", "No", " no", "x"]), st.lists(LIKELY).map(tuple))


@given(st.lists(TOKENS), st.booleans())
def test_a_risk_is_from_0_to_1_and_never_against_the_verdict(tokens: list[Token], bad: bool) -> None:
    weighed = MINICHECK.weighed(Reading(U if bad else R, float(bad)), tokens)
    assert weighed.risk is not None
    assert 0 <= weighed.risk <= 1
    assert (weighed.risk >= 0.5) is bad


ANSWER = "Hello! The shop is in Oslo. It opens at nine. Would you like a map?"


def test_an_answer_is_asked_about_sentence_by_sentence_and_only_claims_are() -> None:
    pieces = MINICHECK.pieces(check(ANSWER, "The shop is in Rome."))
    assert [ANSWER[piece.start : piece.end] for piece in pieces] == ["The shop is in Oslo.", "It opens at nine."]
    assert [piece.check.turn.text for piece in pieces] == ["The shop is in Oslo.", "It opens at nine."]


def test_a_request_holds_the_document_and_one_claim() -> None:
    body = MINICHECK.request(check("The shop of my uncle is in Oslo.", "The shop is in Rome.", "It opens at nine."))
    system, user = body["messages"]
    assert (system["role"], user["role"]) == ("system", "user")
    assert user["content"] == (
        "Document: The shop is in Rome.\n\nIt opens at nine.\nClaim: The shop of my uncle is in Oslo."
    )
    assert (body["temperature"], body["logprobs"], body["top_logprobs"]) == (0, True, 5)
    assert MINICHECK.plain(body) == {"messages": body["messages"]}


def test_a_short_claim_stands_behind_the_question_that_it_answers() -> None:
    asked: dict[str, Any] = MINICHECK.request(check("London.", "Paris is the capital of France."))
    assert asked["messages"][1]["content"].endswith("\nClaim: What is the capital of France? London.")


def test_the_answer_is_as_risky_as_its_riskiest_sentence_and_bad_ones_are_findings() -> None:
    asked = check(ANSWER, "The shop is in Rome.")
    joined = MINICHECK.joined(MINICHECK.pieces(asked), [Reading(U, 0.8), Reading(R, 0.3)], asked)
    (finding,) = joined.findings
    assert (joined.status, joined.risk, joined.explanation) == (U, 0.8, "1 of 2 claims lack support")
    assert (finding.text, finding.risk) == ("The shop is in Oslo.", 0.8)
    assert ANSWER[finding.start : finding.end] == finding.text


def test_a_sentence_at_the_threshold_of_the_policy_is_a_finding_whatever_the_judge_calls_it() -> None:
    from dataclasses import replace

    asked = replace(check(ANSWER, "The shop is in Rome."), threshold=0.3)
    joined = MINICHECK.joined(MINICHECK.pieces(asked), [Reading(R, 0.1), Reading(R, 0.3)], asked)
    assert [finding.text for finding in joined.findings] == ["It opens at nine."]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_joining_never_hides_a_bad_sentence(risks: list[float]) -> None:
    asked = check(ANSWER, "The shop is in Rome.")
    readings = [Reading(U if risk >= 0.5 else R, risk) for risk in risks]
    joined = MINICHECK.joined(MINICHECK.pieces(asked), readings, asked)
    assert joined.risk == max(risks)
    assert (joined.status is U) == any(risk >= 0.5 for risk in risks)
    assert len(joined.findings) == sum(risk >= 0.5 for risk in risks)
