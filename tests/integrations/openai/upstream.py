"""A scripted OpenAI server on the loopback interface, for real SDK clients to talk to."""

from __future__ import annotations

import gzip
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]


@dataclass
class Reply:
    """One answer of the server."""

    body: Json | bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pieces: Iterable[bytes] | None = None
    """Sent one by one in the place of ``body``."""
    cut: bool = False
    """Whether the connection breaks off after the pieces."""


@dataclass
class Upstream:
    """What was asked, and what is answered next."""

    url: str = ""
    requests: list[Json] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    script: list[Reply] = field(default_factory=list)
    answer: Callable[[Json, int], Reply] | None = None
    stored: dict[str, Json | Reply | Callable[[], Json]] = field(default_factory=dict)
    """What a GET is answered with, by path below the root."""
    fetched: list[str] = field(default_factory=list)
    """What was asked for by GET, in order."""
    hung_up: threading.Event = field(default_factory=threading.Event)
    """Set when a client has gone before it was sent all pieces."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, path: str, headers: dict[str, str], body: Json) -> Reply:
        with self.lock:
            self.requests.append(body)
            self.headers.append(headers)
            self.paths.append(path)
            if self.answer is not None:
                return self.answer(body, len(self.requests) - 1)
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]


def message(text: str | None, **more: Any) -> Json:
    return {"role": "assistant", "content": text, "refusal": None, **more}


def completion(*texts: str, id: str = "chatcmpl-1", finish: str = "stop", **more: Any) -> Json:
    choices = [
        {"index": place, "message": message(text), "logprobs": None, "finish_reason": finish}
        for place, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return {
        "id": id,
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": choices,
        "usage": usage,
        **more,
    }


def tool_call_completion() -> Json:
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Paris"}'},
    }
    whole = completion("")
    whole["choices"][0]["message"] = message(None, tool_calls=[call])
    whole["choices"][0]["finish_reason"] = "tool_calls"
    return whole


def text_completion(*texts: str, id: str = "cmpl-1") -> Json:
    choices = [{"index": i, "text": text, "logprobs": None, "finish_reason": "stop"} for i, text in enumerate(texts)]
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return {"id": id, "object": "text_completion", "created": 1, "model": "m", "choices": choices, "usage": usage}


def text_chunks(*texts: str) -> Reply:
    head = text_completion(*texts)
    choices = [{**choice, "text": f"{piece} ", "finish_reason": None}
               for choice in head["choices"] for piece in choice["text"].split(" ")]  # fmt: skip
    ends = [{**choice, "text": ""} for choice in head["choices"]]
    return sse(*({**head, "choices": [choice], "usage": None} for choice in (*choices, *ends)))


def response(text: str, id: str = "resp_1", **more: Any) -> Json:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
    usage = {
        "input_tokens": 10, "output_tokens": 5, "total_tokens": 15,
        "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0},
    }  # fmt: skip
    return {
        "id": id, "object": "response", "created_at": 1, "status": "completed",
        "error": None, "incomplete_details": None,
        "instructions": None, "metadata": {}, "model": "m", "output": [item], "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto", "tools": [], "top_p": 1.0, "usage": usage, **more,
    }  # fmt: skip


def sse(*payloads: Json, done: bool = True) -> Reply:
    events = [f"data: {json.dumps(payload)}\n\n" for payload in payloads]
    body = "".join([": ping\n\n", *events, "data: [DONE]\n\n" if done else ""])
    return Reply(body.encode(), headers={"content-type": "text/event-stream"})


def chunks(*texts: str, id: str = "chatcmpl-1", usage: bool = False) -> Reply:
    head = {"id": id, "object": "chat.completion.chunk", "created": 1, "model": "m"}

    def chunk(index: int, delta: Json, finish: str | None = None) -> Json:
        return {**head, "choices": [{"index": index, "delta": delta, "finish_reason": finish}]}

    words = [chunk(i, {"content": piece}) for i, text in enumerate(texts) for piece in re.findall(r"\s*\S+|\s+$", text)]
    starts = [chunk(i, {"role": "assistant", "content": ""}) for i in range(len(texts))]
    ends = [chunk(i, {}, "stop") for i in range(len(texts))]
    spent = [{**head, "choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}]
    return sse(*starts, *words, *ends, *(spent if usage else ()))


def response_events(text: str, id: str = "resp_1") -> Reply:
    whole = response(text, id)
    item, part = whole["output"][0], whole["output"][0]["content"][0]
    where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    empty = {**whole, "status": "in_progress", "output": [], "usage": None}
    payloads: list[Json] = [
        {"type": "response.created", "response": empty},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "content": [], "status": "in_progress"},
        },
        {"type": "response.content_part.added", **where, "part": {**part, "text": ""}},
        {"type": "response.output_text.delta", **where, "delta": text, "logprobs": []},
        {"type": "response.output_text.done", **where, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **where, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    return sse(*({**payload, "sequence_number": n} for n, payload in enumerate(payloads)), done=False)


def speaking(text: str) -> Callable[[Json, int], Reply]:
    """Answers ``text`` to every request, in the shape that its API has."""

    def answer(body: Json, _: int) -> Reply:
        stream = bool(body.get("stream"))
        if "input" in body:
            return response_events(text) if stream else Reply(response(text))
        if "prompt" in body:
            return text_chunks(text) if stream else Reply(text_completion(text))
        texts = [text] * (body.get("n") or 1)
        return chunks(*texts) if stream else Reply(completion(*texts))

    return answer


HEAD: Json = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def delta(finish: str | None = None, index: int = 0, logprobs: Any = None, **delta: Any) -> Json:
    choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
    return {**HEAD, "choices": [choice]}


def raw(reply: Reply) -> bytes:
    assert isinstance(reply.body, bytes)
    return reply.body


@contextmanager
def serve() -> Iterator[Upstream]:
    upstream = Upstream()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"upstream": upstream}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    upstream.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield upstream
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every second write waits 40 ms for its acknowledgement
    upstream: Upstream

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._reply(json.loads(content or b"{}"))

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].removeprefix("/v1/").removeprefix("/openai/")
        self.upstream.fetched.append(self.path)
        missing: Json = {"error": {"message": f"{path} does not exist"}}
        found = self.upstream.stored.get(path)
        if found is None:
            self._send(Reply(missing, status=404))
        else:
            found = found() if callable(found) else found
            self._send(found if isinstance(found, Reply) else Reply(found))

    def _reply(self, body: Json) -> None:
        self._send(self.upstream.next(self.path, {k.lower(): v for k, v in self.headers.items()}, body))

    def _send(self, reply: Reply) -> None:
        if reply.pieces is not None:
            return self._send_pieces(reply, reply.pieces)
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        headers = {"content-type": "application/json", "x-request-id": "req_1", **reply.headers}
        if headers.get("content-encoding") == "gzip":
            content = gzip.compress(content)
        self.send_response(reply.status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _send_pieces(self, reply: Reply, pieces: Iterable[bytes]) -> None:
        self.send_response(reply.status)
        for key, value in {"content-type": "text/event-stream", "x-request-id": "req_1", **reply.headers}.items():
            self.send_header(key, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            for piece in pieces:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.write(b"" if reply.cut else b"0\r\n\r\n")
        except OSError:
            self.upstream.hung_up.set()
        self.close_connection = self.close_connection or reply.cut or self.upstream.hung_up.is_set()

    def log_message(self, format: str, *args: object) -> None:
        pass
