"""What both completion APIs share: replies and chunks that hold choices. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence

from guardrail.wire.exchange import Json, Settled
from guardrail.wire.sse import DONE, Event, encode

__all__ = ["choices_of", "head_of", "index_of", "restreamed", "text_or_none"]


def text_or_none(value: object) -> str | None:
    """``value`` where it is a string."""
    return value if isinstance(value, str) else None


def index_of(choice: Mapping[str, object]) -> int:
    """The index of a choice; 0 where it says none."""
    index = choice.get("index", 0)
    return index if isinstance(index, int) else 0


def choices_of(reply: Mapping[str, object]) -> list[Json]:
    """The choices of a reply or a chunk, in the order of their indices."""
    choices = reply.get("choices")
    if isinstance(choices, list) and len(choices) == 1 and isinstance(choices[0], dict):
        return choices
    found = [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    return sorted(found, key=index_of)


def head_of(events: Sequence[Event]) -> Json:
    """What the chunks of a stream say beside their choices; the usage is the last that one of them holds."""
    head: Json = {}
    for chunk in (event.json() for event in events):
        if chunk is None:
            continue
        head = head or {key: value for key, value in chunk.items() if key != "choices"}
        if chunk.get("usage"):
            head["usage"] = chunk["usage"]
    return head


def restreamed(
    events: Sequence[Event],
    reply: Json,
    final: Json,
    settled: Sequence[Settled],
    chunks: Callable[[Json, Json], list[bytes]],
) -> list[bytes]:
    """The stream's own bytes, but for the choices that are replaced.

    ``reply`` is what the stream added up to, ``final`` what it shall add up to; ``chunks(final, choice)`` writes a
    whole choice as chunks.
    """
    replaced = [place for place, end in enumerate(settled) if end.replaced]
    if not replaced:
        return [event.raw for event in events]
    order = [index_of(choice) for choice in choices_of(reply)]
    gone = {order[place] for place in replaced}
    kept = [left for event in events if (left := _without(event, gone)) is not None]
    fresh = [raw for place in replaced for raw in chunks(final, choices_of(final)[place])]
    # A chunk without choices holds the usage and closes a stream: what is put in goes before it.
    body = [event.raw for event in kept if choices_of(event.json() or {})]
    tail = [_with_usage(event, reply) for event in kept if not choices_of(event.json() or {})]
    return [*body, *fresh, *tail, encode(DONE)]


def _without(event: Event, gone: Collection[int]) -> Event | None:
    """The event without the choices in ``gone``; None when nothing is left of it, or what is in it cannot be told."""
    chunk = event.json()
    if chunk is None:
        return None
    if not (choices := choices_of(chunk)):
        return event
    kept = [choice for choice in choices if index_of(choice) not in gone]
    if len(kept) == len(choices):
        return event
    left = {**chunk, "choices": kept}
    return Event(encode(left, event.name), json.dumps(left)) if kept else None


def _with_usage(event: Event, reply: Json) -> bytes:
    """A closing chunk with the tokens that ``reply`` counts."""
    chunk = event.json()
    if chunk is None or not chunk.get("usage"):
        return event.raw
    return encode({**chunk, "usage": reply.get("usage")}, event.name)
