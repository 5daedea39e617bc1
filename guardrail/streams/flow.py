"""One guarded stream of one answer, sans I/O.

`StreamFlow` is told what happens (a chunk came, the upstream has ended, a verdict is in) with the time at which it
did, and returns what is to be done about it, as `commands`. It waits for nothing, so that a sentence can be verified
while the next are generated:

    chunk -> gate -> sentence -> verdict, several on their way -> in order: released, left out, or begun anew

A bad sentence ends its upstream at once. What was released stays; for a regeneration the LLM is asked to go on from
there, and a new line of sentences takes the place of the old, which is kept until the new one has got anywhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from guardrail.action import Action, most_severe
from guardrail.attempts import Again
from guardrail.conversation import Message, Turn
from guardrail.errors import BlockedError, VerifierError
from guardrail.events import ActionTaken, OutcomeReady, TurnGenerated, VerdictGiven
from guardrail.feedback import write_continuation, write_feedback
from guardrail.flow import Draft, Job
from guardrail.gate import Pieces, SentenceGate, Split, Unit
from guardrail.outcome import Attempt, Outcome
from guardrail.places import placed
from guardrail.policy.decide import Decision, decide
from guardrail.policy.model import Step
from guardrail.streams.commands import Ask, Command, Cut, Finish, Forget, Give, GoOn, Listen, Pause, Say
from guardrail.streams.joining import Joint
from guardrail.streams.line import Group, Line, Part
from guardrail.streams.values import Chunk, Ended, Pending, Release, Replaced, Retracted, Verified, Write
from guardrail.streams.verdicts import about, merged, moved, too_late
from guardrail.verdict import Cause, Status, Usage, Verdict
from guardrail.verifiers.protocol import Check

__all__ = ["StreamFlow"]

Piece = TypeVar("Piece")
_NO_CLAIM = Verdict(Status.RELIABLE, explanation="no_claim")
_ACTS = (Action.REGENERATE, Action.FALLBACK)
_LONGER, _AT_LEAST, _SILENCE, _SILENCE_AT_MOST = 1.2, 0.01, 0.02, 1.0
"""An upstream is silent when it says nothing for so many times its last pauses, and seconds more; the pause of one that
is not known yet; seconds at most."""
_PAUSES = 8


class StreamFlow(Generic[Piece]):
    """Guards the answer of one choice.

    ``job`` holds no turn: the answer is the text of the chunks. Source 0 is the first upstream; later ones are named
    by `GoOn`. Every method takes ``now``, in seconds on any clock, and returns what is to be done, in order. After
    `Finish` nothing is.
    """

    def __init__(self, job: Job, *, split: Split[Piece], index: int = 0) -> None:
        self.job, self.rules, self.index = job, job.rules, index
        self._split = split
        self._whole = job.rules.stream.mode == "whole" and job.mode == "enforce"
        self._at_once = job.mode != "enforce" or job.rules.stream.mode == "optimistic"
        self._line: Line[Piece] = Line(0, self._gate(0))
        self._rejected: tuple[Line[Piece], Attempt] | None = None
        """The line that the present one stands in for, as long as it has got nowhere."""
        self._shown = ""
        self._released: list[Verdict] = []
        """On what is shown."""
        self._commands: list[Command] = []
        self._tickets: dict[int, tuple[Group, Check]] = {}
        self._calls = self._sources = 0
        self._spent: set[tuple[str, int]] = set()
        self._again_of: dict[tuple[str, int], Again] = {}
        self._began_again: dict[tuple[str, int], float] = {}
        self._draft: Draft | None = None
        """What is asked for after a pause."""
        self._decision: Decision | None = None
        """What the present continuation came of."""
        self._attempts: list[Attempt] = []
        self._taken: set[Action] = set()
        self._notes = list(job.notes)
        self._usage: Usage | None = None
        self._now = self._began = 0.0
        self._answered: float | None = None
        """When the first upstream had ended, or was cut: what comes after that is added."""
        self._last_out: float | None = None
        self._error: Exception | None = None
        self._started = self._over = False
        self._gaps: deque[float] = deque(maxlen=_PAUSES)
        """Seconds between the last pieces of text."""
        self._heard: float | None = None

    # what happens

    def feed(self, source: int, chunk: Chunk[Piece], now: float) -> list[Command]:
        """A chunk came from ``source``."""
        if self._is_stale(source, now):
            return []
        line = self._line
        if source and chunk.usage is not None:
            self._usage = (self._usage or Usage()) + chunk.usage
        if line.joint is None:
            self._give(line.gate.feed(chunk.piece, chunk.text))
        else:
            for piece, text in self._begun(line, line.joint.feed(chunk.piece, chunk.text)):
                self._give(line.gate.feed(piece, text))
        if chunk.text and line is self._line:
            self._listen(line)
        if chunk.calls and not line.calls:
            self._unverified()
        elif line is self._line and not line.gate.ready:  # the usual token ends no sentence: it costs no more than this
            return self._todo()
        return self._proceed()

    def _listen(self, line: Line[Piece]) -> None:
        """A sentence that may have ended has, where the upstream is silent for longer than it is between its words."""
        if self._heard is not None:
            self._gaps.append(self._now - self._heard)
        self._heard = self._now
        if not self._whole and line.gate.rests:
            silence = _LONGER * max(self._gaps, default=_SILENCE) + _AT_LEAST
            self._do(Listen(min(silence, _SILENCE_AT_MOST), line.source, line.gate.fed))

    def silent(self, source: int, place: int, now: float) -> list[Command]:
        """Nothing may have come from ``source`` since its text ended at ``place``."""
        line = self._line
        if self._over or source != line.source or not line.live or line.gate.fed != place:
            return []
        self._now = now
        line.gate.rest()
        return self._proceed()

    def ended(self, source: int, now: float) -> list[Command]:
        """``source`` has come to its end."""
        if self._is_stale(source, now):
            return []
        line = self._line
        if line.joint is not None:
            for piece, text in self._begun(line, line.joint.end()):
                self._give(line.gate.feed(piece, text))
        self._end_of(line)
        line.gate.end()
        if source and line.is_empty:
            self._failed("the LLM's answer was empty")
        return self._proceed()

    def failed(self, source: int, error: Exception, now: float) -> list[Command]:
        """``source`` has broken off. The caller hears of it only where it is the first one."""
        if self._is_stale(source, now):
            return []
        line = self._line
        self._end_of(line)
        line.cut = True
        if source:
            self._failed(str(error) or type(error).__name__)
        else:
            self._error = error
            self._notes.append(f"the stream broke off: {type(error).__name__}")
        return self._proceed()

    def judged(self, ticket: int, reply: Verdict | VerifierError, now: float) -> list[Command]:
        """A verdict is in, or there is none to be had."""
        self._now = now
        group, check = self._tickets.pop(ticket, (None, None))
        if group is None or check is None or self._over:
            return []
        verdict = reply if isinstance(reply, Verdict) else self._no_verdict(reply)
        group.verdict = placed(verdict, check.turn.text, check.since)
        if group.verdict.usage is not None:
            self._usage = (self._usage or Usage()) + group.verdict.usage
        return self._proceed()

    def woken(self, now: float) -> list[Command]:
        """The `Pause` is over."""
        self._now = now
        if self._over or self._draft is None:
            return []
        self._go_on(self._draft)
        return self._proceed()

    def late(self, source: int, now: float) -> list[Command]:
        """The time for ``source``, which a `Draft` named, is over."""
        if self._is_stale(source, now):
            return []
        self._do(Cut(source))
        return self.failed(source, TimeoutError("the budget was spent"), now)

    @property
    def is_whole(self) -> bool:
        """Whether everything is held until the verdict on the whole."""
        return self._whole

    @property
    def shown(self) -> str:
        """The answer as far as it has been released."""
        return self._shown

    # sentences

    def _is_stale(self, source: int, now: float) -> bool:
        self._now = now
        if not self._started:
            self._started, self._began, self._line.asked = True, now, now
        return self._over or source != self._line.source or not self._line.live

    def _begun(self, line: Line[Piece], pieces: Sequence[tuple[Piece, str]]) -> Sequence[tuple[Piece, str]]:
        """The first pieces of a continuation, which may need white space before them."""
        if line.joint is not None and line.joint.restarted:
            self._do(Cut(line.source))
            self._end_of(line)
            line.joint = None
            self._failed("the LLM began its answer anew, which cannot be joined to what is shown")
            return ()
        first = next((text for _, text in pieces if text), "")
        if first:
            line.joint = None
            if first[0].isspace():
                line.glue = ""
            line.shift -= len(line.glue)
            if self._at_once and line.glue:
                self._write(line.glue)
                line.glue = ""
        return pieces

    def _end_of(self, line: Line[Piece]) -> None:
        line.live = False
        line.generated = self._now - line.asked
        if self._answered is None:
            self._answered = self._now

    def _unverified(self) -> None:
        """The answer calls a tool: nothing of it waits any longer."""
        line = self._line
        line.calls = True
        self._forget(line)

    def _proceed(self) -> list[Command]:
        """Whatever follows from what has happened."""
        settled = True
        while settled and not self._over:
            self._announce()
            self._ask()
            settled = self._settle()
        if not self._over and self._line.is_done and self._draft is None:
            self._conclude()
        return self._todo()

    def _todo(self) -> list[Command]:
        commands, self._commands = self._commands, []
        return commands

    def _announce(self) -> None:
        line = self._line
        for unit in line.take(self._now):
            if not unit.is_blank and self.job.mode != "unsampled":
                start, end = self._place(unit)
                self._do(Give(Pending(start, end, self.index)))

    def _ask(self) -> None:
        line, stream = self._line, self.rules.stream
        while line.waiting and (free := stream.in_flight - line.in_flight) > 0:
            last = self._whole or self._calls + 1 >= stream.verifications
            if not last:
                self._verify(line, line.group(-(-len(line.waiting) // free), stream.hold.size))
            elif line.live:
                return  # the last verdict is on all that is left
            else:
                group = line.group(len(line.waiting), line.gate.fed)
                group.since = self._now
                self._verify(line, group)

    def _verify(self, line: Line[Piece], group: Group) -> None:
        if line.calls or self.job.mode == "unsampled" or all(unit.is_blank for unit in group.units):
            group.verdict = _NO_CLAIM
            return
        remaining = self._time_for(group)
        if remaining is not None and remaining <= 0:
            cause = Cause.BUDGET if self._out_of_budget() else Cause.TIMEOUT
            group.verdict = Verdict(Status.ERROR, cause=cause, explanation="no time was left to verify")
            return
        verify = self.rules.verify
        threshold = verify.threshold.risk if verify.threshold else None
        shown = self.job.conversation if self.job.shown is None else self.job.shown
        turn = Turn(self._so_far(line, group.units[-1]), index=self.index)
        since = group.units[0].start - line.shift
        check = Check(shown, turn, self.job.evidence, threshold, remaining, since)
        self._calls += 1
        group.ticket, group.shift, group.gone = self._calls, line.shift, len(line.gone)
        self._tickets[group.ticket] = group, check
        self._do(Ask(group.ticket, verify.with_, check))

    def _so_far(self, line: Line[Piece], last: Unit) -> str:
        """The answer up to ``last``, without what was left out."""
        pending = [unit.text for unit in line.unsettled() if unit.end <= last.end]
        return self._shown + line.glue + "".join(pending)

    def _place(self, unit: Unit) -> tuple[int, int]:
        """Where a sentence stands, or would, in the answer that is shown."""
        return unit.start + unit.lead - self._line.shift, unit.end - self._line.shift

    # verdicts

    def _no_verdict(self, error: VerifierError) -> Verdict:
        cause = Cause.BUDGET if error.cause is Cause.TIMEOUT and self._out_of_budget() else error.cause
        return Verdict(Status.ERROR, cause=cause, explanation=str(error), verifier=self.rules.verify.with_)

    def _settle(self) -> bool:
        """Decide upon the sentences whose turn it is; whether there were any."""
        any_ = False
        while not self._over and self._draft is None:
            line = self._line
            if line.parts:
                self._decide(line.parts.popleft())
            elif not line.groups or line.groups[0].verdict is None or not self._open_head(line):
                break
            any_ = True
        return any_

    def _open_head(self, line: Line[Piece]) -> bool:
        """Take the verdict that is next; whether it can be used."""
        group = line.groups[0]
        assert group.verdict is not None
        threshold = self.rules.verify.threshold
        verdict = group.verdict.at(threshold.risk if threshold else None)
        gone = [(start - group.shift, end - group.shift) for start, end in line.gone[group.gone :]]
        if verdict.status is Status.UNRELIABLE and not verdict.findings and gone:
            # It may be about what has been left out meanwhile.
            group.verdict = None
            self._verify(line, group)
            return group.verdict is not None
        verdict, since = moved(verdict, gone, line.shift - group.shift), group.units[0].start - line.shift
        if verdict.status is Status.UNRELIABLE and (late := too_late(verdict, since, self._released)):
            self._notes.append("something bad was found in what was shown already")
            self._released.append(late)
            self._taken.add(Action.FLAG)
        verdict = about(verdict, since)
        if group.ticket is not None:
            self._do(Say(VerdictGiven(self.job.id, verdict, len(self._attempts) + 1)))
        line.open_head(verdict, whole=self._whole)
        return True

    def _decide(self, part: Part) -> None:
        decision = decide(self.rules, part.verdict, self._spent)
        do = decision.step.do
        if do is not Action.PASS:
            self._do(Say(ActionTaken(self.job.id, do, len(self._attempts) + 1, decision.chain)))
        if self.job.mode == "shadow":
            self._taken.add(do)
            self._accept(part, do)
        elif do in _ACTS:
            self._again(decision, part)
        elif do is Action.REPAIR:
            self._leave_out(part)
        elif do is Action.BLOCK:
            self._block(part)
        else:
            self._accept(part, do)

    def _accept(self, part: Part, action: Action) -> None:
        if action is Action.FLAG and self._reinstate(part):
            return
        line = self._line
        self._released.append(part.verdict)
        if action is Action.FLAG:
            self._taken.add(action)
        for unit in part.units:
            self._release(line, unit)
            if not unit.is_blank and self.job.mode != "unsampled":
                start, end = self._place(unit)
                verified = Verified(start, end, part.verdict, action, self.index)
                self._do(Give(verified))
        self._rejected = None

    def _reinstate(self, part: Part) -> bool:
        """Where what the present line stands in for is less risky and complete, it is that which is flagged."""
        line = self._line
        if self._rejected is None or line.live or self._rejected[0].cut:
            return False
        rejected = self._rejected[1].verdict
        if _risk(rejected) > _risk(part.verdict):
            return False
        self._forget(line)
        self._reject(line, part, Action.FLAG)
        self._line, self._rejected = self._rejected[0], None
        return True

    def _release(self, line: Line[Piece], unit: Unit) -> None:
        line.settled += 1
        if line.glue:
            self._write(line.glue)
            line.glue = ""
        lead = self._lead(line, unit)
        self._give(line.gate.release(unit, lead=lead))
        self._shown += unit.text if lead else unit.text[unit.lead :]
        self._last_out = self._now

    def _lead(self, line: Line[Piece], unit: Unit) -> bool:
        """Whether the sentence keeps the white space before it, where the one before was left out."""
        gap, line.gap = line.gap, None
        if gap is None or self._at_once:
            return True
        own = unit.text[: unit.lead]
        if self._shown and gap.count("\n") <= own.count("\n"):
            return True
        line.shift += len(own)
        if self._shown and not unit.is_blank:
            line.shift -= len(gap)
            self._write(gap)
        return False

    def _leave_out(self, part: Part) -> None:
        line = self._line
        start, _ = self._place(part.units[0])
        _, end = self._place(part.units[-1])
        self._do(Give(Retracted(start, end, self.index)))
        for unit in part.units:
            line.settled += 1
            line.gone.append((unit.start, unit.end))
            line.shift += len(unit.text)
            if line.gap is None:
                line.gap = unit.text[: unit.lead]
            self._give(line.gate.drop(unit))
        line.left_out.append(part.verdict)
        self._taken.add(Action.REPAIR)
        self._do(Give(Replaced(start, Action.REPAIR, self.index)))
        self._rejected = None

    def _block(self, part: Part) -> None:
        line = self._line
        if line.live:
            self._do(Cut(line.source))
            self._end_of(line)
        self._forget(line)
        self._reject(line, part, Action.BLOCK)
        start = self._retract(line, part)
        self._do(Give(Replaced(start, Action.BLOCK, self.index)))
        self._finish_blocked()

    def _finish_blocked(self) -> None:
        """The policy's notice stands in the place of what is left, or the caller is raised an error."""
        notice = self.rules.messages.blocked
        gap = "\n\n" if self._shown and not self._shown[-1].isspace() else ""
        if self.rules.on_block == "answer":
            self._do(Give(Write(gap + notice, self.index, notice=True)))
        self._last_out = self._now
        outcome = self._outcome(Action.BLOCK, self._shown + gap + notice, None)
        error = BlockedError(notice, outcome) if self.rules.on_block == "raise" else None
        self._finish(outcome, error)

    # asking again

    def _again(self, decision: Decision, part: Part) -> None:
        """Have the LLM go on from what is shown; where it cannot, decide anew."""
        pause = self._pause(decision)
        if isinstance(pause, str) or pause is None:
            if pause:
                self._notes.append(f"could not {decision.step.do.value}: {pause}")
            self._spent.add(decision.key)
            self._line.parts.appendleft(part)
            return
        line = self._line
        if line.live:
            self._do(Cut(line.source))
            self._end_of(line)
            line.cut = True
        self._forget(line)
        attempt = self._reject(line, part, decision.step.do)
        start = self._retract(line, part)
        self._do(Give(Replaced(start, decision.step.do, self.index)))
        line.parts.appendleft(part)
        if self._rejected is None or _risk(attempt.verdict) < _risk(self._rejected[1].verdict):
            self._rejected = (line, attempt)
        self._decision = decision
        self._ask_again(decision.step, part, pause)

    def _pause(self, decision: Decision) -> float | str | None:
        """Seconds to wait before the LLM is asked; why it cannot be, in words; None where it was asked enough."""
        if hindrance := self._hindrance():
            return hindrance
        began = self._began_again.setdefault(decision.key, self._now)
        if decision.key not in self._again_of:
            self._again_of[decision.key] = Again(decision.step)
        pause = self._again_of[decision.key].next(self._now - began)
        return pause if pause is None else self._hindrance(pause) or pause

    def _hindrance(self, pause: float = 0.0) -> str | None:
        if self.job.cannot_generate:
            return self.job.cannot_generate
        if self._error is not None:
            return "the stream broke off"
        remaining = self._remaining()
        if remaining is None or remaining > pause:
            return None
        return f"a wait of {pause:.3g} s would outlast the budget" if remaining > 0 else "the budget was spent"

    def _ask_again(self, step: Step, part: Part, pause: float) -> None:
        self._sources += 1
        self._heard = None
        start = len(self._shown)
        first = part.units[0]
        glue = (first.text[: first.lead] or " ") if self._shown else ""
        joint = Joint(self._shown, self._split) if self._shown else None
        self._line = Line(self._sources, self._gate(start), joint=joint, glue=glue, model=step.model, asked=self._now)
        self._draft = self._next_draft(step, part.verdict)
        if pause > 0:
            self._do(Pause(pause))
        else:
            self._go_on(self._draft)

    def _go_on(self, draft: Draft) -> None:
        self._draft, self._line.asked = None, self._now
        self._do(GoOn(self._line.source, replace(draft, remaining=self._remaining())))

    def _next_draft(self, step: Step, verdict: Verdict) -> Draft:
        number, said = len(self._attempts) + 1, self.job.conversation
        fallback = step.do is Action.FALLBACK
        if not self._shown:
            if fallback:
                return Draft(said, number, step.model)
            rejected = self._attempts[-1].turn
            feedback = write_feedback(verdict, step.feedback)
        else:
            rejected = Turn(self._shown, index=self.index)
            feedback = write_continuation(None if fallback else verdict, step.feedback)
        asked = (*said, Message("assistant", (rejected.text,)), Message("user", (feedback,)))
        return Draft(asked, number, step.model, None, rejected, feedback, self._shown)

    def _failed(self, why: str) -> None:
        """The continuation came to nothing: where nothing of it is shown, what it stood in for is decided upon."""
        line = self._line
        assert self._decision is not None
        step = self._decision.step
        if self._rejected is None or line.settled:
            self._notes.append(f"the answer breaks off: could not {step.do.value} the rest: {why}")
            self._taken.add(Action.FLAG)
            return
        self._forget(line)
        self._notes.append(f"could not {step.do.value}: {why}")
        if not step.stop_rule.limits_attempts and not step.wait_rule.waits:
            # An LLM that fails at once would be asked as fast as it can until the time is over.
            self._spent.add(self._decision.key)
        self._line, self._rejected = self._rejected[0], None
        if self._line.cut:
            self._notes.append("what was withheld has no end: its upstream had been closed")

    # the end

    def _forget(self, line: Line[Piece]) -> None:
        """Verdicts that are on their way count no longer."""
        tickets = line.forget(self._now)
        for ticket in tickets:
            self._tickets.pop(ticket, None)
        if tickets:
            self._do(Forget(tickets))

    def _retract(self, line: Line[Piece], part: Part) -> int:
        """Tells that all from ``part`` on is withdrawn; returns where that begins in the answer."""
        start, end = self._place(part.units[0])[0], self._place(part.units[-1])[1]
        last = max([end, *(self._place(unit)[1] for unit in line.unsettled())])
        if self._at_once:
            last = max(last, line.gate.fed - line.shift)
        self._do(Give(Retracted(start, last, self.index)))
        return start

    def _reject(self, line: Line[Piece], part: Part, action: Action) -> Attempt:
        if line.attempt is not None:  # it has been rejected before, and came back
            place = self._attempts.index(line.attempt)
            self._attempts[place] = line.attempt = replace(line.attempt, action=action)
            return line.attempt
        turn = Turn(self._shown + line.glue + "".join(unit.text for unit in part.units), index=self.index)
        verdict = merged([*self._released, *line.left_out, part.verdict])
        line.attempt = self._attempt(line, turn, verdict, action)
        return line.attempt

    def _attempt(self, line: Line[Piece], turn: Turn, verdict: Verdict, action: Action) -> Attempt:
        waited = max(0.0, self._now - line.asked - line.generated)
        self._do(Say(TurnGenerated(self.job.id, turn, len(self._attempts) + 1)))
        attempt = Attempt(turn, verdict, action, line.generated, waited, line.model)
        self._attempts.append(attempt)
        return attempt

    def _conclude(self) -> None:
        line = self._line
        turn = Turn(self._shown, index=self.index)
        if self.job.mode == "unsampled":
            return self._finish(self._outcome(Action.PASS, self._shown, turn), self._error)
        if line.cut and line.gate.tail.strip():
            self._notes.append(f"{len(line.gate.tail)} characters of an unfinished sentence were withheld")
        if line.left_out:
            all_ = Turn("".join(line.text), index=self.index)
            self._attempt(line, all_, merged([*self._released, *line.left_out]), Action.REPAIR)
        if line.left_out and not self._shown.strip():
            return self._finish_blocked()
        action = self._final_action(line)
        if line.attempt is not None and line.attempt.turn.text == self._shown:
            return self._finish(self._outcome(action, self._shown, line.attempt.turn), self._error)
        verdict = merged(self._released) if self._released else _NO_CLAIM
        as_it_is = action is Action.FLAG or self.job.mode == "shadow"
        self._attempt(line, turn, verdict, action if as_it_is else Action.PASS)
        self._finish(self._outcome(action, self._shown, turn), self._error)

    def _final_action(self, line: Line[Piece]) -> Action:
        if self.job.mode == "shadow":
            return most_severe(self._taken)
        if Action.FLAG in self._taken:
            return Action.FLAG
        how = set(self._taken)
        if line.source:
            how.add(Action.REGENERATE if line.model is None else Action.FALLBACK)
        return most_severe(how)

    def _outcome(self, action: Action, text: str, turn: Turn | None) -> Outcome:
        out = self._last_out if self._last_out is not None else self._now
        answered = self._answered if self._answered is not None else out
        return Outcome(
            id=self.job.id,
            action=action,
            text=text,
            turn=turn,
            attempts=tuple(self._attempts),
            added=max(0.0, out - answered) * 1000,
            usage=self._usage,
            policy=self.job.policy,
            digest=self.job.digest,
            mode=self.job.mode,
            notes=tuple(self._notes),
            evidence=self.job.evidence,
        )

    def _finish(self, outcome: Outcome, error: Exception | None) -> None:
        self._over = True
        self._do(Say(OutcomeReady(outcome)))
        self._do(Give(Ended(outcome, self.index)))
        self._do(Finish(outcome, error))

    # time

    def _remaining(self) -> float | None:
        """Seconds left of the budget; None without bound."""
        bounds = []
        if self.rules.budget.added is not None and self._answered is not None:
            bounds.append(self.rules.budget.added - (self._now - self._answered))
        if self.rules.budget.total is not None:
            bounds.append(self.rules.budget.total - (self._now - self._began))
        return min(bounds) if bounds else None

    def _out_of_budget(self) -> bool:
        remaining = self._remaining()
        return remaining is not None and remaining <= 0

    def _time_for(self, group: Group) -> float | None:
        remaining = self._remaining()
        if self._whole:  # nobody has seen a word of it, so nobody waits for the next
            return remaining
        held = self.rules.stream.hold.time - (self._now - group.since)
        return held if remaining is None else min(held, remaining)

    # what is to be done

    def _gate(self, start: int) -> SentenceGate[Piece]:
        size = self.rules.stream.hold.size
        return SentenceGate(self._split, start=start, longest=size, at_once=self._at_once)

    def _do(self, command: Command) -> None:
        self._commands.append(command)

    def _write(self, text: str) -> None:
        self._shown += text
        self._do(Give(Write(text, self.index)))

    def _give(self, pieces: Pieces[Piece]) -> None:
        self._commands += [Give(Release(piece, text, self.index)) for piece, text in pieces]


def _risk(verdict: Verdict) -> float:
    return verdict.risk if verdict.risk is not None else 0.5
