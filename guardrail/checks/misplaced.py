"""Values that the evidence gives of one thing and the answer of another, told by the words around them. Pure.

The answer misplaces a value when the evidence has it only in slots that fit the answer's worse than
the slot of another value of the same sort: fits every word that they fit, and more, and most of the answer's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from guardrail.checks.amounts import Amount
from guardrail.checks.content import forms
from guardrail.checks.named import Named
from guardrail.checks.slots import Slot
from guardrail.checks.values import MONTHS, YEAR, Label, Value, agree, of_one_sort, stems_of

__all__ = ["conflicting", "misplaced"]

_FITS = 0.6
"""The share of the answer's words around a value that another value's slot must have."""
_ALONE = 0.5
"""The same where the value's own slots have none of the words."""
_NAME_FITS = 0.75
"""The same for names, which are of many sorts: a person's slot is none for a town."""
_PAIRS = 60_000
"""So many pairs of values are compared at most: beyond, no value is said to be misplaced."""


_STARTS, _ENDS = ("from", "since"), ("until", "till", "to", "through")


def _of_another_rate(said: Value, rival: Value, mine: Sequence[Slot]) -> bool:
    """Whether the answer's number is one for a time, "310 a week", as its own is told, and the rival none."""
    if (
        not isinstance(said, Amount)
        or not isinstance(rival, Amount)
        or not said.per
        or not said.bare
        or rival.per == said.per
    ):
        return False
    return any(
        isinstance(own.value, Amount) and (own.value.per == said.per or said.per in own.near | own.wide) for own in mine
    )


def misplaced(
    said: Sequence[Slot], told: Sequence[Slot], asked: frozenset[str] = frozenset()
) -> list[tuple[Slot, Slot]]:
    """Slots of the answer whose values the evidence gives of something else, each with the slot that it fits.

    Where the clause, or another that is right, states the rival's value too, the answer speaks of both. ``asked``: the words of
    the question; where they name what the value is given of, the answer need not.
    """
    alike = _likeness(said, told)
    if len(said) * len(told) > _PAIRS:  # of long evidence, what has a word in common with the answer
        wanted = frozenset().union(*alike.values())
        told = [slot for slot in told if wanted & (slot.near | slot.wide)]
        if len(said) * len(told) > _PAIRS:
            return []
    found = [
        (s, rivals)
        for s in said
        if not _is_whole(s, said)
        and not s.denied
        and not (isinstance(s.value, Label) and s.leads)
        and (rivals := _rivals(s, told, alike))
    ]
    wrong = {(slot.start, slot.end) for slot, _ in found}
    left = [(s, r) for s, rivals in found for r in [r for r in rivals if not _stated(s, r, said, wrong)][:1]]
    left = [(s, rival) for s, rival in left if not any(_rather(s, rival, other) for other, _ in left)]
    return [(s, rival) for s, rival in left if not (asked and _is_asked(s, rival, told, asked))]


def _is_asked(slot: Slot, rival: Slot, told: Sequence[Slot], asked: frozenset[str]) -> bool:
    """Whether the question names what the value is given of, and the answer nothing that the rival is."""
    mine = [own for own in told if agree(slot.value, own.value) and own.unit[0] == rival.unit[0]]
    if any(_is_mark(word) for own in mine for word in asked & own.near - rival.near):
        return True
    if slot.near & (rival.near - frozenset().union(*(own.near for own in mine))):
        return False
    return any(asked & (own.near - rival.near) for own in mine) and not any(
        asked & (rival.near - own.near) for own in mine
    )


def _rather(slot: Slot, rival: Slot, other: Slot) -> bool:
    """Whether of two values of one clause, of which only one can be wrong, it is the other: what is said last is news."""
    if (slot.unit, slot.clause) != (other.unit, other.clause) or slot.start >= other.start:
        return False
    return not of_one_sort(slot.value, other.value) or (
        isinstance(slot.value, Named) and not agree(rival.value, other.value)
    )


def conflicting(said: Sequence[Slot], told: Sequence[Slot]) -> list[tuple[Slot, Slot]]:
    """Numbers and times of the answer that are told nowhere, each with the slot of another value that has its words."""
    alike = _likeness(said, told)
    found = []
    for slot in said:
        if isinstance(slot.value, Named) or any(agree(slot.value, other.value) for other in told):
            continue
        for rival in told:
            met = _met(slot.near, rival.near, alike)
            if (
                of_one_sort(slot.value, rival.value)
                and met
                and len(met) == len(slot.near) >= len(rival.near) - 1
                and not _stated(slot, rival, said, set())
            ):
                found.append((slot, rival))
                break
    return found


def _is_whole(slot: Slot, said: Sequence[Slot]) -> bool:
    """Whether it is the 298 of "17 of the 298", which belongs to the number before it."""
    return slot.link in ("of", "in", "from") and any(
        isinstance(other.value, Amount)
        and (other.unit, other.clause) == (slot.unit, slot.clause)
        and 0 < slot.start - other.end < 16
        for other in said
    )


def _stated(slot: Slot, rival: Slot, said: Sequence[Slot], wrong: set[tuple[int, int]]) -> bool:
    return any(
        agree(other.value, rival.value)
        and other.unit == slot.unit
        and (
            other.clause == slot.clause
            or ((other.start, other.end) not in wrong and rival.head <= other.near and not (other.head or slot.head))
        )
        for other in said
        if other is not slot
    )


_Likeness = Mapping[str, frozenset[str]]


def _likeness(said: Iterable[Slot], told: Iterable[Slot]) -> _Likeness:
    """For each word of the answer the words of the evidence that are forms of it."""
    known: dict[str, set[str]] = defaultdict(set)
    for slot in told:
        for word in slot.wide | slot.near | slot.head:
            known[word[:4]].add(word)
    wanted = {word for slot in said for word in slot.near | slot.wide}
    return {word: frozenset(other for other in known.get(word[:4], ()) if _forms(word, other)) for word in wanted}


def _forms(one: str, two: str) -> bool:
    return one == two if one[0] in "#@-~$" else forms(one, two)


def _rivals(slot: Slot, told: Sequence[Slot], alike: _Likeness) -> list[Slot]:
    """The slots of other values that fit better than every one of the value itself."""
    mine = [other for other in told if agree(slot.value, other.value)]
    if not mine or not slot.near:
        return []
    if all(own.unsaid for own in mine) and not slot.unsaid:
        return [
            r
            for r in told
            for own in mine
            if r.unit == own.unit and of_one_sort(own.value, r.value) and _met(slot.near, own.wide, alike)
        ]
    heads = [other.head for other in told if other.head]
    words = slot.near if any(_names(slot.near, head, alike) for head in heads) else slot.wide
    return [
        rival
        for rival in told
        if of_one_sort(slot.value, rival.value)
        and not agree(slot.value, rival.value)
        and not any(_one_row(own, rival) for own in mine)
        and not _of_another_rate(slot.value, rival.value, mine)
        and not (isinstance(slot.value, Named) and any(_far(own, rival, told) for own in mine))
        and (
            (_better_words(slot, rival, mine, alike) and not any(_far(own, rival, told) for own in mine))
            or _other_row(words, rival, mine, alike)
            or _counterpart(slot, rival, mine, alike)
            or _marked_apart(slot, rival, mine, alike)
            or _other_end(slot, rival, mine, alike)
            or _only_compared(slot, rival, mine, told, alike)
        )
    ]


_LONG = 30
"""In evidence of so many values, they are held against those in the same sentence or the next."""


def _one_row(own: Slot, rival: Slot) -> bool:
    """Whether two names are items of one list, of which the same is said."""
    return own.unit == rival.unit and own.row == rival.row != -1


def _far(own: Slot, rival: Slot, told: Sequence[Slot]) -> bool:
    return len(told) > _LONG and rival.column < 0 and not _beside(own, rival)


def _better_words(slot: Slot, rival: Slot, mine: Sequence[Slot], alike: _Likeness) -> bool:
    met = _met(slot.near, rival.near, alike)
    if isinstance(slot.value, Named):
        sure = len(met) >= max(2, _NAME_FITS * len(slot.near))
        if not (_of_one_part(slot, rival, mine) if sure else _in_parallel(slot, rival, mine)):
            return False
    elif slot.link in _ENDS and rival.link in _STARTS:
        return False
    left = [_met(slot.near, own.near if own.unit == rival.unit else own.near | own.wide, alike) for own in mine]
    times = frozenset(word for word in slot.near if word[0] in "#@" or word in MONTHS or YEAR.fullmatch(word))
    told_apart = bool(times) and times <= met and not any(times & own for own in left)
    least = 0.4 if told_apart else _FITS if any(left) else _ALONE
    if isinstance(slot.value, Named) and any(left):
        least = _NAME_FITS
    return bool(met) and all(own < met for own in left) and len(met) >= least * _size(slot.near)


def _size(words: frozenset[str]) -> int:
    """How many words there are, without what names among them are marked with."""
    return sum(word[0] != "~" for word in words)


def _of_one_part(slot: Slot, rival: Slot, mine: Sequence[Slot]) -> bool:
    """Whether two names may play one part: neither is said of the other, and they stand behind the same preposition."""
    own = stems_of(slot.value)
    if own & rival.near:
        return False
    if slot.link and slot.link == rival.link:
        return True
    if own & rival.wide:
        return any(_alike_placed(o, rival) for o in mine if o.unit == rival.unit)
    if rival.column >= 0 or (slot.link, slot.leads) == (rival.link, rival.leads):
        return True
    return all(_alike_placed(other, rival) for other in mine)


def _alike_placed(one: Slot, two: Slot) -> bool:
    """Whether two values stand behind one preposition, or both before or both behind the verb."""
    return one.link == two.link and (bool(one.link) or one.leads == two.leads)


def _in_parallel(slot: Slot, rival: Slot, mine: Sequence[Slot]) -> bool:
    """Whether the two names do the same in clauses that stand side by side, of which neither names the other."""
    own = stems_of(slot.value)
    if slot.link and slot.link != rival.link and not rival.head:  # who ends "in" it does not call "at" it
        return False
    return not own & (
        rival.near | (rival.wide if all(other.unit != rival.unit for other in mine) else frozenset())
    ) and all(_alike_placed(other, rival) and _beside(other, rival) for other in mine)


def _beside(one: Slot, two: Slot) -> bool:
    return one.unit[0] == two.unit[0] and abs(one.unit[1] - two.unit[1]) <= 1


def _other_row(words: frozenset[str], rival: Slot, mine: Sequence[Slot], alike: _Likeness) -> bool:
    """Whether the sentence names the row of the rival, and none in which the value stands."""
    if not rival.head or not _names(words, rival.head, alike):
        return False
    if isinstance(rival.value, Named) and rival.column < 0:  # lines of one thing's properties
        return False
    return all(
        own.head - rival.head
        and own.unit[0] == rival.unit[0]
        and own.unit != rival.unit
        and own.column == rival.column
        and not _met(words, own.head - rival.head, alike)
        for own in mine
    )


def _counterpart(slot: Slot, rival: Slot, mine: Sequence[Slot], alike: _Likeness) -> bool:
    """Whether the value and the rival stand side by side, told apart by few words, and the answer has only the rival's."""
    if isinstance(slot.value, Named) or not all(_side_by_side(own, rival) for own in mine):
        return False
    rivals_own = rival.near - frozenset().union(*(own.near for own in mine))
    return (
        0 < len(rivals_own) <= 3
        and 2 * len(_met_by(rivals_own, slot.near, alike)) > len(rivals_own)
        and all(own.near - rival.near and _is_less_met(own.near - rival.near, rivals_own, slot, alike) for own in mine)
    )


def _is_less_met(own: frozenset[str], rivals: frozenset[str], slot: Slot, alike: _Likeness) -> bool:
    """Whether the answer has none of the value's own words, or but one of three in its clause and all of the rival's two."""
    if not _met_by(own, slot.wide, alike):
        return True
    met = len(_met_by(own, slot.near, alike))
    return len(rivals) > 1 and len(_met_by(rivals, slot.near, alike)) == len(rivals) and 3 * met <= len(own)


def _marked_apart(slot: Slot, rival: Slot, mine: Sequence[Slot], alike: _Likeness) -> bool:
    """Whether the time or the number of a thing that the answer names is the rival's, and the value has others."""
    named = isinstance(slot.value, Named)  # names stand beside many things: only those of code tell them apart
    marks = frozenset(word for word in slot.near if (word[0] == "$" if named else _is_mark(word)))
    if not marks or not marks <= rival.near or slot.past:
        return False
    sorts = {_sort(mark) for mark in marks}
    around = [own.near if own.unit == rival.unit else own.near | own.wide for own in mine]
    others = [frozenset(word for word in words if _is_mark(word)) for words in around]
    if any(marks & other or not sorts & {_sort(mark) for mark in other} for other in others):
        return False
    met = _met(slot.near, rival.near, alike)
    return met > marks and len(met) >= 0.4 * _size(slot.near)


def _is_mark(word: str) -> bool:
    return word[0] in "#@~$" or word in MONTHS or YEAR.fullmatch(word) is not None


def _sort(mark: str) -> str:
    """What may stand for each other: numbers of things, times of one grain, months, years."""
    return (
        f"{mark[0]}{mark[-1]}"
        if mark[0] == "@"
        else "#"
        if mark[0] == "#"
        else "year"
        if mark[0].isdigit()
        else "month"
    )


def _side_by_side(own: Slot, rival: Slot) -> bool:
    """Whether two values are given of two things in the same way: in one sentence, in sentences or lines of one form."""
    if own.unit[0] != rival.unit[0] or abs(own.unit[1] - rival.unit[1]) > 2:
        return False
    return bool(own.near & rival.near) or bool(own.head and rival.head) or own.unit == rival.unit


def _met_by(told: frozenset[str], said: frozenset[str], alike: _Likeness) -> frozenset[str]:
    """The words of the evidence of which the answer has a form."""
    return told & frozenset().union(*(alike.get(word, frozenset()) for word in said))


def _other_end(slot: Slot, rival: Slot, mine: Sequence[Slot], alike: _Likeness) -> bool:
    """Whether it is said of now what was so before a change "from" it "to" the rival, or the other way round."""
    if slot.past or not all(own.changes == -1 and rival.changes == 1 and own.unit == rival.unit for own in mine):
        return False
    return bool(_met(slot.near, rival.near | rival.wide, alike)) and (slot.link == "to" or slot.now)


def _only_compared(slot: Slot, rival: Slot, mine: Sequence[Slot], told: Sequence[Slot], alike: _Likeness) -> bool:
    """Whether the rival is the value of now, and the answer's is one that it is only compared with."""
    if (
        slot.then
        or rival.aside
        or not all(own.aside and own.unit == rival.unit and own.start > rival.start for own in mine)
    ):
        return False
    if any(
        rival.start < other.start < own.start and of_one_sort(other.value, own.value) for own in mine for other in told
    ):
        return False
    return bool(_met(slot.wide, rival.wide, alike)) or not any(
        other.unit != rival.unit and _comparable(other.value, rival.value) for other in told
    )


def _comparable(one: Value, two: Value) -> bool:
    """Whether two values are of one sort, or the same."""
    return of_one_sort(one, two) or agree(one, two)


def _names(words: frozenset[str], head: frozenset[str], alike: _Likeness) -> bool:
    return all(any(part in alike.get(word, ()) for word in words) for part in head)


def _met(words: frozenset[str], others: frozenset[str], alike: _Likeness) -> frozenset[str]:
    return frozenset(word for word in words if alike.get(word, frozenset()) & others)
