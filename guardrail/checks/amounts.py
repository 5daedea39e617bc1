"""Numbers and quantities: where they stand, and what they are worth. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

from guardrail.checks.spelled import ORDINALS, spelled
from guardrail.checks.units import CURRENCY_SIGNS, SCALES, UNITS, Meaning

__all__ = ["Amount", "amounts"]

_DIGITS = r"\d{1,3}(?:[,\u00a0\u202f’']\d{3})+(?!\d)(?:\.\d+)?|\d+(?:[.,]\d+)*"
_FIGURE = re.compile(rf"(?<![\w.,])(?:{_DIGITS})|(?<![\d])[½¼¾⅓⅔]")
_HALVES = {"½": 1 / 2, "¼": 1 / 4, "¾": 3 / 4, "⅓": 1 / 3, "⅔": 2 / 3}
_SCALE = re.compile(
    r"(?:[  -]?(hundred|thousand|millions?|billions?|trillion|mn|bn|tn|lakh|crore|dozen|HUNDRED|THOUSAND|MILLION|BILLION|TRILLION|"
    r"Hundred|Thousand|Million|Billion|Trillion)|([kKMBmb]))\b"
)
_NTH = re.compile(r"(?:st|nd|rd|th)\b")
_NAMES = "(" + "|".join(re.escape(name) for name in sorted(UNITS, key=len, reverse=True)) + r")(?![\w/²³])"
_UNIT = re.compile(r"[  ]?-?" + _NAMES)
_UP_TO = re.compile(r"[  ]?(?:[-–—]|to\b|or\b|and\b)[  ]?(?=[\d$€£])")
"""What may stand between two numbers of which only the second has the unit."""
_UP_TO_UNIT = re.compile(r"\d[\d.,]*" + _UNIT.pattern)
_UP_TO_SCALE = re.compile(r"\d[\d.,]*[  ]?(hundred|thousand|million|billion|trillion|mn|bn|tn)\b")
_UP_FROM = re.compile(r"(" + "|".join(re.escape(sign) for sign in CURRENCY_SIGNS) + r")[  ]?\d[\d.,]*[  ]?[-–—][  ]?\Z")
_CURRENCY = re.compile("(" + "|".join(re.escape(sign) for sign in CURRENCY_SIGNS) + r")[  ]?\Z")
_ABOUT = re.compile(
    r"(?:\b(?:about|around|roughly|approximately|approx\.?|nearly|almost|some|circa|c\.|ca\.|over|under|more than|"
    r"less than|fewer than|close to|an estimated|estimated)|[~≈>±])[ ]?\Z",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"(?:\b(?:over|more than|above|exceed(?:s|ed|ing)?|upwards of|greater than|beyond)|>)(?: an?)?[ ]?\Z", re.I
)
_UNDER = re.compile(
    r"(?:\b(?:under|less than|fewer than|below|almost|nearly|not quite|just short of)|<)(?: an?)?[ ]?\Z",
    re.I,
)
_LONGEST = 30
"""Characters of a number; more digits than that are none that anybody means."""
_PER = re.compile(
    r"(?: (?:\w+ ){0,2}(?:per|an?|each|every|0?1)[ ]+|[ ]?/[ ]?|[ ](?=\w+ly\b))(minute|second|hour|day|week|month|year|hourly|daily|weekly|monthly|yearly|annually|annum)\b",
    re.IGNORECASE,
)
_EACH = {
    "hourly": "hour",
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "yearly": "year",
    "annually": "year",
    "annum": "year",
}
_LETTER = re.compile(r"[A-Z](?![a-z])|[a-f]\b")
_JOINED = re.compile(r"[A-Za-z\ufffc_#@][-–.]?\Z|[A-Za-z]\+\Z")
_PLACE = re.compile(rf"\b({'|'.join(list(ORDINALS)[1:12])})\b", re.IGNORECASE)
_FRACTION = re.compile(r"(?<![\d/.])(\d{1,2})/(\d{1,2})(?![\d/])")


@dataclass(frozen=True, slots=True)
class Amount:
    """One number with its unit."""

    start: int
    end: int
    text: str
    readings: tuple[tuple[str, float], ...]
    """Dimension and value in its base unit; several where a word has several meanings. The dimension of a bare
    number is empty, ``share`` for a fraction of something, ``ordinal`` for a place in a row."""
    step: float
    """The value of the last digit that was written and is no trailing nought: what rounding may hide, in the
    same unit as the first reading."""
    digits: int
    """How many digits are significant."""
    about: bool
    """Whether it is said to be rounded."""
    bound: str
    """``over`` or ``under`` where it is said to be a bound, else empty."""
    figure: float
    """The number without its unit."""
    written: float
    """The number without "thousand" or "million" too: tables leave them out."""
    per: str = ""
    """The time that it is for: ``month`` in "14 euros a month"."""
    bare: bool = field(init=False)
    """Whether no unit is known."""
    value: float = field(init=False)
    """The value of the first reading."""

    def __post_init__(self) -> None:
        """Work out once what is asked for often."""
        object.__setattr__(self, "bare", self.readings[0][0] in ("", "share", "ordinal"))
        object.__setattr__(self, "value", self.readings[0][1])


def amounts(text: str, taken: Iterable[tuple[int, int]] = ()) -> list[Amount]:
    """The numbers of ``text``, in order, but for those inside of ``taken`` places."""
    busy = bytearray(len(text) + 1)
    for start, end in taken:
        busy[start:end] = b"\1" * (end - start)
    found = []
    for amount in _candidates(text):
        if not any(busy[amount.start : amount.end]):
            busy[amount.start : amount.end] = b"\1" * (amount.end - amount.start)
            found.append(amount)
    return _joined(text, sorted(found, key=lambda amount: amount.start))


_JOINT = re.compile(r",?[ ](?:and[ ])?|[ ]?")
_JOINABLE = ("time", "length", "mass")
_HOURS_AND = re.compile(r"\d[  ]?h\Z")


def _joined(text: str, found: list[Amount]) -> list[Amount]:
    """With "an hour and twenty minutes" as one number: a quantity and the rest of it in a smaller unit."""
    left: list[Amount] = []
    for amount in found:
        if left and _goes_on(text, left[-1], amount):
            one = left.pop()
            factor = 60.0 if amount.bare else amount.value / amount.figure  # "1 h 50"
            total = one.value + factor * amount.figure
            readings = ((one.readings[0][0], total),)
            left.append(replace(one, end=amount.end, text=text[one.start : amount.end], readings=readings, step=amount.step,
                                digits=3, figure=total / factor, written=total / factor))  # fmt: skip
        else:
            left.append(amount)
    return left


def _goes_on(text: str, one: Amount, two: Amount) -> bool:
    (name, whole), (other, rest) = one.readings[0], two.readings[0]
    if (
        _HOURS_AND.search(one.text)
        and two.text.isdigit()
        and len(two.text) == 2
        and text[one.end : two.start] in ("", " ")
    ):
        return two.value < 60
    if name != other or name not in _JOINABLE or not one.figure or not two.figure:
        return False
    return 0 < rest < whole / one.figure and _JOINT.fullmatch(text[one.end : two.start]) is not None


_FEET = re.compile(
    r"(?<![\w.])(\d{1,2})[ ]?(?:ft|feet|foot|['′])[ ]?(\d{1,2})(?:[ ]?(?:in|inch|inches)\b|[\"″])?(?!\w)"
)


_WHOLE = re.compile(
    r"\b(an?) (hour|day|week|month|year)(?= and (?:\w+-)?\w+ (?:minutes?|seconds?|hours?|days?|weeks?|months?)\b)",
    re.IGNORECASE,
)


_LASTING = re.compile(
    r"(?<=\bfor )(an?) (week|month|year|day|fortnight|decade)\b(?! or | and a half)|(?<=\bwithin )(an?) (week|month|year|day|fortnight)\b|"
    r"(?<=\blasts )(an?) (week|month|year|day|fortnight|decade)\b|(?<=\btakes )(an?) (week|month|year|day|fortnight)\b"
)
"""A single one that is a length of time: "for a week"."""


def _wholes(text: str) -> Iterator[Amount]:
    """The "an hour" of "an hour and twenty minutes"."""
    for match in chain(_WHOLE.finditer(text), _LASTING.finditer(text)):
        unit = next(group for group in match.groups()[1::2] if group).lower()
        name, factor, _ = UNITS[unit][0]
        yield Amount(match.start(), match.end(), match[0], ((name, factor),), factor, 1, False, "", 1.0, 1.0)


def _feet(text: str) -> Iterator[Amount]:
    for match in _FEET.finditer(text):
        inches = 12.0 * int(match[1]) + int(match[2])
        yield Amount(
            match.start(), match.end(), match[0], (("length", inches * 0.0254),), 0.0254, 3, False, "", inches, inches
        )


def _candidates(text: str) -> Iterator[Amount]:
    yield from _feet(text)
    yield from _wholes(text)
    for match in _FRACTION.finditer(text):
        if int(match[2]) and int(match[1]) < int(match[2]):
            value = int(match[1]) / int(match[2])
            yield from _amount(text, match.start(), match.end(), (value,), match[0], share=True)
    for match in _FIGURE.finditer(text):
        if not _JOINED.search(text[max(0, match.start() - 2) : match.start()]):
            yield from _figure(text, match)
    for start, end, value, share, unit in spelled(text):
        if unit:
            readings = tuple((name, value * factor) for name, factor, _ in UNITS[unit])
            yield Amount(start, end, text[start:end], readings, readings[0][1] / value / 10, 2, False, "", value, value)
        else:
            yield from _amount(text, start, end, (value,), f"{value:g}", share=share)
    for match in _PLACE.finditer(text):
        value = float(ORDINALS[match[0].lower()])
        yield Amount(match.start(), match.end(), match[0], (("ordinal", value),), 1.0, 2, False, "", value, value)


def _figure(text: str, match: re.Match[str]) -> Iterator[Amount]:
    start, end, written = match.start(), match.end(), match[0]
    if nth := _NTH.match(text, end):
        value = float(written) if written.isdigit() else 0.0
        yield Amount(start, nth.end(), text[start : nth.end()], (("ordinal", value),), 1.0, 2, False, "", value, value)
        return
    values = _values(written)
    if (half := _HALF_AFTER.match(text, end)) and written.isdigit() and values:
        values, end, written = (values[0] + _HALVES[half[1]],), half.end(), f"{values[0] + _HALVES[half[1]]:g}"
    yield from _amount(text, start, end, values, written, share=False)


_HALF_AFTER = re.compile(r"[  ]?([½¼¾⅓⅔])")


def _values(written: str) -> tuple[float, ...]:
    """What the figures may be worth: a comma or a full stop parts thousands or decimals."""
    if len(written) > _LONGEST:
        return ()
    if written in _HALVES:
        return (_HALVES[written],)
    plain = re.sub(r"[\u00a0\u202f’']", "", written)
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", plain):
        return (float(plain.replace(",", "")),)
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?", plain):
        thousands = float(plain.replace(".", "").replace(",", "."))
        return (float(plain), thousands) if plain.count(".") == 1 and "," not in plain else (thousands,)
    if re.fullmatch(r"\d+,\d{1,2}", plain):
        return (float(plain.replace(",", ".")),)
    try:
        return (float(plain),)
    except ValueError:
        return ()


def _amount(
    text: str, start: int, end: int, values: tuple[float, ...], written: str, *, share: bool
) -> Iterator[Amount]:
    if not values:
        return
    money = _CURRENCY.search(text[max(0, start - 5) : start])
    scale, end, glued = _scaled(text, end, money is not None)
    unit = None if glued and scale != 1 and glued not in "m" else _UNIT.match(text, end)
    if scale == 1 and not unit and _LETTER.match(text, end):
        return  # "5X" is a name
    further = _UP_TO.match(text, end) if not unit and text[start : start + 1].isdigit() else None
    lead, money = money, money or _UP_FROM.search(text[max(0, start - 16) : start])
    if further and scale == 1 and (more := _UP_TO_SCALE.match(text, further.end())):
        scale = SCALES[more[1]]
    shared = _UP_TO_UNIT.match(text, further.end()) if further and scale == 1 and not money else None
    meanings: tuple[Meaning, ...] = UNITS[money[1]] if money else ()
    if unit and not money:
        meanings = UNITS[unit[1]]
        end = unit.end()
    elif shared and shared[1] != "in":
        meanings = UNITS[shared[1]]
    figures = [value * scale for value in values]
    readings = [(name, value * factor + add) for name, factor, add in meanings for value in figures]
    if glued == "m" and not money:  # "330m" is metres or millions
        end -= 0
        readings = [("length", values[0]), ("", values[0] * 1e6)]
    if any(name == "celsius" for name, _ in readings) and re.search(
        r"(?:^|[ (])[-−–]\Z", text[max(0, start - 2) : start]
    ):
        readings += [(name, -value * factor + add) for name, factor, add in meanings for value in figures]
    readings = readings or [("share" if share else "", value) for value in figures]
    step, digits = _precision(written, figures[0], scale, readings[0][1])
    begin = start - len(lead[0]) if lead else start
    before = text[max(0, begin - 20) : begin]
    bound = "over" if _OVER.search(before) else "under" if _UNDER.search(before) else ""
    about = bool(_ABOUT.search(before)) or (share and not text[start].isdigit())  # "two thirds" is seldom exact
    per = _PER.match(text, end)
    each = _EACH.get(per[1].lower(), per[1].lower()) if per else ""
    yield Amount(begin, end, text[begin:end], tuple(readings), step, digits, about, bound, figures[0], values[0], each)


def _scaled(text: str, end: int, money: bool) -> tuple[float, int, str]:
    """The scale after a number, where it ends, and the single letter that it was."""
    match = _SCALE.match(text, end)
    if not match:
        return 1.0, end, ""
    if match[2] and match[2] in "Bb" and not money:
        return 1.0, end, ""
    if match[2] == "M" and not money and text[end : end + 2] in ("MB", "MW"):
        return 1.0, end, ""
    return SCALES[match[1].lower() if match[1] else match[2]], match.end(), match[2] or ""


def _precision(written: str, figure: float, scale: float, base: float) -> tuple[float, int]:
    digits = re.sub(r"[^\d.]", "", written.replace(",", "") if "." in written or len(written) > 4 else written)
    decimals = len(digits.partition(".")[2])
    significant = digits.replace(".", "").lstrip("0")
    trimmed = significant if decimals else significant.rstrip("0")
    step = scale * 10.0 ** (-decimals if decimals else len(significant) - len(trimmed))
    ratio = abs(base / figure) if figure else 1.0
    return step * ratio, max(1, len(trimmed))
