"""`EmbeddedVerifier`: the reliability model in the box. Offline, on the CPU, without torch.

For each claim of the answer the best sentences of the evidence are selected, and a cross-encoder reads both together,
beside short evidence once more with the claim's neighbours. Its reading and what claim and answer say that the evidence
lacks (words, neighbours, numbers) make the risk. The answer is as risky as its riskiest claim. Deterministic checks
stand beside the model: what they find, they find exactly.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from pathlib import Path

from guardrail.cache import Cache, MemoryCache
from guardrail.checks import ALONE, CHECKS, VERSION, Case, found_in
from guardrail.claims import Sentence, asks, bad_clause, claims, with_question
from guardrail.conversation import Evidence
from guardrail.cores import cores
from guardrail.errors import VerifierError
from guardrail.verdict import Cause, Finding, FindingKind, Status, Verdict
from guardrail.verifiers.embedded.model import SHIPPED, Model, digest, load
from guardrail.verifiers.embedded.reading import Reader, Reading
from guardrail.verifiers.embedded.script import is_latin
from guardrail.verifiers.embedded.select import Passage, Sources
from guardrail.verifiers.embedded.units import room, units
from guardrail.verifiers.protocol import Check

__all__ = ["EmbeddedVerifier"]

_CHANCE = 0.1
"""A single shared word concerns a claim when it is at least this share of the claim's words of content."""
_CONTEXTS = 64
_CONTEXT_WORDS = 250_000
"""So many contexts, and words in all of them together, are remembered cut and indexed: about 200 bytes a word."""


class EmbeddedVerifier:
    """Verifies answers against the evidence at hand, in this process.

    ``path``: a model folder; None: the model that guardrail ships. ``threads``: of one check; None:
    one a core. The model is loaded at the first verdict. Raises `ConfigError` then if the folder holds no
    model that can be read. ``checks``: names out of `guardrail.checks.CHECKS`; none, and the model judges
    alone.
    """

    id = "embedded"

    def __init__(
        self, path: str | Path | None = None, *, threads: int | None = None, checks: Sequence[str] = ()
    ) -> None:
        self._folder = SHIPPED if path is None else Path(path)
        self._threads = threads
        self._checks = tuple(name for name in CHECKS if name in checks)
        self._cut: Cache[Sources] = MemoryCache(_CONTEXTS, size=_CONTEXT_WORDS, weigh=lambda sources: sources.words)

    @functools.cached_property
    def version(self) -> str:
        """Changes with the weights or the settings of the model folder, and with the checks."""
        some = "" if len(self._checks) == len(CHECKS) else ":" + ",".join(self._checks)
        return digest(self._folder) + (f"+checks{VERSION}{some}" if self._checks else "")

    @property
    def threshold(self) -> float:
        """The model's own threshold."""
        return self._model().settings.threshold

    def verify(self, check: Check) -> Verdict:
        """Raises `VerifierError` with cause ``timeout`` when ``check.remaining`` runs out."""
        return self._verify(check, threading.Event())

    async def averify(self, check: Check) -> Verdict:
        """The same in a worker thread: inference never runs on the event loop. Cancelling ends it at the next
        claim."""
        given_up = threading.Event()
        try:
            return await asyncio.get_running_loop().run_in_executor(
                _workers(os.getpid()), self._verify, check, given_up
            )
        finally:
            given_up.set()

    def _verify(self, check: Check, given_up: threading.Event) -> Verdict:
        started = time.monotonic()
        verdict = self._judge(check, _clock(started, check.remaining, given_up))
        return _signed(verdict, self.version, time.monotonic() - started)

    def close(self) -> None:
        """Nothing is held: the loaded model is shared and stays."""

    async def aclose(self) -> None:
        """Nothing is held."""

    def _model(self) -> Model:
        return load(self._folder, self._threads)

    def _judge(self, check: Check, look_at_clock: Callable[[], None]) -> Verdict:
        question = _question(check)
        said = claims(check.turn.text, asked=asks(question))
        stated = [claim for claim in said if claim.end > check.since]
        if not stated:
            return Verdict(Status.RELIABLE, explanation="no_claim")
        case = Case(check.turn.text, check.evidence, check.conversation)
        if not any(piece.text.strip() for piece in check.evidence):
            unknown = _no_verdict(Cause.NO_EVIDENCE, "there is no evidence to hold the answer against")
            return self._without_evidence(case, stated, check) or unknown
        if not is_latin(" ".join(claim.text for claim in stated)):
            return _no_verdict(Cause.LANGUAGE, "the answer is not in the Latin script, and the model knows no other")
        if not any(is_latin(piece.text) for piece in check.evidence):
            return _no_verdict(Cause.LANGUAGE, "no evidence is in the Latin script, and the model knows no other")
        sources = self._sources(check.evidence)
        reader = Reader(self._model(), sources, question, look_at_clock=look_at_clock)
        together = units(check.turn.text, stated, room=room(sources.words), since=check.since)
        readings = reader.read(check.turn.text[check.since :], together)
        before = (sources.passage(with_question(claim.text, question)) for claim in said if claim.end <= check.since)
        passages = chain((reading.passage for reading in readings), before)
        if any(map(_concerned, passages)) or _concerned(sources.passage(question)):
            found = _Places(found_in(case, self._checks))
            return self._verdict([_checked(reading, found) for reading in readings], check)
        return self._without_evidence(case, stated, check) or Verdict(
            Status.UNKNOWN,
            risk=max(reading.risk for reading in readings),
            explanation="none of the evidence concerns any claim of the answer",
        )

    def _sources(self, evidence: tuple[Evidence, ...]) -> Sources:
        """The evidence, cut and indexed; once, as long as it is remembered."""
        known = self._cut.get(evidence)
        if known is None:
            known = Sources(evidence)
            self._cut.put(evidence, known)
        return known

    def _without_evidence(self, case: Case, stated: Sequence[Sentence], check: Check) -> Verdict | None:
        """What the checks tell that need none: a wrong calculation, a contradiction to an earlier turn."""
        found = _Places(found_in(case, [name for name in self._checks if name in ALONE]))
        threshold = self._threshold(check)
        bad = [f for claim in stated for f in found.inside(claim) if (f.risk or 0.0) >= threshold]
        if not bad:
            return None
        risk = max(finding.risk or 0.0 for finding in bad)
        said = "the answer contradicts itself or what the assistant said before"
        return Verdict(Status.UNRELIABLE, risk=risk, findings=tuple(bad), explanation=said)

    def _threshold(self, check: Check) -> float:
        return self.threshold if check.threshold is None else check.threshold

    def _verdict(self, readings: Sequence[Reading], check: Check) -> Verdict:
        threshold = self._threshold(check)
        worst = max(readings, key=lambda reading: reading.risk)
        bad = _to_blame([reading for reading in readings if reading.risk >= threshold], threshold)
        findings = tuple(finding for reading in bad for finding in _findings(reading))
        used = dict.fromkeys(source.evidence for reading in readings for source in reading.passage.sources)
        return Verdict(
            Status.UNRELIABLE if bad else Status.RELIABLE,
            risk=worst.risk,
            findings=findings,
            explanation=f"{len(bad)} of {len(readings)} claims lack support" if bad else "every claim is supported",
            evidence=tuple(used),
        )


def _no_verdict(cause: Cause, explanation: str) -> Verdict:
    return Verdict(Status.UNKNOWN, cause=cause, explanation=explanation)


def _to_blame(bad: Sequence[Reading], threshold: float) -> Sequence[Reading]:
    """Those of ``bad`` that are bad by themselves, or all where none is: a wrong claim's neighbours suffer for it."""
    return [reading for reading in bad if reading.alone >= threshold or reading.found] or bad


class _Places:
    """Findings in the order of the answer."""

    def __init__(self, found: Sequence[Finding]) -> None:
        self._found = found
        self._starts = [finding.start for finding in found]

    def inside(self, claim: Sentence) -> Sequence[Finding]:
        """Those that begin in ``claim``."""
        return self._found[bisect_left(self._starts, claim.start) : bisect_left(self._starts, claim.end)]


def _checked(reading: Reading, found: _Places) -> Reading:
    """The reading with what the checks found in its claim."""
    inside = found.inside(reading.claim)
    risk = max([reading.risk, *(finding.risk or 0.0 for finding in inside)])
    return replace(reading, risk=risk, found=tuple(inside))


def _concerned(passage: Passage) -> bool:
    """Whether the evidence is about what the claim is about: one common word among many may be chance."""
    return passage.shared >= 2 or passage.overlap >= _CHANCE


def _findings(reading: Reading) -> list[Finding]:
    """The places that the checks found, or else the clause with words that the evidence lacks, or the whole sentence.

    They are as risky as the claim: where the model agrees, its risk counts.
    """
    if reading.found:
        return [replace(finding, risk=max(finding.risk or 0.0, reading.risk)) for finding in reading.found]
    return [_finding(reading)]


def _finding(reading: Reading) -> Finding:
    claim, best = reading.claim, reading.passage.best
    held = () if best is None else (_quoted(best.evidence, best.text),)
    start, end = bad_clause(claim.text, reading.passage.text)
    return Finding(claim.start + start, claim.start + end, claim.text[start:end], _kind(reading), reading.risk, held)


def _quoted(evidence: Evidence, text: str) -> Evidence:
    return Evidence(text, evidence.origin, evidence.title, evidence.url)


def _kind(reading: Reading) -> FindingKind:
    """What is most likely wrong: a number that is nowhere, talk of other things, or else the relation
    between known things."""
    if reading.novelty.number > 0 and reading.novelty.word < 0.5:
        return FindingKind.NUMBER
    return FindingKind.UNSUPPORTED if reading.novelty.word >= 0.4 else FindingKind.CONTRADICTED


def _question(check: Check) -> str:
    asked = (message.text for message in reversed(check.conversation) if message.role == "user")
    return next(asked, "")


def _clock(started: float, remaining: float | None, given_up: threading.Event) -> Callable[[], None]:
    def look() -> None:
        if given_up.is_set():
            raise VerifierError(Cause.CANCELLED, "nobody waits for the embedded model any more")
        if remaining is not None and time.monotonic() - started > remaining:
            raise VerifierError(Cause.TIMEOUT, f"the embedded model did not finish within {remaining:.3g} s")

    return look


def _signed(verdict: Verdict, version: str, latency: float) -> Verdict:
    return replace(verdict, verifier=EmbeddedVerifier.id, version=version, latency=latency)


@functools.cache
def _workers(pid: int) -> ThreadPoolExecutor:
    """Threads that verify for event loops, shared by all verifiers: one a core.

    One pool a process: threads do not survive a fork.
    """
    return ThreadPoolExecutor(cores(), thread_name_prefix="guardrail-embedded")
