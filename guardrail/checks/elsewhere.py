"""Numbers that the evidence gives of something else than the answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrail.checks.amounts import Amount
from guardrail.checks.case import Case
from guardrail.checks.derived import derived
from guardrail.checks.slots import Slot
from guardrail.checks.standing import in_sum, is_denied, is_proportion

__all__ = ["misplaced_amounts"]

_RECKONED = re.compile(
    r"\b(?:together|altogether|combined|total|sum|average|mean|remain\w*|rest|left|more|fewer|less|by (?=\d)|differ\w*|increas\w+)\b",
    re.IGNORECASE,
)


_COMPARES = re.compile(r"\d[^.;]{0,12}\b(?:below|above|short of)\b", re.IGNORECASE)


def misplaced_amounts(case: Case) -> Iterator[tuple[Amount, Slot]]:
    """Numbers of the answer whose place in the evidence another has, each with that one."""
    for amount in case.amounts:
        rival = case.misplaced.get((amount.start, amount.end))
        claim = case.claim_at(amount.start)
        if rival is None or claim is None or in_sum(case, amount) or is_denied(case, claim, amount):
            continue
        if (amount.bare and amount.value <= 1) or (_RECKONED.search(claim.text) and derived(amount, case.facts)):
            continue
        if _COMPARES.search(claim.text) or is_proportion(case, claim, amount):
            continue
        yield amount, rival
