"""The words around each value of a text: of its clause and its subject, or of its row and column. Pure.

A number, time or name stands in a clause, behind a subject, or in a cell below a column's name. Its *slot* are the
words there.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from guardrail.checks.amounts import Amount
from guardrail.checks.clausal import IT, clauses_in, surroundings
from guardrail.checks.moments import Moment
from guardrail.checks.named import Named
from guardrail.checks.tables import RULE, cells, lines, tables_in
from guardrail.checks.values import Value, Word, parts_of, values_in, words_in
from guardrail.grounding.statements import sentences

__all__ = ["Slot", "read"]

_LONGEST = 3_000
"""Characters; what is longer is no sentence whose words could tell its values apart."""
_LINK = re.compile(
    r"\b(by|in|of|from|at|to|for|on|near|with|into|as|under|until|till|since|through)[ ](?:the[ ]|an?[ ])?"
    r"(?:(?:Prof|Dr|Mr|Mrs|Ms)\.?[ ])?\Z",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"\W*(?:it|its|he|his|she|her|they|their|this|these|that|those|both)\b", re.IGNORECASE)
_HEAD = re.compile(r"[ \t]*(?:[-*•][ \t]+|\d{1,2}[.)][ \t]+)?(?:\*\*)?([^\n:|.!?]{2,40}?)(?:\*\*)?:(?:\*\*)?(?=\s)")


@dataclass(frozen=True, slots=True)
class Slot:
    """One value and the words that it stands among."""

    start: int
    end: int
    value: Value
    near: frozenset[str]
    """Of its clause and of its sentence's subject, or of its row's and column's names."""
    wide: frozenset[str]
    """Of its whole sentence or row."""
    unit: tuple[int, int]
    """Its text and its sentence there."""
    clause: int = 0
    """Where its clause begins in the sentence's text."""
    head: frozenset[str] = frozenset()
    """The row's name, or what stands before a colon."""
    column: int = -1
    """In a table."""
    link: str = ""
    """The preposition right before it."""
    leads: bool = False
    """Whether no word of its clause stands before it."""
    changes: int = 0
    """-1 for the 3 of "rose from 3 to 5", 1 for the 5."""
    past: bool = False
    """Whether its sentence speaks of what was before, or denies something."""
    now: bool = False
    """Whether its sentence speaks of what is now."""
    denied: bool = False
    """Whether its clause has a "not"."""
    row: int = -1
    """Where the names begin that it stands in a row with."""
    aside: bool = False
    """Whether another value is only compared with it: the 5 of "3 (2020: 5)" or of "3, down from 5"."""
    unsaid: bool = False
    """Whether a "not" stands right before it."""
    then: bool = False
    """Whether its sentence speaks of two times, or of an earlier one."""

    @property
    def of_another(self) -> str:
        """What to say of a value in whose place this one should stand."""
        return f"the evidence says so of something else; of this it says {self.value.text!r}"


def read(text: str, number: int = 0) -> list[Slot]:
    """The slots of a text. ``number``: tells texts apart."""
    found: list[Slot] = []
    at = 0
    for start, end in tables_in(text):
        found += _prose(text, at, start, (number, len(found)))
        found += _table(text, start, end, (number, len(found) + 1))
        at = end
    return found + _prose(text, at, len(text), (number, len(found) + 2))


def _prose(text: str, start: int, end: int, unit: tuple[int, int]) -> list[Slot]:
    part = re.sub(r"(?<=[a-z,;]) *\n(?=[a-z])(?![a-z ]{2,30}:)", lambda m: " " * len(m[0]), text[start:end])
    values, marks = values_in(part)
    starts = [value.start for value in values]
    rows = _rows(part, values)
    found: list[Slot] = []
    before: list[Slot] = []
    subject: frozenset[str] = frozenset()
    above: frozenset[str] = frozenset()
    for place, (first, last) in enumerate(_sentences(part)):
        if last - first > _LONGEST:
            continue
        inside = values[bisect_left(starts, first) : bisect_left(starts, last)]
        words = [*words_in(part, first, last), *(mark for mark in marks if first <= mark.start < last)]
        head = _head(part, first, last, words)
        clauses = clauses_in(part, first, last, words, inside)
        subject = clauses[0].subject | (subject if _PRONOUN.match(part, first, last) else frozenset())
        heading, item = _HEADING.match(part, first, last), _ITEM.match(part, first, last)
        above = (
            frozenset(word.stem for word in words)
            if heading
            else above
            if item or _titled(above, part, first)
            else _NO_WORDS
        )
        under = _NO_WORDS if heading else above
        here: list[Slot] = []
        past, now = _PAST.search(part, first, last) is not None, _NOW.search(part, first, last) is not None
        for value in inside:
            clause, near = surroundings(part, clauses, value, inside, subject)
            mine = _own(words, value, inside)
            wide = frozenset(word.stem for word in words) | subject | under
            at, words_near = (unit[0], 1000 * unit[1] + place), (near | head | under) - mine
            if isinstance(value, Named):
                words_near = frozenset(word for word in words_near if word[0] != "~")
            link = _LINK.search(part, max(first, value.start - 24), value.start)
            place_of = (value.start + start, value.end + start)
            said = link[1].lower() if link else ""
            leads = clause.verb is None or value.start < clause.verb
            here.append(Slot(*place_of, value, words_near, wide - mine, at, clause.start, head, -1, said, leads,
                             _changes(part, value), past, now, _NOT.search(part, clause.start, clause.end) is not None, rows.get(value.start, -1),
                             _is_aside(part, value), _UNSAID.search(part, max(first, value.start - 24), value.start) is not None, _THEN.search(part, first, last) is not None))  # fmt: skip
        if IT.match(part, first, last):  # what "it" does is said of what the sentence before is about
            before = [replace(slot, wide=slot.wide | frozenset(word.stem for word in words)) for slot in before]
        found += before
        before = here
    return found + before


_NO_WORDS: frozenset[str] = frozenset()
_HEADING = re.compile(
    r"[ \t]*(?:#{1,6}[ \t]+\S.*|(?:[^\n|.!?]|[.!?](?=\S)){2,60}:(?:\*\*)?[ \t]*|\*\*[^*\n]{2,60}\*\*:?[ \t]*)\Z"
)
"""A line that says what the lines below it are about."""
_ITEM = re.compile(r"[ \t]*(?:[-*•+][ \t]+|\d{1,2}[.)][ \t]+)")


def _titled(above: frozenset[str], text: str, place: int) -> bool:
    """Whether the line at ``place`` stands right below another, as lines of a form do."""
    return bool(above) and "\n\n" not in text[max(0, place - 3) : place]


_CHANGE = re.compile(
    r"\b(?:moved?|chang\w+|rose|ris(?:es|en|ing)|fell|fall(?:s|en|ing)|grew|grow(?:s|n|ing)|dropp?\w*|went|switch\w*|rais\w+|"
    r"lower\w*|increas\w+|decreas\w+|cut|reduc\w+|extend\w*|postpon\w+|brought forward|renam\w+|relocat\w+|reschedul\w+|"
    r"climb\w*|slip\w*|declin\w+|shrank|upgrad\w+|jump\w*|surg\w+|put (?:back|off|up)|up|down)\b[^.;]{0,40}?\bfrom[ ](?:the[ ])?\Z",
    re.IGNORECASE,
)
_FROM_TO = re.compile(r"\bfrom\b[^;\n]{1,40}?[ ]to[ ](?:the[ ])?\Z", re.IGNORECASE)
_PAST = re.compile(
    r"\b(?:from|before|previous\w*|originally|initially|at first|used to|earlier|formerly|until|had been|old|no longer|not|never)\b|n['’]t\b",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:not|never|no longer|neither|nor|except|unlike|other than|another|instead of|rather than)\b|n['’]t\b", re.I
)
_NOW = re.compile(r"\b(?:is|are|will|now|currently|today|['’]s)\b", re.IGNORECASE)
_THEN = re.compile(
    r"\b(?:from|before|previous\w*|prior|originally|initially|earlier|formerly|until|had|used to|ago|last|compared|against|versus|vs|than|instead|"
    r"was|were|up|down|rose|fell|(?:19|20)\d\d|Q[1-4])\b", re.IGNORECASE,
)  # fmt: skip
_UNSAID = re.compile(
    r"\b(?:not|never|rather than|instead of|unlike|except)[ ](?:the |an? |by |in |at |on |to |for )?\Z", re.IGNORECASE
)
_COMPARED = re.compile(
    r"\b(?:(?:down|up) from|compared (?:with|to)|against|versus|vs\.?|previously|formerly|(?:last|previous|prior) (?:year|quarter|month|week|season)(?:['’]s)?:?)"
    r"[ ](?:the |an? |just |only |about )?\Z", re.IGNORECASE,
)  # fmt: skip
_IN_BRACKETS = re.compile(
    r"\((?=[^()]*\b(?:(?:19|20)\d\d|Q[1-4]|prev\w*|prior|last|earlier|was|from|before|against|vs|up|down|compared)\b)[^()]*\Z"
)


def _is_aside(text: str, value: Value) -> bool:
    before = text[max(0, value.start - 60) : value.start]
    return (
        _COMPARED.search(before) is not None
        or _IN_BRACKETS.search(text[max(0, value.start - 60) : value.end]) is not None
    )


def _changes(text: str, value: Value) -> int:
    before = text[max(0, value.start - 80) : value.start]
    if before.endswith(("from ", "from the ")):
        return -1 if _CHANGE.search(before) else 0
    match = _FROM_TO.search(before)
    return 1 if match and _CHANGE.search(before[: match.start() + 5]) else 0


def _head(text: str, first: int, last: int, words: Sequence[Word]) -> frozenset[str]:
    """What stands before a colon at the start of a line."""
    match = _HEAD.match(text, first, last)
    return _stems(words, first, match.end(1)) if match and len(match[1].split()) <= 5 else frozenset()


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    for span in sentences(text):
        at = span.start
        for line in span.text.splitlines(keepends=True):
            if line.strip():
                yield from _headed(line, at)
            at += len(line)


def _headed(line: str, start: int) -> Iterator[tuple[int, int]]:
    """The parts of a line each of which has its own head before a colon: "Tea: 3 minutes; coffee: 5 minutes"."""
    cuts = [match.end() for match in _NEXT_HEAD.finditer(line)] if ":" in line[: line.find(";") + 1] else []
    cuts = cuts if len(cuts) <= _HEADS else []  # of a record, whose parts are all of one thing
    for low, high in zip([0, *cuts], [*cuts, len(line.rstrip())], strict=True):
        if line[low:high].strip():
            yield start + low, start + high


_HEADS = 2
_NEXT_HEAD = re.compile(r";\s+(?=[^;:\n]{2,40}:\s)")


def _stems(words: Sequence[Word], start: int, end: int) -> frozenset[str]:
    return frozenset(word.stem for word in words if start <= word.start < end)


_ROW = re.compile(r",?[ ](?:and|or|&)[ ](?:the[ ])?|,[ ](?:the[ ])?")


def _rows(text: str, values: Sequence[Value]) -> dict[int, int]:
    """Where the row of names, times or numbers begins in which each stands."""
    found: dict[int, int] = {}
    last: Value | None = None
    for value in values:
        if last is not None and type(value) is type(last) and _ROW.fullmatch(text, last.end, value.start):
            found[value.start] = found[last.start]
        else:
            found[value.start] = value.start
        last = value
    return found


def _own(words: Sequence[Word], value: Value, inside: Sequence[Value]) -> frozenset[str]:
    """The words of a value itself; those of the other times of its sort too, which are none of its surroundings."""
    if not isinstance(value, Moment):
        rate = _RATE if isinstance(value, Amount) and value.per else 0  # "a year" in "0.75 % a year"
        return _stems(words, value.start, value.end + rate)
    alike = [
        other
        for other in inside
        if isinstance(other, Moment) and (parts_of(other) == parts_of(value) or _of_one_day(value, other))
    ]
    return frozenset(word.stem for word in words if any(a.start <= word.start < a.end for a in alike))


_RATE = 9
"""Characters behind an amount within which the time stands that it is for."""


def _of_one_day(value: Moment, other: Moment) -> bool:
    """Whether a day of the week and a date stand together for one day."""
    return "time" not in (value.grain, other.grain) and (
        -3 < other.start - value.end < 3 or -3 < value.start - other.end < 3
    )


def _table(text: str, start: int, end: int, unit: tuple[int, int]) -> list[Slot]:
    rows = [cells(text, at, stop) for at, stop in lines(text, start, end) if not RULE.fullmatch(text[at:stop])]
    heads = [_names_of(text, cell) for cell in rows[0]] if rows else []
    found = []
    for place, row in enumerate(rows[1:]):
        head = _names_of(text, row[0]) if row else frozenset()
        for column, (at, stop) in enumerate(row):
            top = heads[column] if column < len(heads) else frozenset()
            values, _ = values_in(text[at:stop])
            for value in values if len(values) == 1 else []:
                words = head | top if column else top
                found.append(
                    Slot(
                        at + value.start,
                        at + value.end,
                        value,
                        words,
                        words,
                        (unit[0], 1000 * unit[1] + place),
                        column,
                        head,
                        column,
                    )
                )
    return found


def _names_of(text: str, cell: tuple[int, int]) -> frozenset[str]:
    return frozenset(word.stem for word in words_in(text, *cell))
