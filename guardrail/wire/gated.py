"""A guarded stream of events, whatever the API: read into chunks for a gate, written from what it gives. Pure.

One `Reader` reads one upstream. One `Writer` writes what the consumer gets, of the upstream and of those that went on
from it, as one continuous stream.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal, Protocol, TypeAlias, TypeVar

from guardrail.outcome import Outcome
from guardrail.streams.values import Chunk, Ended, Pending, Release, Replaced, Retracted, Verified, Write
from guardrail.wire.exchange import Json
from guardrail.wire.sse import Event

__all__ = ["Reader", "State", "UpstreamError", "Writer", "comment", "split_tokens"]

Piece = TypeVar("Piece")
State: TypeAlias = Literal["open", "ended", "failed"]
"""How it stands with an upstream; one that is open when the consumer's stream ends has been cut."""


class UpstreamError(Exception):
    """The upstream says in an event that it has failed; the event is the consumer's to see."""

    def __init__(self, event: Event) -> None:
        super().__init__("the stream told of an error")
        self.event = event


class Reader(Protocol[Piece]):
    """Reads the events of one upstream."""

    done: bool
    """Whether the upstream has said that nothing follows."""
    state: State
    """Set by whoever reads the upstream."""
    head: Json
    """What its first event says of the whole."""

    def read(self, event: Event) -> Sequence[Chunk[Piece]]:
        """What the event says, for the gate. Raises `UpstreamError`."""
        ...

    def read_reply(self, reply: Json) -> Sequence[Chunk[Piece]]:
        """The same of an answer that came whole."""
        ...


class Writer(Protocol[Piece]):
    """Writes the events that the consumer gets."""

    def go_on(self) -> Reader[Piece]:
        """What reads the answer to a request to go on."""
        ...

    def write(self, item: Release[Piece] | Write | Ended) -> bytes:
        """The events of one item."""
        ...

    def close(self, outcomes: Sequence[Outcome]) -> bytes:
        """The events at the end of the stream."""
        ...


def split_tokens(tokens: object, at: int) -> tuple[object, object]:
    """The log-probabilities of the first ``at`` characters, and the others; a token that goes over the place is of
    these: what it says must not go out before its text."""
    if not isinstance(tokens, list):
        return tokens, tokens
    count, place = 0, 0
    for token in tokens:
        text = token.get("token") if isinstance(token, dict) else None
        place += len(text) if isinstance(text, str) else 0
        if place > at:
            break
        count += 1
    return tokens[:count], tokens[count:]


def comment(item: Pending | Verified | Retracted | Replaced | Ended) -> bytes:
    """A typed event as a comment, which readers of server-sent events pass over.

    A line ``: guardrail `` and a JSON object: ``type`` (pending, verified, retracted, replaced, outcome), ``index`` of
    the choice, ``start`` and ``end`` in characters of the answer that is shown, ``action``, ``status``, ``risk``.
    """
    said: Json = {"type": type(item).__name__.lower(), "index": item.index}
    match item:
        case Verified():
            said |= {"start": item.start, "end": item.end, "action": item.action.value}
            said |= {"status": item.verdict.status.value, "risk": item.verdict.risk}
        case Ended():
            verdict, outcome = item.outcome.verdict, item.outcome
            status = verdict.status.value if verdict else outcome.mode
            said |= {"type": "outcome", "id": outcome.id, "action": outcome.action.value, "status": status}
        case Pending() | Retracted() | Replaced():
            said |= asdict(item)
    return f": guardrail {json.dumps(said)}\n\n".encode()
