"""Whether the evidence counts the same things as the answer, and otherwise. Pure."""

from __future__ import annotations

from guardrail.checks.amounts import Amount
from guardrail.checks.case import Case
from guardrail.checks.support import same
from guardrail.checks.things import PAIR, counted, of_one_thing, pairs
from guardrail.checks.values import is_label

__all__ = ["gives_other_count", "pair_stands"]


def gives_other_count(case: Case, amount: Amount) -> bool:
    """Whether the evidence has just one other number of the things that the answer counts.

    Where it has the answer's number without a noun, it may be of the same things.
    """
    if (
        not amount.bare
        or amount.value != int(amount.value)
        or amount.readings[0][0] != ""
        or is_label(case.prose, amount)
    ):
        return False
    said = counted(case.prose, amount)
    if not said:
        return False
    values = set()
    for fact, things in case.counts:
        if (not things or of_one_thing(said, things)) and same(amount, fact):
            return False
        if of_one_thing(said, things):
            values.add(fact.value)
    return len(values) == 1


def pair_stands(case: Case, text: str) -> bool | None:
    """Whether something at hand bears out a score or result such as "3–1"; None where it is none."""
    said = next(pairs(text), None)
    if said is None or not PAIR.fullmatch(text):
        return None
    told = case.scores
    if said in told:
        return True
    stated = {fact.value for facts in case.facts for fact in facts if fact.bare}
    both = {float(number) for number in said}
    if not told and (both <= stated or (both & stated and sum(both) in stated)):
        return True
    return both <= stated - {float(number) for pair in told for number in pair}
