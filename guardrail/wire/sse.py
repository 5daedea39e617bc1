"""Server-sent events, decoded as they come, with the very bytes of each kept. Pure.

The format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Event", "EventDecoder", "decoded", "encode"]

_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\r\n|\n\n|\r\r")
# Not str.splitlines(): it also splits at characters that JSON holds unescaped, such as U+2028.
_LINE_END = re.compile(r"\r\n|\n|\r")
DONE = "[DONE]"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream."""

    raw: bytes
    """Its bytes, the blank line at the end included."""
    data: str
    name: str | None = None

    @property
    def is_comment(self) -> bool:
        """Whether it holds no data, as keep-alives do."""
        return not self.data

    def json(self) -> dict[str, object] | None:
        """Its data where that is a JSON object, else None."""
        try:
            value = json.loads(self.data)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


class EventDecoder:
    """Cuts a byte stream into events, however the bytes are chunked."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Event]:
        """The events that ``data`` completes."""
        self._buffer += data
        if b"\r" not in self._buffer:  # as almost all servers write them: that takes half the time
            *whole, self._buffer = self._buffer.split(b"\n\n")
            return [decoded(raw + b"\n\n") for raw in whole]
        events, start = [], 0
        for blank in _BLANK_LINE.finditer(self._buffer):
            events.append(decoded(self._buffer[start : blank.end()]))
            start = blank.end()
        self._buffer = self._buffer[start:]
        return events

    def flush(self) -> list[Event]:
        """What is left when the stream has ended without a blank line."""
        rest, self._buffer = self._buffer, b""
        return [decoded(rest)] if rest.strip() else []


def decoded(raw: bytes) -> Event:
    """The one event that ``raw`` is."""
    if raw.startswith(b"data: ") and raw.find(b"\n") == len(raw) - 2 and b"\r" not in raw:  # a line and the blank one
        return Event(raw, raw[6:-2].decode("utf-8", "replace"))
    data, name = [], None
    text = raw.decode("utf-8", "replace")
    for line in _LINE_END.split(text) if "\r" in text else text.split("\n"):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
    return Event(raw, "\n".join(data), name)


def encode(payload: Mapping[str, object] | str, name: str | None = None) -> bytes:
    """An event with ``payload`` as its data."""
    data = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    head = f"event: {name}\n" if name else ""
    try:
        return f"{head}data: {data}\n\n".encode()
    except UnicodeEncodeError:  # half of a surrogate pair: a server may cut its text there
        return f"{head}data: {json.dumps(payload)}\n\n".encode()
