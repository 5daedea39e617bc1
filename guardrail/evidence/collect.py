"""Collecting the grounding that a conversation holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from guardrail.conversation import Evidence, Message
from guardrail.evidence.documents import documents_in

__all__ = ["collect", "missing_note"]


def collect(conversation: Sequence[Message], given: Sequence[Evidence] = ()) -> tuple[Evidence, ...]:
    """The evidence at hand, each piece labelled with its origin.

    Args:
        conversation: The history, oldest first, without the answer under judgement.
        given: What the caller gave; it comes first and keeps its origin.

    Returns:
        Pieces without repetition, in the order given, tool, retrieved, user; within an origin in
        the order of the conversation.
    """
    return _unique([*given, *_from_tools(conversation)])


def missing_note() -> str:
    """What to tell a user whose request held no evidence."""
    return (
        "no evidence was found in the conversation to verify the answer against;"
        " supply it with one line: `with guardrail.evidence(docs): ...`"
    )


def _from_tools(conversation: Sequence[Message]) -> Iterator[Evidence]:
    for message in conversation:
        if message.role == "tool":
            for part in message.parts:
                yield from documents_in(part, "tool") or _whole(part, message.name)


def _whole(text: str, name: str | None) -> tuple[Evidence, ...]:
    return (Evidence(text.strip(), "tool", title=name),) if text.strip() else ()


def _unique(pieces: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """One of each text: a document that comes twice counts once."""
    seen: dict[str, Evidence] = {}
    for piece in pieces:
        seen.setdefault(" ".join(piece.text.split()), piece)
    return tuple(seen.values())
