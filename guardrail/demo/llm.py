"""A scripted LLM behind a real HTTP server on the loopback interface, speaking the OpenAI chat API."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["serve"]


@contextmanager
def serve(script: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Serve ``script`` for as long as the context lasts; gives the base URL.

    ``script`` holds the drafts of each model, which are answered in order; the last one is repeated.
    """
    handler = type("ScriptedHandler", (_Handler,), {"script": script, "asked": {}, "lock": threading.Lock()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Mapping[str, Sequence[str]]
    asked: dict[str, int]
    lock: threading.Lock

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        draft = self._draft(body["model"])
        if body.get("stream"):
            self._send("text/event-stream", b"".join(_chunks(body["model"], draft)))
        else:
            self._send("application/json", json.dumps(_completion(body["model"], draft)).encode())

    def _draft(self, model: str) -> str:
        with self.lock:
            number = self.asked.get(model, 0)
            self.asked[model] = number + 1
        drafts = self.script[model]
        return drafts[min(number, len(drafts) - 1)]

    def _send(self, kind: str, content: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the demonstration prints what matters."""


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
