"""One guarded turn, sans I/O.

`guard_turn` is a generator: it yields effects (things to be done) and is sent what came of them, with
the seconds that it took. It never waits, reads a clock or touches a network, so the same loop
serves sync and async code, and a test runs a minute's worth of it in no time.

    generate -> verify -> decide -> act, until the answer may be released or the budget is spent

The drivers in `guardrail.drivers` perform the effects. The loop over attempts is tenacity's, whose stop
and wait
objects are the policy's; only its sleeping is taken out and yielded as one more effect.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TypeAlias

from guardrail.action import Action
from guardrail.attempts import loop, settle
from guardrail.conversation import Evidence, Message, Turn
from guardrail.errors import VerifierError
from guardrail.events import ActionTaken, Event, OutcomeReady, TurnGenerated, VerdictGiven
from guardrail.feedback import write_feedback
from guardrail.outcome import Attempt, Mode, Outcome
from guardrail.places import placed
from guardrail.policy.decide import Decision, decide
from guardrail.policy.model import Rules, Step
from guardrail.repair import without
from guardrail.sampling import Sample
from guardrail.verdict import Cause, Status, Usage, Verdict
from guardrail.verifiers.protocol import Check

__all__ = [
    "Done",
    "Draft",
    "Effect",
    "Failed",
    "Flow",
    "Generate",
    "Generated",
    "Job",
    "Reply",
    "Sleep",
    "Tell",
    "Verify",
    "guard_turn",
]


@dataclass(frozen=True, slots=True)
class Draft:
    """What the LLM is asked for."""

    conversation: tuple[Message, ...]
    """The conversation; for a regeneration it ends with the rejected answer and the feedback."""
    attempt: int = 1
    model: str | None = None
    """Another model than the request's own, for a fallback."""
    remaining: float | None = None
    """Seconds that are left for it; None means without bound."""
    rejected: Turn | None = None
    """What ``feedback`` is about: the rejected answer or, where there is a ``prefix``, that much of it."""
    feedback: str | None = None
    prefix: str = ""
    """What of the answer is shown already, in a stream: the LLM is asked to go on exactly after it."""
    sample: Sample | None = None
    """Set when the answer is not for the user but to hold another one against: how it is best generated."""

    @property
    def messages(self) -> list[dict[str, object]]:
        """The conversation as the OpenAI chat API spells it."""
        return [message.to_dict() for message in self.conversation]


@dataclass(frozen=True, slots=True)
class Generated:
    """What the LLM answered."""

    turn: Turn
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Generate:
    """Ask the LLM. Sent back: `Generated`."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class Verify:
    """Ask a verifier. Sent back: `Verdict`."""

    verifier: str
    check: Check


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait. Sent back: nothing of use."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell the listeners. Sent back: nothing of use."""

    event: Event


Effect: TypeAlias = Generate | Verify | Sleep | Tell


@dataclass(frozen=True, slots=True)
class Done:
    """An effect was performed."""

    value: Generated | Verdict | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """An effect could not be performed, and the loop goes on without it."""

    error: Exception
    seconds: float


Reply: TypeAlias = Done | Failed
Flow: TypeAlias = Generator[Effect, Reply, Outcome]


@dataclass(frozen=True, slots=True)
class Job:
    """All that is known before the first effect."""

    id: str
    conversation: tuple[Message, ...]
    """The whole history, as the LLM sees it."""
    rules: Rules
    turn: Turn | None = None
    """The first answer where it is at hand; None: it is generated."""
    evidence: tuple[Evidence, ...] = ()
    shown: tuple[Message, ...] | None = None
    """What the verifier sees of the history where that is less than all of it."""
    policy: str = "default"
    digest: str = ""
    notes: tuple[str, ...] = ()
    mode: Mode = "enforce"
    act: bool = True
    """False: decide once and report, as `Guard.check` does."""
    elapsed: float = 0.0
    """Seconds spent before this turn was at hand; they count for ``budget.total`` only."""
    waited: float = 0.0
    """Seconds spent since it was at hand; they count as added."""
    cannot_generate: str | None = None
    """Why this mount cannot ask the LLM again, in words; None where it can."""


def guard_turn(job: Job) -> Flow:
    """Guard one turn; the return value is its `Outcome`.

    The driver must answer every effect with `Done` or `Failed`. A failure of the first `Generate`
    is the caller's own error and must be raised by the driver, not sent.
    """
    run = _Run(job)
    outcome = yield from run.steps()
    yield Tell(OutcomeReady(outcome))
    return outcome


class _Run:
    """The state of one guarded turn while it is under way."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.rules = job.rules
        self.attempts: list[Attempt] = []
        self.spent: set[tuple[str, int]] = set()
        self.notes = list(job.notes)
        self.elapsed = job.elapsed
        self.first_answer: float | None = None
        self.usage: Usage | None = None

    def steps(self) -> Flow:
        turn, seconds = self.job.turn, 0.0
        if turn is None:
            reply = yield from self._perform(Generate(Draft(self.job.conversation, remaining=self._remaining())))
            assert isinstance(reply, Done)
            assert isinstance(reply.value, Generated)
            turn, seconds = reply.value.turn, reply.seconds
        self.first_answer = self.elapsed
        self.elapsed += self.job.waited
        if self.job.mode == "unsampled":
            return self._outcome(Action.PASS, turn, ())
        yield from self._judge(turn, seconds, model=None)
        while True:
            decision = decide(self.rules, self.attempts[-1].verdict, self.spent)
            yield from self._take(decision)
            if self._is_final(decision.step):
                return self._conclude(decision.step.do)
            yield from self._again(decision)

    # what may still be done

    def _remaining(self) -> float | None:
        """Seconds left of the budget; None without bound."""
        bounds = []
        if self.rules.budget.added is not None and self.first_answer is not None:
            bounds.append(self.rules.budget.added - (self.elapsed - self.first_answer))
        if self.rules.budget.total is not None:
            bounds.append(self.rules.budget.total - self.elapsed)
        return min(bounds) if bounds else None

    def _out_of_budget(self) -> bool:
        remaining = self._remaining()
        return remaining is not None and remaining <= 0

    def _is_final(self, step: Step) -> bool:
        if not self.job.act or self.job.mode == "shadow":
            return True
        return step.do not in (Action.REGENERATE, Action.FALLBACK)

    def _hindrance(self, pause: float = 0.0) -> str | None:
        """Why the LLM cannot be asked again ``pause`` seconds from now, in words."""
        if self.job.cannot_generate:
            return self.job.cannot_generate
        remaining = self._remaining()
        if remaining is None or remaining > pause:
            return None
        return f"a wait of {pause:.3g} s would outlast the budget" if remaining > 0 else "the budget was spent"

    # one attempt

    def _perform(self, effect: Effect) -> Generator[Effect, Reply, Reply]:
        reply = yield effect
        self.elapsed += reply.seconds
        return reply

    def _take(self, decision: Decision) -> Generator[Effect, Reply, None]:
        last = self.attempts[-1]
        self.attempts[-1] = replace(last, action=decision.step.do)
        yield Tell(ActionTaken(self.job.id, decision.step.do, len(self.attempts), decision.chain))

    def _judge(self, turn: Turn, generated: float, *, model: str | None) -> Generator[Effect, Reply, None]:
        number = len(self.attempts) + 1
        yield Tell(TurnGenerated(self.job.id, turn, number))
        before = self.elapsed
        verdict = yield from self._verdict(turn)
        if verdict.usage is not None:
            self.usage = (self.usage or Usage()) + verdict.usage
        verified = self.elapsed - before
        self.attempts.append(Attempt(turn, verdict, Action.PASS, generated, verified, model))
        yield Tell(VerdictGiven(self.job.id, verdict, number))

    def _verdict(self, turn: Turn) -> Generator[Effect, Reply, Verdict]:
        if turn.tool_calls or not turn.text.strip():
            # A call to a tool, a refusal and an empty answer state nothing; acting on them breaks agents.
            return Verdict(Status.RELIABLE, explanation="no_claim")
        if self._out_of_budget():
            return Verdict(Status.ERROR, cause=Cause.BUDGET, explanation="no time was left to verify")
        verify = self.rules.verify
        threshold = verify.threshold.risk if verify.threshold else None
        shown = self.job.conversation if self.job.shown is None else self.job.shown
        check = Check(shown, turn, self.job.evidence, threshold, self._remaining())
        reply = yield from self._perform(Verify(verify.with_, check))
        if isinstance(reply, Failed):
            return self._no_verdict(reply.error)
        assert isinstance(reply.value, Verdict)
        return reply.value.at(threshold)

    def _no_verdict(self, error: Exception) -> Verdict:
        assert isinstance(error, VerifierError)
        cause = error.cause
        if cause is Cause.TIMEOUT and self._out_of_budget():
            cause = Cause.BUDGET
        return Verdict(Status.ERROR, cause=cause, explanation=str(error), verifier=self.rules.verify.with_)

    # more attempts

    def _again(self, decision: Decision) -> Generator[Effect, Reply, None]:
        """Ask the LLM again, in tenacity's loop, until another rule applies or the step is spent."""
        self.spent.add(decision.key)
        step, began = decision.step, self.elapsed
        pauses: list[float] = []
        answered = False
        for attempt in loop(step, pauses):
            if attempt.retry_state.attempt_number > 1:
                if hindrance := (yield from self._pause(sum(pauses))):
                    return self.notes.append(f"could not {step.do.value}: {hindrance}")
                pauses.clear()
                if answered:
                    yield from self._take(decision)
                answered = yield from self._attempt(step)
                if not answered and not step.stop_rule.limits_attempts and not step.wait_rule.waits:
                    return  # an LLM that fails at once would be asked as fast as it can until the time is over
            settled = decide(self.rules, self.attempts[-1].verdict).chain != decision.chain
            settle(attempt, settled, self.elapsed - began)

    def _pause(self, seconds: float) -> Generator[Effect, Reply, str | None]:
        """Wait; why the LLM cannot be asked after it, in words. A wait for nothing is not begun."""
        hindrance = self._hindrance(seconds)
        if hindrance is None and seconds > 0:
            yield from self._perform(Sleep(seconds))
            hindrance = self._hindrance()
        return hindrance

    def _attempt(self, step: Step) -> Generator[Effect, Reply, bool]:
        """Ask once more and judge the answer; False when there is none."""
        reply = yield from self._perform(Generate(self._draft(step)))
        if isinstance(reply, Failed):
            self.notes.append(f"could not {step.do.value}: {str(reply.error) or type(reply.error).__name__}")
            return False
        assert isinstance(reply.value, Generated)
        if reply.value.usage is not None:
            self.usage = (self.usage or Usage()) + reply.value.usage
        yield from self._judge(reply.value.turn, reply.seconds, model=step.model)
        return True

    def _draft(self, step: Step) -> Draft:
        number, left = len(self.attempts) + 1, self._remaining()
        if step.do is Action.FALLBACK:
            return Draft(self.job.conversation, number, step.model, left)
        # Feedback is about the last draft only: what grows with every attempt ends in a prompt of drafts.
        last = self.attempts[-1]
        feedback = write_feedback(last.verdict, step.feedback)
        asked = (
            *self.job.conversation,
            Message("assistant", (last.turn.text,)),
            Message("user", (feedback,)),
        )
        return Draft(asked, number, None, left, last.turn, feedback)

    # the end

    def _conclude(self, action: Action) -> Outcome:
        # A reliable attempt is the least risky one, and the last.
        released = min(self.attempts, key=_risk)
        if action is Action.PASS:
            action = self._how(released)
        acting = self.job.act and self.job.mode == "enforce"
        if action is Action.REPAIR and acting:
            return self._repaired(self.attempts[-1])
        blocked = action is Action.BLOCK and acting
        return self._outcome(action, None if blocked else released.turn, tuple(self.attempts))

    def _repaired(self, bad: Attempt) -> Outcome:
        """The last attempt without its bad sentences; blocked where nothing is left of it."""
        text = without(bad.turn.text, placed(bad.verdict, bad.turn.text).findings)
        if not text:
            self.notes.append("could not repair: no sentence is known to be good")
            return self._outcome(Action.BLOCK, None, tuple(self.attempts))
        turn = replace(bad.turn, text=text, logprobs=None)
        verdict = replace(
            bad.verdict, status=Status.RELIABLE, risk=None, findings=(), explanation="what was found is left out"
        )
        self.attempts.append(Attempt(turn, verdict, Action.PASS, 0.0, 0.0, bad.model))
        return self._outcome(Action.REPAIR, turn, tuple(self.attempts))

    def _outcome(self, action: Action, turn: Turn | None, attempts: tuple[Attempt, ...]) -> Outcome:
        return Outcome(
            id=self.job.id,
            action=action,
            text=self.rules.messages.blocked if turn is None else turn.text,
            turn=turn,
            attempts=attempts,
            added=(self.elapsed - (self.first_answer or 0.0)) * 1000,
            usage=self.usage,
            policy=self.job.policy,
            digest=self.job.digest,
            mode=self.job.mode,
            notes=tuple(self.notes),
            evidence=self.job.evidence,
        )

    def _how(self, attempt: Attempt) -> Action:
        if attempt is self.attempts[0]:
            return Action.PASS
        return Action.REGENERATE if attempt.model is None else Action.FALLBACK


def _risk(attempt: Attempt) -> tuple[int, float]:
    """Sorts attempts from the least to the most risky; no verdict lies between the two kinds."""
    verdict = attempt.verdict
    place = {Status.RELIABLE: 0, Status.UNRELIABLE: 2}.get(verdict.status, 1)
    return place, verdict.risk if verdict.risk is not None else 0.5
