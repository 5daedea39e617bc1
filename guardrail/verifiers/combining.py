"""One verdict out of several. Pure.

Each verdict is read at the policy's threshold first. Those that say reliable or unreliable decide; a verifier
that failed, or that says unknown, has no voice, and the explanation says so. Nobody's verdict is not a pass:
where nobody decides, the whole is unknown, or an error. The order of the verdicts changes nothing but the order
in which they are explained.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Literal, TypeAlias

from guardrail.errors import VerifierError
from guardrail.verdict import Cause, Finding, Status, Usage, Verdict

__all__ = ["Answer", "Combine", "combined", "summary", "total"]

Answer: TypeAlias = Verdict | VerifierError
"""What a member of a panel came up with."""
Combine: TypeAlias = Literal["any", "all", "mean"]
"""Unreliable when any member says so, when all do, or when the mean of their risks reaches the threshold."""

_EVEN = 0.5
"""The threshold of a mean where the policy has none."""
_CAUSES = list(Cause)


def combined(answers: Mapping[str, Answer], how: Combine, *, threshold: float | None) -> Verdict:
    """The verdict of a panel whose members, by name, gave ``answers``.

    The risk is that of the side that decided: for ``any`` and ``all``, the highest risk among those who say
    unreliable for an unreliable whole, and so on, so that reading it at the threshold again changes nothing; for
    ``mean`` the mean, in which a verdict without a risk counts as 1 or 0. Findings are those of the members who
    say unreliable, one a place. Raises `VerifierError` when no member gave any verdict; its cause is the first
    of the members' causes in the order of `Cause`.
    """
    verdicts = {name: a.at(threshold) for name, a in answers.items() if isinstance(a, Verdict)}
    if not verdicts:
        raise _nobody(answers)
    deciding = [v for v in verdicts.values() if v.status in (Status.RELIABLE, Status.UNRELIABLE)]
    status, risk = _decided(deciding, how, threshold) if deciding else (Status.UNKNOWN, None)
    whole = Verdict(
        status,
        risk=risk,
        findings=_merged(verdicts.values()) if status is Status.UNRELIABLE else (),
        explanation=summary({**answers, **verdicts}),
        cause=None if deciding else _first(v.cause for v in verdicts.values()),
        evidence=tuple(dict.fromkeys(piece for v in verdicts.values() for piece in v.evidence)),
        usage=total(v.usage for v in verdicts.values()),
    )
    # A member without a risk of its own may have findings below the threshold.
    return whole.at(threshold)


def _decided(deciding: Sequence[Verdict], how: Combine, threshold: float | None) -> tuple[Status, float | None]:
    if how == "mean":
        return _mean(deciding, _EVEN if threshold is None else threshold)
    bad = [v for v in deciding if v.status is Status.UNRELIABLE]
    unreliable = bool(bad) if how == "any" else len(bad) == len(deciding)
    side = bad if unreliable else [v for v in deciding if v.status is Status.RELIABLE]
    risks = [v.risk for v in side if v.risk is not None]
    worst = max if how == "any" else min
    return (Status.UNRELIABLE if unreliable else Status.RELIABLE), worst(risks) if risks else None


def _mean(deciding: Sequence[Verdict], threshold: float) -> tuple[Status, float]:
    risks = [float(v.status is Status.UNRELIABLE) if v.risk is None else v.risk for v in deciding]
    # Rounding may put a mean a hair outside of what it is the mean of.
    mean = min(max(fmean(risks), min(risks)), max(risks))
    return (Status.UNRELIABLE if mean >= threshold else Status.RELIABLE), mean


def _nobody(answers: Mapping[str, Answer]) -> VerifierError:
    cause = _first(answer.cause for answer in answers.values())
    return VerifierError(cause or Cause.SERVER, f"no member of the panel gave a verdict: {summary(answers, '; ')}")


def _first(causes: Iterable[Cause | None]) -> Cause | None:
    return min((cause for cause in causes if cause is not None), key=_CAUSES.index, default=None)


def _merged(verdicts: Iterable[Verdict]) -> tuple[Finding, ...]:
    """The findings of those who say unreliable, in the order of the answer; of one place the riskiest."""
    found: dict[tuple[int, int], Finding] = {}
    for finding in (f for v in verdicts if v.status is Status.UNRELIABLE for f in v.findings):
        place = finding.start, finding.end
        found[place] = max(found.get(place, finding), finding, key=_weight)
    return tuple(found[place] for place in sorted(found))


def _weight(finding: Finding) -> tuple[float, int, str, str]:
    # All of it counts, so that the order in which findings come does not.
    risk = -1.0 if finding.risk is None else finding.risk
    return risk, len(finding.evidence), finding.kind.value, finding.explanation


def summary(answers: Mapping[str, Answer], between: str = "\n") -> str:
    """What each said, by name: ``local: unreliable, risk 0.82: 1 of 3 claims lack support``."""
    return between.join(f"{name}: {_said(answer)}" for name, answer in answers.items())


def _said(answer: Answer) -> str:
    if isinstance(answer, VerifierError):
        return f"no verdict ({answer.cause.value})"
    cause = f" ({answer.cause.value})" if answer.cause else ""
    risk = "" if answer.risk is None else f", risk {answer.risk:.2g}"
    return f"{answer.status.value}{cause}{risk}" + (f": {answer.explanation}" if answer.explanation else "")


def total(usages: Iterable[Usage | None]) -> Usage | None:
    """The sum of what is known; None where nothing is."""
    known = [usage for usage in usages if usage is not None]
    return sum(known[1:], known[0]) if known else None
