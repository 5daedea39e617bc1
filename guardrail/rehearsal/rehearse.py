"""Plays a test of a policy, from its recorded answers to what came of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from guardrail.building import build
from guardrail.drivers import drive
from guardrail.flow import Job, guard_turn
from guardrail.outcome import Outcome
from guardrail.policy.cases import Case
from guardrail.policy.model import Policy
from guardrail.prepare import job_for
from guardrail.rehearsal.expectations import Mismatch, mismatches
from guardrail.rehearsal.recorded import CannotPlay, Clock, RecordedLLM, RecordedVerifier
from guardrail.testing import ScriptedVerifier
from guardrail.verifiers.protocol import Verifier

__all__ = ["Rehearsal", "Rehearsed"]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of one test."""

    case: Case
    seconds: float
    """How long playing it took."""
    outcome: Outcome | None = None
    """None where it could not be played to its end."""
    problem: str | None = None
    """Why it could not, such as a verdict that was asked for and not recorded."""
    mismatches: tuple[Mismatch, ...] = ()
    """The expectations that were not met."""

    @property
    def passed(self) -> bool:
        """Whether all was as expected."""
        return self.problem is None and not self.mismatches


class Rehearsal:
    """Plays the tests of ``policy``, offline and without waiting.

    Answers and verdicts are the recorded ones, and take as long as they say, on a clock of their own. The loop, the
    routes and the decisions are those of a guard. Close it: it may hold the embedded model.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._embedded: dict[str, Verifier] = {}

    def play(self, case: Case) -> Rehearsed:
        """Play one test."""
        started = time.perf_counter()
        try:
            outcome = self._outcome(case)
        except CannotPlay as error:
            return Rehearsed(case, time.perf_counter() - started, problem=str(error))
        seconds = time.perf_counter() - started
        return Rehearsed(case, seconds, outcome, mismatches=mismatches(case.expect, outcome))

    def _outcome(self, case: Case) -> Outcome:
        clock, job = Clock(), self._job(case)
        name = job.rules.verify.with_
        verifier = self._live(name) if case.verdicts is None else RecordedVerifier(case.verdicts, clock, id=name)
        return drive(
            guard_turn(job),
            verifiers={name: verifier},
            generate=RecordedLLM(case, clock),
            sleep=clock.sleep,
            clock=clock,
        )

    def _job(self, case: Case) -> Job:
        first = case.answers[0]
        job = job_for(
            self._policy,
            id="test",
            conversation=case.conversation(),
            turn=first.value(),
            given=tuple(passage.value() for passage in case.context),
            info=case.request.value(),
        )
        # Whatever share of conversations is verified: a test is about one that is.
        return replace(job, mode=job.rules.mode, elapsed=first.elapsed)

    def _live(self, name: str) -> Verifier:
        """The embedded verifier ``name``, and nothing else of the policy."""
        if name not in self._embedded:
            others = {other: ScriptedVerifier() for other in self._policy.verifiers if other != name}
            self._embedded |= build(self._policy, without=others)
        return self._embedded[name]

    def close(self) -> None:
        """Give back what is held."""
        for verifier in self._embedded.values():
            verifier.close()

    def __enter__(self) -> Rehearsal:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
