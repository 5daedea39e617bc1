"""Calculations that the answer states or implies, done again. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from guardrail.checks.case import Case
from guardrail.checks.standing import kind_of, place_of, unsupported
from guardrail.checks.sums import sums
from guardrail.verdict import Finding, FindingKind

__all__ = ["arithmetic"]

_IMPLIED = 0.75
"""The risk of a number whose reckoning is not stated: it may rest on what the check cannot see. Set, not measured."""


def arithmetic(case: Case) -> list[Finding]:
    """Results that are wrong: of equations, percentages, totals, rises and ages that are stated in full, for which no
    evidence is needed; and numbers that are said to be reckoned, "together" or "on average", from which no reckoning
    with the numbers at hand comes."""
    wrong = {(sum_.start, sum_.end) for sum_ in sums(case) if not sum_.right and case.claim_at(sum_.start)}
    stated = [
        case.finding(start, end, FindingKind.NUMBER, "the calculation does not come out")
        for start, end in sorted(wrong)
    ]
    return stated + [finding for finding in _implied(case) if not any(_meet(finding, other) for other in stated)]


def _implied(case: Case) -> Iterator[Finding]:
    for amount, reckoned in unsupported(case):
        if reckoned:
            finding = case.finding(*place_of(case, amount), kind_of(amount), "the numbers at hand do not make this")
            yield replace(finding, risk=_IMPLIED)


def _meet(one: Finding, two: Finding) -> bool:
    return one.start < two.end and two.start < one.end
