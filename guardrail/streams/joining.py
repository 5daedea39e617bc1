"""Where an answer is gone on with: what repeats its beginning is cut off. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from guardrail.claims.segment import sentences
from guardrail.gate import Split

__all__ = ["Joint"]

Piece = TypeVar("Piece")


class Joint(Generic[Piece]):
    """The beginning of a continuation, held until it is known whether it repeats what is shown.

    LLMs that are asked to go on often say the last sentence again, or all of them. White space makes no difference.
    """

    def __init__(self, prefix: str, split: Split[Piece]) -> None:
        self._split = split
        self._shown = _dense(prefix)
        self._starts = [len(_dense(prefix[: sentence.start])) for sentence in sentences(prefix)]
        self._first = self._starts[1] if len(self._starts) > 1 else len(self._shown)
        self._held: list[tuple[Piece, str]] = []
        self._said = ""
        self._open = bool(self._shown)
        self.restarted = False
        """Whether the answer was begun anew in other words: that cannot be joined to what is shown."""

    @property
    def repeats(self) -> bool:
        """Whether something of what is shown was said again."""
        return bool(self._said)

    def feed(self, piece: Piece, text: str) -> list[tuple[Piece, str]]:
        """The pieces that are known to say something new, each with its text."""
        if not self._open:
            return [(piece, text)]
        self._held.append((piece, text))
        self._said += _dense(text)
        if any(self._shown.startswith(self._said, start) and self._more(start) for start in self._starts):
            return []
        return self.end()

    def end(self) -> list[tuple[Piece, str]]:
        """The same when nothing follows."""
        held, self._held, self._open = self._held, [], False
        return list(self._without(held, self._repeated()))

    def _more(self, start: int) -> bool:
        return len(self._said) < len(self._shown) - start

    def _repeated(self) -> int:
        """How many characters of the continuation are shown already, white space not counted."""
        for start in self._starts:
            if self._said.startswith(self._shown[start:]):
                return len(self._shown) - start
        if any(self._shown.startswith(self._said, start) for start in self._starts):
            return len(self._said)
        again = self._said[: self._first] == self._shown[: self._first] and self._first < len(self._shown)
        self.restarted = bool(self._starts) and again
        return 0

    def _without(self, held: Iterable[tuple[Piece, str]], gone: int) -> Iterable[tuple[Piece, str]]:
        for piece, text in held:
            at = _place(text, gone)
            gone -= len(_dense(text[:at]))
            if not at or not text:
                yield piece, text
            elif at < len(text):
                yield self._split(piece, at)[1], text[at:]


def _dense(text: str) -> str:
    return "".join(text.split())


def _place(text: str, count: int) -> int:
    """The place in ``text`` after ``count`` characters that are no white space, or its end."""
    for place, char in enumerate(text):
        if not count:
            return place
        count -= not char.isspace()
    return len(text)
