"""The published JSON Schema says what the model says."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

import guardrail.policy
from guardrail.errors import PolicyError
from guardrail.policy.loading import load
from guardrail.policy.presets import PRESETS, preset
from guardrail.policy.schema import json_schema
from guardrail.verifiers.dialect_names import DialectName

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is a tool for tests and is not installed")

FULL = yaml.safe_load(Path(__file__).with_name("full.yaml").read_text())
ENV = {"JUDGE_KEY": "key", "TEAM_TOKEN": "token"}
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def test_the_published_schema_is_the_models() -> None:
    published = Path(guardrail.policy.__file__).with_name("schema.json").read_text(encoding="utf-8")
    assert json.loads(published) == json_schema(), (
        "run: python -m guardrail.policy.schema > guardrail/policy/schema.json"
    )


def test_one_command_prints_it() -> None:
    command = [sys.executable, "-m", "guardrail.policy.schema"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    assert json.loads(printed) == json_schema()


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def _rules(*found: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    return found


VALID: list[dict[str, Any]] = [
    {"version": 1},
    {"version": 1, "extends": "strict"},
    {"version": 1, "extends": ["strict", "a.yaml"]},
    FULL,
    *(preset(name).dump() for name in PRESETS),
    load(copy.deepcopy(FULL), env=ENV).dump(),
    *(
        {"version": 1, "policies": {"default": rules}}
        for rules in _rules(
            {"on_error": "flag"},
            {"on_error": ["flag"]},
            {"on_error": {"do": "flag"}},
            {"on_error": {"timeout": ["regenerate", "flag"]}},
            {"on_unknown": {"do": "regenerate", "wait": "none"}},
            {"on_unknown": {"do": "regenerate", "wait": {"fixed": {"wait": "1s"}}}},
            {"verify": {"threshold": 0.7}},
            {"verify": {"threshold": "none", "history": "none"}},
            {"budget": {"added": "${ADDED:-8s}", "total": "250ms"}},
            {"sample": "${SAMPLE:-1}", "mode": "${MODE:-shadow}"},
        )
    ),
    {"version": 1, "verifiers": {"main": {"kind": "chat", "dialect": "kluster", "api_key": "none"}}},
    *(
        {
            "version": 1,
            "verifiers": {"main": {"kind": "chat", "dialect": name, "model": "m", "base_url": "http://j/v1"}},
        }
        for name in get_args(DialectName)
    ),
    {"version": 1, "verifiers": {"main": {"kind": "dedicated", "search": "${SEARCH:-true}", "api_key": "none"}}},
    {"version": 1, "verifiers": {"main": {"kind": "custom", "name": "x", "retry": "none", "timeout": "none"}}},
    *(
        {"version": 1, "tests": [{"name": "one", "question": "q", "answers": "a", "expect": "pass", **case}]}
        for case in _rules(
            {},
            {"answers": ["", {"error": "down"}], "expect": {"text": "a", "notes": "n"}},
            {"context": {"text": "c"}, "expect": {"text": {"contains": "a"}}},
            {"context": ["c", {"text": "c"}], "verdicts": "embedded"},
            {"verdicts": ["reliable", {"error": "timeout"}, {"status": "unreliable", "findings": "a"}]},
            {"verdicts": [{"status": "unreliable", "risk": "${RISK:-0.5}", "findings": ["a", {"text": "b"}]}]},
        )
    ),
]


@pytest.mark.parametrize("data", VALID)
def test_what_can_be_loaded_is_valid(data: dict[str, Any], tmp_path: Path) -> None:
    assert list(VALIDATOR.iter_errors(data)) == []
    (tmp_path / "a.yaml").write_text("version: 1\n")
    (tmp_path / "p.json").write_text(json.dumps(data))
    assert load(tmp_path / "p.json", env=ENV).version == 1


def keys(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    free = path and path[-1] in ("verifiers", "policies", "metadata", "headers", "options")
    items: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    here = [(*path, key) for key, _ in items if isinstance(data, dict) and not free]
    return here + [deeper for key, value in items for deeper in keys(value, (*path, key))]


@pytest.mark.parametrize("path", keys(FULL), ids=str)
def test_a_misspelt_key_is_not_valid(path: tuple[Any, ...]) -> None:
    data = copy.deepcopy(FULL)
    at = data
    for part in path[:-1]:
        at = at[part]
    at[path[-1] + "x"] = at.pop(path[-1])
    assert list(VALIDATOR.iter_errors(data))


WRONG: list[dict[str, Any]] = [
    {},
    {"version": 2},
    {"version": 1, "extends": 3},
    *(
        {"version": 1, "policies": {"default": rules}}
        for rules in _rules(
            {"on_unknown": "repairs"},
            {"on_unknown": "flg"},
            {"on_unknown": []},
            {"on_error": {"timeuot": "flag"}},
            {"stream": {"mode": "sentences"}},
            {"budget": {"added": 8}},
            {"budget": {"added": None}},
            {"sample": 2},
            {"sample": True},
            {"verify": {"threshold": {}}},
            {"on_unknown": {"do": "regenerate", "stop": {}}},
            {"on_unknown": {"do": "regenerate", "wait": {"none": {}, "fixed": "1s"}}},
        )
    ),
    *(
        {"version": 1, "verifiers": {"main": spec}}
        for spec in (
            {},
            {"kind": "consistency", "samples": 0},
            {"kind": "knowledge"},
            {"kind": "consistency", "temperature": 0},
            {"kind": "cascade"},
            {"kind": "cascade", "first": "main", "then": "other"},
            {"kind": "panel", "members": ["main"], "combine": "any"},
            {"kind": "panel", "members": ["main", "main"], "combine": "any"},
            {"kind": "dedicated", "search": "yes"},
            {"kind": "custom"},
            {"kind": "custom", "name": "package.module:Class"},
            {"kind": "chat"},
            {"kind": "chat", "dialect": "structured"},
            {"kind": "chat", "dialect": "lynx", "model": "m"},
            {"kind": "chat", "dialect": "llama_guard", "model": "m", "base_url": "http://127.0.0.1:1/v1"},
            {"kind": "chat", "dialect": "kluster", "api_key": "sk-1"},
            {"kind": "embedded", "threads": 0},
        )
    ),
    {"version": 1, "routes": [{"match": {}}]},
    *(
        {"version": 1, "tests": [{"name": "one", "question": "q", "answers": "a", "expect": "pass", **case}]}
        for case in _rules(
            {"expect": "repairs"},
            {"answers": 3},
            {"context": {"title": "t"}},
            {"verdicts": "embeded"},
            {"verdicts": ["error"]},
            {"verdicts": [{"status": "reliable", "elapsed": 3}]},
        )
    ),
]


@pytest.mark.parametrize("data", WRONG, ids=str)
def test_what_is_not_valid_cannot_be_loaded_either(data: dict[str, Any]) -> None:
    assert list(VALIDATOR.iter_errors(data))
    with pytest.raises(PolicyError):
        load(data, env={})


def test_every_key_is_described() -> None:
    parts = {"Policy": json_schema(), **json_schema()["$defs"]}
    undescribed = [
        f"{name}.{key}"
        for name, part in parts.items()
        for shape in (part, *part.get("anyOf", ()))
        for key, schema in shape.get("properties", {}).items()
        if not {"description", "$ref", "const"} & set(schema)
    ]
    assert not undescribed
