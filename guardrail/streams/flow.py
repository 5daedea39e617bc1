"""One guarded stream of one answer, sans I/O.

`StreamFlow` is told what happens (a chunk came, the upstream has ended, a verdict is in) with the time at which it
did, and returns what is to be done about it, as `commands`. It waits for nothing, so that a sentence can be verified
while the next are generated:

    chunk -> gate -> sentence -> verdict, several on their way -> in order: released, left out, or begun anew

A bad sentence ends its upstream at once. What was released stays; for a regeneration the LLM is asked to go on from
there, and a new line of sentences takes the place of the old, which is kept until the new one has got anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from guardrail.action import Action
from guardrail.attempts import Again
from guardrail.conversation import Message, Turn
from guardrail.errors import BlockedError, VerifierError
from guardrail.events import ActionTaken, OutcomeReady, TurnGenerated, VerdictGiven
from guardrail.feedback import write_continuation, write_feedback
from guardrail.flow import Draft, Job
from guardrail.gate import Merge, Pieces, SentenceGate, Split, Unit
from guardrail.outcome import Attempt, Outcome
from guardrail.places import placed
from guardrail.policy.decide import Decision, decide
from guardrail.policy.model import Step
from guardrail.streams.account import NO_CLAIM, Account
from guardrail.streams.commands import Ask, Command, Cut, Finish, Forget, Give, GoOn, Listen, Pause, Say
from guardrail.streams.joining import Joint
from guardrail.streams.line import Group, Line, Part
from guardrail.streams.timing import Timing
from guardrail.streams.values import Chunk, Ended, Pending, Release, Replaced, Retracted, Verified, Write
from guardrail.streams.verdicts import about, moved, too_late
from guardrail.verdict import Cause, Status, Verdict
from guardrail.verifiers.protocol import Check

__all__ = ["StreamFlow"]

Piece = TypeVar("Piece")
_ACTS = (Action.REGENERATE, Action.FALLBACK)


class StreamFlow(Generic[Piece]):
    """Guards the answer of one choice.

    ``job`` holds no turn: the answer is the text of the chunks. Source 0 is the first upstream; later ones are named
    by `GoOn`. Every method takes ``now``, in seconds on any clock, and returns what is to be done, in order. After
    `Finish` nothing is.
    """

    def __init__(self, job: Job, *, split: Split[Piece], merge: Merge[Piece] | None = None, index: int = 0) -> None:
        self.job, self.rules, self.index = job, job.rules, index
        self._split, self._merge = split, merge
        self._whole = job.rules.stream.mode == "whole" and job.mode == "enforce"
        self._at_once = job.mode != "enforce" or job.rules.stream.mode == "optimistic"
        self._line: Line[Piece] = Line(0, self._gate(0))
        self._rejected: tuple[Line[Piece], Attempt] | None = None
        """The line that the present one stands in for, as long as it has got nowhere."""
        self._shown = ""
        self._time, self._account = Timing(self.rules), Account(job, index)
        self._commands: list[Command] = []
        self._tickets: dict[int, tuple[Group, Check]] = {}
        self._calls = self._sources = 0
        self._spent: set[tuple[str, int]] = set()
        self._retries: dict[tuple[str, int], tuple[Again, float]] = {}
        """By step, with the moment at which it was first taken."""
        self._draft: Draft | None = None
        """What is asked for after a pause."""
        self._decision: Decision | None = None
        """What the present continuation came of."""
        self._error: Exception | None = None
        self._over = False

    # what happens

    def feed(self, source: int, chunk: Chunk[Piece], now: float) -> list[Command]:
        """A chunk came from ``source``."""
        if self._is_stale(source, now):
            return []
        line = self._line
        if source and chunk.usage is not None:
            self._account.spend(chunk.usage)
        if line.joint is None:
            if pieces := line.gate.feed(chunk.piece, chunk.text):
                self._give(pieces)
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
        self._time.hear()
        if not self._whole and line.gate.rests:
            self._do(Listen(self._time.silence, line.source, line.gate.fed))

    def silent(self, source: int, place: int, now: float) -> list[Command]:
        """Nothing may have come from ``source`` since its text ended at ``place``."""
        line = self._line
        if self._over or source != line.source or not line.live or line.gate.fed != place:
            return []
        self._time.now = now
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
        if self._at_once:
            line.gate.end()  # the half sentence has been seen
        if source:
            self._failed(str(error) or type(error).__name__)
        else:
            self._error = error
            self._account.note(f"the stream broke off: {type(error).__name__}")
        return self._proceed()

    def judged(self, ticket: int, reply: Verdict | VerifierError, now: float) -> list[Command]:
        """A verdict is in, or there is none to be had."""
        self._time.now = now
        group, check = self._tickets.pop(ticket, (None, None))
        if group is None or check is None or self._over:
            return []
        verdict = reply if isinstance(reply, Verdict) else self._no_verdict(reply)
        group.verdict = placed(verdict, check.turn.text, check.since)
        self._account.spend(verdict.usage)
        return self._proceed()

    def woken(self, now: float) -> list[Command]:
        """The `Pause` is over."""
        self._time.now = now
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
        self._time.now = now
        if self._time.begin():
            self._line.asked = now
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
                self._do(Give(Write(line.glue, self.index)))
        return pieces

    def _end_of(self, line: Line[Piece]) -> None:
        line.live = False
        line.generated = self._time.now - line.asked
        self._time.answer()

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
        for unit in line.take(self._time.now):
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
                group.since = self._time.now
                self._verify(line, group)

    def _verify(self, line: Line[Piece], group: Group) -> None:
        if self._states_nothing(line, group):
            group.verdict = NO_CLAIM
            return
        # Of an answer that is held whole nobody has seen a word, so nobody waits for the next.
        remaining = self._time.remaining if self._whole else self._time.left_for(group.since)
        if remaining is not None and remaining <= 0:
            cause = Cause.BUDGET if self._time.is_over else Cause.TIMEOUT
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

    def _states_nothing(self, line: Line[Piece], group: Group) -> bool:
        """Whether no verdict is needed."""
        if self.job.mode == "unsampled" or all(unit.is_blank for unit in group.units):
            return True
        if line.calls and not self._whole:
            self._account.note("what stands beside the call of a tool was shown without a verdict")
        return line.calls

    def _so_far(self, line: Line[Piece], last: Unit) -> str:
        """The answer up to ``last``, without what was left out."""
        pending = [unit.text for unit in line.unsettled() if unit.end <= last.end]
        return self._shown + line.glue + "".join(pending)

    def _place(self, unit: Unit) -> tuple[int, int]:
        """Where a sentence stands, or would, in the answer that is shown."""
        return unit.start + unit.lead - self._line.shift, unit.end - self._line.shift

    # verdicts

    def _no_verdict(self, error: VerifierError) -> Verdict:
        cause = Cause.BUDGET if error.cause is Cause.TIMEOUT and self._time.is_over else error.cause
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
        if verdict.status is Status.UNRELIABLE and (late := too_late(verdict, since, self._account.released)):
            self._account.note("something bad was found in what was shown already")
            self._account.release(late, Action.FLAG)
        verdict = about(verdict, since)
        if group.ticket is not None:
            self._do(Say(VerdictGiven(self.job.id, verdict, self._account.number)))
        line.open_head(verdict, whole=self._whole)
        return True

    def _decide(self, part: Part) -> None:
        decision = decide(self.rules, part.verdict, self._spent)
        do = decision.step.do
        if do is not Action.PASS:
            self._do(Say(ActionTaken(self.job.id, do, self._account.number, decision.chain)))
        if self.job.mode == "shadow":
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
        self._account.release(part.verdict, action)
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
        self._retract(line, part.units)
        self._line, self._rejected = self._rejected[0], None
        return True

    def _release(self, line: Line[Piece], unit: Unit) -> None:
        line.settled += 1
        if line.glue and not self._at_once:
            self._do(Give(Write(line.glue, self.index)))
        lead = self._lead(line, unit)
        self._give(line.gate.release(unit, lead=lead))
        text = line.glue + (unit.text if lead else unit.text[unit.lead :])
        if line.withdrawn:
            self._do(Give(Write(text, self.index)))
        self._shown, line.glue = self._shown + text, ""
        self._time.show()

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
        start = len(self._shown) if self._at_once else start
        self._do(Give(Retracted(start, end, self.index)))
        line.gap, line.shift, line.glue = line.glue or line.gap, line.shift + len(line.glue), ""
        for unit in part.units:
            line.settled += 1
            line.gone.append((unit.start, unit.end))
            line.shift += len(unit.text)
            if line.gap is None:
                line.gap = unit.text[: unit.lead]
            self._give(line.gate.drop(unit))
        line.left_out.append(part.verdict)
        self._account.taken.add(Action.REPAIR)
        self._do(Give(Replaced(start, Action.REPAIR, self.index)))
        self._rejected = None

    def _block(self, part: Part) -> None:
        line = self._line
        if line.live:
            self._do(Cut(line.source))
            self._end_of(line)
        self._forget(line)
        self._reject(line, part, Action.BLOCK)
        start = self._retract(line, part.units)
        self._do(Give(Replaced(start, Action.BLOCK, self.index)))
        self._finish_blocked()

    def _finish_blocked(self) -> None:
        """The policy's notice stands in the place of what is left, or the caller is raised an error."""
        notice = self.rules.messages.blocked
        gap = "\n\n" if self._shown and not self._shown[-1].isspace() else ""
        if self.rules.on_block == "answer":
            self._do(Give(Write(gap + notice, self.index, notice=True)))
        self._time.show()
        outcome = self._account.outcome(Action.BLOCK, self._shown + gap + notice, None, self._time.added)
        error = BlockedError(notice, outcome) if self.rules.on_block == "raise" else None
        self._finish(outcome, error)

    # asking again

    def _again(self, decision: Decision, part: Part) -> None:
        """Have the LLM go on from what is shown; where it cannot, decide anew."""
        pause = self._pause(decision)
        if isinstance(pause, str) or pause is None:
            if pause:
                self._account.note(f"could not {decision.step.do.value}: {pause}")
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
        start = self._retract(line, part.units)
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
        now = self._time.now
        again, began = self._retries.setdefault(decision.key, (Again(decision.step), now))
        pause = again.next(now - began)
        return pause if pause is None else self._hindrance(pause) or pause

    def _hindrance(self, pause: float = 0.0) -> str | None:
        """Why the LLM cannot be asked ``pause`` seconds from now, in words."""
        if self.job.cannot_generate:
            return self.job.cannot_generate
        return "the stream broke off" if self._error is not None else self._time.hindrance(pause)

    def _ask_again(self, step: Step, part: Part, pause: float) -> None:
        self._sources += 1
        self._time.forget()
        start = len(self._shown)
        first = part.units[0]
        glue = (first.text[: first.lead] or self._line.glue) if self._shown else ""
        joint = Joint(self._shown, self._split) if self._shown else None
        self._line = Line(
            self._sources, self._gate(start), joint=joint, glue=glue, model=step.model, asked=self._time.now
        )
        self._draft = self._next_draft(step, part.verdict)
        if pause > 0:
            self._do(Pause(pause))
        else:
            self._go_on(self._draft)

    def _go_on(self, draft: Draft) -> None:
        self._draft, self._line.asked = None, self._time.now
        self._do(GoOn(self._line.source, replace(draft, remaining=self._time.remaining)))

    def _next_draft(self, step: Step, verdict: Verdict) -> Draft:
        number, said = self._account.number, self.job.conversation
        fallback = step.do is Action.FALLBACK
        if not self._shown:
            if fallback:
                return Draft(said, number, step.model)
            rejected = self._account.attempts[-1].turn
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
            self._account.note(f"the answer breaks off: could not {step.do.value} the rest: {why}")
            self._account.taken.add(Action.FLAG)
            return
        self._forget(line)
        self._retract(line)
        self._account.note(f"could not {step.do.value}: {why}")
        if not step.stop_rule.limits_attempts and not step.wait_rule.waits:
            # An LLM that fails at once would be asked as fast as it can until the time is over.
            self._spent.add(self._decision.key)
        self._line, self._rejected = self._rejected[0], None
        if self._line.cut:
            self._account.note("what was withheld has no end: its upstream had been closed")

    # the end

    def _forget(self, line: Line[Piece]) -> None:
        """Verdicts that are on their way count no longer."""
        tickets = line.forget()
        for ticket in tickets:
            self._tickets.pop(ticket, None)
        if tickets:
            self._do(Forget(tickets))

    def _retract(self, line: Line[Piece], units: Sequence[Unit] = ()) -> int:
        """Tells that ``units`` and all behind them are withdrawn; returns where that begins in the answer."""
        units = [*units, *line.unsettled()]
        start = self._place(units[0])[0] if units else len(self._shown)
        last = max((self._place(unit)[1] for unit in units), default=start)
        if self._at_once:
            start, last, line.withdrawn = len(self._shown), max(last, line.gate.fed - line.shift), True
        if last > start:
            self._do(Give(Retracted(start, last, self.index)))
        return start

    def _reject(self, line: Line[Piece], part: Part, action: Action) -> Attempt:
        attempt, is_new = self._account.reject(line, part, self._shown, action, self._time.now)
        if is_new:
            self._tell(attempt.turn)
        return attempt

    def _tell(self, turn: Turn) -> None:
        self._do(Say(TurnGenerated(self.job.id, turn, self._account.number - 1)))

    def _conclude(self) -> None:
        line, now = self._line, self._time.now
        if line.cut and line.gate.tail.strip():
            self._account.note(f"{len(line.gate.tail)} characters of an unfinished sentence were withheld")
        if line.left_out:
            self._account.repaired(line, now)
            if not self._shown.strip():
                return self._finish_blocked()
        if self.job.mode == "unsampled":
            action, turn = Action.PASS, Turn(self._shown, index=self.index)
        else:
            action = self._account.action(line)
            turn, is_new = self._account.released_turn(line, self._shown, action, now)
            if is_new:
                self._tell(turn)
        self._finish(self._account.outcome(action, self._shown, turn, self._time.added), self._error)

    def _finish(self, outcome: Outcome, error: Exception | None) -> None:
        self._over = True
        self._do(Say(OutcomeReady(outcome)))
        self._do(Give(Ended(outcome, self.index)))
        self._do(Finish(outcome, error))

    # what is to be done

    def _gate(self, start: int) -> SentenceGate[Piece]:
        size = self.rules.stream.hold.size
        return SentenceGate(self._split, merge=self._merge, start=start, longest=size, at_once=self._at_once)

    def _do(self, command: Command) -> None:
        self._commands.append(command)

    def _write(self, text: str) -> None:
        self._shown += text
        self._do(Give(Write(text, self.index)))

    def _give(self, pieces: Pieces[Piece]) -> None:
        self._commands += [Give(Release(piece, text, self.index)) for piece, text in pieces]


def _risk(verdict: Verdict) -> float:
    return verdict.risk if verdict.risk is not None else 0.5
