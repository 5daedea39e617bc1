"""POST /responses: requests, replies and streams. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from guardrail.conversation import ToolCall, Turn
from guardrail.wire.exchange import Asked, Follows, Json, Settled, drawn
from guardrail.wire.logprobs import TokenLogprobs, listed
from guardrail.wire.messages import read_items
from guardrail.wire.sse import Event, encode

__all__ = ["CALLS", "CLOSING", "ResponsesCodec", "followed"]

_ONLY_FIRST = ("stream", "stream_options", "background")
_NOT_ASIDE = ("include", "top_logprobs", "metadata")
"""Fields that a further answer, which nobody sees, has no use for."""
CALLS = (
    "function_call",
    "custom_tool_call",
    "computer_call",
    "local_shell_call",
    "shell_call",
    "mcp_approval_request",
)
"""Output items that ask the application to do something."""
CLOSING = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")


class ResponsesCodec:
    """The Responses API."""

    def read_request(self, body: Json) -> Asked:
        """Raises `InputError` when the input cannot be read."""
        metadata = body.get("metadata")
        model = body.get("model")
        instructions = read_items([], body.get("instructions"))
        return Asked(
            conversation=(*instructions, *read_items(body.get("input", []))),
            model=model if isinstance(model, str) else None,
            stream=body.get("stream") is True,
            wants_json=_form(body) in ("json_schema", "json_object"),
            metadata={k: str(v) for k, v in metadata.items()} if isinstance(metadata, dict) else {},
            cannot_generate=_server_side(body),
            instructions=len(instructions),
            follows=followed(body),
        )

    def read_turns(self, reply: Json) -> tuple[Turn, ...]:
        """One turn; none while the response is in the making, or when it ended without a text."""
        if not isinstance(reply.get("output"), list):
            return ()
        items = _items(reply)
        texts = [_part(part, "text") for item in items for part in _parts(item, "output_text")]
        if not any(texts) and reply.get("status") not in ("completed", "incomplete", None):
            return ()
        refusals = [_part(part, "refusal") for item in items for part in _parts(item, "refusal")]
        calls = tuple(_call(item) for item in items if item.get("type") in CALLS)
        known = _logprobs([part for item in items for part in _parts(item, "output_text")])
        return (
            Turn(
                "\n".join(texts),
                calls,
                refusal="\n".join(refusals) or None,
                finish_reason="length" if reply.get("status") == "incomplete" else None,
                logprobs=known.values if known else None,
                tokens=known.tokens if known else (),
            ),
        )

    def ask_again(
        self, body: Json, rejected: Turn | None, feedback: str | None, model: str | None, *, index: int = 0
    ) -> Json:
        """The request with the rejected answer and the feedback.

        With ``previous_response_id`` it branches off from the same earlier response. The input of a response
        that the server stores is carried into every later one, its instructions are not; so that no later
        prompt holds the rejected answer, it goes into these.
        """
        again = {key: value for key, value in body.items() if key not in _ONLY_FIRST}
        if model is not None:
            again["model"] = model
        if rejected is not None:
            again.update(_with_feedback(body, rejected, feedback or ""))
            if body.get("tools"):
                again["tool_choice"] = "none"
        return again

    def ask_aside(self, body: Json, *, max_tokens: int | None, temperature: float | None, index: int = 0) -> Json:
        """The request for another answer that the server does not keep."""
        again = {key: value for key, value in body.items() if key not in (*_ONLY_FIRST, *_NOT_ASIDE)}
        again["store"] = False
        if body.get("tools"):
            again["tool_choice"] = "none"
        # The API takes no bound below 16.
        least = None if max_tokens is None else max(16, max_tokens)
        return {**again, **drawn(body, "max_output_tokens", max_tokens=least, temperature=temperature)}

    def write(self, reply: Json, settled: Sequence[Settled], *, wants_json: bool) -> Json:
        """The delivered response: another one whole, under its own id, or this one with a refusal in it.

        A later ``previous_response_id`` must name the response whose text was shown, so ids are never made
        up.
        """
        if not settled or not settled[0].replaced:
            return reply
        if settled[0].source is not None:
            return {**settled[0].source, "usage": reply.get("usage")}
        text = settled[0].outcome.text
        if settled[0].repaired and not wants_json:
            return _with(reply, {"type": "output_text", "text": text, "annotations": []})
        return _with(reply, {"type": "refusal", "refusal": text})

    def assemble(self, events: Sequence[Event]) -> Json | None:
        """The response that the closing event holds; of a stream without one, what its pieces add up to."""
        payloads = [event.json() or {} for event in events]
        for payload in reversed(payloads):
            response = payload.get("response")
            if payload.get("type") in CLOSING and isinstance(response, dict):
                return response
        return _pieced_together(payloads)

    def restream(
        self, events: Sequence[Event], reply: Json, settled: Sequence[Settled], wants_json: bool
    ) -> list[bytes]:
        """The stream's own bytes, or the events of the response that takes its place.

        Every closing event repeats the text in full, so nothing of a rejected answer may be kept.
        """
        if not any(end.replaced for end in settled):
            return [event.raw for event in events]
        final = self.write(reply, settled, wants_json=wants_json)
        return [
            encode({**payload, "sequence_number": number}, str(payload["type"]))
            for number, payload in enumerate(_events(final), _first_number(events))
        ]


def _logprobs(parts: Sequence[Json]) -> TokenLogprobs | None:
    """Of all parts of a text; None where one has none."""
    each = [listed(part.get("logprobs")) for part in parts]
    if not each or not all(one is not None and one.values for one in each):
        return None
    known = [one for one in each if one is not None]
    return TokenLogprobs(
        tuple(token for one in known for token in one.tokens), tuple(value for one in known for value in one.values)
    )


def _form(body: Json) -> object:
    text = body.get("text")
    form = text.get("format") if isinstance(text, dict) else None
    return form.get("type") if isinstance(form, dict) else None


def followed(body: Json) -> Follows | None:
    """Where the history lies that a request, or a response, only names."""
    conversation = body.get("conversation")
    name = conversation.get("id") if isinstance(conversation, dict) else conversation
    if isinstance(name, str) and name:
        return Follows("conversation", name)
    previous = body.get("previous_response_id")
    return Follows("response", previous) if isinstance(previous, str) and previous else None


def _with_feedback(body: Json, rejected: Turn, feedback: str) -> Json:
    instructions = body.get("instructions")
    if body.get("store") is not False and (instructions is None or isinstance(instructions, str)):
        draft = f"Your last answer to this was:\n\n<draft>\n{rejected.text}\n</draft>\n\n{feedback}"
        return {"instructions": f"{instructions}\n\n{draft}" if instructions else draft}
    given = body.get("input")
    items = given if isinstance(given, list) else [{"role": "user", "content": given or ""}]
    said = {"role": "assistant", "content": rejected.text}
    return {"input": [*items, said, {"role": "user", "content": feedback}]}


def _first_number(events: Sequence[Event]) -> int:
    """Where the numbering of a stream begins: a stream that is taken up again goes on counting."""
    numbers = ((event.json() or {}).get("sequence_number") for event in events)
    return next((number for number in numbers if isinstance(number, int)), 0)


def _pieced_together(payloads: Sequence[Json]) -> Json | None:
    """The response that a stream without a closing event had come to; None without any text."""
    texts: dict[tuple[object, object], str] = {}
    for payload in payloads:
        place = (payload.get("output_index"), payload.get("content_index"))
        if payload.get("type") == "response.output_text.delta":
            texts[place] = texts.get(place, "") + _part(payload, "delta")
        elif payload.get("type") == "response.output_text.done":
            texts[place] = _part(payload, "text")
    if not any(texts.values()):
        return None
    head = next((r for payload in payloads if isinstance(r := payload.get("response"), dict)), {})
    parts = [{"type": "output_text", "text": text, "annotations": []} for text in texts.values()]
    item = {"type": "message", "id": "msg_cut", "role": "assistant", "status": "incomplete", "content": parts}
    return {**head, "object": "response", "status": "incomplete", "output": [item]}


def _server_side(body: Json) -> str | None:
    if body.get("conversation") is not None:
        return "the rejected answer cannot be removed from a conversation that the server keeps"
    return None


def _items(reply: Json) -> list[Json]:
    output = reply.get("output")
    return [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []


def _parts(item: Json, kind: str) -> list[Json]:
    content = item.get("content") if item.get("type") == "message" else None
    parts = content if isinstance(content, list) else []
    return [part for part in parts if isinstance(part, dict) and part.get("type") == kind]


def _part(part: Json, key: str) -> str:
    value = part.get(key)
    return value if isinstance(value, str) else ""


def _call(item: Json) -> ToolCall:
    arguments = item.get("arguments", item.get("input", ""))
    return ToolCall(_part(item, "call_id"), _part(item, "name"), arguments if isinstance(arguments, str) else "")


def _with(reply: Json, part: Json) -> Json:
    """``reply`` with ``part`` for its answer. Reasoning goes too: it may quote what is withheld."""
    said = [item for item in _items(reply) if item.get("type") == "message"]
    item: Json = {
        "type": "message",
        "id": said[-1].get("id", "msg_blocked") if said else "msg_blocked",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }
    kept = [item for item in _items(reply) if item.get("type") not in ("message", "reasoning")]
    # Some servers repeat the text beside the output.
    whole = {key: value for key, value in reply.items() if key != "output_text"}
    return {**whole, "status": "completed", "incomplete_details": None, "output": [*kept, item]}


def _events(response: Json) -> Iterator[Json]:
    """A finished response as the events of a stream."""
    empty = {**response, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": empty}
    yield {"type": "response.in_progress", "response": empty}
    for index, item in enumerate(_items(response)):
        yield from _item_events(index, item)
    yield {"type": "response.completed", "response": response}


def _item_events(index: int, item: Json) -> Iterator[Json]:
    place = {"output_index": index}
    opened = {**item, "status": "in_progress"} if "status" in item else dict(item)
    if item.get("type") == "message":
        opened["content"] = []
    if item.get("type") == "function_call":
        opened["arguments"] = ""
    yield {"type": "response.output_item.added", **place, "item": opened}
    where = {**place, "item_id": item.get("id", "")}
    if item.get("type") == "message":
        content = item.get("content")
        for number, part in enumerate(content if isinstance(content, list) else ()):
            yield from _part_events({**where, "content_index": number}, part)
    if item.get("type") == "function_call":
        arguments = _part(item, "arguments")
        yield {"type": "response.function_call_arguments.delta", **where, "delta": arguments}
        yield {
            "type": "response.function_call_arguments.done",
            **where,
            "arguments": arguments,
            "name": item.get("name"),
        }
    yield {"type": "response.output_item.done", **place, "item": item}


def _part_events(where: Json, part: Json) -> Iterator[Json]:
    kind, key = ("refusal", "refusal") if part.get("type") == "refusal" else ("output_text", "text")
    text = _part(part, key)
    more: Json = {"logprobs": []} if kind == "output_text" else {}
    yield {"type": "response.content_part.added", **where, "part": {**part, key: ""}}
    yield {"type": f"response.{kind}.delta", **where, "delta": text, **more}
    yield {"type": f"response.{kind}.done", **where, key: text, **more}
    yield {"type": "response.content_part.done", **where, "part": part}
