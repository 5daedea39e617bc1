"""Of several options that the evidence names, another than the assistant has spoken for before. Pure, and English.

"I have booked the Tuesday slot", and later "your interview is on Thursday": nothing in the words denies anything, and the evidence
has both. They are told by the evidence, where they stand in parallel, as items of one list or in sentences of one form.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guardrail.checks.alike import key
from guardrail.checks.content import STOP, forms
from guardrail.checks.polarity import FILLERS
from guardrail.checks.turns import Turns, keys
from guardrail.grounding.statements import sentences

__all__ = ["Swap", "swapped"]

_TOKEN = re.compile(r"[$€£]?\d[\d.,:]*\d|[$€£]?\d|[^\W_]+(?:['’-][^\W_]+)*")
_PART = re.compile(
    r"[;|•()]|[,:.](?=\s)|\s[-–—/]\s|\n|\b(?:and|or|but|while|whereas|against|v|vs|versus|as well as|than|followed by)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"[.;:!?](?=\s|\Z)|\n|—|,\s(?=(?:[a-z]|[A-Z]\w+ \w+ing))|\b(?:because|so that|since|which|but|while|whereas)\b"
)
_UNSAID = re.compile(
    r"\b(?:not|n['’]t|no|never|instead|rather|unlike|except|than|other|another|earlier|before|previous\w*|also|too|both|either|compar\w+|"
    r"besides|alternativ\w+|if|unless|or)\b|n['’]t\b",
    re.IGNORECASE,
)
"""What speaks of one option without speaking for it, or of several."""
_NAMED = re.compile(r"\d|\A\W*[A-Z]")
_LEAST = 3
"""Characters of a word that may be an option."""
_APART = 2
"""So many parts lie at most between two options in one sentence, or sentences between two."""
_LIST = 6
"""The same for items of a list."""
_SHORT = 4
"""Words of content of the shorter part of two: what has more is no option but tells something."""
_OLD = 0.5
"""The share of an answer's clause, the option left out, that was said before or asked."""
_MOST = 400
"""Parts of evidence: of more, nobody can choose."""
_DAYS = frozenset(key(f"{day}day") for day in ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun"))
_MONTHS = frozenset(
    key(month) for month in "january february march april june july august september october november december".split()
)


@dataclass(frozen=True, slots=True)
class Swap:
    """An option in the answer in place of another."""

    start: int
    end: int
    held: str
    """The clause of the earlier turn that speaks for the other."""


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    key: str
    sort: str
    verbal: bool = False
    """Whether its ending is one of a verb."""


@dataclass(frozen=True, slots=True)
class _Part:
    """An item of a list, or what stands between two pauses."""

    words: frozenset[str]
    sentence: int
    place: int
    """The sentence's number and that of the part in it."""
    around: frozenset[str]
    """The words of the sentence."""
    named: bool
    """Whether it begins with a capital or has a figure."""
    head: bool
    """Whether the first part of the sentence does."""

    @property
    def is_item(self) -> bool:
        """Whether it is so short that it may be an item of a list."""
        return len(self.words) <= 2


@dataclass(frozen=True, slots=True)
class _Clause:
    start: int
    text: str
    words: tuple[_Word, ...]

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(word.key for word in self.words)


def swapped(answer: str, earlier: Sequence[str], evidence: Sequence[str], turns: Turns) -> Iterator[Swap]:
    """Options of the ``evidence`` that the answer speaks for in the place of those that ``earlier`` turns spoke for; one at most."""
    parts = [part for text in evidence for part in _parts(text)]
    if not turns.asks or len(parts) > _MOST:
        return
    where: dict[str, list[_Part]] = defaultdict(list)
    for part in parts:
        for word in part.words:
            where[word].append(part)
    said = frozenset(word.key for word in _words(answer))
    told = frozenset(word.key for text in earlier for word in _words(text))
    settled = [text for text in earlier if turns.recalls or _COMMITS.search(text)]
    before = [clause for text in settled for clause in _clauses(text) if not _UNSAID.search(clause.text)]
    earlier_words: list[_Word] = []
    for clause in _clauses(answer):
        if _UNSAID.search(clause.text):
            continue
        new = (
            w
            for w in clause.words
            if (w.key in where or w.key in _CLASS)
            and not w.verbal
            and w.key not in turns.asked
            and not _has(told, w.key)
        )
        for option in new:
            if (held := _other(option, clause, before, said, where, turns)) is not None:
                place = next((w for w in earlier_words if _stands_for(w, option, where, told, turns)), option)
                yield Swap(place.start, place.end, held.text)
                return
        earlier_words += clause.words


_COMMITS = re.compile(
    r"\bI(?:['’](?:ve|d|ll)| have| would| will| set| put| chose| s[oe]ld| sent| made| took| gave| bought| paid| found| [a-z]+ed)\b|\bmy (?:tip|pick|choice|advice|plan|version|guess|view|opinion|vote|\w+ion)\b|"
    r"\bmy (?:code|program|draft|query|table|list|summary|order|route|model|setup|script|recipe)\b|\byour (?!own)|\byou(?:['’]re| are| have|['’]ve| should)\b|\A(?:take|go|use|try|choose|pick|get|buy)\b|\bsuits?\b|\b(?:best|better|safer|\w+est) (?:\w+ )?(?:choice|option|one|of)\b",
    re.IGNORECASE,
)
"""What speaks for an option, or of one that is settled."""


def _other(
    word: _Word,
    clause: _Clause,
    before: Sequence[_Clause],
    said: frozenset[str],
    where: dict[str, list[_Part]],
    turns: Turns,
) -> _Clause | None:
    """The earlier clause that has another option where this one has the ``word``."""
    for other in reversed(before):
        shared = clause.keys & other.keys - FILLERS
        if not shared and not (turns.recalls and len(clause.words) <= 8):
            continue
        rest = clause.keys - FILLERS - {word for part in where[word.key] for word in part.words}
        if (
            not turns.recalls
            and len(rest) > 1
            and len(rest & (turns.before | other.keys | turns.asked)) < _OLD * len(rest)
        ):
            continue
        for rival in other.words:
            if (
                _in_place_of(word, clause, rival, other, turns)
                and not _has(said, rival.key)
                and rival.key not in turns.asked
            ):
                return other
            if (
                word.sort == rival.sort
                and not rival.verbal
                and not _has(said, rival.key)
                and rival.key not in turns.asked
                and any(
                    _parallel(a, b, turns, _APART if word.key[0].isdigit() else 1)
                    for a in where[word.key]
                    for b in where.get(rival.key, ())
                    if word.key not in b.words
                )
            ):
                return other
    return None


def _in_place_of(word: _Word, clause: _Clause, rival: _Word, other: _Clause, turns: Turns) -> bool:
    """Whether two words of one class stand before the same noun: "the right wrist", "the left wrist"."""
    if word.key == rival.key or _CLASS.get(word.key, "") != _CLASS.get(rival.key, "-"):
        return False
    (one, two) = (_next(word, clause), _next(rival, other))
    return one is not None and one == two and not (clause.keys - other.keys - {word.key}) & turns.new


def _next(word: _Word, clause: _Clause) -> str | None:
    after = [w for w in clause.words if w.start == word.end + 1]
    return after[0].key if after else None


_CLASSES = (
    "left right", "upper lower", "front back rear", "inner outer", "north south east west", "northern southern eastern western",
    "morning afternoon evening", "spring summer autumn winter", "small medium large", "male female", "hot cold", "day night", "odd even",
    "red blue green yellow black white grey brown orange pink purple", "male female", "top bottom middle", "first second third last",
)  # fmt: skip
_CLASS = {key(word): words for words in _CLASSES for word in words.split()}
"""Words of which one excludes the others."""


def _stands_for(word: _Word, option: _Word, where: dict[str, list[_Part]], told: frozenset[str], turns: Turns) -> bool:
    """Whether a word that was said before the option is of the same part of the evidence, and as new: "Monday" of "Mondays 18:00"."""
    together = any(option.key in part.words for part in where.get(word.key, ()))
    return (
        together
        and word.sort != "word"
        and not word.verbal
        and not _has(told, word.key)
        and word.key not in turns.asked
    )


def _has(words: frozenset[str], wanted: str) -> bool:
    return wanted in words or any(
        forms(wanted, word) for word in words if word[:4] == wanted[:4] and not wanted[0].isdigit()
    )


def _parallel(one: _Part, two: _Part, turns: Turns, most: int) -> bool:
    """Whether two parts are options of one thing, of which the last question is not about the first one."""
    apart = abs(one.sentence - two.sentence)
    if (
        one is two
        or (apart == 0 and abs(one.place - two.place) > (_LIST if _are_items(one, two) else most))
        or (apart and (apart > _APART or one.place != two.place))
    ):
        return False
    if min(len(one.words), len(two.words)) > _SHORT or max(len(one.words), len(two.words)) > 2 * _SHORT:
        return False
    if apart and not (one.named and two.named and one.head and two.head):
        return False
    return not turns.new & ((one.around - two.around) if apart else (one.words - two.words))


def _are_items(one: _Part, two: _Part) -> bool:
    """Whether one is an item of a list, and the other too, or its first with what leads to it."""
    return (one.is_item or two.is_item) and max(len(one.words), len(two.words)) <= _SHORT


def _parts(text: str) -> Iterator[_Part]:
    number = 0
    for span in sentences(text):
        for line in span.text.splitlines():
            around, at, place, head = keys(line), 0, 0, False
            for cut in [*_PART.finditer(line), None]:
                end = cut.start() if cut else len(line)
                if words := frozenset(word.key for word in _words(line[at:end])):
                    is_named = bool(_NAMED.search(line[at:end]))
                    head = head if place else is_named
                    yield _Part(words, number, place, around, is_named, head)
                    place += 1
                at = cut.end() if cut else end
                if cut and cut[0] == ";" and place:
                    number, place = number + 1, 0
            number += bool(place)


def _clauses(text: str) -> Iterator[_Clause]:
    at = 0
    for cut in [*_CLAUSE.finditer(text), None]:
        end = cut.start() if cut else len(text)
        if words := tuple(_words(text[at:end], at)):
            yield _Clause(at, text[at:end].strip(), words)
        at = cut.end() if cut else end


def _words(text: str, start: int = 0) -> Iterator[_Word]:
    for match in _TOKEN.finditer(text):
        word = match[0].lower()
        if match[0][-1].isdigit() and match[0].lstrip("$€£")[0].isdigit():
            yield _Word(start + match.start(), start + match.end(), _figure(word), _sort_of_figure(text, match))
        elif (
            word not in STOP
            and (len(word) >= _LEAST or match[0].isupper())
            and ((name := key(word)) not in FILLERS or name in _CLASS)
        ):
            verbal = len(word) > 4 and word.endswith(("ed", "ing")) and match[0].islower()
            yield _Word(start + match.start(), start + match.end(), name, _sort(name), verbal)


def _figure(word: str) -> str:
    return word.lstrip("$€£").replace(",", "").lstrip("0") or "0"


def _sort_of_figure(text: str, match: re.Match[str]) -> str:
    """What sort of a number it is: of the day, of euros, of June."""
    if ":" in match[0]:
        return "time"
    noun = _NOUN.match(text, match.end())
    return f"{match[0][0] if match[0][0] in '$€£' else ''}#{key(noun[1].lower()) if noun else ''}"


_NOUN = re.compile(r"[ -](?!(?:on|in|at|for|from|to|by|and|or|is|was|with|of|the|a|an)\b)([^\W\d_]+)")


def _sort(name: str) -> str:
    return "day" if name in _DAYS else "month" if name in _MONTHS else "word"
