"""Several verifiers, asked at the same time."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar

import pytest

from guardrail.errors import VerifierError
from guardrail.testing import ScriptedVerifier, failure, reliable, unreliable
from guardrail.verdict import Cause, Status, Verdict
from guardrail.verifiers.panel import PanelVerifier
from guardrail.verifiers.protocol import Check, Verifier
from tests.verifiers.asking import ask, both, check

SEEN: ContextVar[str] = ContextVar("seen", default="nothing")


class Meeting(ScriptedVerifier):
    """Answers only once all members of the panel are being asked."""

    def __init__(self, barrier: threading.Barrier, arrived: list[asyncio.Event], place: int) -> None:
        super().__init__(reliable())
        self.barrier, self.arrived, self.place = barrier, arrived, place

    def verify(self, check: Check) -> Verdict:
        self.barrier.wait(5)
        return super().verify(check)

    async def averify(self, check: Check) -> Verdict:
        self.arrived[self.place].set()
        for event in self.arrived:
            await asyncio.wait_for(event.wait(), 5)
        return reliable()


class Stuck(ScriptedVerifier):
    """Never answers; knows no time."""

    def __init__(self) -> None:
        super().__init__(id="stuck")
        self.asked, self.cancelled, self.release = asyncio.Event(), False, threading.Event()

    def verify(self, check: Check) -> Verdict:
        self.release.wait(10)
        raise AssertionError("nobody waits for this")

    async def averify(self, check: Check) -> Verdict:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        raise AssertionError


def panel(*members: Verifier, combine: str = "any") -> PanelVerifier:
    return PanelVerifier({f"m{place}": m for place, m in enumerate(members)}, combine)  # type: ignore[arg-type]


@both
def test_all_members_are_asked_at_the_same_time(how: str) -> None:
    barrier, arrived = threading.Barrier(3), [asyncio.Event() for _ in range(3)]
    verdict = ask(panel(*(Meeting(barrier, arrived, place) for place in range(3))), check(), how)
    assert verdict.status is Status.RELIABLE


@both
@pytest.mark.parametrize(("combine", "status"), [("any", "unreliable"), ("all", "reliable"), ("mean", "unreliable")])
def test_the_verdict_is_combined_and_signed(combine: str, status: str, how: str) -> None:
    members = ScriptedVerifier(reliable(0.2), id="a"), ScriptedVerifier(unreliable("London", risk=0.9), id="b")
    verdict = ask(panel(*members, combine=combine), check("London."), how)
    assert (verdict.status, verdict.verifier, verdict.version) == (status, f"panel:{combine}", "a 1, b 1")
    assert [finding.text for finding in verdict.findings] == (["London"] if status == "unreliable" else [])
    assert verdict.latency is not None


@both
def test_each_member_gets_the_time_that_is_left_but_for_a_little(how: str) -> None:
    members = ScriptedVerifier(reliable()), ScriptedVerifier(reliable())
    ask(panel(*members), check(remaining=10.0), how)
    assert [member.checks[0].remaining for member in members] == [9.5, 9.5]


@both
def test_a_member_that_is_late_has_no_voice(how: str) -> None:
    stuck = Stuck()
    verdict = ask(panel(stuck, ScriptedVerifier(reliable())), check(remaining=0.2), how)
    assert verdict.status is Status.RELIABLE
    assert "m0: no verdict (timeout)" in verdict.explanation
    stuck.release.set()


@both
def test_members_that_are_all_late_are_a_timeout(how: str) -> None:
    stuck = Stuck(), Stuck()
    with pytest.raises(VerifierError) as caught:
        ask(panel(*stuck), check(remaining=0.1), how)
    assert caught.value.cause is Cause.TIMEOUT
    for one in stuck:
        one.release.set()


@both
def test_with_no_time_left_there_is_no_verdict(how: str) -> None:
    stuck = Stuck()
    with pytest.raises(VerifierError) as caught:
        ask(panel(stuck, stuck), check(remaining=0.0), how)
    assert caught.value.cause is Cause.TIMEOUT
    stuck.release.set()


@both
def test_a_bug_in_a_member_is_logged_and_the_rest_decides(how: str, caplog: pytest.LogCaptureFixture) -> None:
    def broken(check: Check) -> Verdict:
        raise KeyError("upside down")

    verdict = ask(panel(ScriptedVerifier(broken), ScriptedVerifier(unreliable())), check(), how)
    assert verdict.status is Status.UNRELIABLE
    assert "m0: no verdict (server)" in verdict.explanation
    assert "raised KeyError" in caplog.text


@both
def test_when_all_fail_the_error_tells_of_all(how: str) -> None:
    with pytest.raises(VerifierError, match=r"m0: no verdict \(auth\); m1: no verdict \(gone\)") as caught:
        ask(panel(ScriptedVerifier(failure(Cause.AUTH)), ScriptedVerifier(failure(Cause.GONE))), check(), how)
    assert caught.value.cause is Cause.AUTH


@both
def test_members_see_the_context_variables_of_the_caller(how: str) -> None:
    def saying(check: Check) -> Verdict:
        return Verdict(Status.RELIABLE, explanation=SEEN.get())

    token = SEEN.set("this")
    verdict = ask(panel(ScriptedVerifier(saying), ScriptedVerifier(saying)), check(), how)
    SEEN.reset(token)
    assert verdict.explanation == "m0: reliable: this\nm1: reliable: this"


async def test_cancelling_a_panel_cancels_its_members() -> None:
    members = Stuck(), Stuck()
    task = asyncio.create_task(panel(*members).averify(check(remaining=60)))
    for member in members:
        await asyncio.wait_for(member.asked.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [member.cancelled for member in members] == [True, True]


async def test_a_member_that_is_late_is_cancelled() -> None:
    stuck = Stuck()
    await panel(stuck, ScriptedVerifier(reliable())).averify(check(remaining=0.1))
    assert stuck.cancelled


def test_it_is_a_verifier() -> None:
    assert isinstance(panel(), Verifier)
