"""A stand-in for OpenAI's API that gives the same answer on every surface."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from guardrail.loopback import Asked, Reply

__all__ = ["ANSWER", "answer"]

ANSWER = '{"city": "Atlantis"}'
"""What it always says: JSON, so that surfaces that ask for a schema can be tried as well."""

_Json = dict[str, Any]


def answer(asked: Asked) -> Reply:
    """The reply to one request; 404 for what no surface here asks for."""
    path = asked.path.partition("?")[0].rstrip("/")
    body = json.loads(asked.body or b"{}")
    if path.endswith("/chat/completions"):
        return _chat(body)
    if path.endswith("/completions"):
        return _legacy(body)
    if path.endswith("/input_items"):
        return _json({"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False})
    if "/responses" in path:
        return _response(bool(body.get("stream") or "stream=true" in asked.path))
    if path.endswith("/embeddings"):
        vector = {"object": "embedding", "index": 0, "embedding": [0.0]}
        return _json(
            {"object": "list", "data": [vector], "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}}
        )
    if path.endswith("/models"):
        return _json({"object": "list", "data": [{"id": "m", "object": "model", "created": 0, "owned_by": "nobody"}]})
    if path.endswith("/threads/runs"):
        return _json({"id": "run_1", "object": "thread.run", "thread_id": "thread_1", "status": "queued"})
    if path.endswith("/messages"):
        return _json({"object": "list", "data": [], "has_more": False})
    return Reply(b'{"error": {"message": "no such path", "code": "not_found"}}', status=404)


def _json(value: object) -> Reply:
    return Reply(json.dumps(value).encode())


def _events(payloads: Sequence[_Json], *, done: bool) -> Reply:
    lines = [f"data: {json.dumps(payload)}\n\n" for payload in payloads]
    return Reply("".join([*lines, "data: [DONE]\n\n" if done else ""]).encode(), "text/event-stream")


def _chat(body: _Json) -> Reply:
    head = {"id": "chatcmpl-1", "created": 0, "model": "m"}
    places = range(body.get("n") or 1)
    if not body.get("stream"):
        message = {"role": "assistant", "content": ANSWER, "refusal": None}
        choices = [{"index": n, "message": message, "logprobs": None, "finish_reason": "stop"} for n in places]
        return _json({**head, "object": "chat.completion", "choices": choices})
    deltas: list[tuple[_Json, str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": letter}, None) for letter in ANSWER] + [({}, "stop")]
    chunk = {**head, "object": "chat.completion.chunk"}
    return _events(
        [{**chunk, "choices": [{"index": 0, "delta": d, "finish_reason": end}]} for d, end in deltas], done=True
    )


def _legacy(body: _Json) -> Reply:
    whole = {"id": "cmpl-1", "object": "text_completion", "created": 0, "model": "m"}
    choice = {"index": 0, "text": ANSWER, "logprobs": None, "finish_reason": "stop"}
    return (
        _events([{**whole, "choices": [choice]}], done=True)
        if body.get("stream")
        else _json({**whole, "choices": [choice]})
    )


def _response(stream: bool) -> Reply:
    part = {"type": "output_text", "text": ANSWER, "annotations": [], "logprobs": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
    whole = {
        "id": "resp_1", "object": "response", "created_at": 0, "status": "completed", "error": None, "model": "m",
        "output": [item], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "background": True,
    }  # fmt: skip
    if not stream:
        return _json(whole)
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    empty = {**whole, "status": "in_progress", "output": []}
    payloads: list[_Json] = [
        {"type": "response.created", "response": empty},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
        {"type": "response.output_text.delta", **at, "delta": ANSWER, "logprobs": []},
        {"type": "response.output_text.done", **at, "text": ANSWER, "logprobs": []},
        {"type": "response.content_part.done", **at, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    return _events([{**payload, "sequence_number": n} for n, payload in enumerate(payloads)], done=False)
