"""A small HTTP server on the loopback interface, for parts that show or try the real thing without a network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias

__all__ = ["Asked", "Reply", "serve"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    """With the query."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """One response."""

    content: bytes
    kind: str = "application/json"
    """Its content type."""
    status: int = 200


Answer: TypeAlias = Callable[[Asked], Reply]


@contextmanager
def serve(answer: Answer) -> Iterator[str]:
    """Answer requests for as long as the context lasts; gives the base URL, which ends in ``/v1``.

    ``answer`` is called in one thread a connection.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"answer": staticmethod(answer)}))
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
    answer: Answer

    def do_GET(self) -> None:
        self._reply(b"")

    def do_POST(self) -> None:
        self._reply(self.rfile.read(int(self.headers.get("content-length", 0))))

    def _reply(self, body: bytes) -> None:
        reply = self.answer(Asked(self.command, self.path, body))
        self.send_response(reply.status)
        self.send_header("content-type", reply.kind)
        self.send_header("content-length", str(len(reply.content)))
        self.end_headers()
        self.wfile.write(reply.content)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: whoever started it says what matters."""
