"""`ConsistencyVerifier`: without any evidence, would the LLM say the same again?

Further answers are drawn from the application's own LLM by the sampler that comes with the check, and the answer is
held against each of them by another verifier. That finds what an LLM makes up; what it has learned wrong it says again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from guardrail.claims import Sentence, asks, claims
from guardrail.conversation import Evidence
from guardrail.errors import ConfigError, VerifierError
from guardrail.sampling import Sample, Samples
from guardrail.verdict import Cause, Status, Verdict
from guardrail.verifiers.agreement import Hearing, judged, readings, with_logprobs
from guardrail.verifiers.combining import Answer, total
from guardrail.verifiers.protocol import Check, Verifier
from guardrail.verifiers.together import Asked, asked_together, atogether

__all__ = ["ConsistencyVerifier"]

_EVEN = 0.5
"""The threshold where the policy has none."""
_KEPT_BACK = 0.2
"""The share of the time that is kept for holding the answer against what was drawn."""
_BYTES = 3
"""Bytes of UTF-8 in a token, at the least that is common."""
_MORE = 16
"""Tokens that a sample may be longer than the answer."""


class ConsistencyVerifier:
    """Holds each claim of an answer against further answers of the same LLM.

    ``inner``: the verifier that holds the answer against one sample, which is its only evidence; it stays open when
    this one is closed. ``samples``: how many are drawn, 1 or more. ``temperature``: that they are drawn at, above 0.
    ``max_tokens``: of each at most; None: as many as the answer has, and a few. ``concurrency``: how many are drawn at
    once; None: all. ``timeout``: seconds for drawing. ``logprobs``: the weight, 0 to 1, of the probabilities of the
    answer's own tokens, where it carries them. Raises `ConfigError` when there would be nothing to compare.
    """

    id = "consistency"

    def __init__(
        self,
        inner: Verifier,
        *,
        samples: int = 5,
        temperature: float = 1.0,
        max_tokens: int | None = None,
        concurrency: int | None = None,
        timeout: float = 15.0,
        logprobs: float = 0.0,
    ) -> None:
        if samples < 1 or temperature <= 0:
            raise ConfigError(
                f"consistency compares samples that differ: samples must be 1 or more, not {samples}, and temperature"
                f" above 0, not {temperature:g}"
            )
        self._inner, self._samples, self._temperature = inner, samples, temperature
        self._max_tokens, self._concurrency, self._timeout = max_tokens, concurrency, timeout
        self._logprobs = logprobs

    @property
    def version(self) -> str:
        """The settings that change verdicts, and the other verifier's."""
        drawn = f"{self._samples} samples at {self._temperature:g}"
        bound = "" if self._max_tokens is None else f", {self._max_tokens} tokens"
        weight = f", logprobs {self._logprobs:g}" if self._logprobs else ""
        return f"{drawn}{bound}{weight}, {self._inner.id} {self._inner.version}"

    def verify(self, check: Check) -> Verdict:
        """Raises `VerifierError` when no sample could be drawn, or the other verifier gives no verdict on any."""
        started, stated = time.monotonic(), _stated(check)
        if not stated or check.sampler is None:
            return self._signed(_nothing_drawn(stated), started)
        samples = check.sampler.sample(self._wish(check))
        asked = self._asked(check.after(time.monotonic() - started), samples)
        return self._verdict(check, stated, asked, asked_together(asked, asked[0].check.remaining), samples, started)

    async def averify(self, check: Check) -> Verdict:
        """The same."""
        started, stated = time.monotonic(), _stated(check)
        if not stated or check.sampler is None:
            return self._signed(_nothing_drawn(stated), started)
        samples = await check.sampler.asample(self._wish(check))
        asked = self._asked(check.after(time.monotonic() - started), samples)
        return self._verdict(check, stated, asked, await atogether(asked, asked[0].check.remaining), samples, started)

    def _wish(self, check: Check) -> Sample:
        length = len(check.turn.text.encode()) // _BYTES + _MORE
        left = None if check.remaining is None else check.remaining * (1 - _KEPT_BACK)
        return Sample(
            self._samples,
            max_tokens=length if self._max_tokens is None else min(length, self._max_tokens),
            temperature=self._temperature,
            concurrency=self._concurrency,
            remaining=self._timeout if left is None else min(left, self._timeout),
        )

    def _asked(self, check: Check, samples: Samples) -> list[Asked]:
        """The whole answer against each sample alone; at the threshold 0 each claim is a finding."""
        pieces = [Evidence(turn.text, "sample") for turn in samples.turns if turn.text.strip()]
        if not pieces:
            cause = Cause.TIMEOUT if samples.late else Cause.SERVER
            raise VerifierError(cause, f"no further answer of the LLM came: {samples.problem or 'all were empty'}")
        alone = replace(check, threshold=0.0, sampler=None)
        return [Asked(self._inner.id, self._inner, replace(alone, evidence=(piece,))) for piece in pieces]

    def _verdict(
        self,
        check: Check,
        stated: Sequence[Sentence],
        asked: Sequence[Asked],
        answers: Sequence[Answer],
        samples: Samples,
        started: float,
    ) -> Verdict:
        heard = [
            Hearing(one.check.evidence[0], answer)
            for one, answer in zip(asked, answers, strict=True)
            if isinstance(answer, Verdict)
        ]
        if not heard:
            raise next(answer for answer in answers if isinstance(answer, VerifierError))
        found = readings(stated, heard)
        if self._logprobs:
            found = with_logprobs(found, check.turn, self._logprobs)
        threshold = _EVEN if check.threshold is None else check.threshold
        verdict = judged(found, heard, threshold)
        spent = total((samples.usage, *(one.verdict.usage for one in heard)))
        return self._signed(replace(verdict, usage=spent), started)

    def _signed(self, verdict: Verdict, started: float) -> Verdict:
        return replace(verdict, verifier=self.id, version=self.version, latency=time.monotonic() - started)

    def close(self) -> None:
        """Nothing of its own is held."""

    async def aclose(self) -> None:
        """Nothing of its own is held."""


def _stated(check: Check) -> list[Sentence]:
    said = [message.text for message in check.conversation if message.role == "user"]
    return claims(check.turn.text, asked=bool(said) and asks(said[-1]))


def _nothing_drawn(stated: Sequence[Sentence]) -> Verdict:
    if not stated:
        return Verdict(Status.RELIABLE, explanation="no_claim")
    said = "nothing here can ask the LLM for further answers to compare with"
    return Verdict(Status.UNKNOWN, cause=Cause.NO_GENERATOR, explanation=said)
