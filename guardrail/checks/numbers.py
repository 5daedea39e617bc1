"""Numbers and quantities that nothing at hand bears out, or only of something else. Pure."""

from __future__ import annotations

from guardrail.checks.amounts import Amount
from guardrail.checks.case import Case
from guardrail.checks.elsewhere import misplaced_amounts
from guardrail.checks.standing import kind_of, place_of, unsupported
from guardrail.verdict import Finding

__all__ = ["numbers"]


def numbers(case: Case) -> list[Finding]:
    """Numbers in claims that the evidence and the user do not state, and that do not follow from what they do; and those
    that the evidence states of something else.

    Units and currencies are converted or held apart, rounding and counting are allowed for.
    """
    if not case.evidence:
        return []
    found = [_finding(case, amount, "") for amount, _ in unsupported(case)]
    return [*found, *(_finding(case, amount, rival.of_another) for amount, rival in misplaced_amounts(case))]


def _finding(case: Case, amount: Amount, explanation: str) -> Finding:
    return case.finding(*place_of(case, amount), kind_of(amount), explanation)
