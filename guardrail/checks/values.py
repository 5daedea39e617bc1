"""Numbers, times, names and labels of a text, and whether two of them agree. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from guardrail.checks.alike import key
from guardrail.checks.amounts import Amount, amounts
from guardrail.checks.content import STOP, WORD, stem
from guardrail.checks.moments import Moment, moments
from guardrail.checks.named import Named, named
from guardrail.checks.support import comparable, same

__all__ = [
    "MONTHS",
    "YEAR",
    "Label",
    "Value",
    "Word",
    "agree",
    "is_label",
    "is_numbered",
    "of_one_sort",
    "parts_of",
    "stems_of",
    "values_in",
    "words_in",
    "words_of",
]


@dataclass(frozen=True, slots=True)
class Label:
    """A number that names something: the 2 of "gate 2"."""

    start: int
    end: int
    text: str
    noun: str


Value = Amount | Moment | Named | Label


YEAR = re.compile(r"1\d\d\d|20\d\d")


MONTHS = frozenset(
    stem(month) for month in "january february march april june july august september october november december".split()
)
_LIGHT = frozenset(
    "call nam know known may must might shall prof dr mr mrs ms come mak mak giv tak get say us go hav put make give take use".split()
) | {
    "com",
    "giv",
    "tak",
    "mak",
}
"""Stems of verbs that tell nothing."""
_DATES = ("date", "decade", "century")


@dataclass(frozen=True, slots=True)
class Word:
    start: int
    end: int
    stem: str


def values_in(text: str) -> tuple[list[Value], list[Word]]:
    """The values of a text, and what in it is no value but tells values apart: times, and numbers that name things."""
    times = [moment for moment in moments(text) if moment.sure]
    figures = amounts(text, [(m.start, m.end) for m in times])
    labels = {n.start for n in figures if is_label(text, n)}
    found: list[Value] = [*times, *(n for n in figures if n.start not in labels)]
    found += [
        _label(text, n) for n in figures if n.start in labels and _LABEL.search(text, max(0, n.start - 24), n.start)
    ]
    found += named(text, [(value.start, value.end) for value in found])
    marks = [Word(m.start, m.end, f"@{_mark(m)}") for m in times if not m.text.isdigit()]
    marks += [Word(n.start, n.start + 1, f"~{'.'.join(sorted(n.words))}") for n in found if isinstance(n, Named)]
    marks += [Word(m.start(1), m.end(1), f"${m[1]}") for m in _CODE.finditer(text)]
    marks += [Word(n.start, n.end, f"#{n.text}") for n in figures if n.start in labels]
    return sorted(found, key=lambda value: value.start), marks


def _label(text: str, amount: Amount) -> Label:
    match = _LABEL.search(text, max(0, amount.start - 24), amount.start)
    noun = match[1].lower() if match else ""
    return Label(amount.start, amount.end, amount.text, "number" if noun in ("no", "nr") else noun)


_CODE = re.compile(r"(?<!\w)[`'\"]([\w./-]{2,40})[`'\"](?!\w)")


def _mark(moment: Moment) -> str:
    return ".".join("" if part is None else str(part) for part in moment.readings[0]) + moment.grain[0]


_LABEL = re.compile(
    r"\b(no|nr|number|page|line|row|article|clause|section|step|day|week|chapter|figure|table|item|route|room|platform|gate|version|"
    r"release|rule|phase|stage|option|building|block|terminal|flight|train|bus|tram|exit|ward|flat|appendix|annex|question|exercise|"
    r"lesson|episode|season|volume|class|grade|type|category|tier|port|seat|invoice|ticket|paragraph|zone|level|track|model|"
    r"dose|player|patient|arm|pump|pin|slot|tank|plot|stop|lane|court|hall|pier|test|study|experiment|scenario|layer|node|server|camera|"
    r"sensor|valve|reactor|account|support for)s?\.?[ ]#?\Z",
    re.IGNORECASE,
)
_CALLED = re.compile(r"(?<![.!?\n|][ ])(?<!\A)\b[A-Z][\w.]*[ ]\Z|[-/#.:]\Z")
_DAY = re.compile(
    r"\b(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|March|April|May|June|July|August|September|October|November|"
    r"December)[ ]\Z"
)


def is_numbered(text: str, amount: Amount) -> bool:
    """Whether a number stands behind a word for things that have numbers: the 9 of "table 9"."""
    return amount.bare and _LABEL.search(text, max(0, amount.start - 24), amount.start) is not None


def is_label(text: str, amount: Amount) -> bool:
    """Whether a number names something rather than counts: "Clause 9", "the 21st", part of a telephone number."""
    before = text[max(0, amount.start - 24) : amount.start]
    if amount.readings[0][0] == "ordinal":
        return bool(re.search(r"\bon the \Z", before))
    if not amount.bare or not amount.text[:1].isdigit():
        return False
    joined = re.match(r"[-–/.:]\d|[A-Z]", text[amount.end : amount.end + 2])
    if before.endswith(("(", "[")) and text[amount.end : amount.end + 1] in (")", "]"):
        return True  # a note
    return bool(joined or _LABEL.search(before) or (_CALLED.search(before) and not _DAY.search(before)))


def words_in(text: str, start: int, end: int) -> list[Word]:
    found = []
    for match in WORD.finditer(text, start, end):
        word = match[0].lower()
        if word in STOP:
            if text[match.start() - 1 : match.start()] == "-":  # "check-in" is not "check-out"
                found.append(Word(match.start(), match.end(), f"-{word}"))
            continue
        name = key(word)
        if name not in _LIGHT and (not word[0].isdigit() or YEAR.fullmatch(word)):
            found.append(Word(match.start(), match.end(), name))
    return found


def agree(one: Value, two: Value) -> bool:
    """Whether one value says the same as another."""
    if isinstance(one, Amount) and isinstance(two, Amount):
        return same(one, two)
    if isinstance(one, Moment) and isinstance(two, Moment):
        return _agree(one, two)
    if isinstance(one, Label) and isinstance(two, Label):
        return (one.noun, one.text) == (two.noun, two.text)
    return isinstance(one, Named) and isinstance(two, Named) and one.alike(two)


def _agree(one: Moment, two: Moment) -> bool:
    if one.grain == two.grain:
        return any(_fits(r, s) for r in one.readings for s in two.readings)
    if parts_of(one) != ("year",) or parts_of(two) != ("year",):
        return False
    (low, high), (first, last) = _years(one), _years(two)
    return low <= last and first <= high


def _years(moment: Moment) -> tuple[int, int]:
    """The first and the last year of a year, decade or century."""
    number = moment.number
    if moment.grain == "century":
        return 100 * number - 100, 100 * number - 1
    if moment.grain == "decade":
        return number, number + (99 if number % 100 == 0 else 9)
    return number, number


def _fits(one: Sequence[int | None], two: Sequence[int | None]) -> bool:
    pairs = [(a, b) for a, b in zip(one, two, strict=True) if a is not None and b is not None]
    return bool(pairs) and all(a == b for a, b in pairs)


def of_one_sort(one: Value, two: Value) -> bool:
    if isinstance(one, Amount) and isinstance(two, Amount):
        small, large = sorted((abs(one.value), abs(two.value)))
        return (
            comparable(one, two)
            and not same(two, one)
            and not (one.bare and small < 20 and large > 50 * max(1.0, small))
        )
    if isinstance(one, Moment) and isinstance(two, Moment):
        return parts_of(one) == parts_of(two)
    if isinstance(one, Label) and isinstance(two, Label):
        return one.noun == two.noun
    return isinstance(one, Named) and isinstance(two, Named) and not two.alike(one)


def parts_of(moment: Moment) -> tuple[str, ...]:
    if moment.grain not in _DATES:
        return (moment.grain,)
    year, month, day = moment.readings[0] if moment.grain == "date" else (1, None, None)
    if year is not None and month is None:
        return ("year",)
    return ("day",) if day is not None else ("month",)


def words_of(text: str) -> frozenset[str]:
    """The words of a text, and the times and numbered things in it, as slots have them."""
    _, marks = values_in(text)
    return frozenset(word.stem for word in [*words_in(text, 0, len(text)), *marks])


def stems_of(value: Value) -> frozenset[str]:
    return frozenset(stem(word.lower()) for word in WORD.findall(value.text))
