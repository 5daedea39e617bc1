"""Dates, times, weekdays, years and lengths of time that nothing at hand bears out, or only of something else. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrail.checks.amounts import Amount
from guardrail.checks.case import Case
from guardrail.checks.elsewhere import misplaced_amounts
from guardrail.checks.standing import place_of, unsupported
from guardrail.checks.timeline import is_stated, unknown_times
from guardrail.verdict import Finding, FindingKind

__all__ = ["dates"]

_DAY = 86400
_OF_TIME = re.compile(
    r" (?:(?:working|business|calendar|full) )?(?:days?|weeks?|weekend|months?|quarter|years?|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b"
)


_ON_THE = re.compile(r"\b(?:on|by|until|till|from|since) the \Z", re.IGNORECASE)
_NOUN = re.compile(r" (?!(?:and|or|of|at|in|to|for|from|until|but|as|is|was|which|instead)\b)[a-z]{3,}")
_LAST = 31


def dates(case: Case) -> list[Finding]:
    """Times in claims that the evidence and the user do not state, and that do not follow from what they do; and
    lengths of time of a day or more.

    Forms of writing are one; ranges, decades, centuries and "two years later" are allowed for.
    """
    if not case.evidence:
        return []
    unknown = unknown_times(case)
    found = []
    for moment in case.moments:
        rival = case.misplaced.get((moment.start, moment.end))
        if moment in unknown or (rival is not None and moment.sure and is_stated(case, moment)):
            said = rival.of_another if rival else ""
            found.append(case.finding(moment.start, moment.end, FindingKind.DATE, said))
    return [*found, *_lengths(case)]


def _lengths(case: Case) -> Iterator[Finding]:
    """Lengths of time, and places in a row of days or weeks."""
    wrong = [(amount, "") for amount, _ in unsupported(case)]
    wrong += [(amount, rival.of_another) for amount, rival in misplaced_amounts(case)]
    for amount, said in wrong:
        if _is_of_time(case, amount):
            yield case.finding(*place_of(case, amount), FindingKind.DATE, said)


def _is_of_time(case: Case, amount: Amount) -> bool:
    if amount.readings[0][0] == "ordinal":
        day = (
            _ON_THE.search(case.prose, max(0, amount.start - 12), amount.start)
            and amount.text[0].isdigit()
            and amount.value <= _LAST
        )
        return (
            bool(day and not _NOUN.match(case.prose, amount.end)) or _OF_TIME.match(case.prose, amount.end) is not None
        )
    return any(name == "time" and value >= _DAY for name, value in amount.readings)
