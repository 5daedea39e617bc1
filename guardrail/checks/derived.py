"""Whether a number follows from others: sums, differences, shares, means, products. Pure.

What may have been done is told by the words of the clause: "together" adds, "left" takes away. Without such words a
number follows only from few others, or when it has so many figures that they do not agree by chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, chain, combinations, permutations

from guardrail.checks.amounts import Amount
from guardrail.checks.support import close, comparable

__all__ = ["cues", "derived", "multiples"]

_FEW = 12
"""Of so few numbers, any may be combined; of more, only those of one sentence."""
_SMALL = 7
"""Of so few, three may be combined."""
_MANY = 80
"""The same for a number of three or more significant digits."""
_EXACT = 1e-6
_CUES = {
    "mean": re.compile(r"\b(?:averag\w*|mean|median)\b", re.IGNORECASE),
    "sum": re.compile(
        r"\b(?:total\w*|altogether|together|combined|in all|sum|adds?|adding|overall|both|whole|all|plus|counting|including|out of|"
        r"makes?|gives?|comes? to|amounts?|half|i\.e|that is|so)\b|=", re.IGNORECASE,
    ),
    "difference": re.compile(
        r"\b(?:by|more|fewer|less|below|above|lead\w*|led|ahead|behind|gap|differ\w*|margin|left|leav\w+|remain\w*|short|free|missing|sav\w+|"
        r"rest|(?:up|down) (?:by|from)|older|younger|longer|shorter|higher|lower|taller|heavier|lighter|cheaper|dearer|faster|slower|profit|"
        r"loss|surplus|change\w*|drop\w*|fell|fall\w*|rose|ris\w+|grew|grow\w*|increas\w+|decreas\w+|reduc\w+|gain\w*|shr[aiu]nk\w*|lost|loses?|others?|pay|"
        r"needed|majority|i\.e|that is|net|after|makes?|so)\b|=", re.IGNORECASE,
    ),
    "perimeter": re.compile(r"\b(?:perimeter|all (?:the way )?round|fenc\w+|circumference)\b", re.IGNORECASE),
    "rest": re.compile(
        r"\b(?:rest|others?|remain\w*|left|leav\w+|not|no|none|never|without|majority|against|fail\w*|else|free|unused|discount\w*|off|net|instead|"
        r"sav\w+|pay|missing|empty|out of|only|just|lacks?)\b|n['’]t\b", re.IGNORECASE,
    ),
    "product": re.compile(
        r"\b(?:per|each|every|times|twice|double|triple|half|third|quarter|cost\w*|price\w*|pay\w*|total\w*|altogether|makes?|apiece|"
        r"works? out|comes? to|gives?|giving|yields?|earn\w*|worth|multipl\w+|factor|scal\w+|amounts?|corresponds?|ratio|a (?:day|week|month|year|head|person|piece)|daily|weekly|monthly|yearly|"
        r"annual\w*|would|you get|enough|rate|lasts?|takes?|needs?|speed|area|of (?:the|all)|i\.e|that is|so)\b|=|×", re.IGNORECASE,
    ),
}  # fmt: skip


def cues(text: str) -> frozenset[str]:
    """What a clause says has been done with numbers: ``mean``, ``sum``, ``difference``, ``product``."""
    found = frozenset(name for name, pattern in _CUES.items() if pattern.search(text))
    return found & {"mean", "rest"} if "mean" in found else found


def derived(
    said: Amount,
    facts: Sequence[Sequence[Amount]],
    told: frozenset[str] = frozenset(_CUES),
    *,
    scale: float = 1.0,
    times: frozenset[float] = frozenset(),
    change: str = "",
) -> bool:
    """Whether numbers of one sentence, or of all where they are few, make the number ``said``.

    ``told``: what may have been done with them. ``scale``: what a bare number in the evidence may stand for. ``times``: what
    any number may be multiplied or divided by. ``change``: ``up`` or ``down`` where a percentage is said to be a rise or a fall.
    """
    few = [amount for sentence in facts for amount in sentence]
    groups: Iterable[Sequence[Amount]] = [few, *facts] if len(few) <= _FEW else facts
    if said.digits >= 3 and len(few) <= _MANY:  # so many figures do not agree by chance
        groups = [few, *facts]
    if "product" in told and _multiplied(said, few, times):
        return True
    scales = {1.0, scale}
    return any(
        _follows(said, group[: _MANY if said.digits >= 3 else _FEW], told, scales, change)
        for group in groups
        if len(group) > 1
    )


def _multiplied(said: Amount, facts: Sequence[Amount], times: frozenset[float]) -> bool:
    like = [fact.value for fact in facts if comparable(said, fact) or fact.bare or said.bare]
    return any(
        _makes(said, made, said.step >= 1) for value in like for by in times for made in (value * by, value / by)
    )


def _follows(said: Amount, group: Sequence[Amount], told: frozenset[str], scales: set[float], change: str = "") -> bool:
    names = {name for name, _ in said.readings}
    if names & {"percent", "share"}:
        if change:
            return any(close(said, said.value, value, 1e-3) for value in _changes(group, said, change))
        return any(close(said, said.value, value, 1e-3) for value in _ratios(group, said, "rest" in told))
    like = [amount for amount in group if comparable(said, amount)]
    if len(like) < 2:  # tables and lists leave units out
        like = [amount for amount in group if comparable(said, amount) or amount.bare]
    if said.readings[0][0] == "time":
        like += [amount for amount in group if amount.bare and 1000 <= amount.value <= 2100]
        if any(close(said, said.value, value, _EXACT) for value in _spans(like)):
            return True
    if not said.bare and said.figure and like and all(amount.bare for amount in like) and scales == {1.0}:
        unit = abs(said.value / said.figure) or 1.0  # of a heading, or left out: "three years older" of ages
        said = replace(said, readings=(("", said.figure),), step=said.step / unit)
    values = [_signed(amount) for amount in like]
    exact = all(value == int(value) for value in values) and not said.about
    outcomes = chain(_outcomes(values, told), _products(group, said) if told & {"product", "mean"} else ())
    limits = [_limits(said, value / scale) for _, value in said.readings for scale in scales]
    low, high = min(low for low, _ in limits), max(high for _, high in limits)
    near = (value for value in outcomes if low <= value <= high)
    if any(_makes(said, value * scale, exact and "mean" not in told) for value in near for scale in scales):
        return True
    three = _of_three(group, said) if "product" in told and len(group) <= _SMALL else ()
    return any(abs(said.value - value) <= _EXACT * abs(value) for value in three)


def _signed(amount: Amount) -> float:
    """The value, below nought where it is written so."""
    return next((value for name, value in amount.readings[1:] if (name, -value) == amount.readings[0]), amount.value)


def _limits(said: Amount, value: float) -> tuple[float, float]:
    """Between what a number must lie that may make ``value``: to look closer at few."""
    gap = abs(value) * (0.5 if said.bound else 0.06) + (
        said.step * abs(value / said.value) if said.value else said.step
    )
    return value - gap, value + gap


def _makes(said: Amount, value: float, exact: bool) -> bool:
    if exact and said.step >= 1 and said.bare and said.digits >= 2 and abs(said.value - value) > _EXACT * abs(value):
        return said.step > 1 and close(said, said.value, value, _EXACT)  # whole numbers make whole numbers
    return any(close(said, reading, value, _EXACT) for _, reading in said.readings)


def _outcomes(values: Sequence[float], told: frozenset[str]) -> Iterator[float]:
    if "mean" in told and values:
        yield sum(values) / len(values)
        yield from (total / count for total, count in _run_sums(values) if len(values) > _FEW)
        yield from (
            one / two for one, two in permutations(values, 2) if two > 1 and two == int(two) and len(values) <= _SMALL
        )
    if "sum" in told:
        yield from (total for total, _ in _run_sums(values))
        yield from (one + two for one, two in combinations(values, 2))
        yield from (sum(values) - value for value in values if len(values) > 2)
    if "perimeter" in told:
        yield from (2 * (one + two) for one, two in combinations(values, 2))
    if "difference" in told:
        yield from (abs(one - two) for one, two in combinations(values, 2))
        if len(values) > 2:
            yield from (sum(values[at:]) - 2 * values[at] for at in (0,))
            total = sum(values)
            yield from (abs(total - 2 * value) for value in values)
            yield from (abs(total - value) for value in values)
        if len(values) <= _SMALL:
            yield from _of_sums(values)


def _of_sums(values: Sequence[float]) -> Iterator[float]:
    """A number less two others, and two less two others."""
    for one, two, three in permutations(values, 3):
        if two < three:
            yield abs(one - two - three)
    for one, two in combinations(range(len(values)), 2):
        rest = [value for at, value in enumerate(values) if at not in (one, two)]
        yield from (abs(values[one] + values[two] - other - another) for other, another in combinations(rest, 2))
    if all(value == int(value) for value in values):
        yield sum(values) // 2 + 1  # a majority


def _runs(values: Sequence[float]) -> Iterator[Sequence[float]]:
    """All numbers in a row that are two or more."""
    for start in range(len(values)):
        for stop in range(start + 2, min(len(values), start + 25) + 1):
            yield values[start:stop]


def _run_sums(values: Sequence[float]) -> Iterator[tuple[float, int]]:
    """The sum of all numbers in a row that are two or more, and how many they are."""
    for start in range(len(values)):
        sums = accumulate(values[start : start + 25])
        next(sums)
        yield from zip(sums, range(2, 26), strict=False)


def _speeds(group: Sequence[Amount]) -> Iterator[float]:
    """Kilometres an hour, of lengths and times."""
    lengths, times = ([a.value for a in group if a.readings[0][0] == name] for name in ("length", "time"))
    yield from (3.6 * length / time for length in lengths for time in times if time)


_SECONDS = {
    "hour": 3600.0,
    "day": 86400.0,
    "week": 604800.0,
    "month": 2629800.0,
    "year": 31557600.0,
    "minute": 60.0,
    "second": 1.0,
}


def _rates(group: Sequence[Amount], said: Amount) -> Iterator[float]:
    """How long a whole lasts at so much a time, and how much so long makes: "18 litres a minute"."""
    for rate in group:
        seconds = _SECONDS.get(rate.per)
        if not seconds or not rate.value:
            continue
        for other in group:
            if said.readings[0][0] == "time" and other is not rate and comparable(other, rate):
                yield other.value / rate.value * seconds
            elif other.readings[0][0] == "time" and comparable(said, rate):
                yield rate.value * other.value / seconds


def _weighted(group: Sequence[Amount], said: Amount) -> Iterator[float]:
    """So many of one and so many of another: "2 × €14 + 3 × €8"."""
    counts = [a.figure for a in group if not (comparable(said, a) and not a.bare) and a.figure == int(a.figure)]
    worths = [a for a in group if comparable(said, a) and (said.bare or not a.bare)]
    if len(counts) > _SMALL or len(worths) > _SMALL:
        return
    made = [(count * worth.value, worth) for count in counts for worth in worths if count > 1]
    yield from (one + two for (one, a), (two, b) in combinations(made, 2) if a is not b)


def _products(group: Sequence[Amount], said: Amount) -> Iterator[float]:
    """Parts of numbers, one number divided among or taken times another, and three of them by the rule of three."""
    if said.readings[0][0] == "speed":
        yield from _speeds(group)
    yield from _rates(group, said)
    shares = [amount for amount in group if amount.readings[0][0] in ("percent", "share")]
    if len(group) <= _FEW:
        yield from _weighted(group, said)
    for part in shares:
        share = part.value / (100 if part.readings[0][0] == "percent" else 1)
        for whole in group:
            if whole is not part:
                yield from (whole.value * share, whole.value * (1 - share), whole.value * (1 + share))
    others = [amount for amount in group if amount not in shares]
    for one, two in combinations(others, 2):
        if _fit(said, one, two):
            if two.value:
                yield one.value / two.value
            if one.value:
                yield two.value / one.value
            if not (one.figure == 1 and one.readings[0][0] == "time") and not (
                two.figure == 1 and two.readings[0][0] == "time"
            ):
                yield one.value * two.value
            if one.figure != 1 != two.figure:
                yield one.figure * two.figure
        if not comparable(one, two):
            yield from (
                a.figure / b.figure * (a.value / a.figure) for a, b in ((one, two), (two, one)) if a.figure and b.figure
            )


_YEARLY = {
    "year": (12.0, 52.0, 365.0, 4.0), "annual": (12.0, 52.0, 365.0, 4.0), "month": (12.0, 4.0, 30.0), "week": (7.0, 5.0, 52.0),
    "day": (24.0, 7.0, 365.0, 30.0), "hour": (60.0, 24.0), "minute": (60.0,), "twice": (2.0,), "double": (2.0,), "dozen": (12.0,),
    "three times": (3.0,), "triple": (3.0,), "daily": (24.0, 7.0, 365.0), "quarter": (4.0, 3.0), "half": (2.0,), "decade": (10.0,),
}  # fmt: skip


def multiples(text: str) -> frozenset[float]:
    """What the words of a clause may multiply or divide by: "a year" by 12 months."""
    return frozenset(factor for word, factors in _YEARLY.items() if word in text.lower() for factor in factors)


def _fit(said: Amount, one: Amount, two: Amount) -> bool:
    """Whether two numbers may be multiplied or divided to make one like ``said``."""
    return one.bare or two.bare or said.bare or not comparable(one, two) or not comparable(said, one)


def _of_three(group: Sequence[Amount], said: Amount) -> Iterator[float]:
    for one, two, three in permutations(group, 3):
        if three.value and (comparable(one, three) or comparable(two, three)) and one.start < two.start:
            yield one.value * two.value / three.value
            yield one.figure * two.figure / three.figure if three.figure else 0.0
    for one, two in combinations(group, 2):
        for three in group:
            if three is not one and three is not two and comparable(said, three) and (said.bare or not three.bare):
                yield one.figure * two.figure + three.figure
                yield abs(one.figure * two.figure - three.figure)


def _changes(group: Sequence[Amount], said: Amount, change: str) -> Iterator[float]:
    """By what share one number rose or fell to another: of the one that it had been."""
    whole = 100.0 if said.readings[0][0] == "percent" else 1.0
    percents = [amount.value for amount in group if amount.readings[0][0] == "percent"]
    if "point" in said.text or "pp" in said.text or "bas" in said.text or "bps" in said.text or said.value < 1:
        yield from (abs(one - two) for one, two in combinations(percents, 2))
    sorts: dict[str, list[float]] = {}
    for amount in group:
        if amount.readings[0][0] != "ordinal" and not _is_year(amount):
            sorts.setdefault(amount.readings[0][0], []).append(abs(amount.value))
    for values in sorts.values():
        for low, high in (sorted(pair) for pair in combinations(values, 2)):
            if low > 0:
                yield whole * (high - low) / (low if change == "up" else high)


def _ratios(group: Sequence[Amount], said: Amount, rest: bool) -> Iterator[float]:
    """Shares and changes of any two numbers, of sums, and with ``rest`` what is missing to the whole, in the unit of ``said``."""
    whole = 100.0 if said.readings[0][0] == "percent" else 1.0
    for amount in group if rest else ():
        if amount.readings[0][0] in ("percent", "share"):
            yield whole - amount.value * (whole / 100 if amount.readings[0][0] == "percent" else whole)
    percents = [amount.value for amount in group if amount.readings[0][0] == "percent"]
    if rest and len(percents) > 1:
        yield whole * (1 - sum(percents) / 100)
    yield from (value for one, two in combinations(percents, 2) for value in (abs(one - two), one + two))
    group = [amount for amount in group if not _is_year(amount)]
    values = [abs(amount.value) for amount in group if amount.readings[0][0] not in ("percent", "share")]
    for one, two in combinations(values, 2):
        low, high = sorted((one, two))
        if low > 0:
            yield from (whole * low / high, whole * (high - low) / high, whole * (high - low) / low, whole * high / low)
    yield from _of_whole(group, whole)


def _is_year(amount: Amount) -> bool:
    return amount.bare and re.fullmatch(r"1[5-9]\d\d|20\d\d", amount.text) is not None


def _of_whole(group: Sequence[Amount], whole: float) -> Iterator[float]:
    """Shares of the sum of all numbers of one sort, of each and of those in a row."""
    sorts: dict[str, list[float]] = {}
    for amount in group:
        if amount.readings[0][0] not in ("percent", "share", "ordinal"):
            sorts.setdefault(amount.readings[0][0], []).append(amount.value)
    for values in sorts.values():
        parts = list(dict.fromkeys(values)) if len(values) > _SMALL else values
        total = sum(parts)
        if total > 0 and len(parts) <= _FEW:
            yield from (whole * value / total for value in parts)
            yield from (whole * sum(part) / total for part in _runs(parts))


_YEAR = 31557600


def _spans(group: Sequence[Amount]) -> Iterator[float]:
    """Years between two years, or one less: birthdays."""
    years = [amount.value for amount in group if amount.bare and 1000 <= amount.value <= 2100]
    for one, two in combinations(years, 2):
        yield abs(one - two) * _YEAR
        yield (abs(one - two) - 1) * _YEAR
