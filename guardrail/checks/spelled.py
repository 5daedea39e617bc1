"""Numbers written as words, and fractions. Pure, and English.

Own code rather than a library's: ``text2num`` gives no places for plain text and its search panics when a
token lacks a method; ``quantulum3`` takes five seconds for its first sentence. What is needed is few lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["ORDINALS", "spelled"]

_DIGITS = "one two three four five six seven eight nine"
_OTHERS = (
    "zero ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen "
    "twenty thirty forty fifty sixty seventy eighty ninety"
)
_BIG = "hundred thousand million billion trillion"
_SMALL = "|".join(f"{_DIGITS} {_OTHERS}".split())
_LARGE = "|".join(_BIG.split())
_RUN = re.compile(
    rf"\b(?:a[ ](?:{_LARGE})|{_SMALL})\b(?:[ -](?:{_SMALL}|{_LARGE})\b|[ ]and[ ](?=(?:{_SMALL})\b)(?:{_SMALL})\b)*",
    re.IGNORECASE,
)
_PART = {"half": 1 / 2, "halves": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "fifth": 1 / 5, "tenth": 1 / 10,
         "sixth": 1 / 6, "eighth": 1 / 8, "two-third": 2 / 3}  # fmt: skip
_FRACTION = re.compile(
    rf"\b(?:(a|an|one|two|three|four|five|seven|nine)[ -](half|third|quarter|fifth|sixth|eighth|tenth)s?\b"
    rf"(?:[ ]of[ ]an?[ ](hundred|thousand|million|billion|trillion|hour|day|year|century|mile|litre|liter|kilo|kilogram|pound|pint|metre|meter|kilometre|gallon|cup|teaspoon)\b)?"
    rf"|(half|quarter)\b(?:\s+an?\b(?:\s+({_LARGE}|dozen)\b)?)?)(?!-)",
    re.IGNORECASE,
)
_AND_A_HALF = re.compile(
    rf"\b({_SMALL}|an?)(?:\s+([a-z]+))?\s+and\s+(?:(?:a|one)\s+(half|quarter)|three[ -](quarters?))\b", re.IGNORECASE
)
_DOZEN = re.compile(rf"\b(?:(a|{_SMALL})\s+)?dozen\b", re.IGNORECASE)
_SCALE = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "dozen": 12.0}
_HALVED = frozenset("hour hours day days month year years million".split())
_WORTH = {word: float(at) for at, word in enumerate(_DIGITS.split(), 1)}
_WORTH |= {
    word: float(at)
    for at, word in enumerate(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(), 10
    )
}
_WORTH |= {
    word: 10.0 * at for at, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_WORTH["zero"] = 0.0
ORDINALS = {
    word: place
    for place, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
        "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first".split(),
        1,
    )
}
"""Ordinal words and what they stand for."""


def spelled(text: str) -> Iterator[tuple[int, int, float, bool, str]]:
    """Start, end, value, whether it is a share of something, and a unit that stands within, for each number in words."""
    taken: list[tuple[int, int]] = []
    for start, end, value, share, unit in _candidates(text):
        if not any(start < other_end and other < end for other, other_end in taken):
            taken.append((start, end))
            yield start, end, value, share, unit


def _candidates(text: str) -> Iterator[tuple[int, int, float, bool, str]]:
    for match in _AND_A_HALF.finditer(text):
        if match[2] is None or match[2].lower() in _HALVED:
            whole = 1.0 if match[1].lower() in ("a", "an") else _value(match[1])
            if whole is not None:
                unit = (match[2] or "").lower()
                part = _PART[match[3].lower()] if match[3] else 3 / 4
                value = (whole + part) * _SCALE.get(unit, 1.0)
                yield match.start(), match.end(), value, False, "" if unit in _SCALE else unit
    for match in _FRACTION.finditer(text):
        count = 1.0 if match[1] is None or match[1].lower() in ("a", "an") else _value(match[1])
        part = _PART[(match[2] or match[4]).lower()]
        scale = _SCALE.get((match[3] or match[5] or "").lower())
        if count is not None and match[3] and scale is None:
            yield match.start(), match.end(), count * part, False, match[3].lower()
        elif count is not None:
            yield match.start(), match.end(), count * part * (scale or 1.0), scale is None, ""
    for match in _DOZEN.finditer(text):
        count = 1.0 if match[1] is None or match[1].lower() == "a" else _value(match[1])
        if count is not None:
            yield match.start(), match.end(), 12 * count, False, ""
    for match in _RUN.finditer(text):
        worth = _value(re.sub(r"^an?[ -]", "one ", match[0], flags=re.IGNORECASE))
        if worth is not None:
            yield match.start(), match.end(), worth, False, ""
        else:
            yield from _apart(match)


def _apart(match: re.Match[str]) -> Iterator[tuple[int, int, float, bool, str]]:
    """The numbers of "thirty and forty", which are two."""
    at = match.start()
    parts = re.split(r"( and )", match[0])
    for part in parts if len(parts) > 1 else ():
        worth = None if part == " and " else _value(part)
        if worth is not None:
            yield at, at + len(part), worth, False, ""
        at += len(part)


def _value(words: str) -> float | None:
    """What the words say; None where they are several numbers in a row, such as a year's two halves."""
    total = part = 0.0
    for word in re.split(r"[ -]+", words.lower()):
        if word in _WORTH:
            if not _fits(part, _WORTH[word]):
                return None
            part += _WORTH[word]
        elif word == "hundred":
            part = (part or 1) * 100
        elif word in _SCALE:
            total, part = total + (part or 1) * _SCALE[word], 0.0
    return total + part


def _fits(part: float, worth: float) -> bool:
    """Whether a number may go on with another: "twenty" with "one", "hundred" with anything below."""
    return part % 100 == 0 if worth >= 10 else part % 10 == 0 and part % 100 != 10
