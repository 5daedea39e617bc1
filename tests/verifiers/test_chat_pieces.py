"""Judges that are asked about an answer in several requests, against a real server on loopback."""

from __future__ import annotations

import asyncio
import json
import math
import threading
import time
from typing import Any

import pytest

from guardrail.errors import VerifierError
from guardrail.verdict import Cause, FindingKind, Status, Usage
from tests.verifiers.asking import ask, both, chat, check
from tests.verifiers.loopback import Act, Line, answers, completion, hangs, judge, replies, says

DOCUMENT = "The shop is in Oslo. It opens at nine."
ANSWER = "Hello! The shop is in Rome. It opens at nine. Cats are welcome there."


def claim_of(body: Any) -> str:
    return str(body["messages"][-1]["content"]).rpartition("\nClaim: ")[2]


def supported(body: Any) -> str:
    return "Yes" if claim_of(body).endswith("It opens at nine.") else "No"


@both
def test_each_claim_is_a_request_and_the_worst_decides(how: str) -> None:
    with judge(replies(supported)) as server:
        verdict = ask(chat(server.url, "minicheck"), check(ANSWER, DOCUMENT), how)
    assert sorted(claim_of(request.json).rpartition("? ")[2] for request in server.requests) == [
        "Cats are welcome there.",
        "It opens at nine.",
        "The shop is in Rome.",
    ]
    assert (verdict.status, verdict.risk, verdict.explanation) == (Status.UNRELIABLE, 1.0, "2 of 3 claims lack support")
    assert [(f.text, ANSWER[f.start : f.end], f.kind) for f in verdict.findings] == [
        ("The shop is in Rome.", "The shop is in Rome.", FindingKind.UNSUPPORTED),
        ("Cats are welcome there.", "Cats are welcome there.", FindingKind.UNSUPPORTED),
    ]
    assert verdict.usage == Usage(33, 12)
    assert (verdict.verifier, verdict.version) == ("chat:minicheck", "minicheck:judge-1")
    assert verdict.evidence == check("", DOCUMENT).evidence


@both
def test_an_answer_without_bad_claims_is_reliable(how: str) -> None:
    with judge(says("Yes")) as server:
        verdict = ask(chat(server.url, "minicheck"), check(ANSWER, DOCUMENT), how)
    assert (verdict.status, verdict.risk, verdict.findings) == (Status.RELIABLE, 0.0, ())


@both
@pytest.mark.parametrize(
    ("asked", "status", "cause"),
    [
        (check("Hello! How can I help?", DOCUMENT), Status.RELIABLE, None),
        (check("The shop is in Rome."), Status.UNKNOWN, Cause.NO_EVIDENCE),
    ],
    ids=["no claim", "no evidence"],
)
def test_what_needs_no_judge_is_not_sent(asked: Any, status: Status, cause: Cause | None, how: str) -> None:
    verdict = ask(chat("http://127.0.0.1:1/v1", "minicheck"), asked, how)
    assert (verdict.status, verdict.cause, verdict.usage, verdict.risk) == (status, cause, None, None)
    assert verdict.verifier == "chat:minicheck"


@both
def test_probabilities_become_the_risk(how: str) -> None:
    top = [{"token": "No", "logprob": math.log(0.7)}, {"token": "Yes", "logprob": math.log(0.1)}]
    logprobs = {"content": [{"token": "No", "logprob": math.log(0.7), "top_logprobs": top}]}
    body = json.loads(completion("No"))
    body["choices"][0]["logprobs"] = logprobs
    with judge(answers(200, json.dumps(body))) as server:
        verdict = ask(chat(server.url, "minicheck"), check("The shop is in Rome.", DOCUMENT), how)
    assert server.requests[0].json["logprobs"] is True
    assert verdict.risk == pytest.approx(0.875)
    assert verdict.findings[0].risk == pytest.approx(0.875)


@both
def test_a_server_that_gives_no_probabilities_is_asked_without_and_remembered(how: str) -> None:
    def fussy(line: Line) -> None:
        (answers(400) if "logprobs" in line.request.json else says("Yes"))(line)

    with judge(fussy) as server:
        verifier = chat(server.url, "minicheck")
        assert [ask(verifier, check(ANSWER, DOCUMENT), how).risk for _ in range(2)] == [0.0, 0.0]
    asked = ["logprobs" in request.json for request in server.requests]
    assert (asked[:3], asked[3:]) == ([True] * 3, [False] * 6)


def together(seats: int) -> Act:
    """Answers only when so many requests are there at the same time."""
    barrier = threading.Barrier(seats)

    def act(line: Line) -> None:
        barrier.wait(5)
        says("Yes")(line)

    return act


@both
def test_the_requests_about_one_answer_are_under_way_together(how: str) -> None:
    with judge(together(3)) as server:
        assert ask(chat(server.url, "minicheck"), check(ANSWER, DOCUMENT), how).status is Status.RELIABLE


LONG = " ".join(f"The shop sold {n} cups of coffee on Monday." for n in range(20))


@both
def test_a_failure_ends_the_asking(how: str) -> None:
    with judge(answers(429, "", {"retry-after": "7"})) as server, pytest.raises(VerifierError) as caught:
        ask(chat(server.url, "minicheck"), check(LONG, DOCUMENT), how)
    assert (caught.value.cause, caught.value.retry_after) == (Cause.RATE_LIMITED, 7)
    assert len(server.requests) == 8


@both
def test_a_claim_that_gets_no_verdict_leaves_the_answer_without_one(how: str) -> None:
    def undecided(body: Any) -> str:
        return "Perhaps" if "Cats" in claim_of(body) else "Yes"

    with judge(replies(undecided)) as server, pytest.raises(VerifierError) as caught:
        ask(chat(server.url, "minicheck"), check(ANSWER, DOCUMENT), how)
    assert caught.value.cause is Cause.UNPARSABLE


@both
def test_one_deadline_holds_over_all_requests(how: str) -> None:
    def slow_on_cats(line: Line) -> None:
        (hangs if "Cats" in claim_of(line.request.json) else says("Yes"))(line)

    started = time.monotonic()
    with judge(slow_on_cats) as server, pytest.raises(VerifierError) as caught:
        ask(chat(server.url, "minicheck", timeout=0.3), check(ANSWER, DOCUMENT), how)
    assert caught.value.cause is Cause.TIMEOUT
    assert time.monotonic() - started < 3


async def test_cancelling_hangs_up_on_all_requests() -> None:
    with judge(hangs) as server:
        verifier = chat(server.url, "minicheck")
        task = asyncio.create_task(verifier.averify(check(ANSWER, DOCUMENT)))
        for _ in range(3):
            assert await asyncio.to_thread(server.arrived.acquire, timeout=5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(3):
            assert await asyncio.to_thread(server.hangups.acquire, timeout=5)
        await verifier.aclose()
