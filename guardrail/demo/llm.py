"""A scripted LLM behind a real HTTP server on the loopback interface, speaking the OpenAI chat API."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from guardrail import loopback
from guardrail.loopback import Asked, Reply

__all__ = ["serve"]


@contextmanager
def serve(script: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Serve ``script`` for as long as the context lasts; gives the base URL.

    ``script`` holds the drafts of each model, which are answered in order; the last one is repeated.
    """
    with loopback.serve(_Script(script)) as url:
        yield url


class _Script:
    def __init__(self, drafts: Mapping[str, Sequence[str]]) -> None:
        self._drafts, self._asked, self._lock = drafts, dict[str, int](), threading.Lock()

    def __call__(self, asked: Asked) -> Reply:
        body = json.loads(asked.body)
        draft = self._next(body["model"])
        if body.get("stream"):
            return Reply(b"".join(_chunks(body["model"], draft)), "text/event-stream")
        return Reply(json.dumps(_completion(body["model"], draft)).encode())

    def _next(self, model: str) -> str:
        with self._lock:
            number = self._asked.get(model, 0)
            self._asked[model] = number + 1
        drafts = self._drafts[model]
        return drafts[min(number, len(drafts) - 1)]


def _head(model: str, kind: str) -> dict[str, object]:
    return {"id": f"chatcmpl-{model}", "object": kind, "created": 0, "model": model}


def _completion(model: str, text: str) -> dict[str, object]:
    message = {"role": "assistant", "content": text, "refusal": None}
    usage = {
        "prompt_tokens": 60,
        "completion_tokens": len(text.split()),
        "total_tokens": 60 + len(text.split()),
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {**_head(model, "chat.completion"), "choices": [choice], "usage": usage}


def _chunks(model: str, text: str) -> Iterator[bytes]:
    words = text.split(" ")
    deltas: list[dict[str, object]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word if place == 0 else f" {word}"} for place, word in enumerate(words)]
    for delta in deltas:
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        yield _event({**_head(model, "chat.completion.chunk"), "choices": [choice]})
    yield _event(
        {
            **_head(model, "chat.completion.chunk"),
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        }
    )
    yield b"data: [DONE]\n\n"


def _event(payload: object) -> bytes:
    return f"data: {json.dumps(payload)}\n\n".encode()
