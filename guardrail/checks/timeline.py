"""Which dates, times, weekdays and years of the answer something at hand bears out: states, or lets reckon. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import pairwise

from guardrail.checks.case import Case
from guardrail.checks.moments import Moment
from guardrail.checks.reckoned import Span, day_of, days_from, minutes_from, spans_of

__all__ = ["in_relation", "is_stated", "unknown_times"]

_DENIED = re.compile(r"\b(?:not|no|none|never|closed|except|rather than|instead of|n['’]t|nor|but)\b", re.IGNORECASE)
_NEGATED = re.compile(r"(?:\b(?:not|never)|n['’]t)\b[^,;]*\Z", re.IGNORECASE)
_BORN = re.compile(r"\bborn\b", re.IGNORECASE)
_AGED = re.compile(r"\b(?:aged?|years? old)\b")
_MOST = 400
"""So many dates are reckoned; where more could be, everything would follow."""
_YEAR_SECONDS = 31557600
_Reading = tuple[int | None, int | None, int | None]


def unknown_times(case: Case) -> list[Moment]:
    """The times in claims that nothing at hand states, and that do not follow from what is."""
    if not case.evidence or not case.moments:
        return []
    if "unknown times" not in case.shelf:
        known = _Known(case)
        unknown = [m for m in case.moments if m.sure and is_stated(case, m) and not known.bears_out(m)]
        shown = {place for m in unknown if (place := _relation(case, m, known)) is not None}
        case.shelf["relations"] = shown
        case.shelf["unknown times"] = {(m.start, m.end) for m in unknown if not any(a <= m.start < b for a, b in shown)}
    return [m for m in case.moments if (m.start, m.end) in case.shelf["unknown times"]]


def is_stated(case: Case, moment: Moment) -> bool:
    """Whether the answer claims a time, rather than denies it."""
    claim = case.claim_at(moment.start)
    if claim is None:
        return False
    before = case.prose[max(claim.start, moment.start - 40) : moment.start]
    if _NEGATED.search(case.prose[claim.start : moment.start]):
        return False
    return not _DENIED.search(before[-14:] if moment.grain != "weekday" else before)


_APART = re.compile(
    r"\b(\d{1,3}|an?|one|two|three|four|five|six|seven|ten)[ ](days?|weeks?) (after|before|following|from|prior to)[ ](?:the )?\Z",
    re.IGNORECASE,
)
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}


def _relation(case: Case, moment: Moment, known: _Known) -> tuple[int, int] | None:
    """The place of "two days after Christmas Day", where that is a day at hand."""
    match = _APART.search(case.prose, max(0, moment.start - 40), moment.start)
    if match is None or moment.grain != "date":
        return None
    count = _COUNTS.get(match[1].lower()) or int(match[1])
    count *= (7 if match[2].lower().startswith("week") else 1) * (
        -1 if match[3].lower() in ("before", "prior to") else 1
    )
    for year, month, day in moment.readings:
        for one in {year} if year else known.years or {2023}:
            start = day_of(one, month, day)
            other = start and start + datetime.timedelta(count)
            if other and any(known.agrees((None, other.month, other.day), told) for told in known.dates):
                return match.start(), moment.end
    return None


def in_relation(case: Case, start: int) -> bool:
    """Whether a place is within "two days after Christmas Day" that comes out."""
    unknown_times(case)
    return any(a <= start < b for a, b in case.shelf.get("relations", set()))


_ENDS = re.compile(
    r"\b(?:end(?:s|ed|ing)?|finish\w*|expir\w+|until|till|start(?:s|ed)?|beg[aiu]n\w*|open(?:s|ed)|clos(?:es|ed)|founded|completed|began)\b[^,;.]*\Z",
    re.IGNORECASE,
)
"""What makes a time one end of a range, not one within."""


class _Known:
    """The times at hand."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.times = [*case.times, *case.times_before]
        self.dates = [reading for m in self.times if m.grain == "date" for reading in m.readings]
        bare = [fact for sentence in case.facts for fact in sentence if fact.bare]
        self.years = {year for year, _, _ in self.dates if year}
        self.years |= {m.number for m in self.times if m.grain in ("quarter", "season") and m.number}
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
            before = self.case.prose[max(0, moment.start - 40) : moment.start]
            return any(self._date(reading, not _ENDS.search(before)) for reading in moment.readings)
        return {
            "decade": self._decade,
            "century": self._century,
            "weekday": self._weekday,
            "time": self._time,
            "quarter": self._quarter,
            "season": self._season,
        }[moment.grain](moment)

    def _date(self, said: _Reading, within: bool = True) -> bool:
        year, month, day = said
        if month is None and day is None:
            return year is not None and self._year(year, within)
        return any(self.agrees(said, known) for known in self.dates) or any(
            _within(said, first, last) for first, last in self._ranges("date")
        ) or self._reckoned(said)  # fmt: skip

    def agrees(self, said: _Reading, known: _Reading) -> bool:
        """Whether a date says no more and nothing else than a known one."""
        year, month, day = said
        other_year, other_month, other_day = known
        if month is not None and other_month != month:
            return False
        if day is not None and other_day != day:
            return False
        return year is None or other_year == year or (other_year is None and self._year(year))

    def _year(self, year: int, within: bool = True) -> bool:
        if (self.born or _BORN.search(self.case.prose)) and any(
            abs(known - year) - age in (0, 1) for known in self.years for age in self.ages
        ):
            return True
        if year in self.years or any(
            known + span == year or known - span == year for known in self.years for span in self.spans
        ):
            return True
        return within and any(
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

    def _season(self, moment: Moment) -> bool:
        """Seasons begin in the months before a quarter and end in its last: unknown where the year's months are."""
        year, number, _ = moment.readings[0]
        if year is not None and not self._year(year):
            return False
        told = [m.readings[0][1] for m in self.times if m.grain == "season" and m.readings[0][0] in (None, year)]
        months = [month for known, month, _ in self.dates if month and known in (None, year)]
        first = 3 * ((number or 1) - 1)
        return not (told or months) or number in told or any((month - first) % 12 < 4 for month in months)

    def _quarter(self, moment: Moment) -> bool:
        year, number, _ = moment.readings[0]
        quarters = [m.readings[0][:2] for m in self.times if m.grain == "quarter"]
        quarters += [(known, (month + 2) // 3) for known, month, _ in self.dates if month]
        return any(number == other and (None in (year, known) or year == known) for known, other in quarters)

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
    if said[0] is not None and said[2] is not None and first[0] != last[0]:
        return False  # of years from one day to another it is seldom a day between that is meant
    at = (said[1], said[2] or (low[1] if said[1] == low[0] else 1))
    return low <= at <= high if low <= high else at >= low or at <= high
