"""Which of several is more or most so: "Pump A is the quieter of the two", "B runs more quietly than A". Pure, and English."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guardrail.checks.alike import key
from guardrail.checks.content import STOP, WORD

__all__ = ["Rank", "outranked", "ranks"]

_GRADE = re.compile(
    r"\b(?:(?P<more>more|most|less|least) (?P<long>[a-z]{4,})|(?P<short>(?!(?:other|rather|over|ever|never|after|under|order|number|later|further|paper|water|"
    r"user|letter|power|weather|member|summer|winter|computer|printer|offer|answer|test|rest|best|west|request|interest|latest|honest|guest|"
    r"best|suggest|forest|protest|contest|harvest|manifest)\b)"
    r"[a-z]{2,}(?:er|est))|(?P<good>better|best))\b(?P<than>(?: \w+){0,3}? than (?P<other>[^.,;:!?]{1,60}))?"
)
_SUBJECT = re.compile(
    r"(?:(?:^|[.,;:!?]\s*|\b(?:because|since|that|and|but)\s+)(?:yes|no|well|so)?,?\s*)([^.,;:!?]{1,60}?)\s+(?:is|are|was|were|has|have|runs?|goes|go|costs?|weighs?|lasts?|"
    r"takes?|gets?|gives?|offers?|[a-z]{3,}(?:s|ed))\s+(?:the\s+|a\s+|much\s+|far\s+|slightly\s+|clearly\s+|also\s+|by far\s+){0,3}\Z"
)
_PRONOUNS = frozenset("it they he she this that these those one which".split())


@dataclass(frozen=True, slots=True)
class Rank:
    """What is more so, and than what."""

    start: int
    end: int
    grade: str
    """The adjective's stem, with a minus before it for "less"."""
    subject: frozenset[str]
    """Empty where it is a pronoun."""
    other: frozenset[str]
    top: bool
    """Whether it is more so than all others, as "the quietest" or "the quieter of the two"."""


def ranks(text: str) -> Iterator[Rank]:
    """The comparisons in a text."""
    for match in _GRADE.finditer(text):
        before = _SUBJECT.search(text, max(0, match.start() - 90), match.start())
        subject = _keys(before[1]) if before and before[1].lower() not in _PRONOUNS else frozenset()
        other = _keys(match["other"] or "")
        word = match["short"] or match["more"] or match["good"]
        top = word.endswith("st") or text.startswith((" of the two", " one", " of these"), match.end())
        if subject or other:
            start = before.start(1) if before else match.start()
            yield Rank(start, match.end(), _grade(match), subject, other, top)


def _grade(match: re.Match[str]) -> str:
    if match["good"]:
        return "good"
    if match["long"]:
        stem = re.sub(r"(?:i?ly|y)$", "", match["long"])
        return ("-" if match["more"] in ("less", "least") else "") + stem
    stem = re.sub(r"(?:er|est)$", "", match["short"])
    return re.sub(r"i$", "", re.sub(r"([bdgmnprt])\1$", r"\1", stem))


def _keys(text: str) -> frozenset[str]:
    words = (word for word in WORD.findall(text))
    return frozenset(
        key(word.lower()) for word in words if word.lower() not in STOP or (len(word) == 1 and word.isupper())
    )


def outranked(said: Iterator[Rank], told: Sequence[Rank]) -> Iterator[tuple[Rank, Rank]]:
    """Comparisons that say the contrary of one that was told, each with that one."""
    for rank in said:
        for other in told:
            if rank.grade.lstrip("-") == other.grade.lstrip("-") and _contrary(rank, other, rank.grade == other.grade):
                yield rank, other
                break


def _contrary(one: Rank, two: Rank, alike: bool) -> bool:
    if not alike:  # "less loud than", "louder than"
        return bool(one.subject and one.other) and (one.subject, one.other) == (two.subject, two.other)
    if one.other and two.subject and one.other == two.subject and (two.top or one.subject == two.other):
        return True
    if one.top and two.top and one.subject and two.subject:
        return _another(one.subject, two.subject)
    return bool(one.top and one.subject and one.subject == two.other)


def _another(one: frozenset[str], two: frozenset[str]) -> bool:
    """Whether two things of one kind are not the same: "Pump A" and "Pump B", or two names of one word."""
    return bool(one - two and two - one) and (bool(one & two) or len(one) == len(two) == 1)
