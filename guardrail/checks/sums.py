"""Calculations that the answer states, done again. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from guardrail.checks.amounts import Amount, amounts
from guardrail.checks.case import Case

__all__ = ["results", "spans", "sums"]

_OPERATORS = {
    "+": "+", "plus": "+", "-": "-", "−": "-", "–": "-", "minus": "-", "less": "-", "×": "*", "x": "*", "*": "*", "·": "*",
    "times": "*", "multiplied by": "*", "/": "/", "÷": "/", "divided by": "/", ":": "/",
}  # fmt: skip
_OPERATOR = re.compile(
    r"\s*(?:[A-Za-zµ°€$£%][\w/²³.€-]{0,14})?\s*(\+|plus\b|-|−|–|minus\b|less\b(?! than)|×|x(?=[ \d])|\*|·|times\b|"
    r"multiplied by\b|/|÷|divided by\b)\s*",
)
_EQUALS = re.compile(
    r"\s*(=|≈|equals?\b|is\b|are\b|makes?\b|gives?\b|comes to\b|totals?\b)\s*(?:(about|approximately|roughly|around|≈|~)\s*)?",
    re.I,
)
_OPERAND_BEFORE = re.compile(r"(?:\w|[)^*/+×÷=−√!-]\s?)\Z")
_OPERAND_AFTER = re.compile(r"\s?[\^²³*/+×÷!(√]|\s?[-−–]\s?\d|\s?[-−–=]\s?[\d(]|[a-zA-Z]\b(?!\s)")


@dataclass(frozen=True, slots=True)
class Sum:
    """A calculation in the answer: where it stands, what it should make, and what is said to come out."""

    start: int
    end: int
    right: bool
    result: Amount


def spans(case: Case) -> list[tuple[int, int]]:
    """Where the answer calculates: its numbers there are told by the calculation."""
    if "sums" not in case.shelf:
        case.shelf["sums"] = {(sum_.start, sum_.end) for sum_ in _equations(case)}
    return sorted(case.shelf["sums"])


def results(case: Case) -> list[Amount]:
    """The numbers of calculations that come out: what the answer has shown may be said again."""
    shown = [(sum_.start, sum_.end) for sum_ in sums(case) if sum_.right]
    return [amount for amount in case.figures if any(start <= amount.start < end for start, end in shown)] + [
        amount for amount in case.figures if any(start <= amount.start < end for start, end in spans(case))
    ]


def sums(case: Case) -> Iterator[Sum]:
    """The calculations that the answer states: equations, powers, totals, rises, ages. They need no evidence."""
    yield from _equations(case)
    yield from _powers(case)
    yield from _totals(case)
    yield from _changes(case)
    yield from _changes_first(case)
    yield from _ages(case)
    yield from _rests(case)
    yield from _shares(case)
    yield from _explained(case)


def _equations(case: Case) -> Iterator[Sum]:
    figures, text = case.figures, _plain_text(case.prose)
    at = 0
    while at < len(figures):
        used, found = _equation(text, figures, at)
        if found is not None:
            yield found
        at += used


def _plain_text(text: str) -> str:
    """Without marks of bold type, places kept."""
    return re.sub(r"\*\*|__", "  ", text)


def _equation(text: str, figures: list[Amount], at: int) -> tuple[int, Sum | None]:
    """How many numbers were read from ``at`` on, and the equation if they make one."""
    terms, signs = [figures[at]], []
    if _OPERAND_BEFORE.search(text[max(0, figures[at].start - 2) : figures[at].start]):
        return 1, None
    while at + len(terms) < len(figures):
        following = figures[at + len(terms)]
        between = text[terms[-1].end : following.start]
        if sign := _OPERATOR.fullmatch(between):
            signs.append(_OPERATORS[sign[1]])
        elif not signs and _OF.fullmatch(between) and terms[0].readings[0][0] in ("percent", "share"):
            signs.append("of")
        else:
            break
        terms.append(following)
    if not signs or at + len(terms) >= len(figures):
        return 1, None
    result = figures[at + len(terms)]
    equals = _EQUALS.fullmatch(re.sub(r"^\s*[a-z]+(?= [=≈]| is\b)", "", text[terms[-1].end : result.start]))
    if equals is None or _OPERAND_AFTER.match(text, result.end):
        return 1, None
    if equals[1] not in "=≈" and _TIGHT.search(text[terms[0].start : terms[-1].end]):  # "2017-2019 is" is a range
        return 1, None
    value = _calculated(terms, signs)
    if value is None:
        return 1, None
    right = any(
        _makes(value * factor, result, bool(equals[2]) or equals[1] == "≈") for factor in _scales(terms, result)
    )
    return len(terms), Sum(terms[0].start, result.end, right, result)


_TIGHT = re.compile(r"\d[-–/]\d")
_OF = re.compile(r" of (?:the |its |these )?", re.IGNORECASE)


def _calculated(terms: list[Amount], signs: list[str]) -> float | None:
    """The value, products before sums."""
    if _is_discount(terms, signs):
        return terms[0].figure * (1 + (1 if signs[0] == "+" else -1) * terms[1].figure / 100)
    values = [_plain(term, "of" in signs or "*" in signs) for term in terms]
    rest: list[str] = []
    stack = [values[0]]
    for sign, value in zip(signs, values[1:], strict=True):
        if sign in ("*", "of"):
            stack[-1] *= value
        elif sign == "/":
            if not value:
                return None
            stack[-1] /= value
        else:
            rest.append(sign)
            stack.append(value)
    return stack[0] + sum(value if sign == "+" else -value for sign, value in zip(rest, stack[1:], strict=True))


def _is_discount(terms: list[Amount], signs: list[str]) -> bool:
    """Whether a percentage is taken of the number that it is added to or taken from: "€800 less 10 %"."""
    percents = [term.readings[0][0] == "percent" for term in terms]
    return percents == [False, True] and signs[0] in "+-"


def _plain(term: Amount, share: bool) -> float:
    return term.figure / 100 if share and term.readings[0][0] == "percent" else term.figure


def _scales(terms: list[Amount], result: Amount) -> tuple[float, ...]:
    """What the result may be multiplied by because it stands in another unit, or is a percentage."""
    if result.readings[0][0] == "percent" and all(term.readings[0][0] != "percent" for term in terms):
        return (1.0, 100.0)
    units = {
        (term.readings[0][0], round(term.value / term.figure, 9)) for term in terms if term.figure and not term.bare
    }
    if len(units) == 1 and result.figure and not result.bare:
        name, size = units.pop()
        if name == result.readings[0][0]:
            return (1.0, size / (result.value / result.figure))
    return (1.0,) if len(units) <= 1 else (1.0, 60.0, 1 / 60, 1000.0, 0.001, 100.0, 0.01)


def _makes(value: float, result: Amount, about: bool) -> bool:
    """Whether ``value``, rounded as far as the result is, is the result."""
    size = abs(result.value / result.figure) if result.figure else 1.0
    step = result.step / size if size else result.step
    whole = step >= 1 and not about and not result.about
    allowed = 1e-6 * abs(value) if whole and step > 1 else 0.5001 * step
    if whole and step == 1:
        ends = abs(4 * value - round(4 * value)) < 1e-9 and abs(value) < 100  # 12.5 is not written as 12
        allowed = 1e-6 if ends else 0.5001
    if about or result.about:
        allowed = max(allowed, 0.05 * abs(value))
    return abs(value - result.figure) <= allowed + 1e-9 or (step < 1 and abs(value - result.figure) < step)


_POWER = re.compile(
    r"(?<![\w.])(\d+(?:\.\d+)?)([²³]|\^[23]| squared| cubed)\s*(?:=|is|equals)\s*([\d,]+(?:\.\d+)?)(?![\w^²³]|\s?[-+*/×])"
)


def _powers(case: Case) -> Iterator[Sum]:
    for match in _POWER.finditer(case.answer):
        power = 3 if match[2].strip() in ("³", "^3", "cubed") else 2
        for result in amounts(match[3])[:1]:
            right = abs(float(match[1]) ** power - result.value) <= result.step / 2
            yield Sum(match.start(), match.end(), right, result)


_TOTAL = re.compile(
    r"\b(?:in total|a total of|total of|totalling|totaling|in all|altogether|adds? up to|adding up to|sums? to)\b", re.I
)


def _totals(case: Case) -> Iterator[Sum]:
    """Totals of the numbers that the same sentence has named."""
    for claim in case.claims:
        cue = _TOTAL.search(claim.text)
        if not cue:
            continue
        inside = [
            a
            for a in case.amounts
            if claim.start <= a.start < claim.end and a.readings[0][0] not in ("ordinal", "share")
        ]
        near = [a for a in inside if a.start >= claim.start + cue.start() - 8 or a.end > claim.start + cue.start() - 8]
        at = claim.start + cue.start()
        total = next((a for a in inside if a.start >= at), None) or next(
            (a for a in reversed(near) if a.end <= at), None
        )
        if total is None:
            continue
        parts = [a for a in inside if a.end <= min(total.start, at) and a.readings[0][0] == total.readings[0][0]]
        if len(parts) >= 2 and not any(same_value(total, fact) for sentence in case.facts for fact in sentence):
            yield Sum(total.start, total.end, abs(sum(p.value for p in parts) - total.value) <= total.step / 2, total)


def same_value(one: Amount, two: Amount) -> bool:
    """Whether two numbers have one value."""
    return abs(one.value - two.value) <= 1e-6 * abs(two.value)


_FROM_TO = re.compile(r"\bfrom\b", re.IGNORECASE)
_CHANGE = re.compile(
    r"\b(increase|rise|growth|gain|jump|decrease|drop|fall|decline|reduction|up|down|rose|fell|grew|dropped)\b", re.I
)


def _changes(case: Case) -> Iterator[Sum]:
    """Rises and falls in per cent between two numbers that the same sentence names."""
    for claim in case.claims:
        inside = [a for a in case.amounts if claim.start <= a.start < claim.end]
        for one, two, change in zip(inside, inside[1:], inside[2:], strict=False):
            between = case.prose[one.end : two.start]
            told = case.prose[max(claim.start, one.start - 12) : one.start]
            reason = case.prose[two.end : change.start]
            if change.readings[0][0] != "percent" or one.readings[0][0] != two.readings[0][0] or not one.value:
                continue
            if _FROM_TO.search(told) and between.strip(" ").endswith("to") and _CHANGE.search(reason):
                value = abs(two.value - one.value) / abs(one.value) * 100
                yield Sum(change.start, change.end, _makes(value, change, change.about), change)


_BY_FROM = re.compile(r",? (?:from )\Z", re.IGNORECASE)


def _changes_first(case: Case) -> Iterator[Sum]:
    """The same where the change is named first: "fell by 40 %, from 250 to 150"."""
    for claim in case.claims:
        inside = [a for a in case.amounts if claim.start <= a.start < claim.end]
        for change, one, two in zip(inside, inside[1:], inside[2:], strict=False):
            if (
                change.readings[0][0] != "percent"
                or one.readings[0][0] != two.readings[0][0]
                or not one.value
                or "p" in change.text
            ):
                continue
            told, between = case.prose[claim.start : change.start], case.prose[one.end : two.start]
            if (
                _BY_FROM.search(case.prose[change.end : one.start])
                and between.strip() == "to"
                and _CHANGE.search(told[-24:])
            ):
                value = abs(two.value - one.value) / abs(one.value) * 100
                yield Sum(change.start, change.end, _makes(value, change, change.about), change)


_LESS = re.compile(
    r"\b(?:less(?! than)|minus|after (?:deducting|subtracting)|deducting|subtracting|taking (?:off|away))\b",
    re.IGNORECASE,
)
_LEAVES = re.compile(r"\b(?:leav(?:es?|ing)|makes?|gives?|comes? to|remain\w*|left)\b", re.IGNORECASE)


def _rests(case: Case) -> Iterator[Sum]:
    """What is left where the answer takes one number from the one before: "41 m. Less 3 m, that leaves 38 m"."""
    for cue in _LESS.finditer(case.prose):
        before = [a for a in case.amounts if cue.start() - 60 < a.end <= cue.start()]
        after = [a for a in case.amounts if cue.end() <= a.start < cue.end() + 80][:2]
        if not before or len(after) < 2 or after[0].start > cue.end() + 12:
            continue
        whole, part, rest = before[-1], *after
        if len({a.readings[0][0] for a in (whole, part, rest)}) == 1 and _LEAVES.search(
            case.prose, part.end, rest.start
        ):
            factor = rest.value / rest.figure if rest.figure else 1.0
            yield Sum(rest.start, rest.end, _makes((whole.value - part.value) / factor, rest, rest.about), rest)


_PARTS = re.compile(r" (?:of|out of) (?:the |its |all |these )?")
_MAKES = re.compile(
    r"\b(?:rate|share|proportion|i\.e|that is|which is|makes?|comes? to|equals?|or)\b|[=(]", re.IGNORECASE
)


def _shares(case: Case) -> Iterator[Sum]:
    """Percentages of "28 of 80" that are stated in the same sentence and not at hand."""
    for claim in case.claims:
        inside = [a for a in case.amounts if claim.start <= a.start < claim.end]
        for part, whole, share in zip(inside, inside[1:], inside[2:], strict=False):
            if share.readings[0][0] != "percent" or not (part.bare and whole.bare and 0 < part.value <= whole.value):
                continue
            if not _PARTS.fullmatch(case.prose, part.end, whole.start) or not _MAKES.search(
                case.prose, whole.end, share.start
            ):
                continue
            made = 100 * part.value / whole.value
            right = any(_makes(value, share, share.about) for value in (made, 100 - made))
            if share.bound or any(same_value(share, fact) for sentence in case.facts for fact in sentence):
                continue
            yield Sum(share.start, share.end, right, share)


_AGE = re.compile(r"\b(?:(?:at )?the age of|aged|at age)\s+(\d{1,3})\b", re.IGNORECASE)


def _ages(case: Case) -> Iterator[Sum]:
    """Ages at death in a sentence with the years of birth and death."""
    for claim in case.claims:
        match = _AGE.search(claim.text)
        years = [m.readings[0][0] for m in case.moments if claim.start <= m.start < claim.end and m.grain == "date"]
        known = [year for year in years if year]
        if match and len(known) == 2 and "born" in claim.text and "died" in claim.text:
            start = claim.start + match.start(1)
            (age, *_) = amounts(match[1])
            yield Sum(
                start, start + len(match[1]), int(match[1]) in (known[1] - known[0], known[1] - known[0] - 1), age
            )


_BRACKET = re.compile(
    r"(?:[ ]+[^\W\d_][\w/²³-]*){0,4}(?:[ ]?\((?P<in>[^()=≈]{3,60})\)|[:,][ ](?:i\.e\. |that is |namely )?(?P<on>[^()=≈:;,\n]{3,60}?)(?:[;\n]|\.?\Z|\.\s))"
)


def _explained(case: Case) -> Iterator[Sum]:
    """Results with their reckoning in brackets behind them: "78 points (0.6 × 70 + 0.4 × 90)"."""
    text = _plain_text(case.prose)
    for result in case.figures:
        match = _BRACKET.match(text, result.end)
        if match is None:
            continue
        start, end = match.span("in" if match["in"] else "on")
        terms = [a for a in case.figures if start <= a.start < end]
        if len(terms) < 2 or text[start : terms[0].start].strip() or text[terms[-1].end : end].strip():
            continue
        between = [_OPERATOR.fullmatch(text, one.end, two.start) for one, two in pairwise(terms)]
        if not all(between) or _TIGHT.search(text, start, end):
            continue
        value = _calculated(terms, [_OPERATORS[sign[1]] for sign in between if sign])
        if value is not None:
            right = any(_makes(value * factor, result, result.about) for factor in _scales(terms, result))
            yield Sum(result.start, result.end, right, result)
