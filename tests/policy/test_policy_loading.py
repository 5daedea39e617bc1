"""A policy is the same whichever way it came: YAML, JSON, TOML, a mapping, Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from guardrail.errors import PolicyError
from guardrail.policy import load
from guardrail.policy.model import ChatSpec, EmbeddedSpec, Policy, Rules, SecretRef, Stop, steps
from guardrail.policy.presets import preset

FULL = Path(__file__).with_name("full.yaml").read_text()
ENV = {"JUDGE_KEY": "key", "TEAM_TOKEN": "token"}

YAML = """\
version: 1
verifiers:
  main: {kind: chat, dialect: kluster, timeout: 1500ms}
policies:
  default:
    on_error: {timeout: [{do: fallback, model: big}, block], default: flag}
  "med.ical":
    sample: 0.25
routes:
  - match: {tags: [medical], stream: true}
    policy: med.ical
  - match: {model: "gpt*"}
    policy: default
"""
TOML = """\
version = 1
[verifiers.main]
kind = "chat"
dialect = 'kluster'
timeout = "1500ms"
[policies.default.on_error]
timeout = [{ do = "fallback", model = "big" }, "block"]
default = "flag"
[policies."med.ical"]
sample = 0.25
[[routes]]
policy = "med.ical"
match.tags = ["medical"]
match.stream = true
[[routes]]
policy = "default"
[routes.match]
model = "gpt*"
"""


def test_the_same_policy_in_each_format_is_the_same(tmp_path: Path) -> None:
    data = yaml.safe_load(YAML)
    pyproject = "[tool.other]\nx = 1\n" + TOML.replace("[[", "[[tool.guardrail.").replace("\n[", "\n[tool.guardrail.")
    pyproject = pyproject.replace("[tool.guardrail.[tool.guardrail.", "[[tool.guardrail.")
    pyproject = pyproject.replace("version = 1", "[tool.guardrail]\nversion = 1")
    texts = {
        "p.yaml": YAML,
        "p.yml": "\ufeff" + YAML.replace("\n", "\r\n"),
        "p.json": json.dumps(data),
        "q.json": json.dumps(data, indent="\t"),
        "p.toml": TOML,
        "q.toml": TOML.replace("\n", "\r\n"),
        "pyproject.toml": pyproject,
    }
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text.encode())
    loaded = [load(tmp_path / name) for name in texts] + [load(str(tmp_path / "p.yaml")), load(data)]
    assert all(policy == loaded[0] for policy in loaded)
    assert {policy.digest for policy in loaded} == {loaded[0].digest}
    assert loaded[0].policies["med.ical"].sample == 0.25
    assert loaded[0].routes[1].match.model == "gpt*"


def test_the_full_example_can_be_read_dumped_and_read_again() -> None:
    policy = load(yaml.safe_load(FULL), env=ENV)
    again = load(policy.dump(), env={})
    assert again == policy.but(tests=())
    assert again.digest == policy.digest
    assert load(yaml.safe_load(yaml.safe_dump(policy.dump())), env={}) == again


def test_the_smallest_file_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("version: 1\n")
    assert load(tmp_path / "p.yaml") == load() == load("balanced") == preset("balanced") == Policy()
    assert load({"version": 1}).digest == Policy().digest
    assert Policy().verifiers == {"main": EmbeddedSpec()}


def test_a_policy_is_returned_as_it_is() -> None:
    policy = Policy(policies={"default": Rules(on_unknown="block")})
    assert load(policy) is policy


@pytest.mark.parametrize("name", ["observe", "balanced", "strict"])
def test_a_preset_can_be_named_extended_and_read_from_its_dump(tmp_path: Path, name: str) -> None:
    (tmp_path / "p.yaml").write_text(f"version: 1\nextends: {name}\n")
    assert load(tmp_path / "p.yaml") == load(name) == load(preset(name).dump())


# the environment

INTERPOLATED = [
    ("${MODE}", {"MODE": "shadow"}, "shadow"),
    ("${MODE:-shadow}", {}, "shadow"),
    ("${MODE:-shadow}", {"MODE": ""}, "shadow"),
    ("${MODE:-enforce}", {"MODE": "shadow"}, "shadow"),
    ("sha${REST}", {"REST": "dow"}, "shadow"),
    ("${A}${B:-dow}", {"A": "sha"}, "shadow"),
]


@pytest.mark.parametrize(("text", "env", "value"), INTERPOLATED)
def test_references_are_resolved_when_the_file_is_read(text: str, env: dict[str, str], value: str) -> None:
    assert load({"version": 1, "policies": {"default": {"mode": text}}}, env=env).policies["default"].mode == value


def test_numbers_and_durations_may_come_from_the_environment() -> None:
    rules = {"sample": "${SAMPLE}", "budget": {"added": "${ADDED}"}, "verify": {"history": {"max_tokens": "${MAX:-9}"}}}
    policy = load({"version": 1, "policies": {"default": rules}}, env={"SAMPLE": "0.5", "ADDED": "3s"})
    found = policy.policies["default"]
    assert (found.sample, found.budget.added) == (0.5, 3.0)
    assert found.verify.history is not None
    assert found.verify.history.max_tokens == 9


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARDRAIL_TEST_MODE", "shadow")
    assert (
        load({"version": 1, "policies": {"default": {"mode": "${GUARDRAIL_TEST_MODE}"}}}).policies["default"].mode
        == "shadow"
    )


def test_a_plain_dollar_and_brace_is_written_with_two_dollars() -> None:
    rules = {"messages": {"blocked": "$${NAME} costs $5 {x}"}}
    policy = load({"version": 1, "policies": {"default": rules}}, env={})
    assert policy.policies["default"].messages.blocked == "${NAME} costs $5 {x}"
    assert load(policy.dump(), env={"NAME": "wrong"}) == policy


def test_what_the_environment_holds_is_not_resolved_again() -> None:
    rules = {"messages": {"blocked": "${A}"}}
    policy = load({"version": 1, "policies": {"default": rules}}, env={"A": "${B}", "B": "wrong"})
    assert policy.policies["default"].messages.blocked == "${B}"
    assert load(policy.dump(), env={"B": "wrong"}) == policy


# extending


def extended(tmp_path: Path, **files: str) -> Policy:
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return load(tmp_path / "mine.yaml", env={})


BASE = """\
version: 1
extends: strict
verifiers:
  main: {kind: chat, dialect: kluster, timeout: 3s, headers: {A: a, B: b}, retry: {stop: {after_attempt: 5}}}
policies:
  default:
    on_error: {timeout: flag, server: flag}
    budget: {added: 10s, total: 20s}
    verify: {threshold: {risk: 0.9, chosen_on: ours}}
routes:
  - {match: {model: a}, policy: default}
"""


def test_mappings_are_merged_and_lists_replace(tmp_path: Path) -> None:
    policy = extended(
        tmp_path,
        base=BASE,
        mine="""\
version: 1
extends: base.yaml
verifiers:
  main: {timeout: 4s, headers: {B: bb}, retry: {stop: {after_delay: 9s}}}
policies:
  default:
    on_error: {timeout: pass}
    on_unreliable: [flag]
    budget: {total: none}
    verify: {threshold: 0.3}
routes: []
""",
    )
    chat, rules = policy.verifiers["main"], policy.policies["default"]
    assert isinstance(chat, ChatSpec)
    assert (chat.timeout, chat.headers) == (4.0, {"A": "a", "B": "bb"})
    assert chat.retry.stop == Stop(after_delay=9), "a stop is one value: it is not mixed with the one below"
    assert rules.on_error == {"default": steps("block"), "timeout": steps("pass"), "server": steps("flag")}
    assert rules.on_unreliable == steps("flag")
    assert (rules.budget.added, rules.budget.total) == (10.0, None)
    assert rules.verify.threshold is not None
    assert (rules.verify.threshold.risk, rules.verify.threshold.chosen_on) == (0.3, "set by hand")
    assert policy.routes == ()


def test_on_error_in_a_word_replaces_all_causes_below(tmp_path: Path) -> None:
    mine = "version: 1\nextends: base.yaml\npolicies: {default: {on_error: pass}}\n"
    assert extended(tmp_path, base=BASE, mine=mine).policies["default"].on_error == {"default": steps("pass")}


def test_a_cause_is_added_to_a_word_below(tmp_path: Path) -> None:
    base = "version: 1\npolicies: {default: {on_error: block}}\n"
    mine = "version: 1\nextends: base.yaml\npolicies: {default: {on_error: {timeout: flag}}}\n"
    found = extended(tmp_path, base=base, mine=mine).policies["default"].on_error
    assert found == {"default": steps("block"), "timeout": steps("flag")}


def test_a_verifier_of_another_kind_replaces(tmp_path: Path) -> None:
    mine = "version: 1\nextends: base.yaml\nverifiers: {main: {kind: embedded}}\n"
    assert extended(tmp_path, base=BASE, mine=mine).verifiers == {"main": EmbeddedSpec()}


def test_of_several_the_later_wins_and_the_file_itself_last(tmp_path: Path) -> None:
    one = "version: 1\npolicies: {default: {sample: 0.1, mode: shadow, on_block: raise}}\n"
    two = "version: 1\npolicies: {default: {sample: 0.2, mode: enforce}}\n"
    mine = "version: 1\nextends: [strict, one.yaml, two.yaml]\npolicies: {default: {sample: 0.3}}\n"
    rules = extended(tmp_path, one=one, two=two, mine=mine).policies["default"]
    assert (rules.sample, rules.mode, rules.on_block) == (0.3, "enforce", "raise")
    assert rules.on_unknown == steps("block"), "a file says nothing about what it leaves out"


def test_a_policy_with_a_new_name_begins_as_the_default_of_what_is_extended(tmp_path: Path) -> None:
    mine = """\
version: 1
extends: base.yaml
policies:
  default: {sample: 0.5}
  medical: {on_unknown: flag}
"""
    medical = extended(tmp_path, base=BASE, mine=mine).policies["medical"]
    assert medical.on_unknown == steps("flag")
    assert medical.on_error["default"] == steps("block")
    assert (medical.budget.added, medical.sample) == (10.0, 1.0)


def test_a_file_without_a_default_policy_gets_the_preset_s() -> None:
    data = {"version": 1, "extends": "strict", "policies": {"medical": {"sample": 0.5}}}
    assert load(data).policies["default"] == preset("strict").policies["default"]


def test_a_preset_laid_over_a_file_changes_only_what_is_done(tmp_path: Path) -> None:
    policy = extended(tmp_path, base=BASE, mine="version: 1\nextends: [base.yaml, observe]\n")
    rules = policy.policies["default"]
    assert rules.on_unreliable == rules.on_unknown == rules.on_error["default"] == steps("flag")
    assert (rules.budget.added, len(policy.routes), policy.verifiers["main"].kind) == (10.0, 1, "chat")


def test_paths_are_taken_from_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "base.yaml").write_text("version: 1\nverifiers: {main: {kind: embedded, path: w}}\n")
    (tmp_path / "p.json").write_text('{"version": 1, "extends": "sub/base.yaml"}')
    main = load(tmp_path / "p.json").verifiers["main"]
    assert isinstance(main, EmbeddedSpec)
    assert main.path == str(tmp_path / "sub" / "w")


def test_a_mapping_can_extend_a_file(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("version: 1\npolicies: {default: {sample: 0.5}}\n")
    assert load({"version": 1, "extends": str(tmp_path / "p.yaml")}).policies["default"].sample == 0.5


# short forms

SHORT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"on_unknown": "flag"}, {"on_unknown": [{"do": "flag"}]}),
    ({"on_unknown": {"do": "flag"}}, {"on_unknown": ["flag"]}),
    ({"on_error": "block"}, {"on_error": {"default": [{"do": "block"}]}}),
    ({"on_error": {"do": "block"}}, {"on_error": {"default": "block"}}),
    ({"on_error": ["block"]}, {"on_error": {"default": "block"}}),
    ({"on_error": {"timeout": "block"}}, {"on_error": {"timeout": ["block"], "default": "flag"}}),
    (
        {"on_unreliable": ["regenerate", "flag"]},
        {"on_unreliable": [{"do": "regenerate", "stop": {"after_attempt": 2}, "wait": "none"}, "flag"]},
    ),
    (
        {"on_unreliable": {"do": "regenerate", "wait": {"fixed": "1s"}}},
        {"on_unreliable": {"do": "regenerate", "wait": {"fixed": {"wait": "1000ms"}}}},
    ),
    ({"verify": {"threshold": 0.7}}, {"verify": {"threshold": {"risk": 0.7, "chosen_on": "set by hand"}}}),
    ({"verify": {"history": "none"}}, {}),
    ({"budget": {"added": "60s"}}, {"budget": {"added": "1m", "total": "none"}}),
    ({}, {"sample": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("short", "long"), SHORT)
def test_a_short_form_means_its_long_form(short: dict[str, Any], long: dict[str, Any]) -> None:
    one, other = (load({"version": 1, "policies": {"default": rules}}) for rules in (short, long))
    assert one == other
    assert one.digest == other.digest


def test_kluster_fills_in_the_hosted_model() -> None:
    policy = load({"version": 1, "verifiers": {"main": {"kind": "chat", "dialect": "kluster"}}}, env={})
    chat = policy.verifiers["main"]
    assert isinstance(chat, ChatSpec)
    assert (chat.model, chat.base_url) == ("klusterai/verify-reliability", "https://api.kluster.ai/v1")
    assert chat.api_key == SecretRef("KLUSTER_API_KEY")
    assert chat.timeout == 8.0


def test_the_hosted_services_key_goes_to_no_other_address() -> None:
    assert ChatSpec(dialect="kluster", base_url="https://api.kluster.ai/v1/").api_key == SecretRef("KLUSTER_API_KEY")
    assert ChatSpec(dialect="kluster", base_url="https://judge.example.com/v1").api_key is None
    assert ChatSpec(dialect="kluster", api_key=None).api_key is None


def test_booleans_are_only_true_and_false(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "version: 1\nroutes:\n  - policy: default\n"
        "    match: {tags: [no, on, Yes, 010, 1:30, 2026-01-01], metadata: {on: off}}\n"
    )
    match = load(tmp_path / "p.yaml").routes[0].match
    assert match.tags == ("no", "on", "Yes", "010", "1:30", "2026-01-01")
    assert match.metadata == {"on": "off"}


def test_anchors_may_be_used_in_yaml(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "version: 1\npolicies:\n  default: {on_unknown: &s [regenerate, block], on_unreliable: *s}\n"
    )
    rules = load(tmp_path / "p.yaml").policies["default"]
    assert rules.on_unknown == rules.on_unreliable


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.yaml").write_text("version: 1\n")

    def refused(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(PolicyError, match=r"p\.yaml: cannot be read: Permission denied"):
        load(tmp_path / "p.yaml")
