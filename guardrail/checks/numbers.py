"""Numbers and quantities that nothing at hand bears out, or only of something else. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrail.checks.amounts import Amount
from guardrail.checks.case import Case
from guardrail.checks.derived import derived
from guardrail.checks.standing import in_sum, is_denied, is_proportion, kind_of, place_of, unsupported
from guardrail.verdict import Finding

__all__ = ["numbers"]

_RECKONED = re.compile(
    r"\b(?:together|altogether|combined|total|sum|average|mean|remain\w*|rest|left|more|fewer|less|by (?=\d)|differ\w*|increas\w+)\b",
    re.IGNORECASE,
)


def numbers(case: Case) -> list[Finding]:
    """Numbers in claims that the evidence and the user do not state, and that do not follow from what they do; and those
    that the evidence states of something else.

    Units and currencies are converted or held apart, rounding and counting are allowed for.
    """
    if not case.evidence:
        return []
    found = [_finding(case, amount, "") for amount, _ in unsupported(case)]
    return [*found, *_misplaced(case)]


_COMPARES = re.compile(r"\d[^.;]{0,12}\b(?:below|above|short of)\b", re.IGNORECASE)


def _finding(case: Case, amount: Amount, explanation: str) -> Finding:
    return case.finding(*place_of(case, amount), kind_of(amount), explanation)


def _misplaced(case: Case) -> Iterator[Finding]:
    """Numbers that the evidence gives of something else than the answer."""
    for amount in case.amounts:
        rival = case.misplaced.get((amount.start, amount.end))
        claim = case.claim_at(amount.start)
        if rival is None or claim is None or in_sum(case, amount) or is_denied(case, claim, amount):
            continue
        if (amount.bare and amount.value <= 1) or (_RECKONED.search(claim.text) and derived(amount, case.facts)):
            continue
        if _COMPARES.search(claim.text) or is_proportion(case, claim, amount):
            continue
        yield _finding(case, amount, rival.of_another)
