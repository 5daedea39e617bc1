"""Times that follow from the times at hand: a date so many days later, an hour in another zone. Pure.

Own code rather than ``dateutil``'s: of it only the adding of months would be used, which is five lines.
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Iterable, Sequence
from itertools import combinations

from guardrail.checks.amounts import Amount

__all__ = ["day_of", "days_between", "days_from", "later", "minutes_between", "minutes_from", "spans_of"]

_WORDS = (
    (re.compile(r"\b(?:yesterday|tomorrow|(?:the )?(?:next|previous|following) (?:day|morning|evening)|(?:the )?day (?:before|after)|"
                r"overnight|the night before|eve)\b", re.IGNORECASE), 1),
    (re.compile(r"\bday (?:before yesterday|after tomorrow)\b", re.IGNORECASE), 2),
    (re.compile(r"\b(?:a|one|next|last|the following|the previous) week\b|\bthis day week\b", re.IGNORECASE), 7),
    (re.compile(r"\b(?:a |one )?fortnight\b|\b(?:every (?:second|other) (?:week|\w+day)|biweekly|fortnightly)\b", re.IGNORECASE), 14),
    (re.compile(r"\b(?:weekly|(?:every|each) (?:week|\w{3,6}day))\b", re.IGNORECASE), 7),
)  # fmt: skip
_ZONE = re.compile(r"\b(?:UTC|GMT)\s?[+\-−–]\s?(\d{1,2})(?::?([0-5]\d))?\b")
_DAY, _HOUR, _MONTH, _YEAR = 86400, 3600, 2629800, 31557600
_MOST = 8
"""Of more spans than that, only single ones are tried."""
Span = tuple[int, int]
"""Months, and days beside them."""


def spans_of(texts: Iterable[str], amounts: Iterable[Amount]) -> tuple[frozenset[Span], frozenset[int]]:
    """The lengths of time that are told: months and days, and minutes for those below a day."""
    days: set[Span] = set()
    minutes: set[int] = set()
    for text in texts:
        days |= {(0, count) for pattern, count in _WORDS if pattern.search(text)}
        minutes |= {60 * int(zone[1]) + int(zone[2] or 0) for zone in _ZONE.finditer(text)}
    for amount in amounts:
        for name, seconds in amount.readings:
            if name == "time" and seconds > 0:
                _add(seconds, days, minutes)
    return frozenset(days), frozenset(minutes)


def _add(seconds: float, days: set[Span], minutes: set[int]) -> None:
    if seconds < _DAY or seconds % _DAY:
        minutes.add(round(seconds / 60))
    months = round(seconds / _MONTH)
    if months and abs(seconds - months * _MONTH) < _HOUR:
        days.add((months, 0))
    elif seconds >= _DAY and seconds < 4000 * _DAY:
        days.add((0, round(seconds / _DAY)))


def day_of(year: int, month: int | None, day: int | None) -> datetime.date | None:
    """The day; None where a part is not told or there is no such day, as 31 June."""
    if not month or not day or day > calendar.monthrange(year, month)[1]:
        return None
    return datetime.date(year, month, day)


def later(day: datetime.date, span: Span, sign: int = 1) -> datetime.date | None:
    """``day`` and so many months and days later, or earlier where ``sign`` is -1; None beyond the calendar."""
    months = day.year * 12 + day.month - 1 + sign * span[0]
    year, month = divmod(months, 12)
    if not 1 <= year <= 9998:
        return None
    last = calendar.monthrange(year, month + 1)[1]
    return datetime.date(year, month + 1, min(day.day, last)) + datetime.timedelta(sign * span[1])


def days_from(days: Iterable[datetime.date], spans: Iterable[Span]) -> set[datetime.date]:
    """The days that lie one told span from a day at hand; of a period, the day before its end too."""
    found: set[datetime.date] = set()
    for day in days:
        for span in spans:
            for sign in (1, -1):
                if (other := later(day, span, sign)) is not None:
                    found.add(other)
                    if span[0] or span[1] >= 7:  # the last day of a period is one less
                        found.add(other - datetime.timedelta(sign))
    return found


def minutes_between(times: Sequence[int]) -> set[int]:
    """The minutes from one time of day to another, overnight too."""
    return {(one - two) % 1440 for one in times for two in times if one != two}


def days_between(days: Iterable[datetime.date]) -> set[int]:
    """The days from one date to another, the first counted or not."""
    some = sorted(set(days))[:30]
    apart = {(two - one).days for one, two in combinations(some, 2)}
    return apart | {count + 1 for count in apart}


def minutes_from(times: Iterable[int], minutes: Sequence[int]) -> set[int]:
    """The minutes of the day that lie told spans from one at hand, in sum too where the spans are few."""
    some = sorted(set(minutes))[:40]
    sums = {0, *some}
    if len(some) <= _MOST:
        sums |= {sum(group) for size in (2, 3) for group in combinations(some, size)}
        sums |= {abs(one - two) for one, two in combinations(some, 2)}
    return {(time + sign * total) % 1440 for time in times for total in sums for sign in (1, -1)}
