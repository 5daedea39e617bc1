"""Who did what, in the two forms that words alone tell: "Ana wrote it" and "it was written by Ana". Pure, and English."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from guardrail.checks.alike import key, known
from guardrail.checks.content import STOP, WORD, forms
from guardrail.checks.named import Named, named
from guardrail.grounding.statements import sentences

__all__ = ["Deed", "deeds", "not_done"]

_BY = re.compile(
    r"\b([a-z]{3,})[ ]by[ ](?:(?:the|an?|his|her|its|their)[ ])?(?:[a-z][\w-]*[ ]){0,3}(?:(?:Prof|Dr|Mr|Mrs|Ms)\.?[ ])?\Z"
)
_DOES = re.compile(
    r"(?:,? (?:who|which))?[ ](?:(?:has|have|had|will|also|then|later|first|is said to have|to have|have now|would)[ ]){0,2}"
    r"([a-z]{3,})\b"
)
_AND = re.compile(r",?[ ](?:and|or|&)[ ]|,[ ]")
_CUT = re.compile(
    r"[;:]|,[ ](?:and|but|while|whereas|which|who|as|when|after|before|although|where)\b|\b(?:but|while|whereas)\b|[ ]and[ ](?=[\w ]{0,30}\bby\b)"
)
_BE = re.compile(r"\b(?:is|are|was|were|be|been|being)[ ](?:\w+ly[ ])?\Z")
_SPELLING = 0.88
_LONGEST = 3_000
_MOST = 60
"""Where the evidence has more deeds of one verb, nothing is said of whose they are."""
_LIGHT = frozenset("say giv hav go get becom includ mak tak us tell hold call own".split()) - {"giv"}
"""Stems of verbs that many do to many."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that is done by somebody with a name."""

    verb: str
    doers: tuple[Named, ...]
    about: frozenset[str]
    """The stems of the other words of its clause."""
    others: tuple[Named, ...]
    """The other names in its clause."""
    denied: bool
    patients: tuple[Named, ...]
    """Of the other names those to whom it is done."""


def deeds(text: str, names: Sequence[Named] | None = None) -> list[Deed]:
    """The deeds in ``text``. ``names``: those in it, where they are known."""
    names = named(text) if names is None else names
    starts = [name.start for name in names]
    found: list[Deed] = []
    for span in sentences(text):
        end = span.start + len(span.text)
        if len(span.text) > _LONGEST:  # no sentence that anybody reads
            continue
        found += _deeds(text, span.start, end, names[bisect_left(starts, span.start) : bisect_left(starts, end)])
    return found


def _deeds(text: str, start: int, end: int, inside: Sequence[Named]) -> Iterator[Deed]:
    yield from _roles(text, inside)
    for doers in _rows(text, inside):
        doers = _whole(text, doers, inside)
        low, high = _clause(text, start, end, doers[0].start)
        before, after = text[low : doers[0].start], text[doers[-1].end : high]
        if by := _BY.search(before):
            verb = by[1]
        elif (does := _DOES.match(after)) and _acts(does[1]) and not _BEHIND.search(before):
            verb = does[1]
        elif part := _IS.search(before):
            yield _role(doers, part)
            continue
        else:
            continue
        if key(verb) not in _LIGHT:
            others = [n for n in inside if low <= n.start < high and n not in doers]
            yield _deed(text, (low, high), doers, verb, others, bool(by))


def _deed(
    text: str, place: tuple[int, int], doers: Sequence[Named], verb: str, others: Sequence[Named], passive: bool
) -> Deed:
    words = {key(word.lower()) for word in WORD.findall(text[place[0] : place[1]]) if word.lower() not in STOP}
    words -= {key(word.lower()) for name in doers for word in WORD.findall(name.text)} | {key(verb)}
    denied = re.search(r"\b(?:not|never|no)\b|n['’]t\b", text[place[0] : place[1]]) is not None
    if passive:
        patients = [n for n in others if n.start < doers[0].start and _DONE.match(text, n.end)]
    else:
        patients = [n for n in others if n.start > doers[-1].end and re.fullmatch(_TO, text[doers[-1].end : n.start])]
    return Deed(key(verb), tuple(doers), frozenset(words), tuple(others), denied, tuple(patients))


_DONE = re.compile(r"[ ](?:is|are|was|were|has been|have been|had been|will be)[ ](?:\w+ly[ ])?[a-z]+[ ]by\b")
_TO = r"[ ](?:has |have |had |will |also |then |later |first )?[a-z]+[ ](?:the )?"


def _rows(text: str, names: Sequence[Named]) -> Iterator[list[Named]]:
    """Names that are joined by "and" or commas, together."""
    row: list[Named] = []
    for name in names:
        if row and not _AND.fullmatch(text[row[-1].end : name.start]):
            yield row
            row = []
        row.append(name)
    if row:
        yield row


_IS = re.compile(
    r"\b(?:the|your|our|my|his|her|its|their|\w+['’]s)[ ]((?:[a-z][\w-]*[ ]){0,3}?)([a-z][\w-]{2,})"
    r"(?:,|:|[ ](?:is|was|will be))[ ](?:(?:Prof|Dr|Mr|Mrs|Ms)\.?[ ])?\Z", re.IGNORECASE,
)  # fmt: skip


_ROLES = (
    r"(?:judge|coach|ceo|cfo|cto|coo|chief executive|minister|president|director|captain|manager|mayor|chair(?:man|woman)?|author|architect|editor|"
    r"referee|secretary|treasurer|guide|pilot|chef|nurse|trainer|teacher|doctor|dentist|biologist|engineer|translator|photographer|spokes(?:man|woman|person)|chancellor|governor|conductor|composer|producer|founder|landlord|tenant|supervisor)"
)
_TITLE = re.compile(rf"\b({_ROLES})[ ]\Z", re.IGNORECASE)
_TITLED = re.compile(rf"({_ROLES})[ ](?=[A-Z])", re.IGNORECASE)
_IS_ROLE = re.compile(
    rf"(?:,|[ ](?:is|was|has been))[ ](?:the|our|your|their|its|an?)[ ](?:[a-z]+[ ]){{0,2}}?({_ROLES})\b", re.IGNORECASE
)


def _roles(text: str, inside: Sequence[Named]) -> Iterator[Deed]:
    """ "Coach Ana Rey", "Ana Rey, the coach": who is what."""
    for name in inside:
        match = _TITLED.match(text, name.start, name.end) or _IS_ROLE.match(text, name.end) or _TITLE.search(
            text, max(0, name.start - 24), name.start)  # fmt: skip
        if match:
            yield Deed(f"is {key(match[1].lower())}", (name,), frozenset(), (), False, ())


def _role(doers: Sequence[Named], part: re.Match[str]) -> Deed:
    """ "Your adviser is Ana Rey": who is what."""
    about = frozenset(key(word) for word in part[1].lower().split() if word not in STOP)
    return Deed(f"is {key(part[2].lower())}", tuple(doers[:1]), about, (), False, ())


def _whole(text: str, row: list[Named], names: Sequence[Named]) -> list[Named]:
    """The name at whose end the row stands, as "Ana Rey of Acme": it is she who acts."""
    at = names.index(row[0])
    if at and len(row) == 1 and _OF.fullmatch(text, names[at - 1].end, row[0].start):
        return [names[at - 1], row[0]]
    return row


_BEHIND = re.compile(
    r"\b(?:to|of|in|from|at|for|with|on|by|than|as|near|into|about|between)[ ](?:the[ ])?\Z", re.IGNORECASE
)
_OF = re.compile(r",?[ ](?:of|from|at|for|with)[ ](?:the[ ])?")


def _clause(text: str, start: int, end: int, place: int) -> tuple[int, int]:
    low = max((m.end() for m in _CUT.finditer(text, start, place)), default=start)
    cut = _CUT.search(text, place, end)
    return low, cut.start() if cut else end


def _acts(word: str) -> bool:
    return word not in STOP and (word.endswith(("ed", "es")) or (known(word) and not word.endswith("ing")) or
                                 (word.endswith("s") and not word.endswith("ss")))  # fmt: skip


def not_done(said: Iterable[Deed], told: Sequence[Deed]) -> Iterator[tuple[Named, Named]]:
    """Doers of the answer of whom the evidence says no such thing, each with the one of whom it does."""
    by_verb: dict[str, list[Deed]] = defaultdict(list)
    for other in told:
        if not other.denied:
            by_verb[other.verb].append(other)
    for deed in said:
        same = by_verb.get(deed.verb, [])
        if deed.denied or not same or len(same) > _MOST:
            continue
        for doer in deed.doers:
            if (rival := _instead(doer, deed, same)) is not None:
                yield doer, rival


def _instead(doer: Named, deed: Deed, same: Sequence[Deed]) -> Named | None:
    own = [other for other in same if any(_alike(name, doer) for name in (*other.doers, *other.others))]
    if not own:
        about = [other for other in same if _about_one(deed, other)]
        return about[0].doers[0] if about and len(about) == len(same) else None
    if any(not any(_alike(name, doer) for name in other.doers) for other in own):
        own_too = [o for o in own if any(_alike(name, doer) for name in o.doers)]
        return None if own_too else own[0].doers[0]
    rest = [other for other in same if other not in own]
    if len(deed.patients) == 1 and rest and all(o.patients and not _has(o, deed.patients[0]) for o in own):
        return rest[0].doers[0]  # who did it to another
    return None


def _alike(one: Named, two: Named) -> bool:
    """Whether two names are one, maybe in two spellings."""
    if one.alike(two):
        return True
    if one.text[0] != two.text[0] or abs(len(one.text) - len(two.text)) > 3:
        return False
    return SequenceMatcher(None, one.text, two.text, autojunk=False).ratio() >= _SPELLING


def _about_one(one: Deed, two: Deed) -> bool:
    """Whether two deeds may be one: they share words, or one of them is of "it"."""
    if not one.about or not two.about:
        return one.verb.startswith("is ") or not two.about
    return _shared(one.about, two.about) >= max(1, 0.5 * len(one.about))


def _has(deed: Deed, name: Named) -> bool:
    return any(other.alike(name) for other in (*deed.others, *deed.doers))


def _shared(one: frozenset[str], two: frozenset[str]) -> int:
    return sum(any(word == other or forms(word, other) for other in two) for word in one)
