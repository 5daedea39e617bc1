"""Deterministic checks: what code can tell of an answer without a model. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from guardrail.checks.arithmetic import arithmetic
from guardrail.checks.case import Case
from guardrail.checks.citations import citations
from guardrail.checks.consistency import consistency
from guardrail.checks.dates import dates
from guardrail.checks.names import names
from guardrail.checks.numbers import numbers
from guardrail.checks.quotations import quotations
from guardrail.conversation import Evidence, Message
from guardrail.verdict import Finding

__all__ = ["CHECKS", "Case", "find"]

CHECKS: Mapping[str, Callable[[Case], list[Finding]]] = {
    "arithmetic": arithmetic,
    "consistency": consistency,
    "quotations": quotations,
    "citations": citations,
    "dates": dates,
    "numbers": numbers,
    "names": names,
}
"""By name, the surest first: where two find the same place, the first one's finding stands."""


def find(
    answer: str, evidence: Sequence[Evidence], conversation: Sequence[Message] = (), *, checks: Sequence[str] = tuple(CHECKS)
) -> list[Finding]:
    """What the ``checks`` find in ``answer``, in the order of the answer; no two findings overlap.

    ``conversation``: the messages before the answer, oldest first. Findings carry no risk.
    """
    case = Case(answer, evidence, conversation)
    found: list[Finding] = []
    for name, check in CHECKS.items():
        if name in checks:
            found += (new for new in check(case) if not any(new.start < old.end and old.start < new.end for old in found))
    return sorted(found, key=lambda finding: finding.start)
