"""What there will be to report of a guarded stream: attempts, notes, tokens, and how it ended. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from guardrail.action import Action, most_severe
from guardrail.conversation import Turn
from guardrail.flow import Job
from guardrail.outcome import Attempt, Outcome
from guardrail.streams.line import Line, Part
from guardrail.streams.verdicts import merged
from guardrail.verdict import Status, Usage, Verdict

__all__ = ["NO_CLAIM", "Account"]

NO_CLAIM = Verdict(Status.RELIABLE, explanation="no_claim")


class Account:
    """Keeps count for one stream."""

    def __init__(self, job: Job, index: int) -> None:
        self._job, self._index = job, index
        self.attempts: list[Attempt] = []
        self.notes = list(job.notes)
        self.released: list[Verdict] = []
        """On what is shown."""
        self.taken: set[Action] = set()
        """What was done about sentences, besides ``pass`` and asking again."""
        self._usage: Usage | None = None

    @property
    def number(self) -> int:
        """Of the attempt at hand, from 1."""
        return len(self.attempts) + 1

    def note(self, note: str) -> None:
        """What a reader of the outcome must know; once."""
        if note not in self.notes:
            self.notes.append(note)

    def spend(self, usage: Usage | None) -> None:
        """Tokens that the first answer did not cost."""
        if usage is not None:
            self._usage = (self._usage or Usage()) + usage

    def release(self, verdict: Verdict, action: Action) -> None:
        """Sentences are shown."""
        self.released.append(verdict)
        if action is not Action.PASS:
            self.taken.add(action)

    def attempt(self, line: Line[Any], text: str, verdict: Verdict, action: Action, now: float) -> Attempt:
        """What came of ``line`` so far."""
        waited = max(0.0, now - line.asked - line.generated)
        turn = Turn(text, index=self._index)
        self.attempts.append(Attempt(turn, verdict, action, line.generated, waited, line.model))
        return self.attempts[-1]

    def reject(self, line: Line[Any], part: Part, shown: str, action: Action, now: float) -> tuple[Attempt, bool]:
        """``line`` is given up at ``part``; what is reported of it, and whether that is new."""
        if line.attempt is not None:  # it has been rejected before, and came back
            place = self.attempts.index(line.attempt)
            self.attempts[place] = line.attempt = replace(line.attempt, action=action)
            return line.attempt, False
        text = shown + line.glue + "".join(unit.text for unit in part.units)
        verdict = merged([*self.released, *line.left_out, part.verdict])
        line.attempt = self.attempt(line, text, verdict, action, now)
        return line.attempt, True

    def repaired(self, line: Line[Any], now: float) -> None:
        """``line`` as it was before its bad sentences were left out."""
        verdict = merged([*self.released, *line.left_out])
        self.attempt(line, "".join(line.text), verdict, Action.REPAIR, now)

    def released_turn(self, line: Line[Any], shown: str, action: Action, now: float) -> tuple[Turn, bool]:
        """The turn that was shown, with an attempt of its own unless it had one; and whether that is new."""
        if line.attempt is not None and line.attempt.turn.text == shown:
            return line.attempt.turn, False
        verdict = merged(self.released) if self.released else NO_CLAIM
        as_it_is = action is Action.FLAG or self._job.mode == "shadow"
        return self.attempt(line, shown, verdict, action if as_it_is else Action.PASS, now).turn, True

    def action(self, line: Line[Any]) -> Action:
        """How what is shown came to be, where it ends with ``line``."""
        if self._job.mode == "shadow":
            return most_severe(self.taken)
        if Action.FLAG in self.taken:
            return Action.FLAG
        how = set(self.taken)
        if line.source:
            how.add(Action.REGENERATE if line.model is None else Action.FALLBACK)
        return most_severe(how)

    def outcome(self, action: Action, text: str, turn: Turn | None, added: float) -> Outcome:
        """How it ended; ``added`` in milliseconds."""
        return Outcome(
            id=self._job.id,
            action=action,
            text=text,
            turn=turn,
            attempts=tuple(self.attempts),
            added=added,
            usage=self._usage,
            policy=self._job.policy,
            digest=self._job.digest,
            mode=self._job.mode,
            notes=tuple(self.notes),
            evidence=self._job.evidence,
        )
