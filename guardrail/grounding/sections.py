"""Dividing a prompt into sections: grounding under a heading, a question, instructions, free text.

Lines are read once, in order. A heading is ``Context:``, ``## Context``, ``**Context:**`` or a bare line in
capitals; an introduction is a line such as ``Use the following documents:``, ``Here is an email:`` or
``Context information is below.``. A fence right after either bounds the section.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from guardrail.grounding.passages import is_numbered
from guardrail.grounding.statements import is_request, only_requests, sentences
from guardrail.grounding.words import (
    ANSWER_NAMES,
    CONTEXT_NOUNS,
    EXAMPLE_WORDS,
    OTHER_NAMES,
    PASTED_NOUNS,
    POINTING,
    QUESTION_NAMES,
    words,
)

__all__ = ["REQUESTED", "Section", "names_grounding", "sections"]

REQUESTED = "requested"
"""The name of a pasted section that only a request announces, such as ``Summarise:``."""

Kind = Literal["free", "context", "pasted", "question", "answer", "other"]

_WORD = re.compile(r"[^\W\d_]+")
_DECORATION = "#*_>= \t"
_FENCES = ('"""', "```", "'''", "~~~", "---", "===", "***", "___", "<<<")
_PROPERTIES = words("source title url link file file_path file_name filename page page_label date author id score")
_VERBATIM = ("```", "~~~")
_ASIDE = re.compile(r"\([^()]*\)")
_CLOSING = ("[/", "{/", "<</", "</")
"""How a line begins that closes what a heading in the same brackets has opened."""
_SCALARS = ("|", ">", "|-", ">-", "|+", ">+")
"""What YAML writes behind a key whose text stands on the next lines."""
_FILES = words("file filename document doc attachment page source datei dokument fichier document archivo documento")
_FILE_NAME = re.compile(r"[^\s:/?*]{1,120}\.[A-Za-z0-9]{2,5}")
_PASTED_BESIDE = 40
"""Characters from which text beside a label such as ``Review:`` is the text that it names."""
_PASTED_INLINE = 80
"""Characters from which text after ``Summarise:`` on one line is a pasted text and no phrase."""


@dataclass(slots=True)
class Section:
    """Lines of one kind, in order."""

    kind: Kind
    lines: list[str] = field(default_factory=list)
    name: str = ""
    level: int = 0
    """How many ``#`` its heading has; 0 for every other heading."""
    introduced: bool = False
    """Whether a mere sentence introduced it, rather than a heading."""
    fenced: bool = False
    title: str | None = None
    """The file that its heading names."""

    @property
    def text(self) -> str:
        """Its lines, without blank ones at both ends."""
        return "\n".join(self.lines).strip("\n").strip()


@dataclass(frozen=True, slots=True)
class _Heading:
    kind: Kind
    name: str
    rest: str = ""
    level: int = 0
    introduced: bool = False
    title: str | None = None
    waits: bool = False
    """An introduction without a colon: the section begins after its paragraph."""


def sections(text: str) -> list[Section]:
    """Divide ``text``; few-shot examples are marked as ``other``, and requests are cut off the grounding."""
    found = _Reader(text.split("\n")).read()
    _mark_examples(found)
    return [_trimmed(section) for section in found]


class _Reader:
    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._at = 0
        self._sections = [Section("free")]
        self._closers: dict[str, int] = {}

    def read(self) -> list[Section]:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            heading = self._heading(line)
            if heading is not None:
                self._open(heading)
            elif (fence := _fence(line)) and self._may_fence(fence):
                self._take_fence(fence)
            else:
                self._sections[-1].lines.append(line)
                self._at += 1
        return self._sections

    def _heading(self, line: str) -> _Heading | None:
        if line.startswith("> "):
            return None  # What is quoted announces nothing.
        current = self._sections[-1]
        found = _heading(line)
        grounded = current.kind in ("context", "pasted")
        if found is None:
            return _ends(line, current) if grounded or current.kind == "other" else _introduction(line)
        if grounded and found.kind == "context":
            own = found.name == current.name and not current.introduced
            if found.name in _PROPERTIES and found.rest and not own:
                return None
        if current.level and found.level > current.level:
            return None
        if grounded and found.kind == "pasted" and not found.level:
            return None  # A line such as "Message: ..." of a log or a record.
        return found

    def _open(self, heading: _Heading) -> None:
        current = self._sections[-1]
        if heading.introduced:
            current.lines.append(_before(self._lines[self._at], heading))
        self._at += 1
        if heading.waits:
            self._skip_paragraph()
        rest = [heading.rest] if heading.rest else []
        section = Section(heading.kind, rest, heading.name, heading.level, heading.introduced, title=heading.title)
        self._sections.append(section)
        if not rest and self._at < len(self._lines) and set(self._lines[self._at].strip()) == {"="}:
            closer = self._closing(self._at + 1, "===")
            if closer is None:
                self._at += 1  # The rule under a heading.

    def _skip_paragraph(self) -> None:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if not line.strip() or _fence(line) or _heading(line):
                return
            self._sections[-1].lines.append(line)
            self._at += 1

    def _may_fence(self, fence: str) -> bool:
        current = self._sections[-1]
        if fence in _VERBATIM:
            return True
        return current.kind in ("context", "pasted") and not current.text

    def _take_fence(self, fence: str) -> None:
        """A fenced block: the body of the section that it opens, or code in the middle of something."""
        current = self._sections[-1]
        language = self._lines[self._at].strip().lstrip("`~").strip().lower() if fence in _VERBATIM else ""
        opens = current.kind in ("context", "pasted") and not current.text
        first = self._at + 1
        closer = self._closing(first, fence)
        end = len(self._lines) if closer is None else closer
        body = list(self._lines[first:end])
        if opens and language in ("", "text", "txt", "markdown", "md", "json", "yaml", "html", "csv", "xml"):
            inline = self._lines[self._at].strip()[len(fence) :].strip() if fence in ('"""', "'''") else ""
            current.lines = ([inline] if inline else []) + body
            current.fenced = True
            self._sections.append(Section("free"))
        elif current.kind in ("context", "pasted"):
            current.lines += self._lines[self._at : end + 1]
        else:
            self._sections.append(Section("free" if language == "json" else "other", body, "code"))
            self._sections.append(Section("free"))
        self._at = end + 1

    def _closing(self, first: int, fence: str) -> int | None:
        """The line that closes a fence; for rules the search ends at a heading that ends a section."""
        if self._closers.get(fence, first) >= len(self._lines):
            return None  # Looked for before, from further up: there is none.
        verbatim = fence in ('"""', "```", "'''", "~~~")
        for place in range(first, len(self._lines)):
            line = self._lines[place]
            if line.strip().startswith(fence) or (fence in ('"""', "'''") and line.rstrip().endswith(fence)):
                return place
            if not verbatim:
                heading = _heading(line)
                if heading is not None and heading.kind != "context":
                    return place - 1 if place > first else None
        self._closers[fence] = len(self._lines)
        return None


def _fence(line: str) -> str | None:
    stripped = line.strip()
    fence = stripped[:3]
    if fence not in _FENCES:
        return None
    if fence in ("---", "===", "***", "___") and set(stripped) != {fence[0]}:
        return None
    return fence


def _heading(line: str) -> _Heading | None:
    stripped = line.strip()
    if not stripped or len(stripped.split(":", 1)[0]) > 80 or is_numbered(line):
        return None
    level = len(stripped) - len(stripped.lstrip("#"))
    bold = stripped.startswith(("**", "__", "==", "--", "[")) or (line[:1] != " " and stripped.isupper())
    plain = stripped.replace("**", "").replace("__", "").strip(_DECORATION)
    plain = plain.strip("- ") if plain.startswith("--") else plain
    bare = _ASIDE.sub(lambda aside: " " * len(aside[0]), plain)
    colon = min((at for mark in ":：" if (at := bare.find(mark)) >= 0), default=-1)
    if colon < 0 and not (level or bold):
        return None
    name = plain if colon < 0 else plain[:colon]
    rest = "" if colon < 0 else plain[colon + 1 :].strip()
    rest = "" if rest in _SCALARS else rest
    title = rest if _FILE_NAME.fullmatch(rest) else None
    kind = "context" if title and _normal(name) in _FILES else _kind(name)
    if kind == "context" and stripped.startswith(_CLOSING):
        kind = "free"
    if kind == "pasted" and 0 < len(rest) < _PASTED_BESIDE:
        return None
    if kind is None:
        if not level or rest:
            return None
        kind = "other"
    return _Heading(kind, _normal(name), "" if title else rest, level, title=title)


def _normal(name: str) -> str:
    cut = name.split("(", 1)[0].lower()
    return " ".join(_WORD.findall(cut.replace("_", " ")))


def _kind(name: str) -> Kind | None:
    said = _normal(name).split()
    if said[:1] in (["begin"], ["start"], ["end"]) and said[-1] in CONTEXT_NOUNS:
        return "free" if said[0] == "end" else "context"
    if not said or len(said) > 5:
        return None
    for names, kind in _EXACT:
        if said[-1] in names and len(said) <= 3 and (len(said) == 1 or said[-1] not in ("a", "q")):
            return kind
    if any(word in OTHER_NAMES or word in EXAMPLE_WORDS for word in said):
        return "other" if len(said) <= 3 else None
    if said[-1] in CONTEXT_NOUNS and (len(said) < 3 or not is_request(name)):
        return "context"
    return "pasted" if said[-1] in PASTED_NOUNS and len(said) < 3 else None


def names_grounding(name: str) -> bool:
    """Whether a heading or a key ``name`` announces text that answers can be held against."""
    return _kind(name) == "context"


_EXACT: tuple[tuple[frozenset[str], Kind], ...] = (
    (EXAMPLE_WORDS, "other"),
    (ANSWER_NAMES, "answer"),
    (QUESTION_NAMES, "question"),
    (OTHER_NAMES, "other"),
)


def _introduction(line: str) -> _Heading | None:
    """A sentence that announces grounding, or a request that ends with a colon before a pasted text."""
    stripped = line.strip().strip("*_")
    if len(stripped) > 400:
        return _inline(stripped)
    said = _WORD.findall(stripped.lower())
    known = set(said)
    colon = stripped.endswith((":", "："))
    if known & POINTING and known & CONTEXT_NOUNS and not (known & PASTED_NOUNS and colon):
        return _Heading("context", "", introduced=True, waits=not colon)
    if colon and len(said) <= 25 and said[-1:] and said[-1] in CONTEXT_NOUNS and _FROM & set(said[-4:-1]):
        return _Heading("context", "", introduced=True)  # "Answer from the context:"
    named = bool(known & PASTED_NOUNS)
    if colon and len(said) <= 25 and (named or (said and is_request(stripped[:-1]))):
        kind: Kind = "other" if known & (EXAMPLE_WORDS | _RULING) else "pasted"
        return _Heading(kind, "" if named else REQUESTED, introduced=True)
    return _inline(stripped)


def _before(line: str, heading: _Heading) -> str:
    """What an introducing line says before it introduces."""
    head = line.rstrip()[: len(line.rstrip()) - len(heading.rest)] if heading.rest else line
    kept = [span.text for span in sentences(head)]
    return " ".join(kept[:-1] if not heading.waits else [text for text in kept if not _introduction(text)])


_FROM = words("from using with on")
_RULING = words("rules instructions guidelines format steps requirements constraints")


def _inline(line: str) -> _Heading | None:
    """``Summarise: <long text>`` on one line."""
    head, mark, rest = line.partition(":")
    if not mark or len(head) > 120 or len(rest) < _PASTED_INLINE or not is_request(head):
        return None
    # The sentence before the request, if any, is the user's and stays in the free text.
    return _Heading("pasted", REQUESTED, rest.strip(), introduced=True)


def _ends(line: str, current: Section) -> _Heading | None:
    """A markdown heading of the same depth ends a section; everything else belongs to it."""
    stripped = line.strip()
    level = len(stripped) - len(stripped.lstrip("#"))
    if level and current.level and level <= current.level:
        return _Heading("other", _normal(stripped), level=level)
    return None


def _mark_examples(found: list[Section]) -> None:
    """Grounding whose question is answered in the same prompt, with more to come, is a few-shot example."""
    grounded = [place for place, section in enumerate(found) if section.kind == "context" and section.text]
    for place, following in pairwise(grounded):
        if any(section.kind == "answer" and section.text for section in found[place + 1 : following]):
            found[place].kind = "other"


def _trimmed(section: Section) -> Section:
    """The section without the request that follows the grounding (or is wound around it)."""
    if section.kind not in ("context", "pasted") or section.fenced:
        return section
    paragraphs = re.split(r"\n[ \t]*\n", section.text)
    while paragraphs and only_requests(paragraphs[-1]) and (len(paragraphs) > 1 or section.introduced):
        paragraphs.pop()
    while section.introduced and paragraphs and only_requests(paragraphs[0]):
        paragraphs.pop(0)
    return replace(section, lines="\n\n".join(paragraphs).split("\n"))
