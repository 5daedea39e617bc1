"""One answer with what it is held against, read once for all checks. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from guardrail.checks.alike import key
from guardrail.checks.amounts import Amount, amounts
from guardrail.checks.aside import BLANK, NUMBERING, prose, without
from guardrail.checks.content import WORD, stems
from guardrail.checks.misplaced import misplaced
from guardrail.checks.moments import Moment, moments
from guardrail.checks.named import Named, named
from guardrail.checks.slots import Slot, read
from guardrail.checks.things import counted, pairs
from guardrail.checks.turns import Turns, keys
from guardrail.checks.units import UNITS
from guardrail.checks.values import is_label, is_numbered, words_of
from guardrail.conversation import Evidence, Message
from guardrail.grounding.statements import sentences
from guardrail.verdict import Finding, FindingKind

__all__ = ["Case", "Claim", "Source", "claims_of"]

_NO_CLAIM = re.compile(
    r"[?？][\"'”’)\]]*\s*\Z|\b(?:(?:do|does|did|is|are|was) ?n[o'’]t|cannot|can['’]t|could ?n[o'’]t) (?:say|tell|know|mention|"
    r"specif|stat|provid|clear|given|find)|\bI have \d|\bhere(?:['’]s| is| are)\b[^.]*:\s*\Z|\b(?:let me know|would you like)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the answer that may state something."""

    start: int
    end: int
    text: str
    """The sentence with what is no prose blanked out; ``start`` and ``end`` are places of the whole answer."""


@dataclass(frozen=True, slots=True)
class Source:
    """One sentence of what the answer is held against."""

    text: str
    evidence: Evidence | None
    """The piece that it stands in; None for what the user or the instructions say."""
    words: frozenset[str]


class Case:
    """An answer, its evidence and the conversation before it. ``conversation`` does not hold the answer."""

    def __init__(self, answer: str, evidence: Sequence[Evidence], conversation: Sequence[Message] = ()) -> None:
        self.answer = answer
        self.evidence = tuple(piece for piece in evidence if piece.text.strip())
        self.conversation = tuple(conversation)
        self.shelf: dict[str, set[tuple[int, int]]] = {}
        """Places that a check has worked out and another wants."""

    @cached_property
    def prose(self) -> str:
        """The answer with what is no prose blanked out."""
        return prose(self.answer)

    @cached_property
    def claims(self) -> list[Claim]:
        """The sentences of the answer, without questions and what says that nothing is known."""
        return [claim for claim in claims_of(self.prose) if not _NO_CLAIM.search(claim.text)]

    @cached_property
    def moments(self) -> list[Moment]:
        """The times that the answer mentions."""
        return moments(self.prose)

    @cached_property
    def amounts(self) -> list[Amount]:
        """The numbers of the answer that are no times."""
        return amounts(self.prose, [(moment.start, moment.end) for moment in self.moments if moment.sure])

    @cached_property
    def figures(self) -> list[Amount]:
        """All numbers of the answer, those in times too."""
        return amounts(self.prose)

    @cached_property
    def sources(self) -> list[Source]:
        """The sentences of the evidence, then titles, and those of the user, of tools and of the instructions."""
        found = [source for piece in self.evidence for source in _sources(piece.text, piece)]
        found += [source for piece in self.evidence for source in _sources(piece.title or "", None)]
        told = (message.text for message in self.conversation if message.role != "assistant")
        return found + [source for text in told for source in _sources(text, None)]

    @cached_property
    def turns(self) -> Turns:
        """What the user says last, seen from what was said before."""
        return Turns(
            self.conversation, self.prose, frozenset(word for piece in self.evidence for word in keys(piece.text))
        )

    @cached_property
    def earlier(self) -> list[str]:
        """What the assistant said before, without its questions."""
        texts = (message.text for message in self.conversation if message.role == "assistant")
        return [told for text in texts if (told := _ASKED.sub(_blank, text)).strip()]

    @cached_property
    def facts(self) -> list[list[Amount]]:
        """The numbers of each source."""
        return [_numbers(source.text) for source in self.sources]

    @cached_property
    def operands(self) -> list[list[Amount]]:
        """The numbers of each source from which others may be reckoned: none that only name something; then those of columns."""
        found = []
        for source, facts in zip(self.sources, self.facts, strict=True):
            found.append(
                [fact for fact in facts if fact.readings[0][0] != "ordinal" and not is_numbered(source.text, fact)]
            )
        return found + self.columns

    @cached_property
    def columns(self) -> list[list[Amount]]:
        """The numbers in each column of the tables of the evidence."""
        found: dict[tuple[int, int, int], list[Amount]] = {}
        for slot in self.slots_told:
            if slot.column > 0 and isinstance(slot.value, Amount):
                found.setdefault((slot.unit[0], slot.unit[1] // 1000, slot.column), []).append(slot.value)
        return [numbers for numbers in found.values() if len(numbers) > 1]

    @cached_property
    def counts(self) -> list[tuple[Amount, tuple[str, ...]]]:
        """The numbers of the evidence that count something, and what; nothing where that is not said."""
        return [
            (fact, counted(source.text, fact))
            for source, facts in zip(self.sources, self.facts, strict=True)
            if source.evidence is not None
            for fact in facts
            if fact.readings[0][0] == "" and not is_label(source.text, fact)
        ]

    @cached_property
    def scores(self) -> frozenset[tuple[int, int]]:
        """The scores at hand, the smaller number first."""
        return frozenset(pair for source in self.sources for pair in pairs(source.text))

    @cached_property
    def clocks(self) -> list[int]:
        """The times at hand that are given to the second, in seconds."""
        return [
            3600 * int(m[1]) + 60 * int(m[2]) + int(m[3])
            for source in self.sources
            for m in _CLOCK.finditer(source.text)
        ]

    @cached_property
    def slots_told(self) -> list[Slot]:
        """The values of the evidence and what stands around them."""
        return [slot for number, piece in enumerate(self.evidence) for slot in read(piece.text, number)]

    @cached_property
    def facts_before(self) -> list[Amount]:
        """The numbers that earlier turns of the assistant have said: each was judged when it was said."""
        return [fact for text in self.earlier for fact in _numbers(text)]

    @cached_property
    def times_before(self) -> list[Moment]:
        """The times that they have said."""
        return [moment for text in self.earlier for moment in moments(text, lenient=True)]

    @cached_property
    def times(self) -> list[Moment]:
        """The times that the sources mention, in order."""
        told = [message.text for message in self.conversation if message.role != "assistant"]
        texts = [*(_whole(piece) for piece in self.evidence), *told]
        return [moment for text in texts for moment in moments(text, lenient=True)]

    @cached_property
    def names_told(self) -> list[list[Named]]:
        """The names in each piece of the evidence."""
        return [named(piece.text) for piece in self.evidence]

    @cached_property
    def misplaced(self) -> dict[tuple[int, int], Slot]:
        """Places of the answer whose values the evidence gives of something else, and the value that it gives of this."""
        said = read(self.words)
        return {
            (s.start, s.end): r
            for s, r in misplaced(said, self.slots_told, words_of(self.question))
            if BLANK not in self.prose[s.start : s.end]
        }

    @cached_property
    def words(self) -> str:
        """The answer like its prose, but with names of code within sentences, which may tell values apart."""
        text = re.sub(r"(?<!`)`([^`\n]+)`(?!`)", r"'\1'", self.answer)
        return prose(text)

    @cached_property
    def words_before(self) -> frozenset[str]:
        """What the words of the conversation before the question are compared by."""
        texts = (message.text.lower() for message in self.conversation[:-1])
        return frozenset(key(word) for text in texts for word in WORD.findall(text))

    @cached_property
    def question(self) -> str:
        """What the user said last."""
        return next((m.text for m in reversed(self.conversation) if m.role == "user"), "")

    @cached_property
    def tabular(self) -> bool:
        """Whether some evidence is a table, from whose many numbers others can be reckoned."""
        return any(len(_ROW.findall(piece.text)) > 1 for piece in self.evidence)

    @cached_property
    def percentages(self) -> bool:
        """Whether what is at hand speaks of percentages, of which a table may leave out the sign."""
        return any(_PERCENT.search(_whole(piece)) for piece in self.evidence)

    @cached_property
    def scale(self) -> float:
        """What a bare number of the evidence may stand for: 1,000 where a heading says "in thousands"."""
        match = next((m for piece in self.evidence if (m := _SCALED.search(_whole(piece)))), None)
        return (
            next((size for size, name in zip((1e3, 1e6, 1e9), match.groups(), strict=True) if name), 1.0)
            if match
            else 1.0
        )

    def claim_at(self, place: int) -> Claim | None:
        """The claim in which a place of the answer stands."""
        return next((claim for claim in self.claims if claim.start <= place < claim.end), None)

    def claims_text(self, place: int) -> str:
        """The claim in which a place of the answer stands, or nothing."""
        claim = self.claim_at(place)
        return claim.text if claim else ""

    def finding(self, start: int, end: int, kind: FindingKind, explanation: str = "") -> Finding:
        """A finding at a place of the answer, with the sentence of the evidence that is most like its claim."""
        return Finding(start, end, self.answer[start:end], kind, None, self.held(start), explanation)

    def held(self, place: int) -> tuple[Evidence, ...]:
        """The sentence of the evidence that is most like the claim at ``place``."""
        claim = self.claim_at(place)
        wanted = stems(claim.text) if claim else frozenset()
        held = [source for source in self.sources if source.evidence is not None]
        best = max(held, key=lambda source: len(wanted & source.words), default=None)
        if best is None or best.evidence is None or not wanted & best.words:
            return ()
        return (Evidence(best.text, best.evidence.origin, best.evidence.title, best.evidence.url),)


_CLOCK = re.compile(r"(?<![\d:])(\d{1,2}):([0-5]\d):([0-5]\d)(?![\d:])")
_ASKED = re.compile(r"[^.!?\n]*\?")


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


_SCALED = re.compile(
    r"(?:[(\[]|\bin )(?:[€$£]|US\$|EUR|USD|GBP)?[ ]?(?:(k[€$£]?|thousands?|'?000s?|tsd)|(m[€$£]?|mn|mio|millions?)|(bn[€$£]?|billions?))"
    r"(?:[ ](?:of )?(?:euros?|dollars?|pounds?|EUR|USD|GBP|[€$£]))?[)\],\n|]",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"%|per ?cent|\b(?:rates?|shares?|proportions?)\b", re.IGNORECASE)
_ROW = re.compile(r"^[^|\n]*\|[^|\n]*\|.*$|^[^\t\n]*\t[^\t\n]*\t.*$", re.MULTILINE)


def claims_of(text: str) -> Iterator[Claim]:
    """The sentences and lines of ``text``, with their places."""
    for sentence in sentences(text):
        start = sentence.start
        for line in sentence.text.splitlines(keepends=True):
            if stripped := line.strip():
                at = start + line.index(stripped)
                yield Claim(at, at + len(stripped), stripped)
            start += len(line)


def _whole(piece: Evidence) -> str:
    return piece.text if not piece.title else f"{piece.title}\n\n{piece.text}"


def _sources(text: str, evidence: Evidence | None) -> Iterator[Source]:
    for sentence in sentences(text):
        yield Source(sentence.text, evidence, stems(sentence.text))


_UNITS = "|".join(
    sorted(
        (re.escape(name) for name in UNITS if name.isalpha() and len(name) > 1 and name.islower()),
        key=len,
        reverse=True,
    )
)
_ONE = re.compile(
    rf"\b(?<!half )(?<!quarter of )(?:(?:an?|each|every) (hour|day|week|month|year|decade|century|minute|mile|kilo|dozen)|per ({_UNITS}|kg|m²|km|head|person))\b",
    re.IGNORECASE,
)


_DIGIT = re.compile(r"\d")
_ROMAN = re.compile(
    r"\b[A-Z]?[a-z]+[ ]([IVXLC]{2,7}|[VX])\b|\b(?:[Cc]hapter|[Pp]art|[Vv]olume|[Pp]hase|[Tt]ype|[Cc]lass|[Gg]rade|[Ss]tage|[Aa]ct|[Bb]ook|[Aa]rticle|[Ss]ection|[A-Z][a-z]+) (I)\b"
)
_WORTH = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def _numbers(text: str) -> list[Amount]:
    """The numbers of a source; years count as numbers too, days and hours do not."""
    return [*_figures(text), *_roman(text), *_instalments(text)]


_EVERY_SO = re.compile(r"\b(\d{1,3})(?: [a-z]+)? (monthly|weekly|daily|yearly|annual)\b", re.IGNORECASE)
_LONG = {"monthly": 2629800.0, "weekly": 604800.0, "daily": 86400.0, "yearly": 31557600.0, "annual": 31557600.0}


def _instalments(text: str) -> Iterator[Amount]:
    """How long so many times take: 24 months of "24 equal monthly instalments"."""
    for match in _EVERY_SO.finditer(text):
        count, each = float(match[1]), _LONG[match[2].lower()]
        yield Amount(match.start(), match.end(), match[0], (("time", count * each),), each, 2, False, "", count, count)


def _once(match: re.Match[str]) -> str:
    """ "an hour" as "01 hour", which has the same length."""
    word = match[0].split()[0]
    return ("01" if word.lower() == "an" else "1".ljust(len(word))) + match[0][len(word) :]


def _figures(text: str) -> list[Amount]:
    ones = [match.start() for match in _ONE.finditer(text)]
    if not ones and not _DIGIT.search(text):  # most sentences: only words may be numbers
        return amounts(text)
    text = without(text, NUMBERING)
    taken = [(m.start, m.end) for m in moments(text) if not m.text.isdigit() and m.grain != "century"]
    found = amounts(text, taken)
    inside = [(amount.start, amount.end) for amount in found]
    return found + [a for a in amounts(_ONE.sub(_once, text), [*taken, *inside]) if a.start in ones]


def _roman(text: str) -> list[Amount]:
    """The Roman numerals behind a word, as in "Chapter XIV"."""
    found = []
    for match in _ROMAN.finditer(text):
        place = 1 if match[1] else 2
        digits = [_WORTH[letter] for letter in match[place]]
        value = float(sum(-one if one < two else one for one, two in zip(digits, [*digits[1:], 0], strict=True)))
        start, end = match.span(place)
        found.append(Amount(start, end, match[place], (("", value),), 1.0, 2, False, "", value, value))
    return found
