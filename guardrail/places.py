"""Where findings stand in an answer. Pure."""

from __future__ import annotations

from dataclasses import replace

from guardrail.verdict import Finding, Verdict

__all__ = ["placed"]


def placed(verdict: Verdict, text: str, since: int = 0) -> Verdict:
    """The verdict on ``text`` with its findings where they stand: judges that are plain functions may be wrong there.

    What stands nowhere is taken to be about all from ``since`` on: a finding that is misplaced must not let it pass.
    """
    if all(text[finding.start : finding.end] == finding.text for finding in verdict.findings):
        return verdict
    return replace(verdict, findings=tuple(_placed(finding, text, since) for finding in verdict.findings))


def _placed(finding: Finding, text: str, since: int) -> Finding:
    if text[finding.start : finding.end] == finding.text:
        return finding
    at = text.find(finding.text, since) if finding.text else -1
    at = text.find(finding.text) if finding.text and at < 0 else at
    if at < 0:
        return replace(finding, start=since, end=len(text))
    return replace(finding, start=at, end=at + len(finding.text))
