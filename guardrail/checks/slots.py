"""Values that the evidence gives of one thing and the answer of another, told by the words around them. Pure.

A number, time or name stands in a clause, behind a subject, or in a cell below a column's name. Its *slot* are the
words there. The answer misplaces a value when the evidence has it only in slots that fit the answer's worse than
the slot of another value of the same sort: fits every word that they fit, and more, and most of the answer's.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from guardrail.checks.alike import key
from guardrail.checks.amounts import Amount, amounts
from guardrail.checks.content import STOP, WORD, forms, stem
from guardrail.checks.moments import Moment, moments
from guardrail.checks.named import Named, named
from guardrail.checks.support import comparable, same
from guardrail.grounding.statements import sentences

__all__ = ["Slot", "agree", "conflicting", "is_label", "is_numbered", "misplaced", "read", "words_of"]


@dataclass(frozen=True, slots=True)
class Label:
    """A number that names something: the 2 of "gate 2"."""

    start: int
    end: int
    text: str
    noun: str


Value = Amount | Moment | Named | Label
_FITS = 0.6
"""The share of the answer's words around a value that another value's slot must have."""
_ALONE = 0.5
"""The same where the value's own slots have none of the words."""
_NAME_FITS = 0.75
"""The same for names, which are of many sorts: a person's slot is none for a town."""
_LONGEST = 3_000
"""Characters; what is longer is no sentence whose words could tell its values apart."""
_PAIRS = 60_000
"""So many pairs of values are compared at most: beyond, no value is said to be misplaced."""
_CUT = re.compile(
    r"[;,:](?=\s)|\((?=[^()]{25}|\d[^()]* [a-z]{3})|(?<=[^()]{25})\)|[—|]|\s[-–]\s|\b(?:and|but|while|whereas|against|although|though|then|with|before|after|until|versus|vs|plus|"
    r"compared|(?:up|down) from|than)\b",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|will|would|can|could|may|might|must|should|shall|do|does|did|[a-z]{3,}ed|"
    r"came|went|rose|fell|grew|won|lost|made|took|gave|held|began|sold|bought|built|led|wrote|paid|drew|ran|left|became|"
    r"(?:run|cost|weigh|last|hold|take|get|come|begin|start|open|need|stand|measure|include|contain|pay|earn|sell|lead|depart|leave|"
    r"arrive|close|buy|call|bring|give|make|use|live|work|play|move|meet|lie|belong|cover|offer|receive|win|own|teach|drive|"
    r"serve|carry|publish|connect|control|require|allow|show|drink|eat|grow|produce|employ|end|beat|answer|send|keep)s?|"
    r"goes|reaches|carries|teaches|publishes|rises|falls|flows|enters|joins|passes|supports|handles|returns|accepts|expires|applies|"
    r"follows|treats|stores|provides|delivers|listens|affects|gains|loses|adds|removes|represents|owns|hosts|feeds|helps|causes|"
    r"means|says|wants|knows|runs|weighs|lies|sits|links|crosses|protects|prevents|spans|holds|rests)\b"
)
_ASIDE = re.compile(r"against|versus|vs|compared|(?:up|down) from|than", re.IGNORECASE)
"""What follows is there to be compared with: the sentence is about another."""
_LINK = re.compile(
    r"\b(by|in|of|from|at|to|for|on|near|with|into|as|under|until|till|since|through)[ ](?:the[ ]|an?[ ])?"
    r"(?:(?:Prof|Dr|Mr|Mrs|Ms)\.?[ ])?\Z",
    re.IGNORECASE,
)
_STARTS, _ENDS = ("from", "since"), ("until", "till", "to", "through")
_PRONOUN = re.compile(r"\W*(?:it|its|he|his|she|her|they|their|this|these|that|those|both)\b", re.IGNORECASE)
_IT = re.compile(r"\W*(?:it|he|she|they|this|these|that|those|both)\b", re.IGNORECASE)
_HEAD = re.compile(r"[ \t]*(?:[-*•][ \t]+|\d{1,2}[.)][ \t]+)?(?:\*\*)?([^\n:|.!?]{2,40}?)(?:\*\*)?:(?:\*\*)?(?=\s)")
_RULE = re.compile(r"[ \t]*\|?[ :|\t-]*-[ :|\t-]*")
_YEAR = re.compile(r"1\d\d\d|20\d\d")
_MONTHS = frozenset(
    stem(month) for month in "january february march april june july august september october november december".split()
)
_LIGHT = frozenset(
    "call nam know known may must might shall prof dr mr mrs ms come mak mak giv tak get say us go hav put make give take use".split()
) | {
    "com",
    "giv",
    "tak",
    "mak",
}
"""Stems of verbs that tell nothing."""
_DATES = ("date", "decade", "century")


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


# reading


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    stem: str


def read(text: str, number: int = 0) -> list[Slot]:
    """The slots of a text. ``number``: tells texts apart."""
    found: list[Slot] = []
    at = 0
    for start, end in _tables(text):
        found += _prose(text, at, start, (number, len(found)))
        found += _table(text, start, end, (number, len(found) + 1))
        at = end
    return found + _prose(text, at, len(text), (number, len(found) + 2))


def _values(text: str) -> tuple[list[Value], list[_Word]]:
    """The values of a text, and what in it is no value but tells values apart: times, and numbers that name things."""
    times = [moment for moment in moments(text) if moment.sure]
    figures = amounts(text, [(m.start, m.end) for m in times])
    labels = {n.start for n in figures if is_label(text, n)}
    found: list[Value] = [*times, *(n for n in figures if n.start not in labels)]
    found += [
        _label(text, n) for n in figures if n.start in labels and _LABEL.search(text, max(0, n.start - 24), n.start)
    ]
    found += named(text, [(value.start, value.end) for value in found])
    marks = [_Word(m.start, m.end, f"@{_mark(m)}") for m in times if not m.text.isdigit()]
    marks += [_Word(n.start, n.start + 1, f"~{'.'.join(sorted(n.words))}") for n in found if isinstance(n, Named)]
    marks += [_Word(m.start(1), m.end(1), f"${m[1]}") for m in _CODE.finditer(text)]
    marks += [_Word(n.start, n.end, f"#{n.text}") for n in figures if n.start in labels]
    return sorted(found, key=lambda value: value.start), marks


def _label(text: str, amount: Amount) -> Label:
    match = _LABEL.search(text, max(0, amount.start - 24), amount.start)
    noun = match[1].lower() if match else ""
    return Label(amount.start, amount.end, amount.text, "number" if noun in ("no", "nr") else noun)


_CODE = re.compile(r"(?<!\w)[`'\"]([\w./-]{2,40})[`'\"](?!\w)")


def _mark(moment: Moment) -> str:
    return ".".join("" if part is None else str(part) for part in moment.readings[0]) + moment.grain[0]


_LABEL = re.compile(
    r"\b(no|nr|number|page|line|row|article|clause|section|step|day|week|chapter|figure|table|item|route|room|platform|gate|version|"
    r"release|rule|phase|stage|option|building|block|terminal|flight|train|bus|tram|exit|ward|flat|appendix|annex|question|exercise|"
    r"lesson|episode|season|volume|class|grade|type|category|tier|port|seat|invoice|ticket|paragraph|zone|level|track|model|"
    r"dose|player|patient|arm|pump|pin|slot|tank|plot|stop|lane|court|hall|pier|test|study|experiment|scenario|layer|node|server|camera|"
    r"sensor|valve|reactor|account|support for)s?\.?[ ]#?\Z",
    re.IGNORECASE,
)
_CALLED = re.compile(r"(?<![.!?\n|][ ])(?<!\A)\b[A-Z][\w.]*[ ]\Z|[-/#.:]\Z")


_DAY = re.compile(
    r"\b(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|March|April|May|June|July|August|September|October|November|"
    r"December)[ ]\Z"
)


def is_numbered(text: str, amount: Amount) -> bool:
    """Whether a number stands behind a word for things that have numbers: the 9 of "table 9"."""
    return amount.bare and _LABEL.search(text, max(0, amount.start - 24), amount.start) is not None


def is_label(text: str, amount: Amount) -> bool:
    """Whether a number names something rather than counts: "Clause 9", "the 21st", part of a telephone number."""
    before = text[max(0, amount.start - 24) : amount.start]
    if amount.readings[0][0] == "ordinal":
        return bool(re.search(r"\bon the \Z", before))
    if not amount.bare or not amount.text[:1].isdigit():
        return False
    joined = re.match(r"[-–/.:]\d|[A-Z]", text[amount.end : amount.end + 2])
    if before.endswith(("(", "[")) and text[amount.end : amount.end + 1] in (")", "]"):
        return True  # a note
    return bool(joined or _LABEL.search(before) or (_CALLED.search(before) and not _DAY.search(before)))


def _words(text: str, start: int, end: int) -> list[_Word]:
    found = []
    for match in WORD.finditer(text, start, end):
        word = match[0].lower()
        if word in STOP:
            if text[match.start() - 1 : match.start()] == "-":  # "check-in" is not "check-out"
                found.append(_Word(match.start(), match.end(), f"-{word}"))
            continue
        name = key(word)
        if name not in _LIGHT and (not word[0].isdigit() or _YEAR.fullmatch(word)):
            found.append(_Word(match.start(), match.end(), name))
    return found


def _prose(text: str, start: int, end: int, unit: tuple[int, int]) -> list[Slot]:
    part = re.sub(r"(?<=[a-z,;]) *\n(?=[a-z])(?![a-z ]{2,30}:)", lambda m: " " * len(m[0]), text[start:end])
    values, marks = _values(part)
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
        words = [*_words(part, first, last), *(mark for mark in marks if first <= mark.start < last)]
        head = _head(part, first, last, words)
        clauses = _clauses(part, first, last, words, inside)
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
            clause, near = _near(part, clauses, value, inside, subject)
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
        if _IT.match(part, first, last):  # what "it" does is said of what the sentence before is about
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


def _head(text: str, first: int, last: int, words: Sequence[_Word]) -> frozenset[str]:
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


def _stems(words: Sequence[_Word], start: int, end: int) -> frozenset[str]:
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


def _own(words: Sequence[_Word], value: Value, inside: Sequence[Value]) -> frozenset[str]:
    """The words of a value itself; those of the other times of its sort too, which are none of its surroundings."""
    if not isinstance(value, Moment):
        rate = _RATE if isinstance(value, Amount) and value.per else 0  # "a year" in "0.75 % a year"
        return _stems(words, value.start, value.end + rate)
    alike = [
        other
        for other in inside
        if isinstance(other, Moment) and (_parts(other) == _parts(value) or _of_one_day(value, other))
    ]
    return frozenset(word.stem for word in words if any(a.start <= word.start < a.end for a in alike))


_RATE = 9
"""Characters behind an amount within which the time stands that it is for."""


def _of_one_day(value: Moment, other: Moment) -> bool:
    """Whether a day of the week and a date stand together for one day."""
    return "time" not in (value.grain, other.grain) and (
        -3 < other.start - value.end < 3 or -3 < value.start - other.end < 3
    )


@dataclass(frozen=True, slots=True)
class _Clause:
    start: int
    end: int
    aside: bool
    """Whether it only says what something is compared with."""
    words: tuple[_Word, ...]
    lead: frozenset[str]
    """The words before its verb, or all where it has none."""
    verb: int | None
    """Where its verb stands."""
    is_phrase: bool
    """Whether it begins with a preposition and has no verb."""

    @property
    def has_verb(self) -> bool:
        return self.verb is not None

    @property
    def subject(self) -> frozenset[str]:
        return self.lead if (self.has_verb or self.is_phrase) and len(self.lead) <= 4 else frozenset()

    @property
    def stems(self) -> frozenset[str]:
        return frozenset(word.stem for word in self.words)


def _clauses(text: str, first: int, last: int, words: Sequence[_Word], values: Sequence[Value]) -> list[_Clause]:
    inside = [(value.start, value.end) for value in values]
    cuts = [m.span() for m in _CUT.finditer(text, first, last) if not any(a <= m.start() < b for a, b in inside)]
    found = []
    for begin, end in zip([(first, first), *cuts], [*(cut[0] for cut in cuts), last], strict=True):
        own = tuple(word for word in words if begin[1] <= word.start < end)
        verb = _verb(text, begin[1], end, values)
        lead = frozenset(word.stem for word in own if verb is None or word.start < verb)
        phrase = verb is None and _PHRASE.match(text, begin[1], end) is not None
        aside = _ASIDE.fullmatch(text, *begin) is not None
        found.append(_Clause(begin[1], end, aside, own, lead, verb, phrase))
    return found


def _verb(text: str, start: int, end: int, values: Sequence[Value]) -> int | None:
    """Where the first verb of a clause stands; what a name does is one, whichever word it is."""
    known = _VERB.search(text, start, end) or _GOES_ON.match(text, start, end)
    acts = (
        _ACTS.match(text, v.end, end)
        for v in values
        if isinstance(v, Named) and start <= v.start < end and " " in v.text
    )
    places = [match.start(1) for match in (*acts,) if match] + ([known.start(known.lastindex or 0)] if known else [])
    return min(places, default=None)


_FIRST_OF = 6
"""So near to a clause's beginning a name stands that is its subject."""
_RELATIVE = re.compile(r"\s*(?:which|who|that|where)\b")
_NO_NOUN = re.compile(
    r"\s*(?:(?:in|on|at|for|by|from|to|during|under|over|after|afterwards|later|then|an?|the)\b|[.,;)]|\Z)"
)
"""What follows a value that counts what the one before it counts."""
_OWN_END = re.compile(
    r"\s*(?:in|on|at|for|by|from|to|during|under|over|after|afterwards?|later|then|before(?:hand)?|now)\b", re.I
)
_OWN_END_IN = re.compile(r"\b(?:in|on|at|for|by|from|to|during|under|over|after)\b", re.IGNORECASE)
_ONES = re.compile(r"\bthe \w+ ones?\b", re.IGNORECASE)
_ONE_WORDS = frozenset({stem("one"), stem("ones")})
_THEM = re.compile(r"\b(?:them|it)\b", re.IGNORECASE)
_ACTS = re.compile(r"[ ]([a-z]{3,}(?:s|ed))\b")
_GOES_ON = re.compile(r"\s*([a-z]{3,}s)[ ](?:the|an?|its|his|her|their|into|through)\b")
"""A clause that begins with a verb goes on with the subject of the one before."""
_PHRASE = re.compile(
    r"\s*(?:in|on|at|by|from|of|for|to|during|since|until|under|over|within|into|near|as|according|per|through)\b", re.I
)


def _near(
    text: str, clauses: Sequence[_Clause], value: Value, values: Sequence[Value], subject: frozenset[str]
) -> tuple[_Clause, frozenset[str]]:
    """The clause of a value and the words that belong to it: those before it too where it has none of its own, as an item
    of a list has none; the subject where it has none; the verb of the clause before it where that is left out."""
    at = next(at for at, clause in enumerate(clauses) if value.start < clause.end or clause is clauses[-1])
    clause = clauses[at]
    inside = [(other.start, other.end) for other in values]
    words = list(clause.words)
    back = at
    while back and not clauses[back].has_verb and all(value.start <= word.start < value.end for word in words):
        back -= 1
        words = [*clauses[back].words, *words]
    near = frozenset(word.stem for word in words if not value.start <= word.start < value.end)
    if at and _RELATIVE.match(text, clause.start):
        return clause, near | frozenset(
            w.stem for w in clauses[at - 1].words if not any(a <= w.start < b for a, b in inside)
        )
    if clause.aside:
        return clause, near
    if back and _ONES.search(text, clauses[back].start, clauses[back].end):
        near = near - _ONE_WORDS | _left_out(clauses, back, inside, lead=True)
    if back and isinstance(value, Amount) and value.bare and _NO_NOUN.match(text, value.end):
        near |= _counted(text, clauses[:back], values)
    if back and _THEM.search(text, clauses[back].start, clauses[back].end):
        near |= frozenset(w.stem for w in clauses[back - 1].words if not any(a <= w.start < b for a, b in inside))
    if clauses[back].has_verb or clauses[back].is_phrase or back == 0:
        if back and not clauses[back].has_verb:
            near |= _left_out(clauses, back, inside, lead=False)
        bare = not clauses[back].lead or clauses[back].is_phrase
        near |= subject if bare or clauses[0].is_phrase or _IT.match(text, clauses[back].start) else frozenset()
        return clause, near
    if isinstance(value, Named) and back and value.start - clauses[back].start < _FIRST_OF:
        return clause, near | _left_out(clauses, back, inside, lead=False)
    if any(word.start < value.start for word in words):
        return clause, near | _left_out(clauses, back, inside, lead=False) | (
            subject if clauses[0].is_phrase else frozenset()
        )
    if not _NO_NOUN.match(text, value.end):
        return clause, near | subject
    until = _complement(text, clauses[:back], values) if _OWN_END.match(text, value.end) else None
    return clause, near | subject | _left_out(clauses, back, inside, lead=True, until=until)


def _counted(text: str, before: Sequence[_Clause], values: Sequence[Value]) -> frozenset[str]:
    """The nouns behind the last number of the clauses before, of which this clause has only another number."""
    last = next((v for v in reversed(values) if isinstance(v, Amount) and v.bare and v.end <= before[-1].end), None)
    found, at = set(), last.end + 1 if last is not None else -1
    words = [word for clause in before for word in clause.words]
    for word in sorted((word for word in words if word.stem[0] not in "~@#$"), key=lambda word: word.start):
        if word.start == at:
            found |= {other.stem for other in words if other.start == at}
            at = word.end + 1
    return frozenset(found)


def _complement(text: str, before: Sequence[_Clause], values: Sequence[Value]) -> int | None:
    """Where what follows the value of the clause before begins, "for a ruling", of which the clause has its own."""
    verb = next((clause for clause in reversed(before) if clause.has_verb), None)
    value = next((v for v in values if verb is not None and verb.start <= v.start < verb.end), None)
    match = _OWN_END_IN.search(text, value.end, verb.end) if value is not None and verb is not None else None
    return match.start() if match else None


def _left_out(
    clauses: Sequence[_Clause], back: int, inside: Sequence[tuple[int, int]], *, lead: bool, until: int | None = None
) -> frozenset[str]:
    """The words of the last clause with a verb, of which a clause without one says the rest."""
    verb = next((other for other in reversed(clauses[:back]) if other.has_verb), None)
    if verb is None:
        return frozenset()
    own = (word for word in verb.words if until is None or word.start < until)
    words = [word for word in own if not any(a <= word.start < b for a, b in inside)]
    if lead:
        return frozenset(word.stem for word in words)
    return frozenset(word.stem for word in words if word.stem not in verb.lead)


# tables

_ROWS = re.compile(
    r"(?:^[ \t]*[^|\n]*\|[^|\n]*\|.*(?:\n|\Z)){2,}|(?:^[^\t\n]*\t[^\t\n]*\t.*(?:\n|\Z)){2,}", re.MULTILINE
)


def _tables(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _ROWS.finditer(text)] if "|" in text or "\t" in text else []


def _table(text: str, start: int, end: int, unit: tuple[int, int]) -> list[Slot]:
    rows = [_cells(text, at, stop) for at, stop in _lines(text, start, end) if not _RULE.fullmatch(text[at:stop])]
    heads = [_names_of(text, cell) for cell in rows[0]] if rows else []
    found = []
    for place, row in enumerate(rows[1:]):
        head = _names_of(text, row[0]) if row else frozenset()
        for column, (at, stop) in enumerate(row):
            top = heads[column] if column < len(heads) else frozenset()
            values, _ = _values(text[at:stop])
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


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for line in text[start:end].splitlines(keepends=True):
        yield at, at + len(line.rstrip())
        at += len(line)


def _cells(text: str, start: int, end: int) -> list[tuple[int, int]]:
    sign = "|" if "|" in text[start:end] else "\t"
    inner = text[start:end].strip()
    at = start + text[start:end].index(inner) if inner else start
    if sign == "|":
        at += inner.startswith("|")
        inner = inner.strip("|")
    found = []
    for cell in inner.split(sign):
        found.append((at, at + len(cell)))
        at += len(cell) + 1
    return found


def _names_of(text: str, cell: tuple[int, int]) -> frozenset[str]:
    return frozenset(word.stem for word in _words(text, *cell))


# comparing


def agree(one: Value, two: Value) -> bool:
    """Whether one value says the same as another."""
    if isinstance(one, Amount) and isinstance(two, Amount):
        return same(one, two)
    if isinstance(one, Moment) and isinstance(two, Moment):
        return _agree(one, two)
    if isinstance(one, Label) and isinstance(two, Label):
        return (one.noun, one.text) == (two.noun, two.text)
    return isinstance(one, Named) and isinstance(two, Named) and one.alike(two)


def _agree(one: Moment, two: Moment) -> bool:
    if one.grain == two.grain:
        return any(_fits(r, s) for r in one.readings for s in two.readings)
    if _parts(one) != ("year",) or _parts(two) != ("year",):
        return False
    (low, high), (first, last) = _years(one), _years(two)
    return low <= last and first <= high


def _years(moment: Moment) -> tuple[int, int]:
    """The first and the last year of a year, decade or century."""
    number = moment.number
    if moment.grain == "century":
        return 100 * number - 100, 100 * number - 1
    if moment.grain == "decade":
        return number, number + (99 if number % 100 == 0 else 9)
    return number, number


def _fits(one: Sequence[int | None], two: Sequence[int | None]) -> bool:
    pairs = [(a, b) for a, b in zip(one, two, strict=True) if a is not None and b is not None]
    return bool(pairs) and all(a == b for a, b in pairs)


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


def _of_one_sort(one: Value, two: Value) -> bool:
    if isinstance(one, Amount) and isinstance(two, Amount):
        small, large = sorted((abs(one.value), abs(two.value)))
        return (
            comparable(one, two)
            and not same(two, one)
            and not (one.bare and small < 20 and large > 50 * max(1.0, small))
        )
    if isinstance(one, Moment) and isinstance(two, Moment):
        return _parts(one) == _parts(two)
    if isinstance(one, Label) and isinstance(two, Label):
        return one.noun == two.noun
    return isinstance(one, Named) and isinstance(two, Named) and not two.alike(one)


def _parts(moment: Moment) -> tuple[str, ...]:
    if moment.grain not in _DATES:
        return (moment.grain,)
    year, month, day = moment.readings[0] if moment.grain == "date" else (1, None, None)
    if year is not None and month is None:
        return ("year",)
    return ("day",) if day is not None else ("month",)


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


def words_of(text: str) -> frozenset[str]:
    """The words of a text, and the times and numbered things in it, as slots have them."""
    _, marks = _values(text)
    return frozenset(word.stem for word in [*_words(text, 0, len(text)), *marks])


def _rather(slot: Slot, rival: Slot, other: Slot) -> bool:
    """Whether of two values of one clause, of which only one can be wrong, it is the other: what is said last is news."""
    if (slot.unit, slot.clause) != (other.unit, other.clause) or slot.start >= other.start:
        return False
    return not _of_one_sort(slot.value, other.value) or (
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
                _of_one_sort(slot.value, rival.value)
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
            if r.unit == own.unit and _of_one_sort(own.value, r.value) and _met(slot.near, own.wide, alike)
        ]
    heads = [other.head for other in told if other.head]
    words = slot.near if any(_names(slot.near, head, alike) for head in heads) else slot.wide
    return [
        rival
        for rival in told
        if _of_one_sort(slot.value, rival.value)
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
    times = frozenset(word for word in slot.near if word[0] in "#@" or word in _MONTHS or _YEAR.fullmatch(word))
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
    own = _stems_of(slot.value)
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
    own = _stems_of(slot.value)
    if slot.link and slot.link != rival.link and not rival.head:  # who ends "in" it does not call "at" it
        return False
    return not own & (
        rival.near | (rival.wide if all(other.unit != rival.unit for other in mine) else frozenset())
    ) and all(_alike_placed(other, rival) and _beside(other, rival) for other in mine)


def _beside(one: Slot, two: Slot) -> bool:
    return one.unit[0] == two.unit[0] and abs(one.unit[1] - two.unit[1]) <= 1


def _stems_of(value: Value) -> frozenset[str]:
    return frozenset(stem(word.lower()) for word in WORD.findall(value.text))


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
    return word[0] in "#@~$" or word in _MONTHS or _YEAR.fullmatch(word) is not None


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
        rival.start < other.start < own.start and _of_one_sort(other.value, own.value) for own in mine for other in told
    ):
        return False
    return bool(_met(slot.wide, rival.wide, alike)) or not any(
        other.unit != rival.unit and _comparable(other.value, rival.value) for other in told
    )


def _comparable(one: Value, two: Value) -> bool:
    """Whether two values are of one sort, or the same."""
    return _of_one_sort(one, two) or agree(one, two)


def _names(words: frozenset[str], head: frozenset[str], alike: _Likeness) -> bool:
    return all(any(part in alike.get(word, ()) for word in words) for part in head)


def _met(words: frozenset[str], others: frozenset[str], alike: _Likeness) -> frozenset[str]:
    return frozenset(word for word in words if alike.get(word, frozenset()) & others)
