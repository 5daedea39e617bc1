"""The parts that say what a test recorded, in the place of an LLM and a verifier."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from guardrail.conversation import Turn
from guardrail.flow import Draft, Generated
from guardrail.policy.cases import Case, RecordedAnswer, RecordedVerdict
from guardrail.testing import ScriptedLLM, ScriptedVerifier, ScriptExhausted, failure
from guardrail.verdict import Finding, Status, Verdict
from guardrail.verifiers.protocol import Check

__all__ = ["CannotPlay", "Clock", "RecordedFailure", "RecordedLLM", "RecordedVerifier"]


class CannotPlay(BaseException):
    """A test does not say what must be known to play it on. Not an `Exception`, which the loop would cope with."""


class RecordedFailure(Exception):
    """An answer that a test recorded as not given."""


class Clock:
    """Time that passes only where a test says so; ``seconds`` since its start."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self.seconds += seconds

    def spend(self, seconds: float, remaining: float | None) -> None:
        """Let ``seconds`` pass, or what remains; then `TimeoutError`, as a guard's own deadline gives it."""
        if remaining is not None and seconds > remaining:
            self.sleep(max(0.0, remaining))
            raise TimeoutError(f"not done within {remaining:.3g} s")
        self.sleep(seconds)


class RecordedLLM:
    """Gives the answers of ``case`` after the first, in order; a model that has answers of its own gives those."""

    def __init__(self, case: Case, clock: Clock) -> None:
        self._clock = clock
        later = case.answers[1:]
        self._scripts = {model: self._script(later, model) for model in (None, *(answer.model for answer in later))}

    def _script(self, answers: Sequence[RecordedAnswer], model: str | None) -> ScriptedLLM:
        return ScriptedLLM(*[functools.partial(self._say, answer) for answer in answers if answer.model == model])

    def __call__(self, draft: Draft) -> Generated:
        """The next answer. Raises `CannotPlay` when there is none."""
        script = self._scripts[draft.model if draft.model in self._scripts else None]
        try:
            return Generated(_as_turn(script(draft)))
        except ScriptExhausted as error:
            asked = f"the model {draft.model}" if draft.model else "the LLM"
            raise CannotPlay(
                f"{asked} was asked for attempt {draft.attempt}, and no answer is left: record it"
            ) from error

    def _say(self, answer: RecordedAnswer, draft: Draft) -> Turn:
        self._clock.spend(answer.elapsed, draft.remaining)
        if answer.error is not None:
            raise RecordedFailure(answer.error)
        return answer.value()


def _as_turn(answer: str | Turn) -> Turn:
    return answer if isinstance(answer, Turn) else Turn(answer)


class RecordedVerifier(ScriptedVerifier):
    """Gives ``verdicts`` in order."""

    def __init__(self, verdicts: Sequence[RecordedVerdict], clock: Clock, *, id: str) -> None:
        super().__init__(*[functools.partial(self._say, verdict) for verdict in verdicts], id=id)
        self._clock = clock

    def verify(self, check: Check) -> Verdict:
        """The next verdict. Raises `CannotPlay` when there is none."""
        try:
            return super().verify(check)
        except ScriptExhausted as error:
            raise CannotPlay(
                f"the verifier was asked {len(self.checks)} times, and no verdict is left for {check.turn.text!r}: "
                "record it, or write 'verdicts: embedded'"
            ) from error

    def _say(self, recorded: RecordedVerdict, check: Check) -> Verdict:
        self._clock.spend(recorded.elapsed, check.remaining)
        if recorded.error is not None:
            raise failure(recorded.error)
        for finding in recorded.findings:
            if finding.text not in check.turn.text:
                raise CannotPlay(f"the finding {finding.text!r} does not stand in {check.turn.text!r}")
        return _verdict(recorded)


_SURE = {Status.RELIABLE: 0.0, Status.UNRELIABLE: 1.0}
"""What judges who only say yes or no give as risk."""


def _verdict(recorded: RecordedVerdict) -> Verdict:
    status = Status(recorded.status or Status.ERROR)
    risk = _SURE.get(status) if recorded.risk is None else recorded.risk
    findings = tuple(
        Finding(0, len(f.text), f.text, f.kind, risk if f.risk is None else f.risk, explanation=f.explanation)
        for f in recorded.findings
    )
    return Verdict(status, risk, findings, recorded.explanation, recorded.cause)
