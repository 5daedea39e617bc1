"""Streams of exact pieces of text, and consumers of each kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from guardrail.wire.sse import EventDecoder
from tests.integrations.openai.clients import ASK, ASKED, Client, done, entered, listed
from tests.integrations.openai.upstream import Json, Reply, completion, delta, raw, response, sse

GOOD = ("The tower is in Paris.", " It is 300 metres tall.", " It opened in 1889.")
BAD = "Жжж щщщ юююю."
"""No letter of it is in anything else."""
NOTICE = "Withheld."


def cut_every(size: int) -> Callable[[str], list[str]]:
    """Cuts a text into pieces of ``size`` characters."""
    return lambda text: [text[at : at + size] for at in range(0, len(text), size)]


def by_words(text: str) -> list[str]:
    """As LLMs do it: a word with the white space before it."""
    return [f" {word}" if place else word for place, word in enumerate(text.split(" "))]


CHUNKINGS: dict[str, Callable[[str], list[str]]] = {
    "letters": cut_every(1),
    "words": by_words,
    "sevens": cut_every(7),
    "whole": cut_every(10_000),
}


def with_bad(place: int) -> str:
    """The good sentences with the bad one at ``place`` among them."""
    parts = [part.strip() for part in GOOD]
    parts.insert(place, BAD)
    return " ".join(parts)


def chat_events(pieces: Sequence[str], *, index: int = 0, usage: bool = False, **more: Any) -> list[Json]:
    """The chunks of one choice."""
    texts = [delta(content=piece, index=index) for piece in pieces]
    spent = {"prompt_tokens": 10, "completion_tokens": len(pieces), "total_tokens": 10 + len(pieces)}
    end = [{**delta(), "choices": [], "usage": spent}] if usage else []
    return [delta(role="assistant", content="", index=index), *texts, delta("stop", index=index), *end]


def chat(pieces: Sequence[str], *, usage: bool = False) -> Reply:
    """A streamed chat completion."""
    return sse(*chat_events(pieces, usage=usage))


def heard(body: bytes) -> tuple[list[str], list[str]]:
    """What a body says in chunks that are nothing but text, and its other events as they came."""
    decoder, texts, others = EventDecoder(), list[str](), list[str]()
    for event in (*decoder.feed(body), *decoder.flush()):
        payload: Any = event.json() or {}
        choices: Any = payload.get("choices") or [{}]
        said = choices[0].get("delta", {})
        if payload.get("type") == "response.output_text.delta":
            texts.append(payload["delta"])
        elif said.keys() == {"content"} and choices[0].keys() <= {"index", "delta", "finish_reason", "logprobs"}:
            assert not choices[0].get("logprobs")
            texts.append(said["content"])
        else:
            others.append(event.data if event.data else event.raw.decode())
    return texts, others


def response_payloads(pieces: Sequence[str], id: str = "resp_1") -> list[Json]:
    """The events of a streamed response."""
    whole = response("".join(pieces), id)
    item, part = whole["output"][0], whole["output"][0]["content"][0]
    where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    opened = {**item, "content": [], "status": "in_progress"}
    payloads: list[Json] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        {"type": "response.content_part.added", **where, "part": {**part, "text": ""}},
        *({"type": "response.output_text.delta", **where, "delta": piece, "logprobs": []} for piece in pieces),
        {"type": "response.output_text.done", **where, "text": part["text"], "logprobs": []},
        {"type": "response.content_part.done", **where, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    return [{**payload, "sequence_number": number} for number, payload in enumerate(payloads)]


def named(payloads: Sequence[Json]) -> Reply:
    """Events with their names, as the Responses API sends them."""
    events = [f"event: {payload['type']}\ndata: {json.dumps(payload)}\n\n" for payload in payloads]
    return Reply("".join(events).encode(), headers={"content-type": "text/event-stream"})


def answering(first: Sequence[str], *rest: str) -> Callable[[Json, int], Reply]:
    """Streams ``first``, and then ``rest`` as answers to the requests to go on, in either API."""

    def answer(body: Json, number: int) -> Reply:
        pieces = first if number == 0 else by_words(rest[min(number, len(rest)) - 1])
        if not body.get("stream"):
            whole = "".join(pieces)
            return Reply(response(whole, f"resp_{number}") if "input" in body else completion(whole))
        if "input" in body:
            return named(response_payloads(pieces, f"resp_{number + 1}"))
        reply = chat(pieces, usage=bool((body.get("stream_options") or {}).get("include_usage")))
        return replace(reply, body=raw(reply).replace(b"chatcmpl-1", b"chatcmpl-%d" % (number + 1)))

    return answer


# consumers: each gives the text that it read, and all bytes or fields that it could have looked at


async def created(it: Any) -> tuple[str, str]:
    items = await listed(it.chat.completions.create(**ASK))
    return "".join(c.delta.content or "" for item in items for c in item.choices), _dumped(items)


async def helped(it: Any) -> tuple[str, str]:
    items = []
    async with entered(it.chat.completions.stream(model="m", messages=ASKED)) as stream:
        items = await listed(stream)
    return "".join(i.delta for i in items if i.type == "content.delta"), _dumped(items)


async def read_raw(it: Any) -> tuple[str, str]:
    async with entered(it.chat.completions.with_streaming_response.create(**ASK)) as answer:
        body = b"".join(await listed(answer.iter_bytes())).decode()
    payloads = [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: {")]
    texts = [c["delta"].get("content") or "" for payload in payloads for c in payload["choices"]]
    return "".join(texts), body + json.dumps(payloads, ensure_ascii=False)


async def responded(it: Any) -> tuple[str, str]:
    items = await listed(it.responses.create(model="m", input="Capital?", stream=True))
    return _response_text(items), _dumped(items)


async def response_helped(it: Any) -> tuple[str, str]:
    async with entered(it.responses.stream(model="m", input="Capital?")) as stream:
        items = await listed(stream)
        final = await done(stream.get_final_response())
    return _response_text(items), _dumped([*items, final])


CONSUMERS: dict[str, Any] = {
    "create": created,
    "stream helper": helped,
    "bytes": read_raw,
    "responses": responded,
    "responses helper": response_helped,
}


def _response_text(items: Sequence[Any]) -> str:
    kinds = ("response.output_text.delta", "response.refusal.delta")
    return "".join(item.delta for item in items if item.type in kinds)


def _dumped(items: Sequence[Any]) -> str:
    return "\n".join(json.dumps(item.model_dump(mode="json", warnings=False), ensure_ascii=False) for item in items)


def leaked(seen: str) -> int:
    """How many characters of the bad sentence are in what was seen, escaped or not."""
    return sum(seen.count(letter) + seen.count(f"\\u{ord(letter):04x}") for letter in set(BAD) if letter.isalpha())


def consume(client: Client, consumer: str) -> tuple[str, str]:
    result: tuple[str, str] = client.do(CONSUMERS[consumer])
    return result
