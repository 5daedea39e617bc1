"""From the verdict on an answer so far to those on its last sentences, and back to one on the whole. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from guardrail.verdict import Finding, Status, Verdict

__all__ = ["about", "apart", "merged", "moved", "too_late"]

_SEVERITY = {Status.RELIABLE: 0, Status.UNKNOWN: 1, Status.ERROR: 2, Status.UNRELIABLE: 3}


def moved(verdict: Verdict, gone: Sequence[tuple[int, int]], by: int) -> Verdict:
    """The verdict with its findings where they stand since the places ``gone`` were left out; those in them go too.

    ``by``: how much earlier stands what follows all of them.
    """
    if not gone:
        return verdict
    left = [f for f in verdict.findings if not any(f.start < end and start < f.end for start, end in gone)]
    if verdict.status is Status.UNRELIABLE and verdict.findings and not left:
        return _nothing(verdict)
    return replace(verdict, findings=tuple(_earlier(finding, gone, by) for finding in left))


def about(verdict: Verdict, since: int) -> Verdict:
    """What ``verdict``, which may be on the whole text, says of the text from ``since`` on."""
    inside = tuple(finding for finding in verdict.findings if finding.end > since)
    if verdict.status is Status.UNRELIABLE and verdict.findings and not inside:
        return _nothing(verdict)
    return replace(verdict, findings=inside)


def too_late(verdict: Verdict, since: int, known: Sequence[Verdict]) -> Verdict | None:
    """What ``verdict`` says of the text before ``since`` that is not ``known``; None where that is nothing."""
    old = [(finding.start, finding.end) for one in known for finding in one.findings]
    found = tuple(
        finding
        for finding in verdict.findings
        if finding.end <= since and not any(finding.start < end and start < finding.end for start, end in old)
    )
    return replace(verdict, findings=found, usage=None) if found else None


def apart(verdict: Verdict, places: Sequence[tuple[int, int]]) -> list[Verdict | None]:
    """``verdict``, on the sentences at ``places``, for each of them.

    None for all but the last where it does not say which sentences it is about: it is about all of them.
    """
    if verdict.status is not Status.UNRELIABLE:
        return [verdict] * len(places)
    found = [_inside(verdict.findings, start, end) for start, end in places]
    if not any(found):
        return [*[None] * (len(places) - 1), verdict]
    return [_of_one(verdict, findings) for findings in found]


def merged(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict on a text from those on its parts: the worst, with the findings of all."""
    worst = max(verdicts, key=lambda verdict: _SEVERITY[verdict.status], default=None)
    if worst is None:
        return Verdict(Status.RELIABLE, explanation="no_claim")
    risks = [verdict.risk for verdict in verdicts if verdict.risk is not None]
    spent = [verdict.usage for verdict in verdicts if verdict.usage is not None]
    waits = [verdict.latency for verdict in verdicts if verdict.latency is not None]
    return replace(
        worst,
        risk=max(risks, default=None),
        findings=tuple(dict.fromkeys(finding for verdict in verdicts for finding in verdict.findings)),
        evidence=tuple(dict.fromkeys(piece for verdict in verdicts for piece in verdict.evidence)),
        usage=sum(spent[1:], spent[0]) if spent else None,
        latency=max(waits, default=None),
    )


def _nothing(verdict: Verdict) -> Verdict:
    return replace(verdict, status=Status.RELIABLE, risk=None, findings=(), explanation="nothing was found in it")


def _earlier(finding: Finding, gone: Sequence[tuple[int, int]], by: int) -> Finding:
    if finding.start < gone[-1][1]:
        by = sum(end - start for start, end in gone if end <= finding.start)
    return replace(finding, start=finding.start - by, end=finding.end - by)


def _inside(findings: Sequence[Finding], start: int, end: int) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if finding.start < end and start < finding.end)


def _of_one(verdict: Verdict, findings: tuple[Finding, ...]) -> Verdict:
    if not findings:
        return _nothing(verdict)
    risks = [finding.risk for finding in findings if finding.risk is not None]
    return replace(verdict, risk=max(risks, default=verdict.risk), findings=findings)
