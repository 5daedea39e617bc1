"""The chat verifier, against a real server on loopback."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import os
import socket
import threading
import tracemalloc
import warnings
import weakref
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from guardrail import http
from guardrail.errors import ConfigError, VerifierError
from guardrail.verdict import Cause, FindingKind, Status, Usage
from guardrail.verifiers.chat import ChatVerifier
from guardrail.verifiers.protocol import Verifier
from tests.verifiers.asking import NO, YES, ask, both, chat, check
from tests.verifiers.loopback import (
    Act,
    answers,
    completion,
    drips,
    hangs,
    hangs_up,
    judge,
    raw,
    says,
    sends_and_hangs_up,
)

SECRET = "sk-very-secret"


def failure(verifier: Verifier, how: str, **options: Any) -> VerifierError:
    with pytest.raises(VerifierError) as caught:
        ask(verifier, check(**options), how)
    return caught.value


@both
def test_a_judge_is_asked_once_and_its_verdict_is_signed(how: str) -> None:
    with judge(says(YES)) as server:
        verdict = ask(chat(server.url + "/", api_key=SECRET, headers={"X-Team": "a"}), check(), how)
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert (request.headers["authorization"], request.headers["x-team"]) == (f"Bearer {SECRET}", "a")
    assert request.json == {
        "model": "judge-1",
        "messages": [
            {"role": "user", "content": "What is the capital of France?"},
            {"role": "assistant", "content": "London."},
        ],
    }
    assert (verdict.status, verdict.risk, verdict.explanation) == (Status.UNRELIABLE, 1.0, "differs")
    assert (verdict.verifier, verdict.version) == ("chat:kluster", "kluster:judge-1")
    assert verdict.usage == Usage(11, 4)
    assert verdict.latency is not None
    assert 0 < verdict.latency < 5


@both
def test_a_structured_judge_gives_findings(how: str) -> None:
    found = {"quote": "London", "kind": "name", "explanation": "It is Paris."}
    said = {"explanation": "", "findings": [found], "verdict": "unreliable", "risk": 0.9}
    with judge(says(json.dumps(said))) as server:
        verdict = ask(chat(server.url, "structured"), check("London.", "Paris is."), how)
    assert server.requests[0].json["response_format"]["type"] == "json_schema"
    (finding,) = verdict.findings
    assert (finding.text, finding.start, finding.end, finding.kind) == ("London", 0, 6, FindingKind.NAME)
    assert verdict.evidence == check("", "Paris is.").evidence


@both
def test_granite_is_asked_through_its_template_and_its_probability_is_the_risk(how: str) -> None:
    top = [{"token": " yes", "logprob": -0.1}, {"token": " no", "logprob": -2.4}]
    tokens = [{"token": "<score>", "logprob": 0.0}, {"token": " yes", "logprob": -0.1, "top_logprobs": top}]
    body = json.loads(completion("<score> yes </score>"))
    body["choices"][0]["logprobs"] = {"content": tokens}
    with judge(answers(400), answers(200, json.dumps(body))) as server:
        verdict = ask(chat(server.url, "granite_3.3"), check("London is the capital.", "Paris is."), how)
    first, second = (request.json for request in server.requests)
    assert (first["temperature"], first["top_logprobs"]) == (0, 5)
    assert second == {key: first[key] for key in ("model", "messages", "chat_template_kwargs")}
    assert first["chat_template_kwargs"]["documents"] == [{"doc_id": "0", "text": "Paris is."}]
    assert (verdict.status, verdict.version) == (Status.UNRELIABLE, "granite_3.3:judge-1")
    assert verdict.risk == pytest.approx(0.909, abs=0.001)


@both
@pytest.mark.parametrize("status", [400, 422])
def test_a_server_without_response_format_is_asked_in_plain_words_and_remembered(status: int, how: str) -> None:
    said = says('{"verdict": "reliable", "risk": 0.1}')
    with judge(answers(status), said) as server:
        verifier = chat(server.url, "structured")
        assert [ask(verifier, check(), how).risk for _ in range(2)] == [0.1, 0.1]
    assert ["response_format" in request.json for request in server.requests] == [True, False, False]


@both
def test_a_request_that_is_refused_in_plain_words_too_is_no_reason_to_stay_plain(how: str) -> None:
    with judge(answers(400), answers(400), says('{"verdict": "reliable", "risk": 0}')) as server:
        verifier = chat(server.url, "structured")
        assert failure(verifier, how).cause is Cause.UNPARSABLE
        assert ask(verifier, check(), how).status is Status.RELIABLE
    assert ["response_format" in request.json for request in server.requests] == [True, False, True]


@both
@pytest.mark.parametrize("answer", ["", " \n"])
def test_nothing_said_is_nothing_to_ask_about(answer: str, how: str) -> None:
    verdict = ask(chat("http://127.0.0.1:1/v1"), check(answer), how)
    assert (verdict.status, verdict.explanation) == (Status.RELIABLE, "no_claim")


@both
def test_half_a_character_at_the_end_of_a_cut_answer_can_be_sent(how: str) -> None:
    with judge(says(NO)) as server:
        assert ask(chat(server.url), check("Paris \ud83d"), how).status is Status.RELIABLE
    assert server.requests[0].json["messages"][-1]["content"] == "Paris ?"


# no verdict


NO_VERDICT: dict[str, tuple[Act, Cause]] = {
    "empty content": (says(""), Cause.EMPTY),
    "null content": (says(None), Cause.EMPTY),
    "cut off": (says("We look at", finish="length"), Cause.TRUNCATED),
    "undecided": (says("I could not decide."), Cause.UNPARSABLE),
    "empty body": (answers(200, ""), Cause.EMPTY),
    "no content": (answers(204), Cause.UNPARSABLE),
    "a page": (answers(200, "<html>busy</html>", {"content-type": "text/html"}), Cause.UNPARSABLE),
    "other JSON": (answers(200, '{"object": "list", "data": []}'), Cause.UNPARSABLE),
    "not UTF-8": (answers(200, b'{"choices": "\xff\xfe"}'), Cause.UNPARSABLE),
    "not gzip": (answers(200, b"not gzip", {"content-encoding": "gzip"}), Cause.UNPARSABLE),
    "too long": (answers(200, b" " * (4 * 1024 * 1024 + 1)), Cause.UNPARSABLE),
    "401 with a verdict": (answers(401, completion(NO)), Cause.AUTH),
    "404 with a verdict": (answers(404, completion(NO)), Cause.GONE),
    "413": (answers(413), Cause.OVER_LENGTH),
    "503 with a verdict": (answers(503, completion(NO)), Cause.SERVER),
    "redirect": (answers(302, "", {"location": "/v1/elsewhere"}), Cause.GONE),
    "hung up": (hangs_up, Cause.CONNECT),
    "not HTTP": (sends_and_hangs_up(b"SSH-2.0-server\r\n\r\n"), Cause.CONNECT),
    "cut body": (sends_and_hangs_up(raw(200, completion(NO))[:-5]), Cause.CONNECT),
}


@both
@pytest.mark.parametrize("case", NO_VERDICT)
def test_a_call_without_a_verdict_says_why(case: str, how: str) -> None:
    act, cause = NO_VERDICT[case]
    with judge(act) as server:
        error = failure(chat(server.url), how)
    assert error.cause is cause, error
    assert len(server.requests) == 1


@both
def test_a_reply_that_is_compressed_unasked_is_read_all_the_same(how: str) -> None:
    body = gzip.compress(completion(NO).encode())
    with judge(answers(200, body, {"content-encoding": "gzip"})) as server:
        assert ask(chat(server.url), check(), how).status is Status.RELIABLE
    assert server.requests[0].headers["accept-encoding"] == "identity"


@both
def test_nobody_there_is_no_connection(how: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert failure(chat(f"http://127.0.0.1:{taken.getsockname()[1]}/v1"), how).cause is Cause.CONNECT


@both
@pytest.mark.parametrize(
    ("headers", "wait"), [({"retry-after": "3"}, 3.0), ({"retry-after-ms": "20"}, 0.02), ({}, None)]
)
def test_the_wait_that_a_service_asks_for_is_passed_on(
    headers: Mapping[str, str], wait: float | None, how: str
) -> None:
    with judge(answers(429, "error code: 1015", headers)) as server:
        error = failure(chat(server.url), how)
    assert (error.cause, error.retry_after) == (Cause.RATE_LIMITED, wait)


# time


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@both
@pytest.mark.parametrize(
    "act",
    [
        hangs,
        drips(b"", b"H"),
        drips(HEAD, b"x-more: 1\r\n"),
        drips(HEAD + b"x-long: ", b"a"),
        drips(HEAD + b"content-length: 100000\r\n\r\n", b" "),
        drips(HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        drips(HEAD, b""),
    ],
    ids=["silent", "status line", "headers", "one header", "body", "chunks", "nothing"],
)
@pytest.mark.parametrize(("timeout", "remaining"), [(0.15, None), (0.15, 60.0), (60.0, 0.15)])
def test_the_time_holds_over_the_whole_call(act: Act, timeout: float, remaining: float | None, how: str) -> None:
    with judge(act) as server:
        error = failure(chat(server.url, timeout=timeout), how, remaining=remaining)
        assert error.cause is Cause.TIMEOUT, error
        assert "0.15" in str(error)
    assert error.__cause__ is None


@both
@pytest.mark.parametrize("remaining", [0.0, -1.0])
def test_with_no_time_left_nobody_is_asked(remaining: float, how: str) -> None:
    with judge(says(NO)) as server:
        assert failure(chat(server.url), how, remaining=remaining).cause is Cause.TIMEOUT
    assert server.requests == []


@pytest.fixture(params=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has judges asked with this library."""
    for module in ("guardrail.http", "guardrail.verifiers.endpoint", "guardrail.verifiers.carriers"):
        monkeypatch.setattr(f"{module}.library", lambda: pytest.importorskip(request.param))


@both
@pytest.mark.usefixtures("library")
def test_both_http_libraries_let_the_deadline_in(how: str) -> None:
    with judge(drips(HEAD, b"x-more: 1\r\n")) as server:
        assert failure(chat(server.url, timeout=0.1), how).cause is Cause.TIMEOUT
    with judge(says(NO)) as server:
        assert ask(chat(server.url), check(), how).status is Status.RELIABLE


@both
@pytest.mark.usefixtures("library")
def test_a_reply_that_unfolds_to_far_more_than_was_sent_is_not_unfolded(how: str) -> None:
    bomb = gzip.compress(b" " * 300_000_000, compresslevel=9)
    with judge(answers(200, bomb, {"content-encoding": "gzip"})) as server:
        tracemalloc.start()
        error = failure(chat(server.url), how)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert error.cause is Cause.UNPARSABLE
    assert peak < 100_000_000


@both
@pytest.mark.parametrize("host", ["1.2.3.999", "ex_ämple-.x", "[v1.a]"])
def test_a_host_that_cannot_be_is_no_verdict(host: str, how: str) -> None:
    assert failure(chat(f"http://{host}/v1"), how).cause is Cause.CONNECT


def test_a_host_that_no_name_can_be_is_no_verdict_in_a_thread() -> None:
    assert failure(chat("http://ex..ample.invalid/v1"), "sync").cause is Cause.CONNECT


async def test_cancelling_closes_the_connection() -> None:
    with judge(hangs) as server:
        verifier = chat(server.url, timeout=60)
        task = asyncio.create_task(verifier.averify(check()))
        assert await asyncio.to_thread(server.arrived.acquire, timeout=5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.hangups.acquire, timeout=5)
        await verifier.aclose()


# connections


def test_connections_are_kept_between_calls() -> None:
    with judge(says(NO)) as server:
        verifier = chat(server.url)
        for _ in range(5):
            verifier.verify(check())
        verifier.close()
        verifier.close()
    assert {request.connection for request in server.requests} == {1}


async def test_connections_are_kept_between_calls_on_one_event_loop() -> None:
    with judge(says(NO)) as server:
        verifier = chat(server.url)
        for _ in range(5):
            await verifier.averify(check())
        await verifier.aclose()
        await verifier.aclose()
    assert {request.connection for request in server.requests} == {1}


def test_each_event_loop_has_connections_of_its_own() -> None:
    with judge(says(NO)) as server:
        verifier = chat(server.url)
        assert [ask(verifier, check(), "async").status for _ in range(3)] == [Status.RELIABLE] * 3
    assert len(server.requests) == 3


def test_an_event_loop_that_has_ended_is_let_go_when_there_is_another() -> None:
    loops = list[weakref.ref[asyncio.AbstractEventLoop]]()

    async def asked(verifier: ChatVerifier) -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        await verifier.averify(check())

    with judge(says(NO)) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of the connections that nobody closed
        verifier = chat(server.url)
        for _ in range(3):
            asyncio.run(asked(verifier))
        gc.collect()
        gone = [loop() is None for loop in loops]
        del verifier
        gc.collect()
    assert gone == [True, True, False]


def test_threads_share_one_verifier() -> None:
    with judge(says(YES)) as server:
        verifier, seen = chat(server.url), list[Status]()
        threads = [threading.Thread(target=lambda: seen.append(verifier.verify(check()).status)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        verifier.close()
    assert seen == [Status.UNRELIABLE] * 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_opens_connections_of_its_own() -> None:
    with judge(says(NO)) as server:
        verifier = chat(server.url)
        verifier.verify(check())
        child = os.fork()
        if child == 0:
            os._exit(0 if verifier.verify(check()).status is Status.RELIABLE else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        verifier.verify(check())
        verifier.close()
    first, forked, again = (request.connection for request in server.requests)
    assert first == again != forked


def test_a_closed_verifier_can_be_asked_again() -> None:
    with judge(says(NO)) as server:
        verifier = chat(server.url)
        verifier.verify(check())
        verifier.close()
        assert ask(verifier, check(), "sync").status is Status.RELIABLE


def test_requests_can_go_through_a_transport_of_the_callers_own() -> None:
    library = http.library()
    transport = library.MockTransport(lambda request: library.Response(200, text=completion(YES)))
    verifier = chat("https://judge.example/v1", transport=transport)
    assert ask(verifier, check(), "sync").status is Status.UNRELIABLE
    assert ask(verifier, check(), "async").status is Status.UNRELIABLE


# what cannot be sent, and what is never said


@pytest.mark.parametrize(
    "url",
    [
        "",
        "judge.example/v1",
        "ftp://judge.example",
        "http://",
        "http://a b/",
        "http://[::1/v1",
        "http://[::zz]/v1",
        "http://a:99999",
    ],
)
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        chat(url)


@pytest.mark.parametrize("key", ["sk-very-secret\n", " sk-very-secret", "sk-véry-secret", "sk\x00very-secret"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        chat("http://judge.example/v1", api_key=key)
    assert "very" not in str(caught.value)
    assert "véry" not in str(caught.value)


def test_a_dialect_that_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigError, match="kluster, structured"):
        chat("http://judge.example/v1", "oracle")


def test_a_query_stays_behind_the_path() -> None:
    assert "/v1/chat/completions?api-version=1" in repr(chat("http://judge.example/v1?api-version=1"))


@both
@pytest.mark.parametrize(
    "act", [answers(401), hangs_up, answers(200, "{}"), says("what?")], ids=["401", "hung up", "{}", "what?"]
)
def test_the_key_is_never_shown(act: Act, how: str) -> None:
    with judge(act) as server:
        verifier = chat(server.url, api_key=SECRET)
        error = failure(verifier, how)
    assert SECRET not in f"{error!r} {verifier!r} {vars(verifier)!r} {error.__cause__!r}"


def test_it_is_a_verifier_and_can_be_named() -> None:
    verifier = ChatVerifier(dialect="structured", model="m", base_url="http://j.example/v1", id="second")
    assert isinstance(verifier, Verifier)
    assert (verifier.id, verifier.version) == ("second", "structured:m")


def test_the_older_http_library_is_taken_where_there_is_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "httpx2", None)
    assert http.library() is httpx
