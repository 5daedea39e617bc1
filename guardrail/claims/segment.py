"""Sentences, and where they stand. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from sentencex import segment

__all__ = ["PLAIN", "Sentence", "sentences"]

PLAIN = {ord(char): " " for char in "\xa0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))}
PLAIN |= {ord(char): "\n" for char in "\x85\u2028\u2029"}
PLAIN |= dict.fromkeys(range(0xD800, 0xE000), "x")
"""White space beyond ASCII: between a letter and a full stop the library panics at it, which is no `Exception`. And
halves of surrogate pairs, which it takes no text with."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a text."""

    start: int
    end: int
    text: str
    """``whole[start:end]``, without white space around it."""


def sentences(text: str) -> list[Sentence]:
    """The sentences of ``text`` in order; list items and lines of a table count as sentences.

    Source: the ``sentencex`` library's rules. They are told that the text is English, which also ends
    sentences at the marks of other scripts.
    """
    found, at = [], 0
    plain = text.translate(PLAIN)
    for piece in segment("en", plain):
        start = plain.index(piece, at)
        at = start + len(piece)
        found += _lines(text, start, at)
    return found


def _lines(text: str, start: int, end: int) -> list[Sentence]:
    """The parts of a sentence that stand on lines of their own: a heading ends without a full stop."""
    found = []
    for line in text[start:end].splitlines(keepends=True):
        stripped = line.strip()
        if stripped:
            at = start + line.index(stripped)
            found.append(Sentence(at, at + len(stripped), stripped))
        start += len(line)
    return found
