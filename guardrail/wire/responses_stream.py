"""Streams of the Responses API, in chunks for a gate and back. Pure.

Events that repeat a text (``*.done``, ``response.completed``) are written with the text that was shown, whatever they
came with, so that what was withheld cannot come in by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from guardrail.outcome import Outcome
from guardrail.streams.values import Chunk, Ended, Release, Write
from guardrail.wire.exchange import Json, add_usage, usage_of
from guardrail.wire.gated import State, UpstreamError, split_tokens
from guardrail.wire.responses import CALLS, CLOSING, ResponsesCodec
from guardrail.wire.sse import DONE, Event, encode

__all__ = ["ResponsesDelta", "ResponsesReader", "ResponsesWriter", "merge_response", "split_response"]

Place: TypeAlias = tuple[int, int]
"""Of a part of the content: the index of its item, and its own."""
_DELTA = "response.output_text.delta"
_PLAIN = frozenset(
    {"type", "item_id", "output_index", "content_index", "delta", "logprobs", "sequence_number", "obfuscation"}
)
"""What an event with a text has; with more, it says something that must not be lost."""
_CODEC = ResponsesCodec()


@dataclass(slots=True)
class ResponsesDelta:
    """One event."""

    payload: Json
    reader: ResponsesReader
    event: Event | None = None
    """As it came, where it says the same; None: it is to be written anew."""
    hidden: int = 0
    """So many characters at the start of its text are only for the verifier: what parts two messages."""

    @property
    def kind(self) -> object:
        """The event's type."""
        return self.payload.get("type")


def split_response(delta: ResponsesDelta, at: int) -> tuple[ResponsesDelta, ResponsesDelta]:
    """Two events in the place of one: the first has ``at`` characters of its text."""
    payload = {key: value for key, value in delta.payload.items() if key != "obfuscation"}
    place, text = max(0, at - delta.hidden), _text(payload, "delta")
    before, behind = split_tokens(payload.get("logprobs"), place)
    first: Json = {**payload, "delta": text[:place], "logprobs": before}
    second: Json = {**payload, "delta": text[place:], "logprobs": behind}
    if "logprobs" not in payload:
        del first["logprobs"], second["logprobs"]
    return (
        ResponsesDelta(first, delta.reader, hidden=min(delta.hidden, at)),
        ResponsesDelta(second, delta.reader, hidden=max(0, delta.hidden - at)),
    )


def merge_response(one: ResponsesDelta, next_: ResponsesDelta, text: str) -> ResponsesDelta | None:
    """One event in the place of two that say nothing but texts of the same part."""
    if one.reader is not next_.reader or next_.hidden or not (_is_plain(one.payload) and _is_plain(next_.payload)):
        return None
    if _place(one.payload) != _place(next_.payload) or one.payload.get("item_id") != next_.payload.get("item_id"):
        return None
    # Its padding was for the text that it had.
    payload = {key: value for key, value in one.payload.items() if key != "obfuscation"}
    return ResponsesDelta({**payload, "delta": text[one.hidden :]}, one.reader, hidden=one.hidden)


def _is_plain(payload: Json) -> bool:
    return payload.get("type") == _DELTA and payload.keys() <= _PLAIN and not payload.get("logprobs")


@dataclass(slots=True)
class ResponsesReader:
    """Reads the events of one upstream; ``further``: of one that goes on from another."""

    further: bool = False
    head: Json = field(default_factory=dict)
    """The response as it was when it was begun."""
    closing: Event | None = None
    """The event that holds the whole response."""
    rest: list[Event] = field(default_factory=list)
    """What follows it, and what cannot be read."""
    done: bool = False
    state: State = "open"
    """Set by whoever reads it."""
    usage: Json | None = None
    tokens: int = 0
    """How many events held text."""
    _texts: dict[Place, str] = field(default_factory=dict)

    def read(self, event: Event) -> Sequence[Chunk[ResponsesDelta]]:
        """What the event says, for the gate. Raises `UpstreamError`."""
        if event.data == DONE:
            self.done = True
        payload = None if self.done else event.json()
        if payload is None:
            self.rest.append(event)
            return ()
        kind = payload.get("type")
        if kind == "error" or payload.get("error"):
            raise UpstreamError(event)
        if not self.head and isinstance(response := payload.get("response"), dict):
            self.head = response
        if kind in CLOSING:
            return self._closed(event, payload)
        if kind == _DELTA:
            self.tokens += 1
            return self._text(payload, _text(payload, "delta"), event)
        if self.further:
            return self._text(payload, _text(payload, "delta")) if kind == "response.refusal.delta" else ()
        missing = self._missing(payload) if kind == "response.output_text.done" else ()
        item = payload.get("item")
        calls = isinstance(item, dict) and item.get("type") in CALLS
        return [*missing, Chunk(ResponsesDelta(payload, self, event), calls=calls)]

    def read_reply(self, reply: Json) -> Sequence[Chunk[ResponsesDelta]]:
        """The same of an answer that came whole."""
        turns = _CODEC.read_turns(reply)
        self._note_usage(reply)
        told = Chunk(ResponsesDelta({}, self), usage=usage_of(reply))
        text = (turns[0].text or turns[0].refusal or "") if turns else ""
        return [told, *(self._text({"type": _DELTA}, text) if text else ())]

    def _note_usage(self, response: Json) -> None:
        if isinstance(usage := response.get("usage"), dict):
            self.usage = usage

    def _text(self, payload: Json, text: str, event: Event | None = None) -> Sequence[Chunk[ResponsesDelta]]:
        place = _place(payload)
        parted = "\n" if place not in self._texts and any(self._texts.values()) else ""
        self._texts[place] = self._texts.get(place, "") + text
        delta = ResponsesDelta({**payload, "type": _DELTA, "delta": text}, self, event, len(parted))
        return [Chunk(delta, parted + text)]

    def _missing(self, payload: Json) -> Sequence[Chunk[ResponsesDelta]]:
        """What a part says at its end that it has not said before."""
        text, said = _text(payload, "text"), self._texts.get(_place(payload), "")
        if len(text) <= len(said) or not text.startswith(said):
            return ()
        where = {key: value for key, value in payload.items() if key not in ("text", "logprobs")}
        return self._text({**where, "logprobs": []}, text[len(said) :])

    def _closed(self, event: Event, payload: Json) -> Sequence[Chunk[ResponsesDelta]]:
        """The whole response; what it says that was not said before is judged, though not shown by itself."""
        response = payload.get("response")
        response = response if isinstance(response, dict) else {}
        self.closing = event
        self._note_usage(response)
        if self.further:
            if payload.get("type") == "response.failed":
                raise UpstreamError(event)
            return [Chunk(ResponsesDelta({}, self), usage=usage_of(response))]
        turns = _CODEC.read_turns(response)
        said, whole = "\n".join(self._texts.values()), turns[0].text if turns else ""
        if not whole or whole == said:
            return ()
        more = whole[len(said) :] if whole.startswith(said) else f"\n{whole}"
        return [Chunk(ResponsesDelta({"type": _DELTA, "delta": ""}, self, hidden=len(more)), more)]


@dataclass(slots=True)
class ResponsesWriter:
    """Writes one stream: that of ``first`` as far as it is shown, and what ``further`` upstreams went on with."""

    first: ResponsesReader
    further: list[ResponsesReader] = field(default_factory=list)
    _number: int | None = None
    """Of the next event; None where they are not numbered."""
    _begun: bool = False
    _shown: dict[Place, str] = field(default_factory=dict)
    """The texts that are shown."""
    _items: dict[int, Json] = field(default_factory=dict)
    """The items as the consumer knows them."""
    _opening: dict[Place, ResponsesDelta] = field(default_factory=dict)
    """The events that open a part, until it has a text."""
    _open: Place | None = None
    """The part that the last text went into, as long as it is open."""
    _finished: set[int] = field(default_factory=set)
    """The items whose end was told."""
    _refusal: str = ""
    _mended: bool = False
    """Whether anything is not as it came."""

    def go_on(self) -> ResponsesReader:
        """What reads the answer to a request to go on."""
        self.further.append(ResponsesReader(further=True))
        return self.further[-1]

    def write(self, item: Release[ResponsesDelta] | Write | Ended) -> bytes:
        """The events of one item."""
        if isinstance(item, Release):
            return self._release(item.piece)
        if isinstance(item, Ended):
            return self._end(item.outcome)
        self._mended = True
        return self._refuse(item.text.lstrip()) if item.notice else self._say({}, item.text, None)

    def close(self, outcomes: Sequence[Outcome]) -> bytes:
        """The events at the end of the stream."""
        return b"".join(event.raw for event in self.first.rest) if not self._mended else b""

    # events

    def _release(self, delta: ResponsesDelta) -> bytes:
        if not delta.payload:
            return b""
        if delta.kind == _DELTA:
            if delta.reader.further:
                self._mended = True
                return self._say({}, _text(delta.payload, "delta"), delta.payload.get("logprobs"))
            return self._say(delta.payload, _text(delta.payload, "delta"), None, delta.event)
        return self._structure(delta)

    def _send(self, payload: Json, event: Event | None = None) -> bytes:
        """An event under the next number: as it came, where it says the same."""
        if not self._begun and event is not None:
            self._begun = True
            number = payload.get("sequence_number")
            self._number = number if isinstance(number, int) else None
        number, self._number = self._number, None if self._number is None else self._number + 1
        if event is not None and payload.get("sequence_number") == number:
            return event.raw
        numbered = payload if number is None else {**payload, "sequence_number": number}
        return encode(numbered, str(payload["type"]))

    # what opens and closes items and parts

    def _structure(self, delta: ResponsesDelta) -> bytes:
        payload, kind = delta.payload, delta.kind
        part, item, response = payload.get("part"), payload.get("item"), payload.get("response")
        if kind == "response.content_part.added" and _is(part, "output_text"):
            self._opening[_place(payload)] = delta
            return b""
        if kind == "response.output_text.done" or (kind == "response.content_part.done" and _is(part, "output_text")):
            return self._part_done(delta)
        if isinstance(item, dict):
            return self._item(delta, item)
        if isinstance(response, dict) and response.get("output"):
            return self._send({**payload, "response": {**response, "output": []}})
        return self._send(payload, delta.event)

    def _part_done(self, delta: ResponsesDelta) -> bytes:
        payload, place = delta.payload, _place(delta.payload)
        part = payload.get("part")
        came = _text(part, "text") if isinstance(part, dict) else _text(payload, "text")
        shown = self._shown.get(place)
        if shown is None and came:
            return b""  # none of it is shown
        opened = self._opened(place)
        self._open = None
        if came == (shown or ""):
            return opened + self._send(payload, delta.event)
        self._mended = True
        if isinstance(part, dict):
            return opened + self._send({**payload, "part": _with_text(part, shown or "")})
        return opened + self._send({**payload, "text": shown or "", **_no_logprobs(payload)})

    def _item(self, delta: ResponsesDelta, item: Json) -> bytes:
        index, is_done = _place(delta.payload)[0], delta.kind == "response.output_item.done"
        if item.get("type") != "message":
            self._items[index] = item
            return self._send(delta.payload, delta.event)
        known = self._message(index, item) if is_done else {**item, "content": []}
        self._items[index] = known
        if is_done:
            self._open = None
            self._finished.add(index)
        return self._send({**delta.payload, "item": known}, delta.event if known == item else None)

    def _message(self, index: int, item: Json) -> Json:
        """A message with the texts that are shown."""
        content = item.get("content")
        parts = list(content) if isinstance(content, list) else []
        kept: list[object] = []
        for number, part in enumerate(parts):
            if not _is(part, "output_text"):
                kept.append(part)
            elif (shown := self._shown.get((index, number))) is not None or not _text(part, "text"):
                kept.append(_with_text(part, shown or ""))
        known = {number for number, part in enumerate(parts) if _is(part, "output_text")}
        kept += [
            {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
            for (item_index, number), text in sorted(self._shown.items())
            if item_index == index and number not in known
        ]
        self._mended = self._mended or kept != parts
        return item if kept == parts else {**item, "content": kept}

    def _opened(self, place: Place) -> bytes:
        """The event that opens a part, where it is not open yet."""
        if (delta := self._opening.pop(place, None)) is None:
            return b""
        part = delta.payload.get("part")
        if isinstance(part, dict) and part.get("text"):
            return self._send({**delta.payload, "part": {**part, "text": ""}})
        return self._send(delta.payload, delta.event)

    # texts

    def _say(self, payload: Json, text: str, logprobs: object, event: Event | None = None) -> bytes:
        """A text, in the part that ``payload`` names, else in the one that the last text went into."""
        if not text:
            return b""
        opened = b""
        if payload:
            place = _place(payload)
        else:
            opened, place = self._somewhere()
            where = {
                "item_id": self._items[place[0]].get("id", ""),
                "output_index": place[0],
                "content_index": place[1],
            }
            payload = {
                "type": _DELTA,
                **where,
                "delta": text,
                "logprobs": logprobs if isinstance(logprobs, list) else [],
            }
        opened += self._opened(place)
        self._shown[place] = self._shown.get(place, "") + text
        self._open = place
        return opened + self._send(payload, event)

    def _somewhere(self) -> tuple[bytes, Place]:
        """A part that a text can go into; a new one where none is open."""
        if self._open is not None and self._open[0] in self._items:
            return b"", self._open
        if self._opening:
            return b"", min(self._opening)
        opened = b""
        if messages := self._messages():
            index = messages[-1]
            place = (index, 1 + max((number for at, number in self._shown if at == index), default=-1))
        else:
            place = (1 + max(self._items, default=-1), 0)
            opened = self._new_item(place[0])
        return opened + self._new_part(
            place, {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        ), place

    def _messages(self) -> list[int]:
        """The messages that can still be added to."""
        return [i for i, item in self._items.items() if item.get("type") == "message" and i not in self._finished]

    def _new_item(self, index: int) -> bytes:
        id = f"msg_{self.first.head.get('id', 'guardrail')}"
        item: Json = {"type": "message", "id": id, "role": "assistant", "status": "in_progress", "content": []}
        self._items[index] = item
        return self._send({"type": "response.output_item.added", "output_index": index, "item": item})

    def _new_part(self, place: Place, part: Json) -> bytes:
        return self._send({"type": "response.content_part.added", **self._where(place), "part": part})

    def _where(self, place: Place) -> Json:
        return {"item_id": self._items[place[0]].get("id", ""), "output_index": place[0], "content_index": place[1]}

    # the end

    def _refuse(self, notice: str) -> bytes:
        """The policy's notice, as a refusal beside what is shown already."""
        events = self._close_part()
        self._refusal = notice
        self._opening.clear()
        messages = self._messages()
        if not messages:
            messages = [1 + max(self._items, default=-1)]
            events += self._new_item(messages[0])
        index = messages[-1]
        place = (index, 1 + max((number for at, number in self._shown if at == index), default=-1))
        where = self._where(place)
        part: Json = {"type": "refusal", "refusal": ""}
        events += self._new_part(place, part)
        events += self._send({"type": "response.refusal.delta", **where, "delta": notice})
        events += self._send({"type": "response.refusal.done", **where, "refusal": notice})
        return events + self._send({"type": "response.content_part.done", **where, "part": {**part, "refusal": notice}})

    def _close_part(self) -> bytes:
        """The events that close the part that the last text went into."""
        if (place := self._open) is None:
            return b""
        self._open = None
        text, where = self._shown[place], self._where(place)
        part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        events = self._send({"type": "response.output_text.done", **where, "text": text, "logprobs": []})
        return events + self._send({"type": "response.content_part.done", **where, "part": part})

    def _end(self, outcome: Outcome) -> bytes:
        closing = self.first.closing
        payload = (closing.json() or {}) if closing is not None else {}
        if closing is None and self.first.state != "open" and not self._mended:
            return b""  # it broke off, or just stopped
        response = payload.get("response")
        cut = not isinstance(response, dict)
        events = self._close_part() + self._close_message()
        whole = self._whole(response if isinstance(response, dict) else self.first.head, cut)
        if not self._mended and not cut and whole == response:
            return events + self._send(payload, closing)
        self._mended = True
        kind = "response.completed" if cut or self._refusal else payload["type"]
        return events + self._send({"type": kind, "response": whole})

    def _close_message(self) -> bytes:
        """The event that closes the last message, where it is still open."""
        if not self._items:
            return b""
        index, item = max(self._items.items())
        if item.get("type") != "message" or index in self._finished:
            return b""
        self._finished.add(index)
        content = self._message(index, {**item, "content": []})["content"]
        content = content if isinstance(content, list) else []
        refusal = [{"type": "refusal", "refusal": self._refusal}] if self._refusal else []
        self._items[index] = {**item, "status": "completed", "content": [*content, *refusal]}
        return self._send({"type": "response.output_item.done", "output_index": index, "item": self._items[index]})

    def _whole(self, response: Json, cut: bool) -> Json:
        """The response as it is shown."""
        spent: list[Json] = [{"usage": reader.usage} for reader in self.further if reader.usage]
        output = response.get("output")
        items = output if isinstance(output, list) else []
        if cut or self._refusal:
            shown = [self._items[index] for index in sorted(self._items)]
            own = {**response, "status": "completed", "error": None, "incomplete_details": None, "output": shown}
            own.pop("output_text", None)  # some servers repeat the text there
            usage = response.get("usage") or self._counted()
            return add_usage({**own, "usage": usage}, spent)
        known = [
            self._message(index, item) if isinstance(item, dict) and item.get("type") == "message" else item
            for index, item in enumerate(items)
        ]
        if known != items:
            response = {key: value for key, value in response.items() if key != "output_text"}
        return add_usage({**response, "output": known}, spent) if known != items or spent else response

    def _counted(self) -> Json:
        """The tokens of a request that was cut: it does not say what it took, but its text can be counted."""
        tokens = self.first.tokens
        return {
            "input_tokens": 0,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens,
        }


def _text(payload: Json, key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""


def _place(payload: Json) -> Place:
    item, part = payload.get("output_index"), payload.get("content_index")
    return item if isinstance(item, int) else 0, part if isinstance(part, int) else 0


def _is(part: object, kind: str) -> bool:
    return isinstance(part, dict) and part.get("type") == kind


def _with_text(part: Json, text: str) -> Json:
    """The part with another text; what was said about the old one goes with it."""
    if part.get("text") == text:
        return part
    return {**part, "text": text, "annotations": [], **_no_logprobs(part)}


def _no_logprobs(part: Json) -> Json:
    return {"logprobs": []} if "logprobs" in part else {}
