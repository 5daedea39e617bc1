"""Whether further answers of the same LLM say what an answer claims. Pure.

Source: Manakul, Liusie and Gales, "SelfCheckGPT: Zero-Resource Black-Box Hallucination Detection for Generative Large
Language Models", EMNLP 2023: what an LLM knows it says again, what it makes up it makes up anew each time. As there,
the risk of a sentence is the mean over all samples of what speaks against it. That is said by a verifier, which holds
the answer against one sample at a time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from guardrail.claims import Sentence
from guardrail.conversation import Evidence, Turn
from guardrail.verdict import Cause, Finding, FindingKind, Status, Verdict

__all__ = ["Hearing", "Reading", "improbability", "judged", "readings", "with_logprobs"]


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a verifier said of the whole answer, held against one sample."""

    sample: Evidence
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Reading:
    """One claim of the answer, and how it fared."""

    claim: Sentence
    risk: float
    against: tuple[tuple[float, Hearing], ...]
    """How far each sample speaks against it, 0 to 1; those that say nothing are left out."""


def readings(claims: Sequence[Sentence], heard: Sequence[Hearing]) -> list[Reading]:
    """Every claim of which the samples say anything.

    The verdicts of ``heard`` are read at the threshold 0, at which each claim is a finding with its risk; a verifier
    that finds no places lends its risk to every claim.
    """
    found = []
    for claim in claims:
        against = tuple((risk, one) for one in heard if (risk := _against(claim, one.verdict)) is not None)
        if against:
            found.append(Reading(claim, fmean(risk for risk, _ in against), against))
    return found


def _against(claim: Sentence, verdict: Verdict) -> float | None:
    inside = [f for f in verdict.findings if f.start < claim.end and claim.start < f.end]
    if inside:
        return max(_of_finding(finding, verdict) for finding in inside)
    if verdict.findings:
        return 0.0  # it is other places that are bad
    return _whole(verdict)


def _of_finding(finding: Finding, verdict: Verdict) -> float:
    if finding.risk is not None:
        return finding.risk
    return 1.0 if verdict.risk is None else verdict.risk


def _whole(verdict: Verdict) -> float | None:
    if verdict.risk is not None:
        return verdict.risk
    return {Status.UNRELIABLE: 1.0, Status.RELIABLE: 0.0}.get(verdict.status)


def judged(found: Sequence[Reading], heard: Sequence[Hearing], threshold: float) -> Verdict:
    """The verdict on an answer: as risky as its riskiest claim. Without a reading it is unknown."""
    if not found:
        causes = (one.verdict.cause for one in heard if one.verdict.cause is not None)
        return Verdict(
            Status.UNKNOWN,
            explanation="the further answers say nothing of any claim of the answer",
            cause=next((cause for cause in causes if cause is not Cause.NO_EVIDENCE), None),
        )
    bad = [reading for reading in found if reading.risk >= threshold]
    said = f"{len(bad)} of {len(found)} claims are not borne out by {len(heard)} further answers of the LLM"
    return Verdict(
        Status.UNRELIABLE if bad else Status.RELIABLE,
        risk=max(reading.risk for reading in found),
        findings=tuple(_finding(reading, threshold) for reading in bad),
        explanation=said if bad else f"{len(heard)} further answers of the LLM say the same",
        evidence=tuple(one.sample for one in heard),
    )


def _finding(reading: Reading, threshold: float) -> Finding:
    claim = reading.claim
    differing = [(risk, one) for risk, one in reading.against if risk >= threshold]
    worst = max(reading.against, key=lambda pair: pair[0])[1].verdict
    return Finding(
        claim.start,
        claim.end,
        claim.text,
        _kind(claim, worst),
        reading.risk,
        tuple(one.sample for _, one in sorted(differing, key=lambda pair: -pair[0])),
        f"{len(differing)} of {len(reading.against)} further answers do not say so",
    )


def _kind(claim: Sentence, verdict: Verdict) -> FindingKind:
    inside = [f for f in verdict.findings if f.start < claim.end and claim.start < f.end]
    return inside[0].kind if inside else FindingKind.UNSUPPORTED


def with_logprobs(found: Sequence[Reading], turn: Turn, weight: float) -> list[Reading]:
    """``found`` with `improbability` in the risks, by ``weight`` (0 to 1); without known tokens as it is."""
    mixed = []
    for reading in found:
        own = improbability(turn, reading.claim)
        risk = reading.risk if own is None else (1 - weight) * reading.risk + weight * own
        mixed.append(replace(reading, risk=risk))
    return mixed


def improbability(turn: Turn, claim: Sentence) -> float | None:
    """1 less the geometric mean of the probabilities of the tokens of ``claim``, 0 to 1; None where none are known.

    Source: the token-level baselines of the paper above (the mean of the negative log-probabilities).
    """
    if turn.logprobs is None or len(turn.tokens) != len(turn.logprobs):
        return None
    at, inside = 0, list[float]()
    for token, value in zip(turn.tokens, turn.logprobs, strict=True):
        start = turn.text.find(token, at) if token else -1
        start = at if start < 0 else start  # half a character, say
        at = max(at, start + len(token)) if turn.text.startswith(token, start) else at
        if claim.start < at and start < claim.end and token.strip():
            inside.append(min(value, 0.0))
    return 1.0 - math.exp(fmean(inside)) if inside else None
