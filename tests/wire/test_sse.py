"""Cutting a byte stream into events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.wire.sse import DONE, Event, EventDecoder, encode

EVENTS = [
    b'data: {"a": 1}\n\n',
    b": keep-alive\n\n",
    b"event: done\r\ndata: x\r\n\r\n",
    b"data: one\ndata: two\n\n",
    "data: é漢🙂\n\n".encode(),
]


def decode(pieces: list[bytes]) -> list[Event]:
    decoder = EventDecoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.flush()


@given(st.lists(st.sampled_from(EVENTS), max_size=6), st.data())
def test_any_chunking_of_the_same_bytes_gives_the_same_events_and_loses_none(
    events: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(events)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert decode(pieces) == decode([stream])
    assert b"".join(event.raw for event in decode(pieces)) == stream


def test_fields_are_read_and_comments_told_apart() -> None:
    first, comment, named, long, _ = decode(EVENTS)
    assert first.json() == {"a": 1}
    assert comment.is_comment
    assert (named.name, named.data) == ("done", "x")
    assert long.data == "one\ntwo"


def test_what_is_left_without_a_blank_line_is_still_an_event() -> None:
    assert [event.data for event in decode([b"data: [DONE]"])] == [DONE]


@pytest.mark.parametrize("data", ["[1]", "nothing", ""])
def test_data_that_is_no_object_reads_as_none(data: str) -> None:
    assert Event(b"", data).json() is None


def test_what_is_encoded_is_decoded() -> None:
    (event,) = decode([encode({"text": "ü\n"}, "name")])
    assert (event.name, event.json()) == ("name", {"text": "ü\n"})


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c"])
def test_only_line_ends_end_a_line(mark: str) -> None:
    (event,) = decode([encode({"text": f"a{mark}b"})])
    assert event.json() == {"text": f"a{mark}b"}
