"""Connections to a judge: which is taken, which are closed, and what the environment says of proxies."""

from __future__ import annotations

import threading

import pytest

from guardrail.verdict import Status
from guardrail.verifiers.connections import Connections, proxy_for
from tests.verifiers.asking import NO, ask, both, chat, check
from tests.verifiers.loopback import Line, judge, says


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
