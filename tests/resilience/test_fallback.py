"""A second verifier for when the first gives no verdict."""

from __future__ import annotations

import asyncio

import pytest

from guardrail.conversation import Turn
from guardrail.errors import VerifierError
from guardrail.resilience.fallback import FallbackVerifier
from guardrail.testing import ScriptedVerifier, failure, reliable, unreliable
from guardrail.verdict import Cause, Status, Usage, Verdict
from guardrail.verifiers.protocol import Check, Verifier

both = pytest.mark.parametrize("how", ["sync", "async"])


def ask(verifier: Verifier, how: str, remaining: float | None = None) -> Verdict:
    check = Check((), Turn("x"), remaining=remaining)

    async def alone() -> Verdict:
        return await verifier.averify(check)

    return verifier.verify(check) if how == "sync" else asyncio.run(alone())


@both
def test_the_second_is_left_alone_while_the_first_answers(how: str) -> None:
    second = ScriptedVerifier(id="second")
    verdict = ask(FallbackVerifier(ScriptedVerifier(unreliable(), id="first"), second), how)
    assert (verdict.verifier, verdict.status, second.checks) == ("first", Status.UNRELIABLE, [])


@both
@pytest.mark.parametrize("cause", sorted(Cause))
def test_the_second_answers_when_the_first_does_not(cause: Cause, how: str) -> None:
    first, second = ScriptedVerifier(failure(cause), id="first"), ScriptedVerifier(reliable(), id="second")
    verdict = ask(FallbackVerifier(first, second), how)
    assert (verdict.verifier, verdict.status) == ("second", Status.RELIABLE)
    assert cause.value in verdict.explanation


@both
def test_the_second_gets_the_time_that_is_left(how: str) -> None:
    second = ScriptedVerifier(reliable())
    ask(FallbackVerifier(ScriptedVerifier(failure(Cause.SERVER)), second), how, remaining=5.0)
    (check,) = second.checks
    assert check.remaining is not None
    assert 0 < check.remaining < 5.0


@both
def test_when_both_fail_the_error_tells_of_both(how: str) -> None:
    first, second = ScriptedVerifier(failure(Cause.AUTH)), ScriptedVerifier(failure(Cause.SERVER))
    with pytest.raises(VerifierError) as caught:
        ask(FallbackVerifier(first, second), how)
    assert caught.value.cause is Cause.SERVER
    assert isinstance(caught.value.__context__, VerifierError)
    assert caught.value.__context__.cause is Cause.AUTH


@both
def test_a_bug_in_the_first_is_not_hidden(how: str) -> None:
    def broken(check: Check) -> Verdict:
        raise KeyError("x")

    with pytest.raises(KeyError):
        ask(FallbackVerifier(ScriptedVerifier(broken), ScriptedVerifier(reliable())), how)


def test_its_version_is_that_of_both() -> None:
    verifier = FallbackVerifier(ScriptedVerifier(id="a"), ScriptedVerifier(id="b"))
    assert (verifier.id, verifier.version) == ("a", "1, else b 1")


@both
@pytest.mark.parametrize(("passes_on", "asked"), [(True, "second"), (False, "first")])
def test_the_second_is_asked_for_what_is_unknown_only_where_that_is_wanted(
    passes_on: bool, asked: str, how: str
) -> None:
    first = ScriptedVerifier(Verdict(Status.UNKNOWN, cause=Cause.NO_EVIDENCE, usage=Usage(1, 1)), id="first")
    second = ScriptedVerifier(Verdict(Status.RELIABLE, usage=Usage(2, 2)), id="second")
    verdict = ask(FallbackVerifier(first, second, unknown=passes_on), how)
    assert verdict.verifier == asked
    if passes_on:
        assert verdict.explanation == "(asked because the first verifier said unknown: no_evidence)"
        assert verdict.usage == Usage(3, 3)


@both
def test_what_is_known_is_not_asked_about_again(how: str) -> None:
    second = ScriptedVerifier(id="second")
    assert (
        ask(FallbackVerifier(ScriptedVerifier(reliable(), id="first"), second, unknown=True), how).verifier == "first"
    )
