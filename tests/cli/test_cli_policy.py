"""guardrail policy: init, validate, show, schema."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from guardrail.cli.group import cli
from guardrail.cli.starter import starter
from guardrail.policy.loading import load
from guardrail.policy.presets import PRESETS


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["policy", *args], env={"KLUSTER_API_KEY": "sk-very-secret"})


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_starter_file_is_the_preset_that_was_asked_for(preset: str) -> None:
    assert run("init", "--preset", preset).exit_code == 0
    assert run("validate", "guardrail.yaml").exit_code == 0
    assert load("guardrail.yaml").digest == load(preset).digest


def test_what_the_starter_file_has_in_comments_is_a_policy_too() -> None:
    text = re.sub(r"^# (?=( |verifiers:|policies:|routes:|tests:))", "", starter("strict"), flags=re.MULTILINE)
    text = "\n".join(
        line for line in text.splitlines() if not re.match(r"  (guardrail policy|observe|balanced|strict) ", line)
    )
    Path("full.yaml").write_text(text)
    found = load("full.yaml")
    assert set(found.policies) == {"default", "careful"}
    assert found.verifiers["main"].kind == "chat"
    assert len(found.routes) == 1
    assert run("test", "full.yaml").exit_code == 0


def test_init_never_writes_over_a_file_unless_forced() -> None:
    path = Path("mine.yaml")
    path.write_text("mine")
    refused = run("init", "mine.yaml")
    assert refused.exit_code == 2
    assert "is there already" in refused.stderr
    assert path.read_text() == "mine"
    assert run("init", "mine.yaml", "--force").exit_code == 0
    assert path.read_text() == starter("balanced")


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["init", "policy.toml"], "let its name end in .yaml"),
        (["init", "no/where.yaml"], "does not exist; make it first"),
        (["init", "--preset", "stern"], "'stern' is not one of"),
        (["validate", "nowhere.yaml"], "nowhere.yaml"),
        (["show", "nowhere.yaml"], "nowhere.yaml"),
        (["validate"], "Missing argument 'FILE'"),
    ],
)
def test_mistakes_are_explained(args: list[str], expected: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert expected in result.stderr
    assert "Traceback" not in result.stderr


def test_a_bad_policy_is_refused_with_its_place() -> None:
    Path("bad.yaml").write_text("version: 1\npolicies:\n  default:\n    on_unreliabel: flag\n")
    result = run("validate", "bad.yaml")
    assert result.exit_code == 2
    assert "bad.yaml:4" in result.stderr
    assert "on_unreliable" in result.stderr
    assert result.stdout == ""


def test_validate_needs_nothing_that_a_policy_names_to_be_there(tmp_path: Path) -> None:
    file = tmp_path / "guardrail.yaml"
    file.write_text(
        "version: 1\nverifiers:\n  main: {kind: embedded, fallback: documents}\n"
        "  documents: {kind: knowledge, index: none.index, fallback: closed_book}\n"
        "  closed_book: {kind: consistency}\n"
    )
    result = CliRunner().invoke(cli, ["policy", "validate", str(file)])
    assert result.exit_code == 0, result.output
    assert "main (embedded, else documents)" in result.output
    assert "by embedded, else closed_book), closed_book (consistency by embedded)" in result.output


def test_validate_says_what_was_found() -> None:
    Path("good.yaml").write_text("version: 1\nverifiers: {main: {kind: chat, dialect: kluster}}\n")
    result = run("validate", "good.yaml")
    assert result.exit_code == 0
    assert "main (chat)" in result.stdout
    assert load("good.yaml").digest in result.stdout


@pytest.mark.parametrize("args", [["show"], ["show", "observe"], ["show", "strict"]])
def test_show_gives_a_policy_that_loads_to_the_same(args: list[str]) -> None:
    result = run(*args)
    Path("shown.yaml").write_text(result.stdout)
    assert load("shown.yaml").digest == load(args[1] if len(args) > 1 else None).digest


def test_show_names_the_set_that_a_threshold_was_chosen_on() -> None:
    shown = yaml.safe_load(run("show").stdout)
    threshold = shown["policies"]["default"]["verify"]["threshold"]
    assert 0 < threshold["risk"] < 1
    assert threshold["chosen_on"]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_show_never_prints_a_secret(form: list[str]) -> None:
    Path("remote.yaml").write_text("version: 1\nverifiers: {main: {kind: chat, dialect: kluster}}\n")
    result = run("show", "remote.yaml", *form)
    assert "sk-very-secret" not in result.output
    assert "${KLUSTER_API_KEY}" in result.stdout


def test_show_as_json_is_the_same_policy() -> None:
    assert json.loads(run("show", "strict", "--json").stdout) == yaml.safe_load(run("show", "strict").stdout)


def test_the_schema_knows_the_keys_of_a_policy() -> None:
    schema = json.loads(run("schema").stdout)
    assert {"version", "verifiers", "policies", "routes"} <= set(schema["properties"])


def test_verifiers_of_verifiers_are_shown_with_what_they_are_made_of() -> None:
    Path("p.yaml").write_text(
        "version: 1\nverifiers:\n"
        "  main: {kind: cascade, first: local, then: all, between: [0.3, 0.7]}\n"
        "  local: {kind: embedded}\n"
        "  all: {kind: panel, members: [local, own], combine: mean}\n"
        "  own: {kind: custom, name: mine, options: {token: '${OWN_TOKEN}'}}\n"
    )
    told = run("validate", "p.yaml").stdout
    assert "main (cascade of local, then all), local (embedded), all (panel of local, own), own (custom mine)" in told
    shown = yaml.safe_load(run("show", "p.yaml").stdout)["verifiers"]
    assert shown["main"] == {
        "kind": "cascade",
        "first": "local",
        "then": "all",
        "between": [0.3, 0.7],
        "fallback": "none",
    }
    assert shown["all"] == {"kind": "panel", "members": ["local", "own"], "combine": "mean", "fallback": "none"}
    assert shown["own"]["options"] == {"token": "${OWN_TOKEN}"}
