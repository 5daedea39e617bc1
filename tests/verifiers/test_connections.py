"""Connections to a judge: which is taken, which are closed, and what the environment says of proxies."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from guardrail import http
from guardrail.errors import VerifierError
from guardrail.verdict import Cause, Status
from guardrail.verifiers.connections import Connections, proxy_for
from tests.verifiers.asking import NO, ask, both, chat, check
from tests.verifiers.loopback import Line, completion, hangs, judge, says


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(clock: Clock) -> Connections:
    numbers = iter(range(1000))
    return Connections(lambda: next(numbers), clock=clock)


def test_the_connection_that_was_used_last_is_used_next(kept: Connections) -> None:
    taken = [kept.take() for _ in range(3)]
    for connection in taken:
        assert kept.give(connection) == []
    assert [kept.take() for _ in range(4)] == [2, 1, 0, 3]


def test_a_connection_that_was_not_needed_for_long_is_closed(kept: Connections, clock: Clock) -> None:
    for connection in [kept.take(), kept.take()]:
        kept.give(connection)
    clock.now = 31.0
    assert kept.give(kept.take()) == [0]
    assert kept.give(kept.take()) == []


def test_there_is_a_bound_on_connections_that_idle(kept: Connections) -> None:
    taken = [kept.take() for _ in range(300)]
    closed = [unused for connection in taken for unused in kept.give(connection)]
    assert closed == taken[:44]


def test_what_comes_back_after_closing_is_closed(kept: Connections) -> None:
    busy, idle = kept.take(), kept.take()
    kept.give(idle)
    assert kept.close() == [idle]
    assert kept.give(busy) == [busy]
    assert kept.close() == []


def test_a_call_that_is_under_way_survives_closing() -> None:
    going = threading.Event()

    def slowly(line: Line) -> None:
        assert going.wait(5)
        says(NO)(line)

    with judge(slowly) as server:
        verifier, seen = chat(server.url), list[Status]()
        thread = threading.Thread(target=lambda: seen.append(verifier.verify(check()).status))
        thread.start()
        assert server.arrived.acquire(timeout=5)
        verifier.close()
        going.set()
        thread.join()
    assert seen == [Status.RELIABLE]


# a transport of the caller's own


def test_a_transport_of_the_callers_own_serves_any_number_of_calls_and_is_closed_with_the_judge() -> None:
    transport = Together(3)
    judge_of_it, seen = chat("https://judge.example/v1", transport=transport), list[Status]()
    for _ in range(2):
        threads = [threading.Thread(target=lambda: seen.append(judge_of_it.verify(check()).status)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == [Status.RELIABLE] * 6
    assert (transport.bound, transport.closed) == (1, 0)
    judge_of_it.close()
    assert transport.closed == 1


class Together:
    """A transport that answers when so many calls are under way; it counts how often its connections were wrapped."""

    def __init__(self, calls: int) -> None:
        self._all_there, self.closed = threading.Barrier(calls, timeout=5), 0
        self._pool = type("Pool", (), {"_network_backend": object()})()

    def handle_request(self, request: object) -> Any:
        self._all_there.wait()
        return http.library().Response(200, text=completion(NO))

    @property
    def bound(self) -> int:
        backend, times = self._pool._network_backend, 0
        while "_inner" in getattr(backend, "__dict__", ()):
            backend, times = backend._inner, times + 1
        return times

    def close(self) -> None:
        self.closed += 1


# a connection on an event loop that cannot be used again


def _and_closes(line: Line) -> None:
    says(NO)(line)
    line.socket.shutdown(socket.SHUT_RDWR)


def test_threads_do_not_use_a_connection_again_that_the_judge_has_closed_meanwhile() -> None:
    with judge(_and_closes, says(NO)) as server:
        verifier = chat(server.url)
        for _ in range(2):
            assert verifier.verify(check()).status is Status.RELIABLE
            time.sleep(0.05)
        verifier.close()
    assert [request.connection for request in server.requests] == [1, 2]


async def test_a_connection_that_the_judge_has_closed_meanwhile_is_not_used_again() -> None:
    with judge(_and_closes, says(NO)) as server:
        verifier = chat(server.url)
        assert (await verifier.averify(check())).status is Status.RELIABLE
        await asyncio.sleep(0.05)
        assert (await verifier.averify(check())).status is Status.RELIABLE
        await verifier.aclose()
    assert [request.connection for request in server.requests] == [1, 2]


async def test_a_connection_whose_answer_was_not_awaited_is_not_used_again() -> None:
    with judge(hangs, says(NO)) as server:
        verifier = chat(server.url, timeout=0.1)
        with pytest.raises(VerifierError) as caught:
            await verifier.averify(check())
        assert caught.value.cause is Cause.TIMEOUT
        assert await asyncio.to_thread(server.hangups.acquire, timeout=5)
        assert (await verifier.averify(check())).status is Status.RELIABLE
        await verifier.aclose()
    assert [request.connection for request in server.requests] == [1, 2]


async def test_calls_at_once_have_a_connection_each_and_the_next_ones_use_them() -> None:
    with judge(says(NO)) as server:
        verifier = chat(server.url)
        for _ in range(2):
            await asyncio.gather(*(verifier.averify(check()) for _ in range(4)))
        await verifier.aclose()
    assert {request.connection for request in server.requests} == {1, 2, 3, 4}


# encrypted


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody else trusts, with its key in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, which makes a certificate")
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    made = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    subprocess.run([*made.split(), "-keyout", file, "-out", f"{file}.crt"], check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


@both
@pytest.mark.parametrize("trusted", [True, False])
def test_an_encrypted_judge_is_asked_if_its_certificate_is_trusted(
    trusted: bool, how: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_proxies(monkeypatch)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with judge(says(NO), tls=certificate) as server:
        verifier = chat(server.url.replace("127.0.0.1", "localhost"))
        if trusted:
            assert ask(verifier, check(), how).status is Status.RELIABLE
        else:
            with pytest.raises(VerifierError) as caught:
                ask(verifier, check(), how)
            assert caught.value.cause is Cause.CONNECT
    assert len(server.requests) == trusted


# proxies


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, None),
        ({"https_proxy": "http://proxy.example:3128"}, "http://proxy.example:3128"),
        ({"https_proxy": "proxy.example:3128"}, "http://proxy.example:3128"),
        ({"all_proxy": "http://proxy.example:3128"}, "http://proxy.example:3128"),
        ({"http_proxy": "http://proxy.example:3128"}, None),
        ({"https_proxy": "http://proxy.example:3128", "no_proxy": "judge.example"}, None),
        ({"https_proxy": "http://proxy.example:3128", "no_proxy": ".example"}, None),
        ({"https_proxy": "http://proxy.example:3128", "no_proxy": "*"}, None),
        ({"https_proxy": "http://proxy.example:3128", "no_proxy": "other.example"}, "http://proxy.example:3128"),
    ],
)
def test_the_environment_names_the_proxy(
    variables: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_proxies(monkeypatch)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for("https://user:word@judge.example:8443/v1") == proxy


@both
def test_a_judge_is_asked_through_the_proxy(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _without_proxies(monkeypatch)
    with judge(says(NO)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        assert ask(chat("http://judge.invalid/v1"), check(), how).status is Status.RELIABLE
    (request,) = proxy.requests
    assert request.path == "http://judge.invalid/v1/chat/completions"


@both
@pytest.mark.parametrize("proxy", ["ftp://user:word@proxy.example", "http://[::1"])
def test_a_proxy_that_cannot_be_used_is_no_verdict_and_its_password_is_not_told(
    how: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_proxies(monkeypatch)
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(VerifierError, match="HTTP_PROXY") as caught:
        ask(chat("http://judge.invalid/v1"), check(), how)
    assert caught.value.cause is Cause.CONNECT
    assert "word" not in str(caught.value)


@pytest.mark.skipif(find_spec("socksio") is not None, reason="socksio is installed")
@both
def test_a_socks_proxy_without_its_package_is_no_verdict(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _without_proxies(monkeypatch)
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1")
    with pytest.raises(VerifierError, match="socksio"):
        ask(chat("http://judge.invalid/v1"), check(), how)


def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


# the headers that a server sees


@both
def test_a_judge_knows_who_asks(how: str) -> None:
    with judge(says(NO)) as server:
        ask(chat(server.url, headers={"X-Team": "a"}), check(), how)
    headers = {name.lower(): value for name, value in server.requests[0].headers.items()}
    assert headers["user-agent"].startswith("guardrail/")
    assert (headers["x-team"], headers["content-type"]) == ("a", "application/json")


@both
def test_a_body_has_its_length_and_no_other_framing(how: str) -> None:
    with judge(says(NO)) as server:
        ask(chat(server.url, headers={"Transfer-Encoding": "chunked", "Content-Length": "3"}), check(), how)
    headers = {name.lower(): value for name, value in server.requests[0].headers.items()}
    assert int(headers["content-length"]) == len(server.requests[0].body) > 3
    assert "transfer-encoding" not in headers
