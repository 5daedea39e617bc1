"""What numbers count: the words right behind them, as the "whole eggs" of "four whole eggs". Pure, and English."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrail.checks.alike import key
from guardrail.checks.amounts import Amount
from guardrail.checks.case import Case
from guardrail.checks.content import STOP
from guardrail.checks.slots import is_label
from guardrail.checks.support import same

__all__ = ["counted", "gives_other_count", "pair_stands", "pairs"]

_WORD = re.compile(r"[ -]([^\W\d_][\w'’]*)")
_LONGEST = 3
_PAIR = re.compile(
    r"(?<![\d.,:/-])(\d{1,3})(?:\s?[-–]\s?|:(?!\d\d)|[ ](?:to|against|versus|vs\.?)[ ])(\d{1,3})(?![\d.,:/-]*\d|\s?%|\s?[ap]\.?m)"
)
_PLURAL = frozenset(key(word) for word in "people persons men women children staff".split())
_VAGUE = frozenset(
    "per may might must shall more less other others further extra additional time times way ways thing things year years part parts kind kinds".split()
)


def counted(text: str, amount: Amount) -> tuple[str, ...]:
    """The stems of the words that say what is counted, three at most; empty where none does."""
    found: list[str] = []
    at = amount.end
    while len(found) < _LONGEST and (match := _WORD.match(text, at)):
        word = match[1].lower()
        if (match[1].istitle() and match[1].isalpha()) or word in STOP or word in _VAGUE:
            break
        found.append(key(word))
        at = match.end()
    return tuple(found)


def _alike(said: tuple[str, ...], told: tuple[str, ...]) -> bool:
    """Whether two phrases name one thing: one begins like the other, or the told one, which may say more of it, ends like the said one."""
    short, long = sorted((said, told), key=len)
    if short and said[0] == told[0] in _PLURAL:
        return True
    return bool(short) and (long[: len(short)] == short or (len(said) <= len(told) and told[-len(said) :] == said))


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
    for source, facts in zip(case.sources, case.facts, strict=True):
        for fact in facts if source.evidence is not None else ():
            if fact.readings[0][0] != "" or is_label(source.text, fact):
                continue
            things = counted(source.text, fact)
            if not things and same(amount, fact):
                return False
            if _alike(said, things):
                if same(amount, fact):
                    return False
                values.add(fact.value)
    return len(values) == 1


def pairs(text: str) -> Iterator[tuple[int, int]]:
    """The two numbers of each "3–1" or "3 to 1", the smaller first."""
    for match in _PAIR.finditer(text):
        one, two = sorted((int(match[1]), int(match[2])))
        yield one, two


def pair_stands(case: Case, text: str) -> bool | None:
    """Whether something at hand bears out a score or result such as "3–1"; None where it is none."""
    said = next(pairs(text), None)
    if said is None or not _PAIR.fullmatch(text):
        return None
    told = {pair for source in case.sources for pair in pairs(source.text)}
    if said in told:
        return True
    stated = {fact.value for facts in case.facts for fact in facts if fact.bare}
    both = {float(number) for number in said}
    if not told and (both <= stated or (both & stated and sum(both) in stated)):
        return True
    return both <= stated - {float(number) for pair in told for number in pair}
