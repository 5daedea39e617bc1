"""Dates, times of day, weekdays, years and what is larger: where they stand and what they mean. Pure.

Own patterns rather than a library's: ``dateparser`` finds "330 m" and "may" in prose and misses
"3 March 2021" beside an ISO date; ``dateutil`` parses what has been found already, and fills in what is
not said.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from guardrail.checks.spelled import ORDINALS

__all__ = ["Moment", "moments"]

_NAMES = "january february march april may june july august september october november december".split()
_SHORT = {name[:3]: at for at, name in enumerate(_NAMES, 1)}
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\b\.?)"
)
_DAY = r"(?:[12]\d|3[01]|0?[1-9])"
_NTH = r"(?:st|nd|rd|th)?"
_TO = r"\s*(?:-|–|—|to|until|through|and|or)\s*"
_YEAR = r"(?:1\d\d\d|20\d\d|2100)"


@dataclass(frozen=True, slots=True)
class Moment:
    """One mention of a time."""

    start: int
    end: int
    text: str
    grain: str
    """``date`` (any of year, month, day), ``quarter`` or ``season`` (of a year), ``decade``, ``century``, ``weekday`` or ``time``."""
    readings: tuple[tuple[int | None, int | None, int | None], ...] = ()
    """Year, month or quarter (winter is 1), day; several where the order is not told. Else the number in the first place."""
    sure: bool = True
    """False for a bare number that may be a year."""
    until: bool = False
    """Whether it ends a range that the moment before it begins."""

    @property
    def number(self) -> int:
        """The decade's first year, the century, the weekday (0 = Monday) or the minute of the day."""
        return self.readings[0][0] or 0


_Said = tuple[str, tuple[tuple[int | None, int | None, int | None], ...]]
"""A grain and its readings."""
_Reader = Callable[[re.Match[str]], _Said | None]


def moments(text: str, *, lenient: bool = False) -> list[Moment]:
    """The mentions of times in ``text``, in order, without overlap.

    ``lenient``: months in lower case and at the start of a sentence too, although they may be other words.
    """
    if lenient:
        text = _LOWER.sub(lambda match: match[0].title(), text)
    found: list[Moment] = []
    taken = bytearray(len(text) + 1)
    for pattern, read in (*_PATTERNS, *(_LENIENT if lenient else ())):
        for match in pattern.finditer(text):
            start, end = match.span("at") if "at" in pattern.groupindex else match.span()
            if any(taken[start:end]):
                continue
            said = read(match)
            if said is None:
                continue
            taken[start:end] = b"\1" * (end - start)
            found.append(Moment(start, end, text[start:end], *said, sure=_sure(text, match, said[0])))
    found.sort(key=lambda moment: moment.start)
    return list(_ranged(text, found))


def _ranged(text: str, found: list[Moment]) -> Iterator[Moment]:
    previous: Moment | None = None
    for moment in found:
        until = previous is not None and bool(_BETWEEN.fullmatch(text[previous.end : moment.start]))
        previous = moment
        yield Moment(moment.start, moment.end, moment.text, moment.grain, moment.readings, moment.sure, until)


_BETWEEN = re.compile(r"\s*(?:-|–|—|to|until|till|through|and(?: closes| ends)?(?: at| on| in)?|(?:and )?closes at)\s*")
_BEFORE_YEAR = re.compile(
    r"(?:\b(?:in|since|from|until|till|by|after|before|between|and|or|nor|to|during|circa|year|years|early|late|mid|around|"
    r"of|the|for|through|about|spring|summer|autumn|fall|winter|age|born|died|[A-Z]\w+)|[(,;–/'’-]|c\.|\A|^)\s*\Z",
    re.MULTILINE,
)
_NOUN_AFTER = re.compile(r"[ -](?!(?:and|or|to|the|by|in|on|at|as|was|were|is|are|when|which|that|with|for|after|a|an|he|"
                         r"she|it|they|but|has|had|of|until|through|under|because|while|who|where|did|from|during)\b)"
                         r"[a-z]{2,}")  # fmt: skip


def _sure(text: str, match: re.Match[str], grain: str) -> bool:
    if grain != "date" or not match[0].isdigit():
        return True
    before = text[max(0, match.start() - 16) : match.start()].rstrip("*_`")
    return bool(_BEFORE_YEAR.search(before)) and not _NOUN_AFTER.match(text[match.end() : match.end() + 20])


def _month(name: str) -> int:
    return _SHORT[name.lower()[:3]]


def _number(match: re.Match[str], group: str) -> int | None:
    value = match.groupdict().get(group)
    return int(value) if value else None


def _date(match: re.Match[str]) -> _Said | None:
    named = match.groupdict().get("month")
    year, month, day = _number(match, "year"), _month(named) if named else None, _number(match, "day")
    if year and month and day and not _exists(year, month, day):
        return None
    return "date", ((year, month, day),)


def _iso(match: re.Match[str]) -> _Said | None:
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    return ("date", ((year, month, day),)) if _exists(year, month, day) else None


def _slashed(match: re.Match[str]) -> _Said | None:
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    if len(match[4]) == 2:
        year += 2000 if year < 70 else 1900
    orders = {(year, second, first), (year, first, second)}
    readings = tuple(sorted(order for order in orders if _exists(*order)))
    return ("date", readings) if readings else None


def _month_of_year(match: re.Match[str]) -> _Said | None:
    return "date", ((int(match[2]), int(match[1]), None),)


def _exists(year: int, month: int, day: int) -> bool:
    try:
        datetime.date(year, month, day)
    except ValueError:
        return False
    return True


def _time(match: re.Match[str]) -> _Said | None:
    word = match[0].lower()
    if word in ("noon", "midday", "midnight"):
        return "time", ((0 if word == "midnight" else 720, None, None),)
    hour, minute = int(match["hour"]), _number(match, "minute") or 0
    half = (match["half"] or "").lower()[:1]
    if hour > 24 or minute > 59 or (half and hour > 12):
        return None
    at = [hour % 12 * 60 + minute + (720 if half == "p" else 0)] if half else [hour % 24 * 60 + minute]
    if not half and hour <= 12 and not match["hour"].startswith("0"):  # "06:45" is written of 24 hours
        at.append((at[0] + 720) % 1440)
    return "time", tuple((value, None, None) for value in at)


def _short_year(match: re.Match[str]) -> _Said | None:
    century = int(match.string[match.start() - 4 : match.start() - 2])
    return ("date", ((100 * century + int(match["short"]), None, None),)) if 10 <= century <= 20 else None


def _spoken(match: re.Match[str]) -> _Said | None:
    word, part = match["word"].lower(), match["part"].lower()
    if word in ("midnight", "noon", "midday"):
        hour: int | None = 12
    else:
        hour = int(word) if word.isdigit() else _HOURS.index(word) + 1 if word in _HOURS else None
    minutes = int(part) if part.isdigit() else _MINUTES[part]
    if hour is None or not 1 <= hour <= 12 or not 0 < minutes < 60:
        return None
    at = (hour % 12 * 60 + (minutes if match["way"].lower() == "past" else -minutes)) % 720
    return "time", ((at, None, None), (at + 720, None, None))


_MINUTES = {"half": 30, "quarter": 15, "five": 5, "ten": 10, "twenty": 20, "twenty-five": 25}


def _old_year(match: re.Match[str]) -> _Said | None:
    short = int(match["short"])
    return "date", tuple((century + short, None, None) for century in (1900, 2000, 1800))


_FEASTS = {
    "christmas eve": (12, 24), "christmas day": (12, 25), "boxing day": (12, 26), "new year's eve": (12, 31),
    "new year's day": (1, 1), "halloween": (10, 31), "valentine's day": (2, 14), "may day": (5, 1),
}  # fmt: skip


def _feast(match: re.Match[str]) -> _Said | None:
    month, day = _FEASTS[match["feast"].lower().replace("’", "'")]
    return "date", ((_number(match, "year"), month, day),)


def _decade(match: re.Match[str]) -> _Said | None:
    value = int(match["decade"])
    return "decade", ((value if value > 99 else 1900 + value, None, None),)


def _century(match: re.Match[str]) -> _Said | None:
    value = _number(match, "nth") or ORDINALS.get((match["word"] or "").lower())
    return ("century", ((value, None, None),)) if value else None


def _quarter(match: re.Match[str]) -> _Said | None:
    number = _number(match, "q") or _QUARTERS.get((match.groupdict().get("word") or "").lower())
    return ("quarter", ((_number(match, "year"), number, None),)) if number else None


_QUARTERS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}


_SEASONS = {"spring": 2, "summer": 3, "autumn": 4, "fall": 4, "winter": 1}


def _season(match: re.Match[str]) -> _Said | None:
    return "season", ((_number(match, "year"), _SEASONS[match["season"].lower()], None),)


def _weekday(match: re.Match[str]) -> _Said | None:
    name = match["name"].lower()[:3]
    return "weekday", ((next(at for at, day in enumerate(_DAYS) if day.startswith(name)), None, None),)


_HOURS = "one two three four five six seven eight nine ten eleven twelve".split()
_ORDINAL_WORDS = "|".join(sorted(ORDINALS, key=len, reverse=True))
_PATTERNS: tuple[tuple[re.Pattern[str], _Reader], ...] = (
    (re.compile(r"(?<![\d-])(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)"), _iso),
    (re.compile(r"(?<![\d./-])(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?![\d])(?!\.\d)"), _slashed),
    (re.compile(r"(?<![\d/.,-])(0[1-9]|1[0-2])/(20\d\d|19\d\d)(?![\d/])"), _month_of_year),
    (re.compile(rf"(?<![\d.,])(?P<at>(?P<day>{_DAY}){_NTH})(?={_TO}{_DAY}{_NTH}\s+(?:of\s+)?(?P<month>{_MONTH}))"), _date),
    (re.compile(rf"\b(?P<season>spring|summer|autumn|fall|winter)(?: of)? (?P<year>{_YEAR})(?!\d)", re.I), _season),
    (re.compile(rf"\bQ(?P<q>[1-4])(?:(?: of)?[ /-](?:FY)?(?P<year>{_YEAR})(?!\d))?\b"), _quarter),
    (re.compile(rf"\b(?P<year>{_YEAR})[ /-]?Q(?P<q>[1-4])\b"), _quarter),
    (re.compile(rf"\b(?P<year>{_YEAR})[ ](?P<word>first|second|third|fourth|1st|2nd|3rd|4th) quarter\b", re.I), _quarter),
    (re.compile(rf"\b(?P<word>first|second|third|fourth|1st|2nd|3rd|4th)(?: fiscal| calendar)? quarter\b(?! of (?:an?|the) (?!year|fiscal|financial|calendar))(?:(?: of|,)? (?:fiscal )?(?P<year>{_YEAR})(?!\d))?", re.I), _quarter),
    (re.compile(rf"(?<![\d.,:])(?P<day>{_DAY}){_NTH}(?:\s+of)?\s+(?P<month>{_MONTH})(?:,?\s+(?P<year>{_YEAR})(?!\d))?"), _date),
    (re.compile(rf"\b(?P<month>{_MONTH})\s+(?:the\s+)?(?P<day>{_DAY}){_NTH}(?![\d:%]|\.\d)(?:,?\s+(?P<year>{_YEAR})(?!\d))?"), _date),
    (re.compile(rf"(?<=\d)(?:st|nd|rd|th)?{_TO}(?P<at>(?P<day>{_DAY})){_NTH}(?=,?\s+(?P<year>{_YEAR})(?!\d))(?P<month>(?!))?"), _date),
    (re.compile(rf"\b(?P<month>{_MONTH}),?\s+(?:of\s+)?(?P<year>{_YEAR})(?!\d)"), _date),
    (re.compile(r"(?<!\d)(?P<at>(?P<decade>(?:1\d|20)\d0|(?<=the )[2-9]0|(?<=early )[2-9]0|(?<=late )[2-9]0|(?<=mid-)[2-9]0|(?<=['’])[2-9]0))['’]?s\b"), _decade),
    (re.compile(rf"\b(?:(?P<nth>\d{{1,2}})(?:st|nd|rd|th)|(?P<word>{_ORDINAL_WORDS}))[ -]centur(?:y|ies)\b", re.I), _century),
    (re.compile(r"(?<![\d:.])(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?\s*(?P<half>[ap]\.m\b\.?|[ap]m\b)", re.I), _time),
    (re.compile(r"(?<![\d:.])(?P<hour>[01]?\d|2[0-4])(?=\s?[-–]\s?(?:[01]?\d|2[0-4])\s?(?:h\b|[ap]m\b|[ap]\.m\.))(?P<half>(?!))?"), _time),
    (re.compile(r"(?<=\d[-–])(?P<hour>[01]?\d|2[0-4])\s?h\b(?P<half>(?!))?"), _time),
    (re.compile(r"(?<![\d:.])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::[0-5]\d)?(?![\d:])(?P<half>(?!))?"), _time),
    (re.compile(r"\b(?P<part>half|quarter|five|ten|twenty|twenty-five|\d{1,2}(?= minutes? )|\d{1,2}(?= past))(?: minutes?)? (?P<way>past|to) (?P<word>\w+)\b", re.I), _spoken),
    (re.compile(r"\b(?:noon|midday|midnight)\b", re.I), _time),
    (re.compile(r"\b(?P<name>Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)s?\b", re.I), _weekday),
    (re.compile(r"\b(?P<feast>Christmas Eve|Christmas Day|Boxing Day|New Year['’]s Eve|New Year['’]s Day|Halloween|Valentine['’]s Day|May Day)"
                rf"(?:,? (?P<year>{_YEAR}))?\b"), _feast),
    (re.compile(rf"(?<![\d.,$€£#%°-])(?P<year>{_YEAR})(?![\d%°]|[.,]\d|\s*(?:%|€|£))"), _date),
    (re.compile(r"(?<=in )['’](?P<short>\d\d)\b"), _old_year),
    (re.compile(r"(?<=\d\d\d\d)\s?(?:-|–|/|to)\s?(?P<at>['’]?(?P<short>\d\d))(?![\d\w-])"), _short_year),
    (re.compile(rf"(?<=\d\d\d\d)[–/-](?P<at>(?P<year>{_YEAR}))(?!\d)"), _date),
    (re.compile(rf"(?<![.!?]\s)(?<!\A)(?<!\n)\b(?P<month>{_MONTH})\b(?!\s+[A-Z])"), _date),
    (re.compile(r"(?:\A|(?<=[.!?]\s)|(?<=\n))(?P<month>January|February|April|June|July|August|September|October|November|December|"
                r"(?:March|May)(?= (?:was|saw|is|had|brought|came|sales|figures|turnover|revenue)\b))\b(?! [A-Z])"), _date),
)  # fmt: skip
"""Patterns from the fullest to the barest; each takes what those before it left."""
_LENIENT: tuple[tuple[re.Pattern[str], _Reader], ...] = (
    (re.compile(rf"\b(?P<month>{_MONTH})\b(?! [A-Z])"), _date),
    (
        re.compile(
            r"\b(?P<name>Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)\b\.?(?=\s*(?:[-–—:,/&|]|to\b|and\b|\d|closed|noon|\Z|\n))"
        ),
        _weekday,
    ),
)
_LOWER = re.compile(
    r"\b(?:january|february|march|april|may|june|july|august|september|october|november|december)\b"
    r"|\b(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b(?=\.?[ ]\d)|(?<=\d )(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b"
)
