"""Conversations as text, for judges that know neither tools nor several system messages. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from guardrail.conversation import Evidence, Message
from guardrail.verifiers.protocol import Check

__all__ = ["Line", "document", "documents", "flatten", "outside", "question", "rendered"]


@dataclass(frozen=True, slots=True)
class Line:
    """One entry: ``role`` is system, user or assistant."""

    role: str
    text: str


def flatten(conversation: Iterable[Message]) -> tuple[Line, ...]:
    """The messages as text, in order; those without any are dropped.

    Developer messages count as system messages. Tool calls become text of the assistant, results of tools
    text of the user, named by the call. Names of speakers and refusals are dropped; a picture or the like
    becomes a note that it was left out.
    """
    names: dict[str, str] = {}
    lines = []
    for message in conversation:
        names.update({call.id: call.name for call in message.tool_calls})
        text = _text(message, names)
        if text.strip():
            lines.append(Line(_ROLES[message.role], text))
    return tuple(lines)


_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "user"}


def _text(message: Message, names: dict[str, str]) -> str:
    pieces = [message.text] if message.text.strip() else []
    if message.role == "tool" and pieces:
        name = names.get(message.tool_call_id or "") or message.name or "a tool"
        pieces = [f"[Result of {name}]\n{message.text}"]
    pieces += [f"[{kind} left out]" for kind in message.omitted]
    pieces += [f"[Calls {call.name} with {call.arguments}]" for call in message.tool_calls]
    return "\n".join(pieces)


def outside(check: Check) -> tuple[Evidence, ...]:
    """The evidence that does not stand in the conversation itself, such as what the caller gave."""
    said = _spaced("\n".join(message.text for message in check.conversation))
    return tuple(piece for piece in check.evidence if piece.text.strip() and _spaced(piece.text) not in said)


def rendered(evidence: Iterable[Evidence]) -> str:
    """Pieces of evidence, numbered from 1, each with its title and URL."""
    return "\n\n".join(f"[{n}]{_label(piece)}\n{piece.text}" for n, piece in enumerate(evidence, 1))


def document(check: Check) -> str:
    """All evidence as one text, for judges that know one document: titles, then texts, as they are."""
    return "\n\n".join(documents(check))


def documents(check: Check) -> list[str]:
    """The pieces of evidence that say anything, each behind its title."""
    pieces = (piece for piece in check.evidence if piece.text.strip())
    return [f"{piece.title}\n{piece.text}" if piece.title else piece.text for piece in pieces]


def question(check: Check) -> str:
    """What the user said last; empty when there is no user."""
    asked = (message.text for message in reversed(check.conversation) if message.role == "user")
    return next(asked, "")


def _label(piece: Evidence) -> str:
    known = [part for part in (piece.title, piece.url) if part]
    return " " + ", ".join(known) if known else ""


def _spaced(text: str) -> str:
    return " ".join(text.split())
