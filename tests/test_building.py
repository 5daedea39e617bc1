"""From a policy to the verifiers that it names."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest

from guardrail.building import build
from guardrail.errors import PolicyError, VerifierError
from guardrail.events import Retrying
from guardrail.guard import Guard
from guardrail.policy.loading import load
from guardrail.policy.model import Policy
from guardrail.testing import ScriptedVerifier, failure, reliable, unreliable
from guardrail.verdict import Cause, Status, Verdict
from guardrail.verifiers.protocol import Verifier
from tests.verifiers.asking import NO, ask, both, check
from tests.verifiers.judges import install
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
from guardrail.guard import Guard
from guardrail.policy.loading import load
build(load({"version": 1}))
kluster = {"kind": "chat", "dialect": "kluster"}
several = {"kind": "panel", "members": ["main", "service"], "combine": "any"}
verifiers = {"main": kluster, "service": {"kind": "dedicated"}, "several": several}
build(load({"version": 1, "verifiers": verifiers}), env={"KLUSTER_API_KEY": "x"})
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


# kinds beside chat


FINE = '{"is_hallucination": false, "usage": {}, "explanation": "fine"}'
BAD = '{"is_hallucination": true, "usage": {}, "explanation": "wrong"}'


def dedicated(url: str, **more: Any) -> dict[str, Any]:
    return {"kind": "dedicated", "base_url": url, "retry": {"stop": {"after_attempt": 2}, "wait": "none"}, **more}


@both
def test_a_dedicated_verifier_is_ready_to_be_asked(how: str) -> None:
    heard: list[Retrying] = []
    with judge(answers(503), answers(200, FINE)) as server:
        spec = dedicated(server.url, api_key="${KLUSTER_API_KEY}", headers={"x-team": "a"}, search=True, model="m")
        (verifier,) = build(policy(main=spec), env=KEY, on_retry=heard.append).values()
        assert ask(verifier, check(), how).explanation == "fine"
    request = server.requests[-1]
    assert (request.path, request.json["model"]) == ("/v1/verify/reliability", "m")
    assert request.json["return_search_results"] is True
    assert (request.headers["authorization"], request.headers["x-team"]) == ("Bearer sk-very-secret", "a")
    assert heard == [Retrying("dedicated", Cause.SERVER, 1, 0.0)]


@pytest.mark.parametrize(
    ("spec", "url", "key"),
    [
        ({}, "https://api.kluster.ai/v1", "${KLUSTER_API_KEY}"),
        ({"base_url": "https://api.kluster.ai/v1/"}, "https://api.kluster.ai/v1/", "${KLUSTER_API_KEY}"),
        ({"base_url": "https://j.example/v1"}, "https://j.example/v1", "none"),
        ({"api_key": "none"}, "https://api.kluster.ai/v1", "none"),
    ],
)
def test_the_hosted_service_s_key_is_for_its_own_address_only(spec: dict[str, Any], url: str, key: str) -> None:
    resolved = policy(main={"kind": "dedicated", **spec}).dump()["verifiers"]["main"]
    assert (resolved["base_url"], resolved["api_key"]) == (url, key)


def test_the_key_of_a_dedicated_verifier_that_is_not_set_is_named() -> None:
    with pytest.raises(PolicyError, match="KLUSTER_API_KEY is not set") as caught:
        build(policy(main={"kind": "dedicated"}), env={})
    assert caught.value.key == "verifiers.main.api_key"


@both
@pytest.mark.parametrize(("risk", "calls"), [(0.1, 0), (0.5, 1), (0.9, 0)])
def test_a_cascade_asks_the_second_where_the_first_is_not_sure(risk: float, calls: int, how: str) -> None:
    cheap = ScriptedVerifier(reliable(risk), id="cheap")
    with judge(answers(200, BAD)) as server:
        built = build(
            policy(
                main={"kind": "cascade", "first": "cheap", "then": "strong", "between": [0.3, 0.7]},
                cheap={"kind": "embedded"},
                strong=dedicated(server.url),
            ),
            without={"cheap": cheap},
            env={},
        )
        verdict = ask(built["main"], check(), how) if how == "sync" else asyncio.run(asked(built))
        built["strong"].close()
    assert len(server.requests) == calls
    assert verdict.verifier == ("dedicated" if calls else "cheap")


@both
@pytest.mark.parametrize(("combine", "status"), [("any", Status.UNRELIABLE), ("all", Status.RELIABLE)])
def test_a_panel_combines_what_its_members_say(combine: str, status: Status, how: str) -> None:
    with judge(answers(200, BAD)) as server:
        built = build(
            policy(
                main={"kind": "panel", "members": ["one", "two"], "combine": combine},
                one={"kind": "embedded"},
                two=dedicated(server.url),
            ),
            without={"one": ScriptedVerifier(reliable(), id="one")},
            env={},
        )
        verdict = ask(built["main"], check(), how) if how == "sync" else asyncio.run(asked(built))
        built["two"].close()
    assert (verdict.status, verdict.verifier) == (status, f"panel:{combine}")
    assert verdict.explanation == "one: reliable, risk 0\ntwo: unreliable, risk 1: wrong"


@both
@pytest.mark.parametrize(
    "main",
    [
        {"kind": "dedicated", "base_url": "http://127.0.0.1:1/v1", "retry": {"stop": {"after_attempt": 1}}},
        {"kind": "chat", "dialect": "kluster", "base_url": "http://127.0.0.1:1/v1"},
        {"kind": "cascade", "first": "bad", "then": "worse", "between": [0, 1]},
        {"kind": "panel", "members": ["bad", "worse"], "combine": "any"},
        {"kind": "custom", "name": "mine", "options": {"risk": 0.5}, "timeout": "1ms"},
    ],
    ids=lambda spec: spec["kind"],
)
def test_every_kind_that_can_fail_has_a_fallback(
    main: dict[str, Any], how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, {"mine": "own_judges:Judge"})
    monkeypatch.setattr("own_judges.Judge.verify", _fails, raising=False)
    names = {name: {"kind": "embedded"} for name in ("bad", "worse", "spare")}
    scripted = {name: ScriptedVerifier(failure(Cause.AUTH), id=name) for name in ("bad", "worse")}
    retry = {"retry": {"stop": {"after_attempt": 1}}} if main["kind"] == "chat" else {}
    spare = ScriptedVerifier(reliable(), id="spare")
    built = build(
        policy(main={**main, **retry, "fallback": "spare"}, **names), without={**scripted, "spare": spare}, env={}
    )
    verdict = ask(built["main"], check(), how)
    assert (verdict.verifier, verdict.status) == ("spare", Status.RELIABLE)
    assert "asked because the first verifier gave no verdict" in verdict.explanation


def test_consistency_is_built_with_its_settings_around_the_verifier_in_the_box() -> None:
    spec = {"kind": "consistency", "samples": 3, "temperature": 0.5, "max_tokens": 50, "logprobs": 0.25}
    (verifier,) = build(policy(main=spec)).values()
    assert verifier.id == "consistency"
    assert verifier.version.startswith("3 samples at 0.5, 50 tokens, logprobs 0.25, embedded ")


@pytest.mark.parametrize("name", ["embedded", "other"])
def test_consistency_asks_the_verifier_that_it_names(name: str) -> None:
    two = policy(main={"kind": "consistency", "verifier": name}, **{name: {"kind": "embedded"}})
    (verifier,) = build(two, without={name: ScriptedVerifier(id="mine")}).values()
    assert verifier.version.endswith(", mine 1")


def _fails(self: object, check: object) -> Verdict:
    raise ConnectionError("nobody there")


@both
def test_a_custom_judge_is_made_with_its_options(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, {"mine": "own_judges:Judge"})
    spec = {"kind": "custom", "name": "mine", "options": {"risk": 0.25, "token": "${OWN_TOKEN}"}}
    (verifier,) = build(policy(main=spec), env={"OWN_TOKEN": "secret"}).values()
    verdict = ask(verifier, check(), how)
    assert (verdict.verifier, verdict.risk, verdict.explanation) == ("own", 0.25, "token 'secret'")


@both
def test_a_custom_judge_is_asked_again_where_the_policy_says_so(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, {"mine": "own_judges:Judge"})
    monkeypatch.setattr("own_judges.Judge.verify", _fails)
    heard: list[Retrying] = []
    retry = {"stop": {"after_attempt": 2}, "wait": "none"}
    (verifier,) = build(
        policy(main={"kind": "custom", "name": "mine", "retry": retry}), env={}, on_retry=heard.append
    ).values()
    with pytest.raises(VerifierError, match="nobody there") as caught:
        ask(verifier, check(), how)
    assert (caught.value.cause, len(heard)) == (Cause.SERVER, 1)


@both
def test_a_custom_judge_that_knows_no_time_is_cut_off(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    def stuck(self: object, check: object) -> Verdict:
        release.wait(10)
        raise AssertionError("nobody waits for this")

    install(tmp_path, monkeypatch, {"mine": "own_judges:Judge"})
    monkeypatch.setattr("own_judges.Judge.verify", stuck)
    (verifier,) = build(policy(main={"kind": "custom", "name": "mine", "timeout": "50ms"}), env={}).values()
    with pytest.raises(VerifierError, match=r"within 0\.05 s") as caught:
        ask(verifier, check(), how)  # the event loop of which ends without waiting for the thread
    assert caught.value.cause is Cause.TIMEOUT
    assert not release.is_set()
    release.set()


@pytest.mark.parametrize("spec", [{"kind": "dedicated"}, {"kind": "chat", "dialect": "kluster"}])
def test_a_key_that_cannot_be_sent_is_told_with_its_place_and_not_shown(spec: dict[str, str]) -> None:
    with pytest.raises(PolicyError, match=r"^verifiers\.main: the value of the header 'authorization'") as caught:
        build(policy(main=spec), env={"KLUSTER_API_KEY": "two\nlines"})
    assert "lines" not in str(caught.value)


def test_what_a_custom_judge_says_of_its_making_does_not_give_its_secret_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, {"mine": "own_judges:Judge"})
    monkeypatch.setattr("own_judges.Judge.__init__", _refuses)
    spec, secret = {"kind": "custom", "name": "mine", "options": {"token": "${OWN_TOKEN}"}}, "-".join(("sk", "own"))
    with pytest.raises(PolicyError, match=r"bad token '\$\{OWN_TOKEN\}'") as caught:
        build(policy(main=spec), env={"OWN_TOKEN": secret})
    assert secret not in "".join(traceback.format_exception(caught.value))


def _refuses(_: object, *, token: str) -> None:
    raise ValueError(f"bad token {token!r}")


def test_a_custom_judge_that_is_not_there_is_a_mistake_of_the_policy() -> None:
    with pytest.raises(PolicyError, match="no installed package has a judge 'mine'") as caught:
        build(policy(main={"kind": "custom", "name": "mine"}), env={})
    assert caught.value.key == "verifiers.main.name"


def test_an_option_that_is_not_set_is_an_error_that_names_it() -> None:
    spec = {"kind": "custom", "name": "mine", "options": {"deep": [{"token": "${OWN_TOKEN}"}]}}
    with pytest.raises(PolicyError, match="OWN_TOKEN is not set") as caught:
        build(policy(main=spec), env={})
    assert caught.value.key == "verifiers.main.options"
    assert policy(main=spec).dump()["verifiers"]["main"]["options"] == {"deep": [{"token": "${OWN_TOKEN}"}]}


def test_a_guard_judges_by_a_panel_and_closes_what_it_built() -> None:
    two = {"main": {"kind": "panel", "members": ["one", "two"], "combine": "mean"}}
    names = {name: {"kind": "embedded"} for name in ("one", "two")}
    one, other = (ScriptedVerifier(unreliable(risk=risk)) for risk in (0.9, 0.3))
    with Guard(policy(**two, **names), verifiers={"one": one, "two": other}) as guard:
        outcome = guard.check([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "It is 5."}])
    assert outcome.verdict is not None
    # 0.6 is above the threshold of the presets.
    assert outcome.verdict.status is Status.UNRELIABLE
    assert outcome.verdict.risk == pytest.approx(0.6)


@both
def test_within_a_budget_the_members_that_are_in_time_are_heard(how: str) -> None:
    release = threading.Event()

    def stuck(check: object) -> Verdict:
        release.wait(10)
        raise AssertionError("nobody waits for this")

    names = {name: {"kind": "embedded"} for name in ("one", "two")}
    rules = {"extends": "strict", "policies": {"default": {"budget": {"added": "300ms"}}}}
    panel = {"kind": "panel", "members": ["one", "two"], "combine": "any"}
    found = load({"version": 1, **rules, "verifiers": {"main": panel, **names}}, env={})
    guard = Guard(found, verifiers={"one": stuck, "two": ScriptedVerifier(unreliable(risk=0.9))})
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "It is 5."}]
    outcome = guard.check(messages) if how == "sync" else asyncio.run(guard.acheck(messages))
    release.set()
    assert outcome.verdict is not None
    assert (outcome.verdict.status, outcome.action) == (Status.UNRELIABLE, "regenerate")
    assert "one: no verdict (timeout)" in outcome.verdict.explanation


def test_a_cascade_or_panel_is_as_remote_as_its_members() -> None:
    local = {name: {"kind": "embedded"} for name in ("one", "two")}
    panel = {"kind": "panel", "members": ["one", "two"], "combine": "any"}
    near = Guard(policy(main=panel, **local)).concurrency
    far = Guard(policy(main=panel, one=local["one"], two=dedicated("http://127.0.0.1:1/v1"))).concurrency
    assert (near, far) == (os.cpu_count() or 1, 16)
