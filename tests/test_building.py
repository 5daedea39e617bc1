"""From a policy to the verifiers that it names."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest

from guardrail.building import build
from guardrail.errors import PolicyError
from guardrail.events import Retrying
from guardrail.policy.loading import load
from guardrail.policy.model import Policy
from guardrail.testing import ScriptedVerifier
from guardrail.verdict import Cause, Status, Verdict
from guardrail.verifiers.protocol import Verifier
from tests.verifiers.asking import NO, ask, both, check
from tests.verifiers.loopback import answers, judge, says

KEY = {"KLUSTER_API_KEY": "sk-very-secret"}


def policy(**verifiers: Any) -> Policy:
    return load({"version": 1, "verifiers": verifiers}, env={})


def kluster(url: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "chat",
        "dialect": "kluster",
        "base_url": url,
        "retry": {"stop": {"after_attempt": 2}, "wait": "none"},
        **more,
    }


def test_the_verifier_in_the_box_needs_no_environment() -> None:
    built = build(load({"version": 1}, env={}), env={})
    assert [verifier.id for verifier in built.values()] == ["embedded"]


def test_building_loads_no_model_and_no_http_library() -> None:
    code = """
import json, sys
from guardrail.building import build
from guardrail.policy.loading import load
build(load({"version": 1}))
kluster = {"kind": "chat", "dialect": "kluster"}
build(load({"version": 1, "verifiers": {"main": kluster}}), env={"KLUSTER_API_KEY": "x"})
print(json.dumps([m for m in ("httpx", "httpx2", "onnxruntime", "openai") if m in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


@both
def test_a_chat_verifier_is_ready_to_be_asked(how: str) -> None:
    with judge(says(NO)) as server:
        spec = kluster(server.url, api_key="${KLUSTER_API_KEY}", headers={"x-team": "a"})
        (verifier,) = build(policy(main=spec), env=KEY).values()
        assert ask(verifier, check(), how).status is Status.RELIABLE
    (request,) = server.requests
    assert request.json["model"] == "klusterai/verify-reliability"
    assert request.headers["authorization"] == "Bearer sk-very-secret"
    assert request.headers["x-team"] == "a"


@both
def test_a_chat_verifier_is_asked_again_and_the_retry_is_told(how: str) -> None:
    heard: list[Retrying] = []
    with judge(answers(503), says(NO)) as server:
        (verifier,) = build(policy(main=kluster(server.url)), env={}, on_retry=heard.append).values()
        assert ask(verifier, check(), how).status is Status.RELIABLE
    assert heard == [Retrying("chat:kluster", Cause.SERVER, 1, 0.0)]


async def asked(built: dict[str, Verifier]) -> Verdict:
    try:
        return await built["main"].averify(check())
    finally:
        for verifier in built.values():
            await verifier.aclose()


@both
def test_a_fallback_stands_in(how: str) -> None:
    said = says('{"verdict": "reliable", "risk": 0}')
    with judge(answers(401)) as first, judge(said) as second:
        spare = {"kind": "chat", "dialect": "structured", "model": "m", "base_url": second.url}
        built = build(policy(main=kluster(first.url, fallback="spare"), spare=spare), env={})
        verdict = ask(built["main"], check(), how) if how == "sync" else asyncio.run(asked(built))
        built["spare"].close()
    assert (verdict.verifier, verdict.status) == ("chat:structured", Status.RELIABLE)


def test_what_is_given_is_not_built() -> None:
    given = ScriptedVerifier()
    two = policy(
        main={"kind": "chat", "dialect": "kluster", "fallback": "other"},
        other={"kind": "chat", "dialect": "kluster"},
    )
    assert build(two, without={"main": given, "other": given}, env={}) == {}


def test_a_key_that_is_not_set_is_an_error_that_names_it() -> None:
    with pytest.raises(PolicyError, match="KLUSTER_API_KEY is not set") as caught:
        build(policy(main={"kind": "chat", "dialect": "kluster"}), env={})
    assert caught.value.key == "verifiers.main.api_key"
