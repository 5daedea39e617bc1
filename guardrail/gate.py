"""What of a stream may be released now. Pure: it holds, it never waits.

A gate is fed the pieces of one stream in order. A piece is whatever the mount releases (bytes of an SSE
event, a string), with the text it adds to the answer. Nothing leaves the gate before its verdict.
"""

from __future__ import annotations

from typing import Generic, TypeVar

__all__ = ["WholeGate"]

Piece = TypeVar("Piece")


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
