"""Drives a `StreamFlow` without threads, tasks or a clock: what happens, and when, is the test's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from guardrail.conversation import Evidence, Message
from guardrail.errors import VerifierError
from guardrail.flow import Draft, Job
from guardrail.gate import split_text
from guardrail.outcome import Outcome
from guardrail.policy.model import Rules
from guardrail.streams.commands import Ask, Command, Cut, Finish, Forget, Give, GoOn, Pause
from guardrail.streams.flow import StreamFlow
from guardrail.streams.values import Chunk, Release, Write
from guardrail.testing import reliable, unreliable
from guardrail.verdict import Verdict
from guardrail.verifiers.protocol import Check

__all__ = ["BAD", "Driven", "by_word", "flow", "job", "judge"]

BAD = "London"
Answer = Verdict | VerifierError


def job(**rules: Any) -> Job:
    asked = (Message("user", ("Tell me about France.",)),)
    mode = rules.get("mode", "enforce")
    evidence = (Evidence("Paris.", "caller"),)
    return Job("id", asked, Rules.model_validate(rules), evidence=evidence, mode=mode)


def flow(**rules: Any) -> StreamFlow[str]:
    return StreamFlow(job(**rules), split=split_text)


def judge(check: Check) -> Verdict:
    """Finds every "London" in what is asked about."""
    found = unreliable()
    text = check.turn.text
    places = [at for at in range(check.since, len(text)) if text.startswith(BAD, at)]
    if not places:
        return reliable()
    finding = unreliable(BAD).findings[0]
    return replace(found, findings=tuple(replace(finding, start=at, end=at + len(BAD)) for at in places))


def by_word(text: str) -> list[str]:
    """``text`` as a list of pieces, as an LLM streams them."""
    return [piece if not at else f" {piece}" for at, piece in enumerate(text.split(" "))]


class Driven:
    """A flow and what came of it. ``verdict`` None: verdicts come when the test says so, by `answer`."""

    def __init__(
        self,
        flow: StreamFlow[str],
        *,
        verdict: Callable[[Check], Answer] | None = judge,
        continuations: Sequence[Sequence[str] | Exception] = (),
    ) -> None:
        self.flow, self.now = flow, 0.0
        self._verdict, self._continuations = verdict, list(continuations)
        self.given: list[Any] = []
        self.asked: dict[int, Check] = {}
        """Verdicts that are on their way."""
        self.checks: list[Check] = []
        self.drafts: list[Draft] = []
        self.cut: list[int] = []
        self.pauses: list[float] = []
        self.outcome: Outcome | None = None
        self.error: Exception | None = None

    def feed(self, *pieces: str, source: int = 0) -> Driven:
        for piece in pieces:
            self.perform(self.flow.feed(source, Chunk(piece, piece), self.now))
        return self

    def end(self, source: int = 0) -> Driven:
        self.perform(self.flow.ended(source, self.now))
        return self

    def answer(self, ticket: int, answer: Answer | None = None) -> Driven:
        check = self.asked.pop(ticket)
        self.perform(self.flow.judged(ticket, judge(check) if answer is None else answer, self.now))
        return self

    def perform(self, commands: Sequence[Command]) -> None:
        for command in commands:
            match command:
                case Give():
                    self.given.append(command.item)
                case Ask():
                    self.checks.append(command.check)
                    self.asked[command.ticket] = command.check
                case Forget():
                    for ticket in command.tickets:
                        del self.asked[ticket]
                case Cut():
                    self.cut.append(command.source)
                case Pause():
                    self.pauses.append(command.seconds)
                case GoOn():
                    self.drafts.append(command.draft)
                case Finish():
                    self.outcome, self.error = command.outcome, command.error
        for command in commands:
            if isinstance(command, Ask) and self._verdict is not None and command.ticket in self.asked:
                self.answer(command.ticket, self._verdict(self.asked[command.ticket]))
            if isinstance(command, GoOn) and self._continuations:
                self._go_on(command.source)

    def _go_on(self, source: int) -> None:
        pieces = self._continuations.pop(0)
        if isinstance(pieces, Exception):
            return self.perform(self.flow.failed(source, pieces, self.now))
        self.feed(*pieces, source=source).end(source)

    @property
    def text(self) -> str:
        """What a naive client has seen."""
        return "".join(item.text for item in self.given if isinstance(item, Release | Write))

    def of(self, kind: type) -> list[Any]:
        return [item for item in self.given if isinstance(item, kind)]
