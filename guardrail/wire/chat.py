"""POST /chat/completions: requests, replies and streams. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from guardrail.conversation import ToolCall, Turn
from guardrail.wire.exchange import Asked, Json, Settled
from guardrail.wire.messages import read_messages
from guardrail.wire.sse import DONE, Event, encode

__all__ = ["ChatCodec", "blocked_message"]

_OF_THE_REPLY = ("id", "created", "model", "system_fingerprint", "service_tier")
"""What a single answer that came in another reply brings with it."""
_ONLY_FIRST = ("n", "stream", "stream_options", "prediction", "store")
"""Fields of a request that make no sense when one answer of it is asked for again."""


class ChatCodec:
    """The chat completions API."""

    def read_request(self, body: Json) -> Asked:
        """Raises `InputError` when the messages cannot be read."""
        form = body.get("response_format")
        kind = form.get("type") if isinstance(form, dict) else None
        metadata = body.get("metadata")
        return Asked(
            conversation=read_messages(body.get("messages")),
            model=_text(body.get("model")),
            stream=body.get("stream") is True,
            wants_json=kind in ("json_schema", "json_object"),
            metadata={k: str(v) for k, v in metadata.items()} if isinstance(metadata, dict) else {},
        )

    def read_turns(self, reply: Json) -> tuple[Turn, ...]:
        """One turn a choice, in the order of their indices."""
        return tuple(_turn(choice) for choice in _choices(reply))

    def ask_again(self, body: Json, rejected: Turn | None, feedback: str | None, model: str | None) -> Json:
        """The request with the rejected answer and the feedback behind its messages."""
        again = {key: value for key, value in body.items() if key not in _ONLY_FIRST}
        if model is not None:
            again["model"] = model
        if rejected is not None:
            messages = body.get("messages")
            again["messages"] = [
                *(messages if isinstance(messages, list) else ()),
                {"role": "assistant", "content": rejected.text},
                {"role": "user", "content": feedback},
            ]
            if body.get("tools"):
                # A regenerated answer that turns into a call would send an agent round in circles.
                again["tool_choice"] = "none"
        return again

    def write(self, reply: Json, settled: Sequence[Settled], *, wants_json: bool) -> Json:
        """The reply with every replaced choice in its place, indices kept."""
        choices = list(_choices(reply))
        for place, end in enumerate(settled):
            if end.replaced:
                choices[place] = _replacement(choices[place], end, wants_json)
        whole = {**reply, "choices": choices}
        if len(settled) == 1 and settled[0].source is not None:
            source = settled[0].source
            whole.update({key: source[key] for key in _OF_THE_REPLY if key in source})
        return whole

    def assemble(self, events: Sequence[Event]) -> Json | None:
        """The completion that the chunks add up to."""
        head: Json = {}
        choices: dict[int, _Growing] = {}
        for event in events:
            chunk = event.json()
            if chunk is None:
                continue
            head = head or {key: value for key, value in chunk.items() if key != "choices"}
            if chunk.get("usage"):
                head["usage"] = chunk["usage"]
            for choice in _choices(chunk):
                index = choice.get("index", 0)
                choices.setdefault(index if isinstance(index, int) else 0, _Growing()).add(choice)
        if not choices:
            return None
        whole = [choices[index].choice(index) for index in sorted(choices)]
        return {**head, "object": "chat.completion", "choices": whole}

    def restream(
        self, events: Sequence[Event], reply: Json, settled: Sequence[Settled], wants_json: bool
    ) -> list[bytes]:
        """The stream's own bytes, but for the choices that are replaced."""
        replaced = {place for place, end in enumerate(settled) if end.replaced}
        if not replaced:
            return [event.raw for event in events]
        order = [choice.get("index", 0) for choice in _choices(reply)]
        gone = {order[place] for place in replaced}
        kept = [left for event in events if event.data != DONE and (left := _without(event, gone)) is not None]
        final = self.write(reply, settled, wants_json=wants_json)
        fresh = [_chunks(final, _choices(final)[place]) for place in sorted(replaced)]
        # A chunk without choices holds the usage and closes a stream: what is put in goes before it.
        body = [event.raw for event in kept if _choices(event.json() or {})]
        tail = [_with_usage(event, reply) for event in kept if not _choices(event.json() or {})]
        return [*body, *(raw for group in fresh for raw in group), *tail, encode(DONE)]


def blocked_message(text: str, *, wants_json: bool) -> tuple[Json, str]:
    """The message and the finish reason of a blocked answer. Prose in a JSON mode breaks parsers, so a
    refusal goes there."""
    if wants_json:
        return {"role": "assistant", "content": None, "refusal": text}, "stop"
    return {"role": "assistant", "content": text, "refusal": None}, "content_filter"


def _replacement(choice: Json, end: Settled, wants_json: bool) -> Json:
    if end.source is not None:
        return {**_choices(end.source)[0], "index": choice.get("index", 0)}
    message, reason = blocked_message(end.outcome.text, wants_json=wants_json)
    return {"index": choice.get("index", 0), "message": message, "logprobs": None, "finish_reason": reason}


def _choices(reply: Mapping[str, object]) -> list[Json]:
    choices = reply.get("choices")
    found = [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    return sorted(found, key=lambda choice: i if isinstance(i := choice.get("index", 0), int) else 0)


def _turn(choice: Json) -> Turn:
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    index = choice.get("index", 0)
    return Turn(
        text=_content(message.get("content")) or _transcript(message),
        tool_calls=_tool_calls(message),
        index=index if isinstance(index, int) else 0,
        refusal=_text(message.get("refusal")),
        finish_reason=_text(choice.get("finish_reason")),
        logprobs=_logprobs(choice.get("logprobs")),
    )


def _content(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(_text(part.get("text")) or "" for part in parts if isinstance(part, dict))


def _transcript(message: Json) -> str:
    audio = message.get("audio")
    return (_text(audio.get("transcript")) or "") if isinstance(audio, dict) else ""


def _tool_calls(message: Json) -> tuple[ToolCall, ...]:
    calls = message.get("tool_calls")
    found = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    if isinstance(old := message.get("function_call"), dict):
        found.append({"id": "", "function": old})
    return tuple(_tool_call(call) for call in found)


def _tool_call(call: Json) -> ToolCall:
    function = call.get("function", call.get("custom"))
    function = function if isinstance(function, dict) else {}
    arguments = _text(function.get("arguments")) or _text(function.get("input")) or ""
    return ToolCall(_text(call.get("id")) or "", _text(function.get("name")) or "", arguments)


def _logprobs(logprobs: object) -> tuple[float, ...] | None:
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(tokens, list):
        return None
    values = (token.get("logprob") for token in tokens if isinstance(token, dict))
    return tuple(float(value) for value in values if isinstance(value, (int, float)))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


class _Growing:
    """One choice of a stream, as far as it has come."""

    def __init__(self) -> None:
        self.content: list[str] = []
        self.refusal: list[str] = []
        self.calls: dict[object, Json] = {}
        self.finish_reason: object = None

    def add(self, choice: Json) -> None:
        delta = choice.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        self.content.append(_content(delta.get("content")))
        self.refusal.append(_text(delta.get("refusal")) or "")
        self.finish_reason = choice.get("finish_reason") or self.finish_reason
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict):
                self._add_call(call)

    def _add_call(self, call: Json) -> None:
        known = self.calls.setdefault(call.get("index", 0), {"id": "", "name": "", "arguments": ""})
        function = call.get("function", call.get("custom"))
        function = function if isinstance(function, dict) else {}
        known["id"] = call.get("id") or known["id"]
        known["name"] = function.get("name") or known["name"]
        more = _text(function.get("arguments")) or _text(function.get("input")) or ""
        known["arguments"] = f"{known['arguments']}{more}"

    def choice(self, index: int) -> Json:
        calls = [
            {"id": c["id"], "type": "function", "function": {"name": c["name"], "arguments": c["arguments"]}}
            for c in self.calls.values()
        ]
        message: Json = {"role": "assistant", "content": "".join(self.content) or None}
        message["refusal"] = "".join(self.refusal) or None
        if calls:
            message["tool_calls"] = calls
        return {"index": index, "message": message, "finish_reason": self.finish_reason}


def _without(event: Event, gone: set[object]) -> Event | None:
    """The event without the choices in ``gone``; None when nothing is left of it."""
    chunk = event.json()
    if chunk is None or not _choices(chunk):
        return event
    kept = [choice for choice in _choices(chunk) if choice.get("index", 0) not in gone]
    if len(kept) == len(_choices(chunk)):
        return event
    return (
        Event(encode({**chunk, "choices": kept}, event.name), json.dumps({**chunk, "choices": kept})) if kept else None
    )


def _with_usage(event: Event, reply: Json) -> bytes:
    """A closing chunk with the tokens that ``reply`` counts."""
    chunk = event.json()
    if chunk is None or not chunk.get("usage"):
        return event.raw
    return encode({**chunk, "usage": reply.get("usage")}, event.name)


def _chunks(reply: Json, choice: Json) -> list[bytes]:
    """A whole choice as the chunks of a stream."""
    head = {key: value for key, value in reply.items() if key not in ("choices", "usage")}
    head["object"] = "chat.completion.chunk"
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    calls = message.get("tool_calls")
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    deltas += [{key: message[key]} for key in ("content", "refusal") if message.get(key)]
    deltas += (
        [{"tool_calls": [{"index": i, **call} for i, call in enumerate(calls)]}] if isinstance(calls, list) else []
    )
    ends: list[object] = [*(None for _ in deltas), choice.get("finish_reason")]
    return [
        encode({**head, "choices": [{"index": choice.get("index", 0), "delta": delta, "finish_reason": end}]})
        for delta, end in zip([*deltas, {}], ends, strict=True)
    ]
