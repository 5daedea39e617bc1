"""A judge of the user's own, however little of a verifier it is."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import numpy as np
import pytest

from guardrail.errors import ConfigError, VerifierError
from guardrail.guard import Guard
from guardrail.testing import ScriptedVerifier, failure, reliable, unreliable
from guardrail.verdict import Cause, Status, Verdict
from guardrail.verifiers.own import as_verifier
from guardrail.verifiers.protocol import Check, Verifier
from tests.verifiers.asking import ask, both, check


class Loud:
    """Has no more than ``verify``."""

    def verify(self, check: Check) -> Verdict:
        loud = check.turn.text.isupper()
        return Verdict(Status.UNRELIABLE if loud else Status.RELIABLE, risk=float(loud))


def quiet(check: Check) -> Verdict:
    return reliable()


class Both(Loud):
    """Has both twins, and can be closed."""

    id, version = "both", "7"

    def __init__(self) -> None:
        self.closed = list[str]()

    async def averify(self, check: Check) -> Verdict:
        return Verdict(Status.UNKNOWN)

    def close(self) -> None:
        self.closed.append("close")


@both
@pytest.mark.parametrize(("judge", "name"), [(Loud(), "Loud"), (quiet, "quiet")])
def test_verify_or_a_function_is_enough(judge: Any, name: str, how: str) -> None:
    verifier = as_verifier(judge)
    verdict = ask(verifier, check("Fine."), how)
    assert (verdict.status, verdict.verifier, verifier.version) == (Status.RELIABLE, name, "")
    assert isinstance(verifier, Verifier)


async def test_a_plain_judge_is_kept_off_the_event_loop() -> None:
    def where(check: Check) -> Verdict:
        return Verdict(Status.RELIABLE, explanation=threading.current_thread().name)

    assert (await as_verifier(where).averify(check())).explanation != threading.current_thread().name


@pytest.mark.parametrize(("how", "status"), [("sync", Status.RELIABLE), ("async", Status.UNKNOWN)])
def test_an_asynchronous_twin_is_used_where_there_is_one(how: str, status: Status) -> None:
    judge = Both()
    verdict = ask(as_verifier(judge), check(), how)
    assert (verdict.status, verdict.verifier, verdict.version) == (status, "both", "7")
    assert judge.closed == ["close"]


@both
def test_a_whole_verifier_stays_what_it_is(how: str) -> None:
    verdict = ask(as_verifier(ScriptedVerifier(unreliable(), id="scripted")), check(), how)
    assert (verdict.verifier, verdict.version) == ("scripted", "1")


RAISED: dict[str, tuple[Any, Cause, bool]] = {
    "a cause": (failure(Cause.RATE_LIMITED), Cause.RATE_LIMITED, False),
    "late": (TimeoutError("slow"), Cause.TIMEOUT, False),
    "a bug": (KeyError("upside down"), Cause.SERVER, True),
    "no verdict": (None, Cause.UNPARSABLE, False),
    "a word": ("reliable", Cause.UNPARSABLE, False),
    "a word in the place of a status": (Verdict("reliable"), Cause.UNPARSABLE, False),  # type: ignore[arg-type]
    "a risk that is no number": (Verdict(Status.UNRELIABLE, risk=float("nan")), Cause.UNPARSABLE, False),
    "a risk of another scale": (Verdict(Status.UNRELIABLE, risk=-3.0), Cause.UNPARSABLE, False),
    "a risk in words": (Verdict(Status.UNRELIABLE, risk="high"), Cause.UNPARSABLE, False),  # type: ignore[arg-type]
}


@both
@pytest.mark.parametrize("case", RAISED)
def test_what_it_raises_gets_a_cause(case: str, how: str, caplog: pytest.LogCaptureFixture) -> None:
    raised, cause, logged = RAISED[case]

    def judge(check: Check) -> Any:
        if isinstance(raised, Exception):
            raise raised
        return raised

    with pytest.raises(VerifierError) as caught:
        ask(as_verifier(judge), check(), how)
    assert caught.value.cause is cause
    assert ("'judge' raised KeyError" in caplog.text and "in judge" in caplog.text) is logged
    assert "upside down" not in caplog.text, "an error's own words may hold the answer"


@both
def test_the_answer_is_never_lost_to_a_judge(how: str) -> None:
    def judge(check: Check) -> Verdict:
        raise KeyError("upside down")

    guard = Guard("observe", verifiers={"main": judge})
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]
    outcome = guard.check(messages) if how == "sync" else asyncio.run(guard.acheck(messages))
    assert (outcome.text, outcome.action, outcome.cause) == ("Hello.", "flag", Cause.SERVER)
    assert outcome.verdict is not None
    assert "upside down" in outcome.verdict.explanation


async def _later(check: Check) -> Verdict:
    return reliable()


class _Later:
    async def verify(self, check: Check) -> Verdict:
        return reliable()


@pytest.mark.parametrize(
    ("judge", "words"),
    [
        (Loud, r"Loud is a class: hand over a judge that is made from it, Loud\(\)"),
        (object(), r"is no judge: it has no verify\(check\)"),
        ("package:Class", "is no judge"),
        (_later, "verify of _later is asynchronous: write a plain"),
        (_Later(), "verify of _Later is asynchronous"),
    ],
)
def test_what_is_no_judge_is_refused_at_once(judge: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Guard(verifiers={"main": judge})


@both
def test_guards_take_functions(how: str) -> None:
    guard = Guard("strict", verifiers={"main": Loud()})
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "GO AWAY"}]
    outcome = guard.check(messages) if how == "sync" else asyncio.run(guard.acheck(messages))
    assert outcome.verdict is not None
    assert (outcome.action, outcome.verdict.verifier) == ("regenerate", "Loud")


async def test_cancelling_is_not_taken_for_a_fault() -> None:
    class Slow(Loud):
        async def averify(self, check: Check) -> Verdict:
            await asyncio.Event().wait()
            raise AssertionError

    task = asyncio.create_task(as_verifier(Slow()).averify(check()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@both
@pytest.mark.parametrize("risk", [np.float32(0.5), 1, True])
def test_a_risk_of_any_kind_of_number_becomes_a_plain_one(risk: Any, how: str) -> None:
    verdict = ask(as_verifier(lambda check: Verdict(Status.UNRELIABLE, risk=risk)), check(), how)
    assert type(verdict.risk) is float
    assert verdict.risk == risk


async def test_a_judge_that_cancels_itself_cancels_nobody_else() -> None:
    class Giving(Loud):
        async def averify(self, check: Check) -> Verdict:
            raise asyncio.CancelledError

    with pytest.raises(VerifierError) as caught:
        await as_verifier(Giving()).averify(check())
    assert caught.value.cause is Cause.CANCELLED


async def test_a_thread_that_nobody_waits_for_any_longer_ends_in_silence() -> None:
    began, release, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(check: Check) -> Verdict:
        began.set()
        release.wait(10)
        ended.set()
        return reliable()

    task = asyncio.create_task(as_verifier(slow).averify(check()))
    assert await asyncio.to_thread(began.wait, 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()
    assert await asyncio.to_thread(ended.wait, 5)
