"""A cheap verifier first, a strong one where the first is not sure."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from guardrail.errors import VerifierError
from guardrail.testing import Line, ScriptedVerifier, failure, reliable, unknown, unreliable
from guardrail.verdict import Cause, Status, Usage, Verdict
from guardrail.verifiers.cascade import CascadeVerifier
from guardrail.verifiers.protocol import Check, Verifier
from tests.verifiers.asking import ask, both, check


def cascade(first: Line, *then: Line, between: tuple[float, float] | None = (0.3, 0.7)) -> CascadeVerifier:
    return CascadeVerifier(ScriptedVerifier(first, id="cheap"), ScriptedVerifier(*then, id="strong"), between=between)


SURE = [reliable(0.0), reliable(0.29), unreliable(risk=0.71), unreliable(risk=1.0), Verdict(Status.RELIABLE)]
UNSURE: list[Line] = [reliable(0.3), reliable(0.5), unreliable(risk=0.7), unknown(), failure(Cause.TIMEOUT)]


@both
@pytest.mark.parametrize("said", SURE)
def test_where_the_first_is_sure_nobody_else_is_asked(said: Verdict, how: str) -> None:
    verdict = ask(cascade(said), check(), how)
    assert (verdict.status, verdict.risk, verdict.verifier) == (said.status, said.risk, "cheap")


@both
@pytest.mark.parametrize("said", UNSURE)
@pytest.mark.parametrize("last", [reliable(), unreliable(), unknown()])
def test_where_it_is_not_the_second_has_the_last_word(said: Line, last: Verdict, how: str) -> None:
    verdict = ask(cascade(said, last), check(), how)
    assert (verdict.status, verdict.risk, verdict.cause, verdict.verifier) == (
        last.status,
        last.risk,
        last.cause,
        "strong",
    )
    assert "(asked because cheap: " in verdict.explanation


@both
@pytest.mark.parametrize("said", [*SURE, *UNSURE])
def test_where_no_risk_is_unsure_only_unknown_and_failures_are_asked_about_again(said: Line, how: str) -> None:
    verdict = ask(cascade(said, reliable(), between=None), check(), how)
    known = isinstance(said, Verdict) and said.status is not Status.UNKNOWN
    assert verdict.verifier == ("cheap" if known else "strong")


@both
def test_what_the_first_said_is_kept(how: str) -> None:
    said = replace(unreliable(risk=0.4, explanation="one claim"), usage=Usage(1, 2))
    last = replace(reliable(), usage=Usage(10, 20), explanation="All is well.")
    verdict = ask(cascade(said, last), replace(check(), threshold=0.5), how)
    # Read at the policy's threshold, a risk of 0.4 is reliable.
    assert verdict.explanation == "All is well. (asked because cheap: reliable, risk 0.4: one claim)"
    assert verdict.usage == Usage(11, 22)
    assert verdict.latency is not None


@both
def test_the_cause_of_a_failure_is_kept(how: str) -> None:
    verdict = ask(cascade(failure(Cause.RATE_LIMITED), reliable()), check(), how)
    assert verdict.explanation == "(asked because cheap: no verdict (rate_limited))"


@both
@pytest.mark.parametrize("said", UNSURE)
def test_what_is_not_sure_is_no_verdict_when_the_second_fails(said: Line, how: str) -> None:
    with pytest.raises(VerifierError) as caught:
        ask(cascade(said, failure(Cause.GONE)), check(), how)
    assert caught.value.cause is Cause.GONE


@both
def test_the_second_gets_the_time_that_is_left(how: str) -> None:
    then = ScriptedVerifier(reliable())
    ask(CascadeVerifier(ScriptedVerifier(unknown()), then, between=(0.3, 0.7)), check(remaining=5.0), how)
    (asked,) = then.checks
    assert asked.remaining is not None
    assert 0 < asked.remaining < 5.0


@both
def test_a_bug_in_the_first_is_not_hidden(how: str) -> None:
    def broken(check: Check) -> Verdict:
        raise KeyError("x")

    with pytest.raises(KeyError):
        ask(cascade(broken, reliable()), check(), how)


async def test_cancelling_while_the_second_is_asked_ends_it() -> None:
    began = asyncio.Event()

    class Stuck(ScriptedVerifier):
        async def averify(self, check: Check) -> Verdict:
            began.set()
            await asyncio.Event().wait()
            raise AssertionError

    task = asyncio.create_task(
        CascadeVerifier(ScriptedVerifier(unknown()), Stuck(), between=(0.3, 0.7)).averify(check())
    )
    await asyncio.wait_for(began.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_it_says_what_it_is_made_of() -> None:
    verifier = cascade(reliable())
    assert isinstance(verifier, Verifier)
    assert (verifier.id, verifier.version) == ("cheap, then strong", "1, then 1 between 0.3 and 0.7")
