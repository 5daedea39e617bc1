"""Whether one number says the same as another. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from guardrail.checks.amounts import Amount

__all__ = ["close", "comparable", "same"]

_EXACT = 1e-6
_ABOUT = 0.05
"""A number that is said to be rounded may be off by this share."""
_OTHER_UNIT = 0.01
"""Conversion of units rounds: the share that two units of one dimension may be apart."""
_LOOSE_UNIT = {"time": 0.02, "data": 0.08}
"""Months have no fixed length; a kilobyte has 1,000 or 1,024 bytes."""
_BOUND = 1.4
""""More than 50" is said of no more than so many times as much."""


def same(said: Amount, told: Amount) -> bool:
    """Whether the number ``told`` bears out the number ``said``: units converted, rounding allowed."""
    if said.per and told.per and said.per != told.per and not said.bare:  # 14 euros a year are not 14 euros a month
        return False
    return any(close(said, *pair) for pair in _pairs(said, told))


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


def close(said: Amount, value: float, fact: float, apart: float) -> bool:
    """Whether ``value``, a reading of ``said``, may stand for ``fact``, which may be off by the share ``apart``."""
    gap = abs(value - fact)
    if gap <= max(apart, _ABOUT if said.about else 0.0) * abs(fact) + 1e-9:
        return True
    if said.bound and abs(fact) <= _BOUND * abs(value) and abs(value) <= _BOUND * abs(fact):
        return fact >= value if said.bound == "over" else fact <= value
    if said.digits >= 3 and 0 <= abs(fact) - abs(value) < said.step and _rounds(said, value):
        return True  # cut off rather than rounded
    return gap <= 0.5001 * said.step and _rounds(said, value)


def _rounds(said: Amount, value: float) -> bool:
    """Whether a number may be rounded without saying so: one with decimals, or a large one."""
    if said.about:
        return True
    return said.digits >= 2 and (said.step <= abs(value) / max(1.0, abs(said.figure)) or abs(said.figure) >= 1000)
