"""Sections out of a run of headings and paragraphs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from guardrail.knowledge.document import Document, Section

__all__ = ["Heading", "outlined"]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; 1 is the highest ``level``."""

    level: int
    text: str


def outlined(blocks: Iterable[Heading | str], *, title: str = "") -> Document:
    """The document whose headings and paragraphs are ``blocks``, in order; its first top heading is its title, where
    it has no other."""
    above, sections, paragraphs = list[Heading](), list[Section](), list[str]()

    def close() -> None:
        if paragraphs:
            sections.append(Section(" › ".join(one.text for one in above), tuple(paragraphs)))
            paragraphs.clear()

    for block in blocks:
        if isinstance(block, str):
            if block.strip():
                paragraphs.append(block.strip())
            continue
        close()
        if block.level == 1 and not title:
            title = block.text
        above = [one for one in above if one.level < block.level]
        if block.text and block.text != title:
            above.append(block)
    close()
    return Document(title, tuple(sections))
