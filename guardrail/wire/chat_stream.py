"""Streams of the chat completions API, in chunks for a gate and back. Pure.

Whatever a chunk says beside the text of its one choice goes where its text goes; what ends a choice or the stream is
kept until the gate has ended it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from guardrail.action import Action
from guardrail.outcome import Outcome
from guardrail.streams.values import Chunk, Ended, Release, Write
from guardrail.wire.chat import said_text
from guardrail.wire.choices import choices_of, index_of, text_or_none
from guardrail.wire.exchange import Json, add_usage, usage_of
from guardrail.wire.gated import State, UpstreamError, split_tokens
from guardrail.wire.sse import DONE, Event, decoded, encode

__all__ = ["ChatDelta", "ChatReader", "ChatWriter", "merge_chat", "split_chat"]

_NOT_THE_STREAMS = ("choices", "usage", "obfuscation")
"""What a chunk says of itself alone."""
_OF_ONE = frozenset({"choices", "usage", "obfuscation", "created"})
_SAID = frozenset({"content", "role"})
_OF_CHOICE = frozenset({"index", "delta", "content_filter_results"})
_ONE_LINE = re.compile(rb"data:[^\r\n]*[\r\n]*")
Beside: TypeAlias = tuple[Json, object, object]
"""The head of a chunk, its role, and what a filter found of it."""


@dataclass(slots=True)
class ChatDelta:
    """A chunk of one choice: the event as it came, or what is to be written in its place.

    Not both: many are held at once, and what was read of an event takes several times as much memory as the event.
    """

    reader: ChatReader
    """What read it."""
    raw: bytes | None
    made: Json | None = None
    beside: Beside | None = None
    """What it says beside its text, the same object for chunks in a row that say the same; None: it stays by itself."""
    text: str | None = None
    """The text of all that was merged into it."""

    @property
    def chunk(self) -> Json:
        """What it says, with its choice alone, or without any."""
        said = (self.made if self.raw is None else decoded(self.raw).json()) or {}
        return said if self.text is None else _saying(said, self.text)

    @property
    def as_it_came(self) -> bytes | None:
        """Its event, where that says just what it says."""
        return self.raw if self.text is None else None


def merge_chat(one: ChatDelta, next_: ChatDelta, text: str) -> ChatDelta | None:
    """One chunk in the place of two that say the same but for their texts."""
    if one.beside is None or one.beside is not next_.beside:
        return None
    one.text = text  # not a new one: this happens once a token
    return one


def _saying(chunk: Json, text: str) -> Json:
    """``chunk`` with another text; its padding was for the one that it had."""
    [choice] = choices_of(chunk)
    head = {key: value for key, value in chunk.items() if key != "obfuscation"}
    return {**head, "choices": [{**choice, "delta": {**_delta(choice), "content": text}}]}


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of one choice: its chunk with nothing else in it, and the event as it came where it says just that."""

    chunk: Json
    raw: bytes | None


def split_chat(delta: ChatDelta, at: int) -> tuple[ChatDelta, ChatDelta]:
    """Two chunks in the place of one: the first has ``at`` characters of its text, and all else that it says."""
    chunk = delta.chunk
    [choice] = choices_of(chunk)
    said = _delta(choice)
    text, key = said_text(said), "content" if said.get("content") else "audio"
    first, second = _split_logprobs(choice.get("logprobs"), at)
    before = {**choice, "delta": {**said, key: _part(said, key, text[:at])}, "logprobs": first}
    behind = {**choice, "delta": {key: _part(said, key, text[at:])}, "logprobs": second}
    head = {key: value for key, value in chunk.items() if key != "obfuscation"}
    return (
        ChatDelta(delta.reader, None, {**head, "choices": [before]}, delta.beside),
        ChatDelta(delta.reader, None, {**head, "choices": [behind]}, delta.beside),
    )


def _part(said: Json, key: str, text: str) -> object:
    # The sound cannot be cut; it goes with the rest of its text.
    audio = said.get("audio")
    return {"id": audio.get("id"), "transcript": text} if key == "audio" and isinstance(audio, dict) else text


def _split_logprobs(logprobs: object, at: int) -> tuple[object, object]:
    if not isinstance(logprobs, dict):
        return logprobs, None
    first, second = split_tokens(logprobs.get("content"), at)
    return {**logprobs, "content": first}, {**logprobs, "content": second}


@dataclass(slots=True)
class ChatReader:
    """Reads the chunks of one upstream; ``further``: of one that goes on from another, for one choice."""

    further: bool = False
    head: Json = field(default_factory=dict)
    """What all chunks say beside their choices."""
    ends: dict[int, Ending] = field(default_factory=dict)
    """The chunk that ends each choice."""
    closing: list[Event] = field(default_factory=list)
    """The events behind the choices: the usage, the end mark, and what cannot be read."""
    done: bool = False
    """Whether the upstream has said that nothing follows."""
    state: State = "open"
    """Set by whoever reads it."""
    usage: Json | None = None
    tokens: int = 0
    """How many chunks held text."""
    _spent: bool = False
    """Whether the gate was told what a further upstream took."""
    _beside: Beside | None = None
    """What the last chunk with a text said beside it."""

    def read(self, event: Event) -> Sequence[Chunk[ChatDelta]]:
        """What the event says, for the gate. Raises `UpstreamError`."""
        if event.data == DONE:
            self.done = True
        chunk = None if self.done else event.json()
        if chunk is None:
            # What cannot be read may hold anything: it goes out only if all before it did.
            self.closing.append(event)
            return ()
        if chunk.get("error") or chunk.get("type") == "error":
            raise UpstreamError(event)
        self._note(chunk)
        choices = choices_of(chunk)
        if not choices:
            return self._without_choices(chunk, event)
        raw = event.raw if len(choices) == 1 and not self.further else None
        found = [self._choice(chunk, choice, raw) for choice in choices]
        told = [said for said in found if said is not None]
        if self.further and any(choice.get("finish_reason") is not None for choice in choices):
            told += self._told(chunk)
        return told

    def read_reply(self, reply: Json) -> Sequence[Chunk[ChatDelta]]:
        """The same of an answer that came whole."""
        self._note(reply)
        choices = choices_of(reply)
        if not choices:
            return ()
        message = choices[0].get("message")
        choice = {**choices[0], "delta": message if isinstance(message, dict) else {}}
        said = self._choice({"choices": [choice]}, choice, None)
        return [Chunk(ChatDelta(self, None, {}), usage=usage_of(reply)), *([said] if said is not None else [])]

    def _note(self, chunk: Json) -> None:
        if not self.head:
            self.head = {key: value for key, value in chunk.items() if key not in _NOT_THE_STREAMS}
        if isinstance(usage := chunk.get("usage"), dict):
            self.usage = usage

    def _without_choices(self, chunk: Json, event: Event) -> Sequence[Chunk[ChatDelta]]:
        usage = usage_of(chunk)
        if usage is None:
            return () if self.further else [Chunk(ChatDelta(self, event.raw))]
        self.closing.append(event)
        return self._told(chunk)

    def _told(self, chunk: Json) -> Sequence[Chunk[ChatDelta]]:
        """What a further upstream took: servers say it behind the last choice, with its end, or both."""
        usage = usage_of(chunk)
        if usage is None or not self.further or self._spent:
            return ()
        self._spent = True
        return [Chunk(ChatDelta(self, None, {}), usage=usage)]

    def _choice(self, chunk: Json, choice: Json, raw: bytes | None) -> Chunk[ChatDelta] | None:
        said, index = _delta(choice), index_of(choice)
        if choice.get("finish_reason") is not None:
            end = {**choice, "delta": {}, "logprobs": None}
            rest = {**choice, "finish_reason": None}
            is_bare = not any(said.values()) and not choice.get("logprobs")
            self.ends[index] = Ending({**chunk, "choices": [end]}, raw if is_bare else None)
            if is_bare:
                return None
            choice, raw = rest, None
        text = said_text(said)
        self.tokens += bool(text)
        if self.further:
            said = {key: said[key] for key in ("content", "refusal", "tool_calls") if said.get(key)}
            if not said:
                return None
            choice = {**choice, "delta": said}
        calls = bool(said.get("tool_calls") or said.get("function_call"))
        made = {**chunk, "choices": [choice]} if raw is None else None
        beside = self._same(_beside({} if self.further else chunk, choice, said, raw)) if text else None
        return Chunk(ChatDelta(self, raw, made, beside), text, index, calls)

    def _same(self, beside: Beside | None) -> Beside | None:
        if beside is None or beside != self._beside:
            self._beside = beside
        return self._beside


def _beside(chunk: Json, choice: Json, said: Json, raw: bytes | None) -> Beside | None:
    """What a chunk says beside its text, where the next one may say the same; None where it is of this text alone.

    Of this text alone are log-probabilities, usage, and whatever nobody knows; what is null says nothing.
    """
    if not isinstance(said.get("content"), str) or any(said[key] for key in said if key not in _SAID):
        return None
    if any(choice[key] for key in choice if key not in _OF_CHOICE) or chunk.get("usage") is not None:
        return None
    if raw is not None and not _ONE_LINE.fullmatch(raw):
        return None  # other fields of an event are of this one
    head = {key: value for key, value in chunk.items() if key not in _OF_ONE and value is not None}
    if any(isinstance(value, list) for value in head.values()):
        return None  # such as tokens
    return head, said.get("role"), choice.get("content_filter_results")


@dataclass(slots=True)
class ChatWriter:
    """Writes one stream: that of ``first`` as far as it is shown, and what ``further`` upstreams went on with."""

    first: ChatReader
    wants_usage: bool = False
    """Whether the consumer asked for the tokens."""
    further: list[ChatReader] = field(default_factory=list)
    _shown: dict[int, ChatReader] = field(default_factory=dict)
    """Where the last text of each choice came from."""
    _mended: bool = False
    """Whether anything is not as it came."""

    def go_on(self) -> ChatReader:
        """What reads the answer to a request to go on."""
        self.further.append(ChatReader(further=True))
        return self.further[-1]

    def write(self, item: Release[ChatDelta] | Write | Ended) -> bytes:
        """The events of one item."""
        if isinstance(item, Release):
            return self._release(item.piece, item.index)
        if isinstance(item, Write):
            return self._choice(item.index, {"content": item.text})
        return self._end(item)

    def close(self, outcomes: Sequence[Outcome]) -> bytes:
        """The events at the end of the stream."""
        spent: list[Json] = [{"usage": reader.usage} for reader in self.further if reader.usage]
        deleted = any(outcome.action is Action.REPAIR for outcome in outcomes)
        if not self._mended and not deleted and self.first.state != "open":
            return b"".join(event.raw for event in self.first.closing)
        own = [event for event in self.first.closing if event.data != DONE and event.json() is not None]
        told = [encode(add_usage(event.json() or {}, spent), event.name) for event in own]
        if self.wants_usage and not told:
            told = [encode(add_usage({**self.first.head, "choices": [], "usage": self._counted()}, spent))]
        return b"".join(told) + encode(DONE)

    def _counted(self) -> Json:
        """The tokens of a request that was cut: it does not say what it took, but its text can be counted."""
        tokens = self.first.tokens
        return self.first.usage or {"prompt_tokens": 0, "completion_tokens": tokens, "total_tokens": tokens}

    def _release(self, delta: ChatDelta, index: int) -> bytes:
        self._shown[index] = delta.reader
        if (raw := delta.as_it_came) is not None:
            return raw
        chunk = delta.chunk
        choices = choices_of(chunk)
        if not delta.reader.further:
            return encode(chunk)
        return self._choice(index, _delta(choices[0]), choices[0].get("logprobs")) if choices else b""

    def _choice(self, index: int, delta: Json, logprobs: object = None, end: str | None = None) -> bytes:
        self._mended = True
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": end}
        return encode({**self.first.head, "choices": [choice]})

    def _end(self, end: Ended) -> bytes:
        shown = self._shown.get(end.index, self.first)
        own = next(iter(shown.ends.values()), None) if shown.further else shown.ends.get(end.index)
        if end.outcome.turn is None or (own is None and shown.state == "open"):
            return self._choice(end.index, {}, end="content_filter")  # what was cut has no end of its own
        if own is None:
            return b""
        if shown.further:
            return self._choice(end.index, {}, end=text_or_none(choices_of(own.chunk)[0].get("finish_reason")))
        return own.raw if own.raw is not None else encode(own.chunk)


def _delta(choice: Json) -> Json:
    delta = choice.get("delta")
    return delta if isinstance(delta, dict) else {}
