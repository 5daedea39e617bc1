"""A judge on loopback: a real HTTP server that says what a test tells it to, byte by byte if need be."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

Act: TypeAlias = Callable[["Line"], None]
"""What the server does with one request."""


@dataclass
class Request:
    """What was asked."""

    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Line:
    """A connection, at the point of answering."""

    socket: socket.socket
    judge: Judge
    request: Request

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def wait_for_hangup(self) -> None:
        """Until the client has closed the connection."""
        try:
            while self.socket.recv(65536):
                pass
        except OSError:
            pass
        self.judge.hangups.release()


@dataclass
class Judge:
    """The server: acts, in order, the last one from then on; and what it was asked."""

    url: str
    acts: list[Act]
    requests: list[Request] = field(default_factory=list)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    hangups: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    closing: threading.Event = field(default_factory=threading.Event)

    def act(self, request: Request) -> Act:
        self.requests.append(request)
        self.arrived.release()
        return self.acts[min(len(self.requests), len(self.acts)) - 1]


@contextmanager
def judge(*acts: Act, tls: Path | None = None) -> Iterator[Judge]:
    """A judge that is there while the test is; ``tls``: the file of its certificate and key, where it is encrypted."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Judge(f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}/v1", list(acts))
    lines: list[socket.socket] = []
    thread = threading.Thread(target=_accept, args=(listener, server, lines, tls), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        _hang_up(listener)
        for line in lines:
            _hang_up(line)
        thread.join(5)


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()


def _accept(listener: socket.socket, server: Judge, lines: list[socket.socket], tls: Path | None) -> None:
    threads = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if tls:
        context.load_cert_chain(tls)
    while True:
        try:
            line, _ = listener.accept()
        except OSError:
            break
        if tls:
            try:
                line = context.wrap_socket(line, server_side=True)
            except OSError:  # the other side does not trust it
                continue
        lines.append(line)
        threads.append(threading.Thread(target=_serve, args=(line, server, len(lines)), daemon=True))
        threads[-1].start()
    for thread in threads:
        thread.join(5)


def _serve(line: socket.socket, server: Judge, number: int) -> None:
    try:
        with line, line.makefile("rb") as reader:
            while (request := _read(reader, number)) is not None:
                server.act(request)(Line(line, server, request))
    except OSError:
        pass


def _read(reader: Any, number: int) -> Request | None:
    first = reader.readline().split()
    if not first:
        return None
    headers = {}
    while (row := reader.readline().strip()) != b"":
        name, _, value = row.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", 0)))
    return Request(first[1].decode(), headers, body, number)


def raw(status: int, body: bytes | str, headers: Mapping[str, str] | None = None) -> bytes:
    """An HTTP answer as bytes."""
    body = body.encode() if isinstance(body, str) else body
    fields = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + body


def answers(status: int, body: bytes | str = "", headers: Mapping[str, str] | None = None) -> Act:
    """Answers with this."""
    return lambda line: line.send(raw(status, body, headers))


def completion(content: str | None, *, finish: str = "stop", **more: Any) -> str:
    """The body of a chat completion."""
    message: dict[str, Any] = {"role": "assistant", "content": content, "tool_calls": []}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    usage = {"prompt_tokens": 11, "completion_tokens": 4, "total_tokens": 15}
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage, **more})


def says(content: str | None, **more: Any) -> Act:
    """Answers with a chat completion of this content."""
    return answers(200, completion(content, **more))


def replies(judged: Callable[[Any], str]) -> Act:
    """Answers each request with what ``judged`` says to its JSON body, in whatever order they come."""
    return lambda line: says(judged(line.request.json))(line)


def hangs(line: Line) -> None:
    """Takes the request and never answers."""
    line.wait_for_hangup()


def hangs_up(line: Line) -> None:
    """Takes the request and closes the connection."""
    _hang_up(line.socket)


def sends_and_hangs_up(data: bytes) -> Act:
    """Sends ``data``, whole or not, and closes the connection."""

    def act(line: Line) -> None:
        line.send(data)
        _hang_up(line.socket)

    return act


def drips(before: bytes, drop: bytes) -> Act:
    """Sends ``before``, then ``drop`` again and again, each well within any bound on a single read."""

    def act(line: Line) -> None:
        try:
            line.send(before)
            while not line.judge.closing.wait(0.01):
                line.send(drop)
        except OSError:
            line.judge.hangups.release()

    return act
