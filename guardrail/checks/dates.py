"""Dates, times, weekdays and years that nothing at hand bears out. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import pairwise

from guardrail.checks.case import Case
from guardrail.checks.moments import Moment
from guardrail.checks.reckoned import Span, day_of, days_from, minutes_from, spans_of
from guardrail.verdict import Finding, FindingKind

__all__ = ["dates", "unknown_times"]

_DENIED = re.compile(r"\b(?:not|no|none|never|closed|except|rather than|instead of|n['’]t|nor|but)\b", re.IGNORECASE)
_NEGATED = re.compile(r"(?:\b(?:not|never)|n['’]t)\b[^,;]*\Z", re.IGNORECASE)
_BORN = re.compile(r"\bborn\b", re.IGNORECASE)
_AGED = re.compile(r"\b(?:aged?|years? old)\b")
_MOST = 400
"""So many dates are reckoned; where more could be, everything would follow."""
_YEAR_SECONDS = 31557600
_Reading = tuple[int | None, int | None, int | None]


def dates(case: Case) -> list[Finding]:
    """Times in claims that the evidence and the user do not state, and that do not follow from what they do.

    Forms of writing are one; ranges, decades, centuries and "two years later" are allowed for.
    """
    if not case.evidence or not case.moments:
        return []
    unknown = unknown_times(case)
    found = []
    for moment in case.moments:
        rival = case.misplaced.get((moment.start, moment.end))
        if moment in unknown or (rival is not None and moment.sure and _stated(case, moment)):
            said = rival.of_another if rival else ""
            found.append(case.finding(moment.start, moment.end, FindingKind.DATE, said))
    return found


def unknown_times(case: Case) -> list[Moment]:
    """The times in claims that nothing at hand states, and that do not follow from what is."""
    if not case.evidence or not case.moments:
        return []
    if "unknown times" not in case.shelf:
        known = _Known(case)
        unknown = (m for m in case.moments if m.sure and _stated(case, m) and not known.bears_out(m))
        case.shelf["unknown times"] = {(m.start, m.end) for m in unknown}
    return [m for m in case.moments if (m.start, m.end) in case.shelf["unknown times"]]


def _stated(case: Case, moment: Moment) -> bool:
    claim = case.claim_at(moment.start)
    if claim is None:
        return False
    before = case.prose[max(claim.start, moment.start - 40) : moment.start]
    if _NEGATED.search(case.prose[claim.start : moment.start]):
        return False
    return not _DENIED.search(before[-14:] if moment.grain != "weekday" else before)


class _Known:
    """The times at hand."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.times = case.times
        self.dates = [reading for m in self.times if m.grain == "date" for reading in m.readings]
        bare = [fact for sentence in case.facts for fact in sentence if fact.bare]
        self.years = {year for year, _, _ in self.dates if year}
        self.years |= {int(fact.value) for fact in bare if 1000 <= fact.value <= 2100 and fact.value == int(fact.value)}
        self.hours = {int(fact.value) for fact in bare if 0 <= fact.value <= 24}
        aged = any(_AGED.search(source.text) for source in case.sources)
        self.born = any(_BORN.search(source.text) for source in case.sources)
        ages = {int(fact.figure) for s in case.facts for fact in s if fact.bare or fact.readings[0][0] == "time"}
        self.ages = {age for age in ages if 0 < age < 120} if aged or self.born else set()
        self.spans = {
            round(value / _YEAR_SECONDS)
            for sentence in case.facts
            for fact in sentence
            for name, value in fact.readings
            if name == "time" and value >= 0.99 * _YEAR_SECONDS
        }

    def bears_out(self, moment: Moment) -> bool:
        """Whether a time of the answer is stated or follows."""
        if moment.grain == "date":
            return any(self._date(reading) for reading in moment.readings)
        return {"decade": self._decade, "century": self._century, "weekday": self._weekday, "time": self._time}[
            moment.grain
        ](moment)

    def _date(self, said: _Reading) -> bool:
        year, month, day = said
        if month is None and day is None:
            return year is not None and self._year(year)
        return any(self._agree(said, known) for known in self.dates) or any(
            _within(said, first, last) for first, last in self._ranges("date")
        ) or self._reckoned(said)  # fmt: skip

    def _agree(self, said: _Reading, known: _Reading) -> bool:
        year, month, day = said
        other_year, other_month, other_day = known
        if month is not None and other_month != month:
            return False
        if day is not None and other_day != day:
            return False
        return year is None or other_year == year or (other_year is None and self._year(year))

    def _year(self, year: int) -> bool:
        if (self.born or _BORN.search(self.case.prose)) and any(
            abs(known - year) - age in (0, 1) for known in self.years for age in self.ages
        ):
            return True
        if year in self.years or any(
            known + span == year or known - span == year for known in self.years for span in self.spans
        ):
            return True
        return any(
            first[0] is not None and last[0] is not None and first[0] <= year <= last[0]
            for first, last in self._ranges("date")
        )

    def _reckoned(self, said: _Reading) -> bool:
        """Whether a date lies a told span from a stated one, or beside a stated weekday."""
        return any(self._is(said, day) for day in self.reckoned)

    def _is(self, said: _Reading, day: datetime.date) -> bool:
        return all(a is None or a == b for a, b in zip(said, (day.year, day.month, day.day), strict=True))

    @cached_property
    def _told(self) -> tuple[frozenset[Span], frozenset[int]]:
        texts = [source.text for source in self.case.sources]
        return spans_of(texts, (fact for sentence in self.case.facts for fact in sentence))

    @cached_property
    def reckoned(self) -> set[datetime.date]:
        """The days that follow from those at hand; a day without a year is one of any year."""
        days = set(self._days())
        days |= {
            known
            for _, month, day in self.dates
            for year in self.years or {2023}
            if (known := day_of(year, month, day)) is not None
        }
        if len(days) * len(self._told[0]) > _MOST:
            return set()
        once = days_from(days, self._told[0]) | set(self._weekdays_from(self._days()))
        short = [span for span in self._told[0] if span[1] <= 14 and not span[0]]
        return once | (days_from(once, short) if len(once) * len(short) <= _MOST else set())

    def _weekdays_from(self, days: Iterable[datetime.date]) -> Iterator[datetime.date]:
        """The days of the weekdays at hand before and after those days."""
        wanted = {m.number for m in self.times if m.grain == "weekday"}
        for day in list(days)[:40]:
            for weekday in wanted:
                ahead = (weekday - day.weekday() - 1) % 7 + 1
                yield day + datetime.timedelta(ahead)
                yield day - datetime.timedelta(7 - ahead or 7)

    def _days(self) -> Iterator[datetime.date]:
        """The dates at hand of which year, month and day are known."""
        for year, month, day in self.dates:
            if year is not None and (known := day_of(year, month, day)) is not None:
                yield known

    def _ranges(self, grain: str) -> Iterator[tuple[_Reading, _Reading]]:
        for first, last in pairwise(self.times):
            if last.until and first.grain == last.grain == grain:
                yield first.readings[0], last.readings[0]

    def _decade(self, moment: Moment) -> bool:
        if moment.number % 100 == 0 and any(year // 100 == moment.number // 100 for year in self.years):
            return True  # "the 1800s" are a century
        decades = {m.number for m in self.times if m.grain == "decade"} | {year // 10 * 10 for year in self.years}
        return moment.number in decades

    def _century(self, moment: Moment) -> bool:
        centuries = {m.number for m in self.times if m.grain == "century"} | {
            (year - 1) // 100 + 1 for year in self.years
        }
        centuries |= {m.number // 100 + 1 for m in self.times if m.grain == "decade"}
        return moment.number in centuries

    def _weekday(self, moment: Moment) -> bool:
        days = {m.number for m in self.times if m.grain == "weekday"}
        for (first, _, _), (last, _, _) in self._ranges("weekday"):
            days |= {(first + step) % 7 for step in range((last - first) % 7 + 1)}  # type: ignore[operator]
        days |= {day.weekday() for day in {*self._days(), *self.reckoned}}
        steps = {sign * span for months, span in self._told[0] if not months for sign in (1, -1)}
        return moment.number in days | {(day + step) % 7 for day in days for step in steps}

    def _time(self, moment: Moment) -> bool:
        said = {at for at, _, _ in moment.readings}
        known = {at for m in self.times if m.grain == "time" for at, _, _ in m.readings if at is not None}
        bare = {60 * hour for hour in self.hours} | {(60 * hour + 720) % 1440 for hour in self.hours}
        return bool(said & (known | bare | minutes_from(known, sorted(self._told[1]))))


def _within(said: _Reading, first: _Reading, last: _Reading) -> bool:
    """Whether a day or month lies between two others of a year."""
    if first[1] is None or last[1] is None or said[1] is None:
        return False
    if said[0] is not None and None not in (first[0], last[0]) and not first[0] <= said[0] <= last[0]:  # type: ignore[operator]
        return False
    low, high = (first[1], first[2] or 1), (last[1], last[2] or 31)
    at = (said[1], said[2] or (low[1] if said[1] == low[0] else 1))
    return low <= at <= high if low <= high else at >= low or at <= high
