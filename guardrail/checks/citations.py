"""Citations that point to no source, or to one that does not say so while another does. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from guardrail.checks.amounts import Amount, amounts
from guardrail.checks.aside import MARKER, URL
from guardrail.checks.case import Case
from guardrail.checks.content import forms, stems
from guardrail.checks.moments import moments
from guardrail.checks.support import same
from guardrail.conversation import Evidence
from guardrail.verdict import Finding, FindingKind

__all__ = ["citations"]

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_NUMBER = re.compile(r"\d+")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_NAMED = re.compile(r"[(\[](?:Sources?|Ref(?:erence)?s?|See|From)\s*:\s*([^)\]\n]{2,120})[)\]]", re.IGNORECASE)
_AUTHOR_YEAR = re.compile(r"[A-Z][\w-]+.{0,40}?\b(?:1[89]|20)\d\d\b")
_WHO = r"[A-Z][\w'’-]+(?:(?:,? (?:and|&) |, )[A-Z][\w'’-]+)*(?:,? et al\.?)?"
_AUTHORS = re.compile(
    rf"[(\[](?:see |cf\. )?({_WHO}),? ((?:1[89]|20)\d\d)[a-z]?[)\]]|\b({_WHO}) \(((?:1[89]|20)\d\d)[a-z]?\)"
)
"""Author and year: both in brackets behind what they say, or the year only before it."""
_SEVERAL = re.compile(r"&|\band\b|\bet al\b")
_BRACKETED = re.compile(r"\(([A-Z][^()\n]{1,60})\)")
_LEADS = re.compile(
    r"(?:\b(?:according to|as|in|per|see|from|by|source|both|and|whereas|while|but)|[.;:!?]|\A|\n)[\s*(-]*\Z",
    re.IGNORECASE,
)
"""What stands before a marker that begins its clause: it stands for what follows."""
_CLAUSE_END = re.compile(r";|[.!?](?=\s|\Z)|\n")
_OWN_ID = re.compile(r"(?:\[|\b(?:source|document|doc|passage|reference)\s*#?\s*)\^?(\d{1,3})\b", re.IGNORECASE)
_OWN_TITLE = re.compile(r"\W*(?:(?:source|document|doc|passage|reference|ref|no)\b\W*)?(\d{1,3})\W*", re.IGNORECASE)
_FOOTNOTE = re.compile(r"^[ \t]*\[\^?(\d{1,3})\]:?[ \t]+(.+)$", re.MULTILINE)
_UNIT_BEFORE = re.compile(r"(?:\b(?:[kcmdµn]?m|ft|in|sq|x|y|[a-zA-Z])|\d|\))\Z")
_WRONG = 0.4
"""A cited source that has no more than this share of the claim's words may be the wrong one."""
_RIGHT = 0.6
"""Another that has at least this share is the right one."""


@dataclass(frozen=True, slots=True)
class _Citation:
    start: int
    end: int
    sources: tuple[int, ...] | None
    """Places in the evidence; None: there is no such source."""
    claim: tuple[int, int]
    """What it stands behind."""


def citations(case: Case) -> list[Finding]:
    """Markers, named sources and links that point to no source, or to a wrong one.

    A source is wrong when it has few of the claim's words or none of its numbers, and another has them.
    """
    if not case.evidence:
        return []
    library = _Library(case)
    found = [*_marked(case, library), *_named(case, library), *_authored(case, library), *_linked(case, library)]
    found += [*_bracketed(case, library, found)]
    found += [*_plain(case, library, found)]
    return [_finding(case, citation) for citation in found if _is_wrong(case, library, citation, found)]


def _finding(case: Case, citation: _Citation) -> Finding:
    said = "there is no such source" if citation.sources is None else "another source says so, not this one"
    return case.finding(citation.start, citation.end, FindingKind.CITATION, said)


class _Library:
    """The sources, and what they are called."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.pieces = case.evidence
        self.text = "\n".join([*(piece.text for piece in case.evidence), *(m.text for m in case.conversation)])

    @cached_property
    def own(self) -> dict[int, int | None]:
        """The numbers that the sources carry themselves, and where; None: within one piece."""
        found: dict[int, int | None] = {}
        for place, piece in enumerate(self.pieces):
            title = _OWN_TITLE.fullmatch(piece.title or "")
            start = _OWN_ID.match(piece.text.lstrip(" *#"))
            if title or start:
                found[int((title or start)[1])] = place  # type: ignore[index]
        for match in _OWN_ID.finditer(self.text):
            found.setdefault(int(match[1]), None)
        return found

    @cached_property
    def footnotes(self) -> dict[int, str]:
        """What the answer's own notes say."""
        return {int(match[1]): match[2].strip() for match in _notes(self.case.answer)}

    def numbered(self, number: int, through: frozenset[int] = frozenset()) -> tuple[int, ...] | None:
        """The source with a number; empty where it is one that cannot be told apart. ``through``: notes that led here."""
        if number in self.footnotes and number not in through:
            return self.titled(self.footnotes[number], through | {number}) or ()
        if number in self.own:
            place = self.own[number]
            return () if place is None else (place,)
        if self.own and any(place is not None for place in self.own.values()):
            return None
        return (number - 1,) if 1 <= number <= len(self.pieces) else None

    def titled(self, name: str, through: frozenset[int] = frozenset()) -> tuple[int, ...] | None:
        """The sources of a title or address."""
        if URL.search(name):
            return self.addressed(name)
        wanted, figures = stems(name), set(_NUMBER.findall(name))
        found = [
            at
            for at, piece in enumerate(self.pieces)
            if wanted & stems(piece.title or "") == wanted != frozenset()
            and figures <= set(_NUMBER.findall(f"{piece.title} {piece.text}"))
        ]
        found = found or [
            at
            for at, piece in enumerate(self.pieces)
            if piece.title
            and stems(piece.title) <= wanted
            and not figures - set(_NUMBER.findall(f"{piece.title} {piece.text}"))
        ]
        if found:
            return tuple(found)
        numbers = [int(number) for number in _NUMBER.findall(name)]
        if numbers and re.fullmatch(r"(?:\W|\d|source|document|doc|passage|and|s\b)*", name, re.IGNORECASE):
            sources = [self.numbered(number, through) for number in numbers]
            return None if None in sources else tuple(place for places in sources if places for place in places)
        return () if wanted and wanted <= stems(self.text) and figures <= set(_NUMBER.findall(self.text)) else None

    def addressed(self, url: str) -> tuple[int, ...] | None:
        """The sources at an address."""
        wanted = _address(url)
        found = [at for at, piece in enumerate(self.pieces) if piece.url and _address(piece.url) == wanted]
        if found:
            return tuple(found)
        known = {_address(match[0]) for match in URL.finditer(self.text)}
        if not known and not any(piece.url for piece in self.pieces):
            return ()  # sources without addresses cannot be pointed at
        return () if wanted in known or wanted in self.text.casefold() else None


def _notes(answer: str) -> list[re.Match[str]]:
    """The lines of notes: those that begin with a marker that stands elsewhere too."""
    counts = Counter(number for marker in MARKER.finditer(answer) for number in _NUMBER.findall(marker[0]))
    return [match for match in _FOOTNOTE.finditer(answer) if counts[match[1]] > 1]


def _address(url: str) -> str:
    parts = urlsplit(url.rstrip(".,;:!?)»”’'\"*") if "//" in url else f"https://{url.rstrip('.,;:!?')}")
    query = f"?{parts.query}" if parts.query else ""
    return (parts.netloc.removeprefix("www.") + parts.path.rstrip("/") + query).casefold()


_PLAIN = re.compile(r"\bsource #?(\d{1,3})\b(?! of)", re.IGNORECASE)


def _plain(case: Case, library: _Library, others: Sequence[_Citation]) -> Iterator[_Citation]:
    """ "Source 4" in the sentence, where there is no such source."""
    for match in _PLAIN.finditer(case.prose):
        if library.numbered(int(match[1])) is None and not any(o.start <= match.start(1) < o.end for o in others):
            yield _Citation(match.start(), match.end(), None, (match.start(), match.start()))


def _marked(case: Case, library: _Library) -> Iterator[_Citation]:
    code = [match.span() for match in _CODE.finditer(case.answer)]
    notes = [match.span() for match in _notes(case.answer)]
    markers = [m for m in MARKER.finditer(case.answer) if _is_marker(case, m, code + notes)]
    for match in markers:
        claim = _claim(case, match.start(), [marker.span() for marker in markers])
        yield from _each(case, library, match, claim)


def _is_marker(case: Case, match: re.Match[str], excluded: Sequence[tuple[int, int]]) -> bool:
    if any(start <= match.start() < end for start, end in excluded) or case.answer.startswith("(", match.end()):
        return False
    if re.search(r"\b0\b", match[0]) and not re.search(r"[ .]\[[1-9]\d?\]", case.answer):
        return False  # of an array, unless others are markers
    if match.start() and re.match(r"[=,(]", case.answer[match.start() - 1]):
        return False
    if match[0][0] in "[【":
        asked = any(match[0] in message.text for message in case.conversation if message.role == "user")
        return not asked or any(match[0] in piece.text for piece in case.evidence)
    return not _UNIT_BEFORE.search(case.answer[max(0, match.start() - 3) : match.start()])


def _each(case: Case, library: _Library, match: re.Match[str], claim: tuple[int, int]) -> Iterator[_Citation]:
    """One citation for each number of a marker that has no source; one for all others together."""
    text = match[0].translate(_RAISED)
    numbers = list(_NUMBER.finditer(text))
    if not numbers or (len(numbers) > 1 and match[0][0] not in "[【"):
        return
    if span := re.search(r"(\d+)\s*[–-]\s*(\d+)", text):
        told = [library.numbered(n) for n in range(int(span[1]), min(int(span[2]), int(span[1]) + 50) + 1)]
        if any(sources is None for sources in told):
            told = [None]
    else:
        told = [library.numbered(int(number[0])) for number in numbers]
        for number, sources in zip(numbers, told, strict=True):
            if sources is None and len(numbers) > 1:
                yield _Citation(match.start() + number.start(), match.start() + number.end(), None, claim)
    known = [place for places in told if places for place in places]
    if known or len(numbers) == 1 or span:
        whole = None if all(sources is None for sources in told) else tuple(known)
        yield _Citation(match.start(), match.end(), whole, claim)


def _claim(case: Case, place: int, markers: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The words that a marker stands behind: back to the sentence's start or to the marker before."""
    text = case.answer[:place]
    if _LEADS.search(text[-20:]):
        cut = _CLAUSE_END.search(case.answer, place)
        end = min([cut.start() if cut else len(case.answer), *(a for a, _ in markers if a > place)])
        return place, end
    stop = max((m.end() for m in re.finditer(r"[.!?][\"'”)]*\s+|\n", text.rstrip(" .!?\"'”)"))), default=0)
    for start, end in markers:
        if stop < end < place and case.answer[end:place].strip(" ,;.") and not _touch(markers, start, place):
            stop = end
    return stop, place


def _touch(markers: Sequence[tuple[int, int]], start: int, place: int) -> bool:
    return start >= place


def _named(case: Case, library: _Library) -> Iterator[_Citation]:
    for match in _NAMED.finditer(case.answer):
        name = match[1].strip()
        if URL.search(name):
            continue
        start = match.start(1) + match[1].index(name)
        yield _Citation(start, start + len(name), library.titled(name), _claim(case, match.start(), ()))


def _authored(case: Case, library: _Library) -> Iterator[_Citation]:
    """Authors and year, where sources are called so, or where there are several authors of whom no source knows."""
    called = any(_AUTHOR_YEAR.search(piece.title or "") for piece in library.pieces)
    titles = [stems(piece.title or "") | frozenset(_NUMBER.findall(piece.title or "")) for piece in library.pieces]
    stop = 0
    for match in _AUTHORS.finditer(case.answer):
        who, year, start, end = _author(match)
        authors = stems(re.sub(r"\b(?:and|et al|see|cf)\b", " ", who))
        known = authors <= stems(library.text + " ".join(piece.title or "" for piece in library.pieces))
        if (called and (match[1] or known or _SEVERAL.search(who))) or (_SEVERAL.search(who) and not known):
            found = tuple(at for at, title in enumerate(titles) if authors | {year} <= title)
            yield _Citation(start, end, found or None, _authors_claim(case, match, stop))
        stop = match.end()


def _author(match: re.Match[str]) -> tuple[str, str, int, int]:
    if match[1]:
        return match[1], match[2], match.start(1), match.end(2)
    return match[3], match[4], match.start(3), match.end()


def _authors_claim(case: Case, match: re.Match[str], stop: int) -> tuple[int, int]:
    """What authors are cited for: the words before, or after where only the year is in brackets."""
    if match[1]:
        return max(_claim(case, match.start(), ())[0], stop), match.start()
    cut = _CLAUSE_END.search(case.answer, match.end())
    return match.end(), cut.start() if cut else len(case.answer)


def _bracketed(case: Case, library: _Library, others: Sequence[_Citation]) -> Iterator[_Citation]:
    """Titles in brackets, and what is called like them but for a letter or number."""
    titles = [_unnumbered(piece.title) for piece in library.pieces]
    families = {title.rpartition(" ")[0].casefold() for title in titles if _IDENTIFIED.search(title)}
    text = f"{library.text}\n{' '.join(titles)}".casefold()
    for match in _BRACKETED.finditer(case.answer):
        name = match[1].strip()
        if any(match.start() <= o.start < match.end() for o in others):
            continue
        found = tuple(at for at, title in enumerate(titles) if title.casefold() == name.casefold())
        strange = (
            _IDENTIFIED.search(name) and name.rpartition(" ")[0].casefold() in families and name.casefold() not in text
        )
        if found or strange:
            yield _Citation(match.start(1), match.end(1), found or None, _claim(case, match.start(), ()))


def _unnumbered(title: str | None) -> str:
    """A title without the "[1]" before it."""
    return re.sub(r"\A[\[(]?\d{1,3}[\]).:]+\s+", "", title or "").strip()


_IDENTIFIED = re.compile(r"[a-z] (?:[A-Z]|\d{1,4})\Z")
"""A title that ends in a letter or number of its own."""


def _linked(case: Case, library: _Library) -> Iterator[_Citation]:
    code = [match.span() for match in _CODE.finditer(case.answer)]
    for match in URL.finditer(case.answer):
        url = match[0].rstrip(".,;:!?»”’'\"*")
        if any(start <= match.start() < end for start, end in code) or urlsplit(url).netloc == "example.com":
            continue
        yield _Citation(match.start(), match.start() + len(url), library.addressed(url), (match.start(), match.start()))


def _is_wrong(case: Case, library: _Library, citation: _Citation, others: Sequence[_Citation]) -> bool:
    if citation.sources is None:
        return True
    together = [o for o in others if o.claim[0] == citation.claim[0] and o.sources and _side_by_side(case, citation, o)]
    cited = {place for other in together for place in other.sources or ()} | set(citation.sources)
    if not citation.sources or len(library.pieces) < 2 or len(cited) == len(library.pieces):
        return False
    text = case.answer[citation.claim[0] : citation.claim[1]]
    shares = [_share(text, piece) for piece in library.pieces]
    here = _share(text, *(library.pieces[place] for place in cited))
    there = max((share for place, share in enumerate(shares) if place not in cited), default=0.0)
    if (here <= _WRONG and there >= _RIGHT) or _told_apart(text, cited, library.pieces):
        return True
    return there >= here and _numbers_elsewhere(text, cited, library.pieces)


def _side_by_side(case: Case, one: _Citation, two: _Citation) -> bool:
    low, high = sorted((one, two), key=lambda citation: citation.start)
    return not case.answer[low.end : high.start].strip(" ,;")


def _share(text: str, *pieces: Evidence) -> float:
    wanted = stems(MARKER.sub(" ", text))
    known = frozenset(stem for piece in pieces for stem in stems(f"{piece.title or ''} {piece.text}"))
    return len(wanted & known) / len(wanted) if wanted else 1.0


def _told_apart(text: str, cited: set[int], pieces: Sequence[Evidence]) -> bool:
    """Whether one other source has most of the words that tell the sources apart, and the cited ones next to none."""
    has = [stems(f"{piece.title or ''} {piece.text}") for piece in pieces]
    wanted = stems(MARKER.sub(" ", text))
    where = {
        word: {at for at, words in enumerate(has) if any(forms(word, other) for other in words)} for word in wanted
    }
    telling = [places for places in where.values() if 0 < len(places) < len(pieces)]
    if len(telling) < _TELLING:
        return False
    here = sum(bool(places & cited) for places in telling) / len(telling)
    there = max(sum(at in places for places in telling) for at in range(len(pieces)) if at not in cited) / len(telling)
    return here <= _NEXT_TO_NONE and there >= _RIGHT


_TELLING = 2
_NEXT_TO_NONE = 0.25


def _numbers_elsewhere(text: str, cited: set[int], pieces: Sequence[Evidence]) -> bool:
    """Whether the claim has numbers, none of which the cited sources have, and one other source has them all."""
    said = _numbers(text)
    if not said:
        return False
    facts = [_numbers(piece.text) for piece in pieces]
    if any(same(one, fact) for place in cited for fact in facts[place] for one in said):
        return False
    return any(
        all(any(same(one, fact) for fact in facts[place]) for one in said)
        for place in range(len(pieces))
        if place not in cited
    )


def _numbers(text: str) -> list[Amount]:
    return amounts(text, [(m.start, m.end) for m in moments(text) if not m.text.isdigit()])
