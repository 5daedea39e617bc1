"""POST /chat/completions: requests, replies and streams. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from guardrail.conversation import ToolCall, Turn
from guardrail.wire.choices import choices_of, head_of, index_of, restreamed, text_or_none
from guardrail.wire.exchange import Asked, Json, Settled, drawn
from guardrail.wire.logprobs import listed
from guardrail.wire.messages import read_messages
from guardrail.wire.sse import Event, encode

__all__ = ["ChatCodec", "blocked_message", "said_text"]

_OF_THE_REPLY = ("id", "created", "model", "system_fingerprint", "service_tier")
"""What a single answer that came in another reply brings with it."""
_ONLY_FIRST = ("n", "stream", "stream_options", "prediction", "store")
"""Fields of a request that make no sense when one answer of it is asked for again."""
_NOT_ASIDE = ("seed", "logprobs", "top_logprobs", "modalities", "audio")
"""Fields that make further answers the same as the first, or dearer."""


class ChatCodec:
    """The chat completions API."""

    def read_request(self, body: Json) -> Asked:
        """Raises `InputError` when the messages cannot be read."""
        form = body.get("response_format")
        kind = form.get("type") if isinstance(form, dict) else None
        metadata = body.get("metadata")
        return Asked(
            conversation=read_messages(body.get("messages")),
            model=text_or_none(body.get("model")),
            stream=body.get("stream") is True,
            wants_json=kind in ("json_schema", "json_object"),
            metadata={k: str(v) for k, v in metadata.items()} if isinstance(metadata, dict) else {},
        )

    def read_turns(self, reply: Json) -> tuple[Turn, ...]:
        """One turn a choice, in the order of their indices."""
        return tuple(_turn(choice) for choice in choices_of(reply))

    def ask_again(
        self, body: Json, rejected: Turn | None, feedback: str | None, model: str | None, *, index: int = 0
    ) -> Json:
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

    def ask_aside(self, body: Json, *, max_tokens: int | None, temperature: float | None, index: int = 0) -> Json:
        """The request for another answer in text, without all that only the first one needs."""
        again = {key: value for key, value in body.items() if key not in (*_ONLY_FIRST, *_NOT_ASIDE)}
        if body.get("tools"):
            again["tool_choice"] = "none"
        # Today's name for the bound; a request that has the older one is for a server that knows it.
        key = "max_tokens" if "max_tokens" in body else "max_completion_tokens"
        return {**again, **drawn(body, key, max_tokens=max_tokens, temperature=temperature)}

    def write(self, reply: Json, settled: Sequence[Settled], *, wants_json: bool) -> Json:
        """The reply with every replaced choice in its place, indices kept."""
        choices = list(choices_of(reply))
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
        choices: dict[int, _Growing] = {}
        for event in events:
            for choice in choices_of(event.json() or {}):
                choices.setdefault(index_of(choice), _Growing()).add(choice)
        if not choices:
            return None
        whole = [choices[index].choice(index) for index in sorted(choices)]
        return {**head_of(events), "object": "chat.completion", "choices": whole}

    def restream(
        self, events: Sequence[Event], reply: Json, settled: Sequence[Settled], wants_json: bool
    ) -> list[bytes]:
        """The stream's own bytes, but for the choices that are replaced."""
        final = self.write(reply, settled, wants_json=wants_json)
        return restreamed(events, reply, final, settled, _chunks)


def blocked_message(text: str, *, wants_json: bool) -> tuple[Json, str]:
    """The message and the finish reason of a blocked answer. Prose in a JSON mode breaks parsers, so a
    refusal goes there."""
    if wants_json:
        return {"role": "assistant", "content": None, "refusal": text}, "stop"
    return {"role": "assistant", "content": text, "refusal": None}, "content_filter"


def _replacement(choice: Json, end: Settled, wants_json: bool) -> Json:
    if end.source is not None:
        return {**choices_of(end.source)[0], "index": index_of(choice)}
    if end.repaired and not wants_json:
        said: Json = {"role": "assistant", "content": end.outcome.text, "refusal": None}
        return {**choice, "message": said, "logprobs": None}
    message, reason = blocked_message(end.outcome.text, wants_json=wants_json)
    return {"index": index_of(choice), "message": message, "logprobs": None, "finish_reason": reason}


def _turn(choice: Json) -> Turn:
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    logprobs = choice.get("logprobs")
    known = listed(logprobs.get("content")) if isinstance(logprobs, dict) else None
    return Turn(
        text=said_text(message),
        tool_calls=_tool_calls(message),
        index=index_of(choice),
        refusal=text_or_none(message.get("refusal")),
        finish_reason=text_or_none(choice.get("finish_reason")),
        logprobs=known.values if known else None,
        tokens=known.tokens if known else (),
    )


def said_text(message: Json) -> str:
    """The text of a message or a delta: its content, or what was spoken."""
    return _content(message.get("content")) or _transcript(message)


def _content(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(text_or_none(part.get("text")) or "" for part in parts if isinstance(part, dict))


def _transcript(message: Json) -> str:
    audio = message.get("audio")
    return (text_or_none(audio.get("transcript")) or "") if isinstance(audio, dict) else ""


def _tool_calls(message: Json) -> tuple[ToolCall, ...]:
    calls = message.get("tool_calls")
    found = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    if isinstance(old := message.get("function_call"), dict):
        found.append({"id": "", "function": old})
    return tuple(_tool_call(call) for call in found)


def _tool_call(call: Json) -> ToolCall:
    function = call.get("function", call.get("custom"))
    function = function if isinstance(function, dict) else {}
    arguments = text_or_none(function.get("arguments")) or text_or_none(function.get("input")) or ""
    return ToolCall(text_or_none(call.get("id")) or "", text_or_none(function.get("name")) or "", arguments)


class _Growing:
    """One choice of a stream, as far as it has come."""

    def __init__(self) -> None:
        self.content: list[str] = []
        self.transcript: list[str] = []
        self.refusal: list[str] = []
        self.logprobs: list[object] = []
        self.calls: dict[object, Json] = {}
        self.finish_reason: object = None

    def add(self, choice: Json) -> None:
        delta = choice.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        self.content.append(_content(delta.get("content")))
        self.transcript.append(_transcript(delta))
        self.refusal.append(text_or_none(delta.get("refusal")) or "")
        self.finish_reason = choice.get("finish_reason") or self.finish_reason
        logprobs = choice.get("logprobs")
        tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
        self.logprobs += tokens if isinstance(tokens, list) else ()
        self._add_calls(delta)

    def _add_calls(self, delta: Json) -> None:
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict):
                self._add_call(call)
        if isinstance(old := delta.get("function_call"), dict):
            self._add_call({"index": "function_call", "function": old})

    def _add_call(self, call: Json) -> None:
        known = self.calls.setdefault(call.get("index", 0), {"id": "", "name": "", "arguments": ""})
        function = call.get("function", call.get("custom"))
        function = function if isinstance(function, dict) else {}
        known["id"] = call.get("id") or known["id"]
        known["name"] = function.get("name") or known["name"]
        more = text_or_none(function.get("arguments")) or text_or_none(function.get("input")) or ""
        known["arguments"] = f"{known['arguments']}{more}"

    def choice(self, index: int) -> Json:
        calls = [
            {"id": c["id"], "type": "function", "function": {"name": c["name"], "arguments": c["arguments"]}}
            for c in self.calls.values()
        ]
        message: Json = {"role": "assistant", "content": "".join(self.content) or None}
        message["refusal"] = "".join(self.refusal) or None
        if transcript := "".join(self.transcript):
            message["audio"] = {"transcript": transcript}
        if calls:
            message["tool_calls"] = calls
        logprobs = {"content": self.logprobs} if self.logprobs else None
        return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": self.finish_reason}


def _chunks(reply: Json, choice: Json) -> list[bytes]:
    """A whole choice as the chunks of a stream; its log-probabilities come with its text."""
    head = {key: value for key, value in reply.items() if key not in ("choices", "usage")}
    head["object"] = "chat.completion.chunk"
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    parts: list[Json] = [{"delta": {"role": "assistant", "content": ""}}]
    for key in ("content", "refusal", "audio"):
        if message.get(key):
            parts.append({"delta": {key: message[key]}, "logprobs": choice.get("logprobs")})
    if isinstance(calls := message.get("tool_calls"), list):
        parts.append({"delta": {"tool_calls": [{"index": i, **call} for i, call in enumerate(calls)]}})
    parts.append({"delta": {}, "finish_reason": choice.get("finish_reason")})
    known: Json = {"index": index_of(choice), "logprobs": None, "finish_reason": None}
    return [encode({**head, "choices": [{**known, **part}]}) for part in parts]
