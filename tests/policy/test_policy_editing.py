"""One setting goes into a policy file, and everything else stays."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from guardrail.cli.starter import starter
from guardrail.errors import PolicyError
from guardrail.policy.editing import snippet, with_setting
from guardrail.policy.loading import load

PATH = ("policies", "default", "verify", "threshold")
VALUE: dict[str, Any] = {
    "risk": 0.62,
    "chosen_on": "3 rows: a, b",
    "calibrated": {
        "target": {"false_block": 0.02},
        "confidence": 0.95,
        "observed": 0.01,
        "bound": 0.0187,
        "n": 812,
        "data": "1234567890123456",
        "verifier": "embedded",
        "version": "12e4",
    },
}
HEAD = "version: 1\npolicies:\n  default:\n"
YAML = {
    "the smallest file": "version: 1",
    "a comment at the end": "version: 1\n# end\n",
    "keys with comments": f"{HEAD}    # why\n    on_unknown: flag   # so\n\n# Where.\nroutes: []\n",
    "a number for a threshold": f"{HEAD}    verify:\n      threshold: 0.6  # old\n      with: main\n",
    "an earlier calibration": f"version: 1\n{snippet(PATH, {**VALUE, 'risk': 0.5})}\n# next\nroutes: []\n",
    "a comment beside the key": f"{HEAD}    verify:\n      threshold:  # mine\n        risk: 0.5\n",
    "braces": "version: 1\npolicies: {default: {on_unknown: flag}} # all\n",
    "empty braces": "version: 1\npolicies: {}\n",
    "nothing after a key": "version: 1\npolicies:   # mine\nroutes: []\n",
    "a text over several lines": f"{HEAD}    messages:\n      blocked: |\n        a\n        b\n\n# end\n",
    "a list at its key": "version: 1\npolicies:\n    default:\n        on_unknown:\n        - flag\n# tail",
    "line ends of Windows": "version: 1\r\npolicies:\r\n  default:\r\n    on_unknown: flag\r\n",
    "the starter": starter("strict"),
    "every key": (Path(__file__).parent / "full.yaml").read_text(encoding="utf-8"),
}


def threshold_of(text: str, suffix: str = ".yaml") -> object:
    readers: dict[str, Callable[[str], Any]] = {
        ".yaml": yaml.safe_load,
        ".toml": tomllib.loads,
        ".json": json.loads,
    }
    data = readers[suffix](text)
    for key in PATH:
        data = data[key]
    return data


@pytest.mark.parametrize("text", YAML.values(), ids=YAML)
def test_a_yaml_file_gets_the_setting_and_keeps_its_comments_and_lines(text: str, tmp_path: Path) -> None:
    edited = with_setting(text, suffix=".yaml", file="f", path=PATH, value=VALUE)
    assert threshold_of(edited) == VALUE
    comments = [part for line in text.splitlines() if (part := line.partition("#")[2])]
    assert [comment for comment in comments if comment not in edited] == []
    gone = [line[2:] for line in difflib.ndiff(text.splitlines(), edited.splitlines()) if line.startswith("- ")]
    assert all("threshold" in line or "risk" in line or "chosen_on" in line or "policies" in line for line in gone)
    assert ("\r\n" in edited) == ("\r\n" in text)
    assert edited.replace("\r\n", "").count("\n") == 0 or "\r\n" not in text
    file = tmp_path / "guardrail.yaml"
    file.write_text(edited, encoding="utf-8", newline="")
    found = load(file, env={"JUDGE_KEY": "a", "TEAM_TOKEN": "b"}).policies["default"].verify.threshold
    assert found is not None
    assert (found.risk, found.calibrated and found.calibrated.version) == (0.62, "12e4")


@pytest.mark.parametrize("text", YAML.values(), ids=YAML)
def test_to_put_it_in_again_changes_nothing(text: str) -> None:
    once = with_setting(text, suffix=".yaml", file="f", path=PATH, value=VALUE)
    assert with_setting(once, suffix=".yaml", file="f", path=PATH, value=VALUE) == once


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (" {risk: 0.5}  # mine\n", "  # mine\n        risk: 0.6\n        calibrated: {n: 3}\n"),
        ("\n        risk: 0.5  # half\n", "\n        risk: 0.6\n        calibrated: {n: 3}\n"),
    ],
)
def test_comments_of_the_old_threshold_do_not_come_to_stand_beside_something_else(old: str, new: str) -> None:
    head, tail = f"{HEAD}    verify:\n      threshold:", "      # next\n      with: main\n"
    value = {"risk": 0.6, "calibrated": {"n": 3}}
    edited = with_setting(f"{head}{old}{tail}", suffix=".yaml", file="f", path=PATH, value=value)
    assert edited == f"{head}{new}{tail}"


def test_comments_after_the_last_key_stay_where_they_are() -> None:
    edited = with_setting(YAML["keys with comments"], suffix=".yaml", file="f", path=PATH, value={"risk": 0.5})
    assert edited == (
        "version: 1\npolicies:\n  default:\n    # why\n    on_unknown: flag   # so\n"
        "    verify:\n      threshold: {risk: 0.5}\n\n# Where.\nroutes: []\n"
    )


THRESHOLD = "[policies.default.verify.threshold]"
TOML = {
    "the smallest file": "version = 1 # all\n",
    "tables": 'version = 1\n[policies.default]\non_unknown = "flag" # so\n\n# other\n[policies.other]\nsample = 0.5\n',
    "dotted keys": "version = 1\npolicies.default.verify = { threshold = 0.5 } # old\n",
    "an inline table": 'version = 1\n[policies]\ndefault = { on_unknown = "flag" } # so\n[[routes]]\n',
    "a table for it": f"version = 1\n{THRESHOLD}\nrisk = 0.3 # x\n# y\n[policies.other]\nsample = 1\n",
}


@pytest.mark.parametrize("text", TOML.values(), ids=TOML)
def test_a_toml_file_gets_the_setting_and_keeps_its_comments(text: str) -> None:
    pytest.importorskip("tomlkit", reason="tomlkit is of the extra eval")
    edited = with_setting(text, suffix=".toml", file="f", path=PATH, value=VALUE)
    assert threshold_of(edited, ".toml") == VALUE
    comments = [part for line in text.splitlines() if (part := line.partition("#")[2])]
    assert [comment for comment in comments if comment not in edited and comment != " x"] == []


@pytest.mark.parametrize(
    "text", ['{"version": 1}', '{\n\t"version": 1,\n\t"policies": {"other": {"sample": 0.5}}\n}\n']
)
def test_a_json_file_gets_the_setting(text: str) -> None:
    edited = with_setting(text, suffix=".json", file="f", path=PATH, value=VALUE)
    assert threshold_of(edited, ".json") == VALUE
    assert ("\n\t" in edited) == ("\n\t" in text)
    assert ("\n" in edited.strip()) == ("\n" in text.strip())


@pytest.mark.parametrize("suffix", [".yaml", ".toml", ".json"])
def test_what_is_to_be_pasted_is_in_the_words_of_the_file(suffix: str) -> None:
    pytest.importorskip("tomlkit", reason="tomlkit is of the extra eval")
    assert threshold_of(snippet(PATH, VALUE, suffix=suffix), suffix) == VALUE


def test_what_would_change_something_else_too_is_refused() -> None:
    shared = "version: 1\npolicies:\n  other: &it {on_unknown: flag}\n  default: *it\n"
    with pytest.raises(PolicyError, match="cannot be edited without changing other settings"):
        with_setting(shared, suffix=".yaml", file="f", path=PATH, value=VALUE)


def test_a_file_that_cannot_be_read_is_refused_with_its_place() -> None:
    with pytest.raises(PolicyError, match="f:2:"):
        with_setting("version: 1\npolicies: {", suffix=".yaml", file="f", path=PATH, value=VALUE)
