"""Clauses that say the opposite of each other: by a "not", or by words such as "open" and "closed". Pure, and English."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from guardrail.checks.alike import key
from guardrail.checks.case import Claim
from guardrail.checks.content import STOP, WORD, stem

__all__ = ["FILLERS", "PARTS", "Said", "alike", "clauses", "clauses_of", "opposed"]

PARTS = re.compile(r"(?<=[a-z\d%€]),? (?:so|but|which|while|whereas|although|because|since)\b|[;—]|:(?=\s)|, (?=[a-z])")
"""Where one clause ends and another begins."""
FILLERS = frozenset(
    form
    for word in "yes again already said mentioned explained remember total about approximately roughly exactly currently just really "
    "is stands stand tall high long wide amount cost price last located around overall sure course indeed right actual also "
    "please back full unfortunately sadly fully completely normal normally possible able still anyway then too ever yet time first "
    "say said opinion think view believe careful note every one ones some any year years month months week weeks day days hour hours minute minutes".split()
    for form in (stem(word), key(word))
)
"""Stems of words that do not tell what is talked about."""
_NOT = re.compile(
    r"\b(?:not|no|never|cannot|none|nobody|no one|nothing|without|neither|nor|unable|hardly)\b|n['’]t\b", re.IGNORECASE
)
_OTHER = re.compile(r"\b(?:other|another|different|else|instead|otherwise|unless|except|if)\b", re.IGNORECASE)
_PRONOUN = re.compile(
    r"\W*(?:it|they|he|she|this|these|that|those)\b|.*\b(?:one|all|none|some|most|many|each) of (?:them|these|those)\b",
    re.IGNORECASE,
)
_REPLY = re.compile(r"\A\W*(?:yes|no|nope|yeah|sure|right|correct|exactly)\b[\s,.:!—–-]*", re.IGNORECASE)
"""What says yes or no to the question rather than to the words behind it."""
_LARGE = re.compile(r"[$€£]?\d[\d.,]*\d{3}\b")
_PARTLY = re.compile(
    r"\b(?:some|most of|many|several|partly|part of|(?<!every )(?<!each )one of|(?:a )?few)\b", re.IGNORECASE
)
_LASTS = re.compile(
    r"\b(?:for )?(?:\d+|an?|one|two|three|four|five|six|ten|twelve) (?:full )?(?:years?|months?|weeks?|days?|hours?|minutes?)\b",
    re.I,
)
_UN = ("un", "in", "im", "il", "ir", "dis", "non", "non-")
_PAIRS = {
    "allowed": (r"allow\w*|permit\w*|legal|lawful", r"forbid\w*|forbade|prohibit\w*|ban(?:s|ned)?|illegal|unlawful|disallow\w*"),
    "free": (r"free(?: of charge)?|no (?:extra |additional )?(?:charge|cost|fee)|complimentary", r"pay|paid|charged?|chargeable|(?:normal|full|regular|extra) (?:price|charge|cost|fare)|fees?|surcharges?"),
    "open": (r"open(?:s|ed)?", r"closed?|closes|shut"),
    "included": (r"includ\w+|covered|covers", r"exclud\w+|extra|separately"),
    "available": (r"available|in stock", r"unavailable|out of stock|sold out"),
    "safe": (r"safe|harmless", r"unsafe|dangerous|harmful|toxic|poisonous"),
    "refunded": (r"refund\w*|reimburs\w+|(?:get|gets|got|receive)\b(?=.{0,30}\bback\b)", r"non-?refundable"),
    "needed": (r"required|mandatory|compulsory|obligatory|must|have to|needs? to", r"optional|voluntary|need(?:n['’]t| not)|no need"),
    "works": (r"compatible|supports?|supported|works? with", r"incompatible|unsupported"),
    "rises": (r"rose|rises|increas\w+|grew|grows", r"fell|falls|decreas\w+|dropp?\w*|declin\w+|shrank"),
    "accepted": (r"accept\w*|approv\w+|grant(?:s|ed)", r"reject\w*|refus\w+|den(?:y|ies|ied)|declin(?:es|ed)"),
    "priority": (r"right of way|priority|precedence", r"gives? way|yields?"),
    "order": (r"before|within", r"after"),
    "side": (r"(?:on|to|turn|the) left", r"(?:on|to|turn|the) right"),
    "day": (r"mornings?", r"evenings?"),
    "won": (r"won|wins", r"lost|loses"),
    "passed": (r"pass(?:es|ed)?|succe\w+", r"fail\w*"),
    "true": (r"true|right|correct", r"false|wrong|incorrect"),
    "bound": (r"at least|minimum", r"at most|maximum|no more than"),
}  # fmt: skip
_WORDS_OF = {
    name: tuple(re.compile(rf"\b(?:{side})\b", re.IGNORECASE) for side in sides) for name, sides in _PAIRS.items()
}
_SHARE, _OF_BOTH, _FEWER, _MOSTLY = 0.7, 0.5, 0.6, 0.75


@dataclass(frozen=True, slots=True)
class Said:
    """One clause, what it is about, and on which side it stands."""

    start: int
    text: str
    words: frozenset[str]
    """What it is about: without fillers, and the words that take sides."""
    wide: frozenset[str]
    """The same with those of the clause before where it begins with "they"."""
    sides: Mapping[str, int]
    negated: bool
    runs: Mapping[tuple[str, ...], bool]
    """Three words of content in a row, and whether there is a "not" right before or among them."""
    other: bool
    """Whether it speaks of another thing, or of what holds only then."""
    partly: bool = False
    """Whether it speaks of some of several things."""


def clauses(claim: Claim) -> Iterator[Said]:
    """The clauses of a claim."""
    return clauses_of([claim])


def clauses_of(claims: Iterable[Claim]) -> Iterator[Said]:
    """The clauses of claims that stand one behind the other."""
    before: frozenset[str] = frozenset()
    for claim in claims:
        at = 0
        for part in [*PARTS.finditer(claim.text), None]:
            end = part.start() if part else len(claim.text)
            raw = claim.text[at:end]
            text = _REPLY.sub("", raw.strip(" ,.;:!"))
            if text:
                clause = _read(claim.start + at + raw.index(text), text, before)
                yield clause
                before = clause.wide
            at = part.end() if part else end


def _read(start: int, text: str, before: frozenset[str]) -> Said:
    rest, sides = text, dict[str, int]()
    for name, (one, two) in _WORDS_OF.items():
        for sign, pattern in ((-1, two), (1, one)):
            if name not in sides and pattern.search(rest):
                sides[name] = sign
                rest = pattern.sub(" ", rest)
    negated = _NOT.search(rest) is not None
    rest = _LASTS.sub(" ", _NOT.sub(" ", rest))
    rest = _LARGE.sub(" ", rest)
    words = frozenset(key(word.lower()) for word in WORD.findall(rest) if word.lower() not in STOP) - FILLERS
    wide = words | before if _PRONOUN.match(text) else words
    signs = {name: -sign if negated else sign for name, sign in sides.items()}
    other, partly = _OTHER.search(text) is not None, _PARTLY.search(text) is not None
    return Said(start, text, words, wide, signs, negated, _runs(text), other, partly)


def _runs(text: str) -> dict[tuple[str, ...], bool]:
    tokens = []
    for word in WORD.findall(text.lower()):
        if _NOT.fullmatch(word) or word.endswith(("n't", "n’t")):
            tokens.append("")
        elif word not in STOP and key(word) not in FILLERS:
            tokens.append(key(word))
    places = [at for at, token in enumerate(tokens) if token]
    runs: dict[tuple[str, ...], bool] = {}
    for first, middle, last in zip(places, places[1:], places[2:], strict=False):
        runs[tokens[first], tokens[middle], tokens[last]] = "" in tokens[max(0, first - 1) : last]
    return runs


def opposed(one: Said, two: Said) -> bool:
    """Whether two clauses are about the same and say the opposite."""
    common = one.sides.keys() & two.sides.keys()
    if one.partly and two.partly:
        return False
    if any(one.sides[name] != two.sides[name] for name in common):
        return _about_one(one, two)
    if un := _unlike(one.words, two.words):
        return one.negated == two.negated and _about_one(
            replace(one, words=one.words - un), replace(two, words=two.words - un)
        )
    if any(two.runs.get(run, negated) != negated for run, negated in one.runs.items()):
        return True
    return not common and one.negated != two.negated and _in_same_words(one, two)


def _unlike(one: frozenset[str], two: frozenset[str]) -> frozenset[str]:
    """The words of both that are each other's opposite by "un-" or the like."""
    return frozenset(
        word
        for words, others in ((one, two), (two, one))
        for short in words
        if len(short) >= _SHORTEST
        for un in _UN
        if un + short in others
        for word in (short, un + short)
    )


_SHORTEST = 5
"""Letters of a stem that is told from others by what stands before it."""


def alike(one: Said, two: Said) -> bool:
    """Whether two clauses are about the same and say the same."""
    common = one.sides.keys() & two.sides.keys()
    same = all(one.sides[name] == two.sides[name] for name in common)
    same = same and not any(two.runs.get(run, negated) != negated for run, negated in one.runs.items())
    return (
        same
        and (bool(common) or (not one.sides and one.negated == two.negated))
        and len(one.words & two.words) >= max(1, _MOSTLY * len(one.words))
    )


def _about_one(one: Said, two: Said) -> bool:
    small, large = sorted((one.words or one.wide, two.words or two.wide), key=len)
    shared = len(small & large)
    return bool(small) and (shared == len(small) or (shared >= 2 and shared >= _FEWER * len(small)))


def _in_same_words(one: Said, two: Said) -> bool:
    shared, least = len(one.words & two.words), min(len(one.words), len(two.words))
    if shared >= 2 and shared >= _SHARE * least and shared >= _OF_BOTH * len(one.words | two.words):
        return True
    return len(one.words & two.wide) >= max(3, _FEWER * len(one.words))
