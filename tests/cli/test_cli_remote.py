"""End to end with a remote judge: a real HTTP server on loopback that answers as a reliability model would."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from guardrail.cli.group import cli

POLICY = """\
version: 1
verifiers:
  main:
    kind: chat
    dialect: kluster
    base_url: http://127.0.0.1:{port}/v1
    api_key: ${{CLI_TEST_KEY}}
    retry: {{stop: {{after_attempt: 1}}}}
"""


class Judge(BaseHTTPRequestHandler):
    """Calls an answer a hallucination when it holds the word ``wrong``."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        word = "Yes" if "wrong" in body else "No"
        message = {"role": "assistant", "content": f"Hallucination: {word}\n\nExplanation: as scripted."}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        reply = json.dumps({"id": "x", "object": "chat.completion", "choices": choices}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def judge() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Judge) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def check(port: int, folder: Path, rows: list[dict[str, object]], *, key: str | None = "k") -> Result:
    path = folder / "policy.yaml"
    path.write_text(POLICY.format(port=port))
    args = ["check", "-", "--json", "--policy", str(path)]
    return CliRunner().invoke(cli, args, input="\n".join(map(json.dumps, rows)), env={"CLI_TEST_KEY": key})


def test_rows_are_judged_over_http_in_order(judge: ThreadingHTTPServer, tmp_path: Path) -> None:
    words = ["right", "wrong"]
    rows: list[dict[str, object]] = [
        {"id": n, "context": "c", "question": "q", "answer": f"It is {words[n % 2]}."} for n in range(40)
    ]
    result = check(judge.server_port, tmp_path, rows)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["id"] for one in found] == list(range(40))
    assert [one["verdict"]["status"] for one in found] == ["reliable", "unreliable"] * 20
    assert result.exit_code == 1


def test_an_outage_is_no_verdict_and_exit_code_3(judge: ThreadingHTTPServer, tmp_path: Path) -> None:
    free = judge.server_port
    judge.server_close()
    result = check(free, tmp_path, [{"answer": "It is right.", "context": "c"}])
    [found] = [json.loads(line) for line in result.stdout.splitlines()]
    assert (found["verdict"]["status"], found["verdict"]["cause"]) == ("error", "connect")
    assert found["action"] == "flag"
    assert result.exit_code == 3


def test_a_key_that_is_not_set_is_a_mistake_of_the_user(judge: ThreadingHTTPServer, tmp_path: Path) -> None:
    result = check(judge.server_port, tmp_path, [{"answer": "a"}], key=None)
    assert result.exit_code == 2
    assert "CLI_TEST_KEY is not set" in result.stderr
    assert result.stdout == ""
