"""What numbers count, the "whole eggs" of "four whole eggs", and scores. Pure, and English."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrail.checks.alike import key
from guardrail.checks.amounts import Amount
from guardrail.checks.content import STOP

__all__ = ["PAIR", "counted", "of_one_thing", "pairs"]

_WORD = re.compile(r"[ -]([^\W\d_][\w'’]*)")
_LONGEST = 3
PAIR = re.compile(
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


def of_one_thing(said: tuple[str, ...], told: tuple[str, ...]) -> bool:
    """Whether two phrases name one thing: one begins like the other, or the told one, which may say more of it, ends like the said one."""
    short, long = sorted((said, told), key=len)
    if short and said[0] == told[0] in _PLURAL:
        return True
    return bool(short) and (long[: len(short)] == short or (len(said) <= len(told) and told[-len(said) :] == said))


def pairs(text: str) -> Iterator[tuple[int, int]]:
    """The two numbers of each "3–1" or "3 to 1", the smaller first."""
    for match in PAIR.finditer(text):
        one, two = sorted((int(match[1]), int(match[2])))
        yield one, two
