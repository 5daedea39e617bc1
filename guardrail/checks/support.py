"""Whether one number says the same as another, or follows from others. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from guardrail.checks.amounts import Amount

__all__ = ["comparable", "derived", "same"]

_MANY = 80
"""The same for a number of three or more significant digits."""
_EXACT = 1e-6
_ABOUT = 0.05
"""A number that is said to be rounded may be off by this share."""
_OTHER_UNIT = 0.01
"""Conversion of units rounds: the share that two units of one dimension may be apart."""
_LOOSE_UNIT = {"time": 0.02, "data": 0.08}
"""Months have no fixed length; a kilobyte has 1,000 or 1,024 bytes."""
_BOUND = 1.4
""""More than 50" is said of no more than so many times as much."""
_FEW = 12
"""Of so few numbers, any two may be combined; of more, only those of one sentence."""


def same(said: Amount, told: Amount) -> bool:
    """Whether the number ``told`` bears out the number ``said``: units converted, rounding allowed."""
    return any(_close(said, *pair) for pair in _pairs(said, told))


def comparable(said: Amount, other: Amount) -> bool:
    """Whether two numbers are of one kind: of one dimension, or both without unit."""
    return bool({name for name, _ in said.readings} & {name for name, _ in other.readings})


def _pairs(said: Amount, told: Amount) -> Iterator[tuple[float, float, float]]:
    """The values to compare, in one unit, and the share that they may be apart."""
    for name, value in said.readings:
        for other, fact in told.readings:
            if name == other:
                apart = _LOOSE_UNIT.get(name, _OTHER_UNIT) if _unit(said, value) != _unit(told, fact) else _EXACT
                yield value, fact, apart
            elif {name, other} <= {"percent", "share", ""}:
                yield from _shares(name, value, other, fact)
            elif "ordinal" in (name, other):
                continue
            elif not name:
                yield said.figure, told.figure, _EXACT
            elif not other:
                yield said.figure, fact, _EXACT


def _unit(amount: Amount, value: float) -> float:
    return round(value / amount.figure, 9) if amount.figure else 1.0


def _shares(name: str, value: float, other: str, fact: float) -> Iterator[tuple[float, float, float]]:
    """A percentage, a fraction and a bare number, each way round."""
    yield value, fact, _EXACT
    if name == "percent" and 0 <= fact <= 1:
        yield value, 100 * fact, _EXACT
    if other == "percent" and 0 <= value <= 1:
        yield 100 * value, fact, _OTHER_UNIT


def _close(said: Amount, value: float, fact: float, apart: float) -> bool:
    gap = abs(value - fact)
    if gap <= max(apart, _ABOUT if said.about else 0.0) * abs(fact) + 1e-9:
        return True
    if said.bound and abs(fact) <= _BOUND * abs(value) and abs(value) <= _BOUND * abs(fact):
        return fact >= value if said.bound == "over" else fact <= value
    return gap <= 0.5001 * said.step and _rounds(said, value)


def _rounds(said: Amount, value: float) -> bool:
    """Whether a number may be rounded without saying so: one with decimals, or a large one."""
    if said.about:
        return True
    return said.digits >= 2 and (said.step <= abs(value) / max(1.0, abs(said.figure)) or abs(said.figure) >= 1000)


def derived(said: Amount, facts: Sequence[Sequence[Amount]]) -> bool:
    """Whether sums, differences, shares or changes of numbers in one sentence make the number ``said``."""
    few = [amount for sentence in facts for amount in sentence]
    groups: Iterable[Sequence[Amount]] = [few] if len(few) <= _FEW else facts
    if said.digits >= 3 and len(few) <= _MANY:  # so many figures do not agree by chance
        groups = [few]
    return any(_follows(said, group[: _MANY if said.digits >= 3 else _FEW]) for group in groups if len(group) > 1)


def _follows(said: Amount, group: Sequence[Amount]) -> bool:
    names = {name for name, _ in said.readings}
    if names & {"percent", "share"}:
        return any(_close(said, said.value, value, 1e-3) for value in _ratios(group, said))
    like = [amount for amount in group if comparable(said, amount) or amount.bare]
    if said.readings[0][0] == "time":
        like += [amount for amount in group if amount.bare and 1000 <= amount.value <= 2100]
        if any(_close(said, said.value, value, _EXACT) for value in _spans(like)):
            return True
    values = [amount.value for amount in like]
    if len(values) > 2 and _close(said, said.value, sum(values), _EXACT):
        return True
    return any(
        _close(said, said.value, value, _EXACT)
        for one, two in combinations(values, 2)
        for value in (one + two, abs(one - two), (one + two) / 2)
    ) or (said.bare and any(_close(said, said.value, value, _EXACT) for value in _products(group)))


def _products(group: Sequence[Amount]) -> Iterator[float]:
    """Parts of numbers, and one number divided among or taken times another."""
    for one, two in combinations(group, 2):
        for part, whole in ((one, two), (two, one)):
            if part.readings[0][0] in ("percent", "share"):
                yield whole.value * part.value / (100 if part.readings[0][0] == "percent" else 1)
            elif part.value:
                yield whole.value / part.value
        yield one.value * two.value


def _ratios(group: Sequence[Amount], said: Amount) -> Iterator[float]:
    """Shares and changes of any two numbers, and what is missing to the whole, in the unit of ``said``."""
    whole = 100.0 if said.readings[0][0] == "percent" else 1.0
    for amount in group:
        if amount.readings[0][0] in ("percent", "share"):
            yield whole - amount.value * (whole / 100 if amount.readings[0][0] == "percent" else whole)
    percents = [amount.value for amount in group if amount.readings[0][0] == "percent"]
    yield from (abs(one - two) for one, two in combinations(percents, 2))
    for one, two in combinations([amount.value for amount in group], 2):
        low, high = sorted((abs(one), abs(two)))
        if low > 0:
            yield from (whole * low / high, whole * (high - low) / high, whole * (high - low) / low)


_YEAR = 31557600


def _spans(group: Sequence[Amount]) -> Iterator[float]:
    """Years between two years, or one less: birthdays."""
    years = [amount.value for amount in group if amount.bare and 1000 <= amount.value <= 2100]
    for one, two in combinations(years, 2):
        yield abs(one - two) * _YEAR
        yield (abs(one - two) - 1) * _YEAR
