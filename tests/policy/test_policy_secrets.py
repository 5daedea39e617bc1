"""Secrets are referred to, never written, and never shown."""

from __future__ import annotations

import copy
import json
import traceback
from pathlib import Path
from typing import Any

import pytest
import yaml

from guardrail.errors import PolicyError
from guardrail.policy.loading import load
from guardrail.policy.model import ChatSpec, Policy, SecretRef
from guardrail.policy.secrets import header_values, is_secret_header

SECRET = "sk-live-51Hx0000veryverysecret"
NUMBER = 5105105105
FULL = yaml.safe_load(Path(__file__).with_name("full.yaml").read_text())


def chat(**changes: Any) -> dict[str, Any]:
    return {"version": 1, "verifiers": {"main": {"kind": "chat", "dialect": "kluster", **changes}}}


WRITTEN_OUT = [
    {"api_key": SECRET},
    {"api_key": [SECRET]},
    {"api_key": {"value": SECRET}},
    {"api_key": {SECRET: SECRET}},
    {"api_key": f"${{KEY:-{SECRET}}}"},
    {"api_key": f"Bearer {SECRET}"},
    {"api_key": f"x${{KEY}}{SECRET}"},
    {"headers": {"Authorization": f"Bearer {SECRET}"}},
    {"headers": {"authorization": SECRET}},
    {"headers": {"x-api-key": SECRET}},
    {"headers": {"X-Auth": f"${{KEY:-{SECRET}}}"}},
    {"headers": {"Cookie": f"session={SECRET}"}},
    {"headers": {"X-Other": f"Bearer {SECRET}"}},
    {"headers": {"X-Other": f"${{KEY}} {SECRET}"}},
    {"headers": {"X-Other": [SECRET]}},
    {"headers": [SECRET]},
    {"base_url": f"https://me:{SECRET}@example.com/v1"},
    {"base_url": f"https://example.com/v1?api-version=1&key={SECRET}"},
    {"base_url": f"{SECRET}"},
    {"api_key": SECRET, "timeout": 1, "mdoel": "x"},
]  # fmt: skip


@pytest.mark.parametrize("suffix", [".yaml", ".json", "python"])
@pytest.mark.parametrize("written", WRITTEN_OUT)
def test_a_secret_in_a_policy_is_refused_and_never_repeated(tmp_path: Path, written: Any, suffix: str) -> None:
    file = tmp_path / f"p{suffix}"
    file.write_text(json.dumps(chat(**written)) if suffix == ".json" else yaml.safe_dump(chat(**written)))
    with pytest.raises(PolicyError) as caught:
        ChatSpec(dialect="kluster", **written) if suffix == "python" else load(file, env={})
    shown = "".join(traceback.format_exception(caught.value)).replace(f"{SECRET}:", "")
    known = (str(caught.value), repr(caught.value), shown, str(vars(caught.value)))
    assert not any(SECRET in text for text in known)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "options",
    [
        {"api_key": SECRET},
        {"deep": [{"access_token": SECRET}]},
        {"password": {"value": SECRET}},
        {"deep": {"password": NUMBER}},
        {"token": f"${{KEY:-{SECRET}}}"},
        {"text": f"${{KEY}} {SECRET}"},
        SECRET,
    ],
)
def test_a_secret_among_the_options_of_a_judge_is_refused_and_never_repeated(options: Any) -> None:
    with pytest.raises(PolicyError) as caught:
        load({"version": 1, "verifiers": {"main": {"kind": "custom", "name": "x", "options": options}}}, env={})
    shown = "".join(traceback.format_exception(caught.value))
    for secret in (SECRET, str(NUMBER)):
        assert secret not in shown + repr(caught.value) + str(vars(caught.value))


@pytest.mark.parametrize("broken", ["'", "{", "\t- x", "!!x"])
def test_a_broken_file_does_not_give_its_text_away(tmp_path: Path, broken: str) -> None:
    (tmp_path / "p.yaml").write_text(f"version: 1\nverifiers: {{main: {{api_key: {SECRET}}}}}\npolicies: {broken}\n")
    with pytest.raises(PolicyError) as caught:
        load(tmp_path / "p.yaml", env={})
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


def test_what_came_from_the_environment_is_not_repeated_in_errors() -> None:
    for rules in ({"mode": "${KEY}"}, {"on_unknown": "${KEY}"}, {"verify": {"with": "${KEY}"}}, {"sample": "${KEY}"}):
        with pytest.raises(PolicyError) as caught:
            load({"version": 1, "policies": {"default": rules}}, env={"KEY": SECRET})
        assert SECRET not in str(caught.value)
        assert "${KEY}" in str(caught.value)


def test_no_value_of_a_key_or_header_gets_into_the_policy() -> None:
    policy = load(copy.deepcopy(FULL), env={"JUDGE_KEY": SECRET, "TEAM_TOKEN": SECRET})
    for text in (str(policy), repr(policy), str(policy.dump()), policy.model_dump_json(), str(policy.model_dump())):
        assert SECRET not in text
        assert "JUDGE_KEY" in text
    assert policy.digest == load(copy.deepcopy(FULL), env={}).digest


def test_the_builder_of_a_verifier_resolves_references() -> None:
    spec = load(copy.deepcopy(FULL), env={}).verifiers["main"]
    assert isinstance(spec, ChatSpec)
    assert spec.api_key is not None
    assert spec.api_key.resolve({"JUDGE_KEY": SECRET}) == SECRET
    assert header_values(spec.headers, {"TEAM_TOKEN": "t"}) == {"X-Team": "blue", "Authorization": "Bearer t"}


RESOLVED = [
    (SecretRef("A"), {"A": "x"}, "x"),
    (SecretRef("A", ""), {}, ""),
    (SecretRef("A", ""), {"A": "x"}, "x"),
    (SecretRef("A", "d"), {"A": ""}, "d"),
    (SecretRef("A", None, "Bearer"), {"A": "x"}, "Bearer x"),
    (SecretRef("A", "", "Bearer"), {}, ""),
]


@pytest.mark.parametrize(("reference", "env", "value"), RESOLVED)
def test_a_reference_is_resolved(reference: SecretRef, env: dict[str, str], value: str) -> None:
    assert reference.resolve(env) == value


@pytest.mark.parametrize("env", [{}, {"A": ""}])
def test_a_missing_secret_is_told_by_the_name_of_its_variable(env: dict[str, str]) -> None:
    with pytest.raises(PolicyError, match=r"environment variable A is not set: set it, or write \$\{A:-\}"):
        SecretRef("A").resolve(env)


@pytest.mark.parametrize("text", ["${A}", "${A:-}", "Bearer ${A}", "Token ${A:-}"])
def test_a_reference_is_written_as_it_was_read(text: str) -> None:
    headers: Any = {"Authorization": text}
    spec = ChatSpec(dialect="kluster", headers=headers)
    assert str(spec.headers["Authorization"]) == text


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("Authorization", True), ("proxy-authorization", True), ("X-API-Key", True), ("api_key", True),
        ("Cookie", True),
        ("X-Auth", True), ("x-access-token", True), ("X-Password", True), ("Ocp-Apim-Subscription-Key", True),
        ("X-Team", False), ("User-Agent", False), ("X-Author", False), ("X-Keyboard", False),
    ],
)  # fmt: skip
def test_names_that_sound_like_secrets_need_references(name: str, secret: bool) -> None:
    assert is_secret_header(name) is secret


def test_a_header_that_is_no_secret_may_be_plain_or_a_reference_with_a_default() -> None:
    headers: Any = {"X-Team": "blue", "X-Org": "${ORG:-acme}"}
    spec = ChatSpec(dialect="kluster", headers=headers)
    assert header_values(spec.headers, {}) == {"X-Team": "blue", "X-Org": "acme"}
    policy = Policy(verifiers={"main": spec})
    assert load(policy.dump(), env={"ORG": SECRET}) == policy
