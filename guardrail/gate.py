"""What of a stream may be released now. Pure: it holds, it never waits.

A gate is fed the pieces of one stream in order. A piece is whatever the mount releases (the event of an SSE stream, a
string), with the text that it adds to the answer; the gate does not look into it. Nothing leaves the gate before it
may. `WholeGate` holds everything until the whole answer has its verdict; `SentenceGate` releases sentence by sentence.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from guardrail.claims.incremental import SentenceStream

__all__ = ["Merge", "Pieces", "SentenceGate", "Split", "Unit", "WholeGate", "split_text"]

Piece = TypeVar("Piece")
Split: TypeAlias = Callable[[Piece, int], tuple[Piece, Piece]]
"""``split(piece, at)``: two pieces in the place of one; the first has ``at`` characters of its text, the second the
rest. It is asked only for places inside the text. What else the piece says goes with the first."""
Merge: TypeAlias = Callable[[Piece, Piece, str], Piece | None]
"""``merge(one, next_, text)``: one piece in the place of two in a row that are held, with ``text``, that of both; None:
they stay two."""

Pieces: TypeAlias = tuple[tuple[Piece, str], ...]
"""Pieces, each with its text."""


def split_text(piece: str, at: int) -> tuple[str, str]:
    """The `Split` of strings."""
    return piece[:at], piece[at:]


@dataclass(frozen=True, slots=True)
class Unit:
    """What is released or withheld as one: a sentence with the white space before it.

    All units of a stream, put together, are its text.
    """

    start: int
    end: int
    """Characters of the gate's text, counted from its ``start``."""
    text: str

    @property
    def lead(self) -> int:
        """Characters of white space before the sentence."""
        return len(self.text) - len(self.text.lstrip())

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing but white space, which states nothing."""
        return not self.text.strip()


class SentenceGate(Generic[Piece]):
    """Releases pieces up to the ends of sentences; a piece that goes over an end is split there.

    `feed` pieces, then `end`; `take` the sentences that have come to their end meanwhile; then, for each in order,
    `release` or `drop`. How the text was cut into pieces makes no difference to the sentences.

    ``start``: the place of the first character. ``longest``: a sentence that grows beyond so many characters is cut at
    a soft place. ``at_once``: `feed` releases everything; the sentences are still taken. ``merge``: what is held has
    fewer pieces, as many wait for the same verdict.
    """

    def __init__(
        self,
        split: Split[Piece],
        *,
        merge: Merge[Piece] | None = None,
        start: int = 0,
        longest: int = 4000,
        at_once: bool = False,
    ) -> None:
        self.start = start
        self._split, self._merge, self._at_once = split, merge, at_once
        self._held: deque[tuple[Piece, str, int]] = deque()
        """Pieces, their text, and where it ends."""
        self._out = self._fed = self._cut = start
        """Where what was released or dropped ends; what was fed; what is in units."""
        self._tail = ""
        """The text after the last unit."""
        self._sentences = SentenceStream(longest=longest)
        self._units: list[Unit] = []

    @property
    def fed(self) -> int:
        """The place after the last character that was fed."""
        return self._fed

    @property
    def tail(self) -> str:
        """The text that belongs to no sentence yet."""
        return self._tail

    def feed(self, piece: Piece, text: str = "") -> Pieces[Piece]:
        """Take a piece and the text that it adds.

        Returns what may be released at once: the piece, where it adds no text and no text before it is held.
        """
        self._fed += len(text)
        if text:
            self._add(text)
        if self._at_once or (not text and self._out == self._fed):
            self._out = self._fed
            return ((piece, text),)
        self._hold(piece, text)
        return ()

    def end(self) -> None:
        """The stream has ended: what is left is a sentence too."""
        for sentence in self._sentences.flush():
            self._unit(self.start + sentence.end)
        if self._tail:
            self._unit(self._fed)

    @property
    def rests(self) -> bool:
        """Whether the text after the last sentence would be one if nothing followed."""
        return self._sentences.rests

    def rest(self) -> None:
        """Nothing has followed for a while: what `rests` is a sentence."""
        if (sentence := self._sentences.rest()) is not None:
            self._unit(self.start + sentence.end)

    @property
    def ready(self) -> bool:
        """Whether `take` has something to give."""
        return bool(self._units)

    def take(self) -> list[Unit]:
        """The sentences that have come to their end since the last call, in order."""
        taken, self._units = self._units, []
        return taken

    def release(self, unit: Unit, *, lead: bool = True) -> Pieces[Piece]:
        """The pieces of ``unit``, which comes next; without its white space where ``lead`` is false."""
        skipped = () if lead else _without_text(self._upto(unit.start + unit.lead))
        return (*skipped, *self._upto(unit.end))

    def drop(self, unit: Unit) -> Pieces[Piece]:
        """Of the pieces of ``unit``, which comes next, only those without text: what they tell is not its own."""
        return _without_text(self._upto(unit.end))

    # sentences

    def _add(self, text: str) -> None:
        self._tail += text
        for sentence in self._sentences.feed(text):
            self._unit(self.start + sentence.end)

    def _unit(self, end: int) -> None:
        if end > self._cut:
            size = end - self._cut
            self._units.append(Unit(self._cut, end, self._tail[:size]))
            self._tail, self._cut = self._tail[size:], end

    # pieces

    def _hold(self, piece: Piece, text: str) -> None:
        # Not over the end of a sentence: what is cut there would be put together for nothing.
        if self._merge is not None and text and self._held and self._held[-1][2] > self._cut:
            last, before, _ = self._held[-1]
            both = before + text
            if (merged := self._merge(last, piece, both)) is not None:
                self._held[-1] = (merged, both, self._fed)
                return
        self._held.append((piece, text, self._fed))

    def _upto(self, place: int) -> Pieces[Piece]:
        """Takes out the pieces whose text ends at ``place`` or before."""
        out: list[tuple[Piece, str]] = []
        while self._held and self._held[0][2] <= place:
            piece, text, self._out = self._held.popleft()
            out.append((piece, text))
        if self._held and self._out < place:
            piece, text, end = self._held.popleft()
            size, self._out = place - self._out, place
            first, second = self._split(piece, size)
            out.append((first, text[:size]))
            self._held.appendleft((second, text[size:], end))
        return tuple(out)


def _without_text(pieces: Pieces[Piece]) -> Pieces[Piece]:
    return tuple((piece, text) for piece, text in pieces if not text)


class WholeGate(Generic[Piece]):
    """Mode ``whole``: everything is held until the whole answer has its verdict.

    `feed` pieces until the stream ends, have `text` judged, then `settle` once.
    """

    def __init__(self) -> None:
        self._held: list[Piece] = []
        self._text: list[str] = []

    def feed(self, piece: Piece, text: str = "") -> tuple[Piece, ...]:
        """Take a piece and the text in it; returns the pieces that may be released now: none."""
        self._held.append(piece)
        self._text.append(text)
        return ()

    @property
    def text(self) -> str:
        """All text so far."""
        return "".join(self._text)

    @property
    def held(self) -> tuple[Piece, ...]:
        """The pieces that wait for a verdict."""
        return tuple(self._held)

    def settle(self, release: bool) -> tuple[Piece, ...]:
        """Give the verdict on what is held: all of it when it may go out, else nothing ever will."""
        pieces, self._held, self._text = tuple(self._held), [], []
        return pieces if release else ()
