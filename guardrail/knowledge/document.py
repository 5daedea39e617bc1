"""What a file says, and the passages that it is cut into. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guardrail.claims import sentences

__all__ = ["Document", "Passage", "Section", "passages"]

WORDS = 150
"""So many words a passage has at most, but for a longer sentence: enough to be understood, and one subject only."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document under one heading."""

    heading: str
    """With those above it: ``Refunds › Deadlines``; empty where there is none."""
    paragraphs: tuple[str, ...]
    place: str = ""
    """Where it stands, as it is written behind a path: ``#page=3``; empty where that is not known."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says."""

    title: str
    """Empty where it has none of its own."""
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that can be understood by itself."""

    heading: str
    text: str
    place: str = ""


def passages(document: Document) -> Iterator[Passage]:
    """The passages of ``document``, in order: whole paragraphs, as many of a section as fit."""
    for section in document.sections:
        for text in _packed([piece for paragraph in section.paragraphs for piece in _pieces(paragraph)]):
            yield Passage(section.heading, text, section.place)


def _pieces(paragraph: str) -> list[str]:
    """``paragraph``, or its sentences packed together where it is too long by itself."""
    if len(paragraph.split()) <= WORDS:
        return [paragraph] if paragraph.strip() else []
    return _packed([sentence.text for sentence in sentences(paragraph)], between=" ")


def _packed(pieces: Sequence[str], between: str = "\n") -> list[str]:
    """``pieces`` joined as long as they fit into one passage."""
    packed, size = list[str](), 0
    for piece in pieces:
        length = len(piece.split())
        if packed and size + length <= WORDS:
            packed[-1] += between + piece
            size += length
        else:
            packed.append(piece)
            size = length
    return packed
