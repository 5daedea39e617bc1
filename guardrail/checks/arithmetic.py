"""Calculations that the answer states or implies, done again. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from guardrail.checks.case import Case
from guardrail.checks.standing import kind_of, place_of, unsupported
from guardrail.checks.sums import sums
from guardrail.checks.timeline import unknown_times
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
    for moment in unknown_times(case):
        around = case.claims_text(moment.start) + " " + case.question
        if (_SPAN.search(around) and _LASTS.search(around)) or (moment.grain == "time" and _is_reckoned_time(case)):
            finding = case.finding(moment.start, moment.end, FindingKind.DATE, "the times at hand do not make this")
            yield replace(finding, risk=_IMPLIED)


def _is_reckoned_time(case: Case) -> bool:
    """Whether the evidence has a time of day and a length of time, and the user asks when."""
    lengths = any(fact.readings[0][0] == "time" for facts in case.facts for fact in facts)
    return lengths and any(m.grain == "time" for m in case.times) and _WHEN.search(case.question) is not None


_WHEN = re.compile(r"\b(?:when|what time|how late|until)\b", re.IGNORECASE)
_SPAN = re.compile(
    r"\b(?:\d+|an?|half|one|two|three|four|five|six|seven|eight|nine|ten|twelve|thirty|forty|fifty|sixty)[ -]?(?:an?[ ])?"
    r"(?:h|min|minutes?|hours?|days?|weeks?|months?|years?)\b", re.IGNORECASE,
)  # fmt: skip
_LASTS = re.compile(
    r"\b(?:last\w*|takes?|took|taking|after|later|within|from|start\w*|begin\w*|since|add\w*|plus|long)\b", re.I
)


def _meet(one: Finding, two: Finding) -> bool:
    return one.start < two.end and two.start < one.end
