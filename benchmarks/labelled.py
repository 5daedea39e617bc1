"""Answers whose bad places are marked: JSON Lines, and two halves of them.

One row: ``id``, ``kind`` (the check that it tries), ``evidence`` (each with ``text``, maybe ``title`` and ``url``),
``history`` (earlier messages: ``role``, ``content``), ``question``, ``answer``, and ``bad``: the marked places with
``start`` and ``end`` (characters of the answer) and their ``kind``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guardrail.conversation import Evidence, Message

__all__ = ["Labelled", "Mark", "half", "read"]


@dataclass(frozen=True, slots=True)
class Mark:
    """One marked place of an answer."""

    start: int
    end: int
    kind: str

    def overlaps(self, start: int, end: int) -> bool:
        """Whether the place shares a character with another."""
        return start < self.end and self.start < end


@dataclass(frozen=True, slots=True)
class Labelled:
    """One answer with everything that it is held against, and its bad places in order."""

    id: str
    kind: str
    evidence: tuple[Evidence, ...]
    conversation: tuple[Message, ...]
    """What was said before the answer; the last message is the question."""
    answer: str
    bad: tuple[Mark, ...]

    @property
    def context(self) -> str:
        """The same for all answers to questions about the same evidence."""
        told = [piece.text for piece in self.evidence] + [message.text for message in self.conversation[:-1]]
        return "\0".join(told)


def read(path: Path) -> list[Labelled]:
    """The rows of a file. Raises `ValueError` with the row that cannot be read."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            found.append(_labelled(json.loads(line)))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path}, row {number}: {error!r}; see benchmarks/labelled.py for what a row has"
            ) from error
    return found


def half(case: Labelled) -> str:
    """``A`` or ``B``: by the evidence, so that what one half teaches of it is not asked in the other."""
    return "AB"[hashlib.sha256(case.context.encode()).digest()[0] % 2]


def _labelled(row: Mapping[str, Any]) -> Labelled:
    marks = tuple(Mark(mark["start"], mark["end"], mark["kind"]) for mark in row["bad"])
    answer = row["answer"]
    if any(not 0 <= mark.start < mark.end <= len(answer) for mark in marks):
        raise ValueError("a marked place lies outside of the answer")
    return Labelled(row["id"], row["kind"], _evidence(row["evidence"]), _conversation(row), answer, marks)


def _evidence(pieces: Sequence[Mapping[str, Any]]) -> tuple[Evidence, ...]:
    return tuple(Evidence(piece["text"], "retrieved", piece.get("title"), piece.get("url")) for piece in pieces)


def _conversation(row: Mapping[str, Any]) -> tuple[Message, ...]:
    before = tuple(Message(message["role"], (message["content"],)) for message in row["history"])
    return (*before, Message("user", (row["question"],)))
