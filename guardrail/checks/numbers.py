"""Numbers and quantities that nothing at hand bears out, or only of something else. Pure."""

from __future__ import annotations

import re

from guardrail.checks.amounts import Amount
from guardrail.checks.case import Case
from guardrail.checks.elsewhere import misplaced_amounts
from guardrail.checks.named import Named
from guardrail.checks.standing import kind_of, place_of, unsupported
from guardrail.verdict import Finding, FindingKind

__all__ = ["numbers"]


def numbers(case: Case) -> list[Finding]:
    """Numbers in claims that the evidence and the user do not state, and that do not follow from what they do; and those
    that the evidence states of something else.

    Units and currencies are converted or held apart, rounding and counting are allowed for.
    """
    if not case.evidence:
        return []
    found = [_finding(case, amount, "") for amount, _ in unsupported(case)]
    found += [_finding(case, amount, rival.of_another) for amount, rival in misplaced_amounts(case)]
    return found + [
        case.finding(start, end, FindingKind.NUMBER, rival.of_another)
        for (start, end), rival in case.misplaced.items()
        if isinstance(rival.value, Named)
        and _CODE.fullmatch(case.prose, start, end)
        and case.claim_at(start) is not None
    ]


_CODE = re.compile(r"(?:[A-Z][a-z]+ )?[A-Z]{0,3}-?\d{1,4}[A-Z]?")
"""What is half a number: the "B14" of a gate."""


def _finding(case: Case, amount: Amount, explanation: str) -> Finding:
    return case.finding(*place_of(case, amount), kind_of(amount), explanation)
