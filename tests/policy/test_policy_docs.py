"""What docs/policy.md shows can be used as it stands, and it names every key."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from guardrail.policy.loading import load
from guardrail.policy.model import Rules
from guardrail.policy.schema import json_schema
from guardrail.verdict import Cause

PAGE = Path(__file__).parents[2] / "docs" / "policy.md"
TEXT = PAGE.read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```(yaml|toml|python)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("language", "code"), [s for s in SNIPPETS if s[0] != "python"])
def test_every_file_on_the_page_can_be_loaded_and_is_valid(tmp_path: Path, language: str, code: str) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is a tool for tests and is not installed")
    file = tmp_path / ("pyproject.toml" if language == "toml" else "guardrail.yaml")
    file.write_text(code)
    assert load(file, env={}).version == 1
    data: Any = tomllib.loads(code)["tool"]["guardrail"] if language == "toml" else yaml.safe_load(code)
    assert list(jsonschema.Draft202012Validator(json_schema()).iter_errors(data)) == []


def test_the_python_on_the_page_runs() -> None:
    names: dict[str, Any] = {}
    ran = 0
    for language, code in SNIPPETS:
        if language == "python" and "Guard(" not in code:
            exec(code, names)
            ran += 1
    assert ran == 2
    assert names["rules"].sample == 0.5


def test_the_page_names_every_key() -> None:
    schema = json_schema()
    shapes = [schema, *(shape for part in schema["$defs"].values() for shape in (part, *part.get("anyOf", ())))]
    keys = {key for shape in shapes for key in shape.get("properties", {})}
    unnamed = [key for key in keys if not re.search(rf"\b{key}\b", TEXT)]
    assert not unnamed
    assert all(f"`{cause.value}`" in TEXT for cause in Cause)


def test_the_page_tells_the_defaults_as_they_are() -> None:
    rules = Rules()
    assert f"`{rules.messages.blocked}`" in TEXT
    assert rules.verify.threshold is not None
    assert f"`{{risk: {rules.verify.threshold.risk}, chosen_on: ...}}`" in TEXT
    assert f"from a risk of {rules.verify.threshold.risk} on" in TEXT


def test_the_errors_on_the_page_are_what_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "version: 1\npolicies:\n  default:\n    on_unknwon: flag\n    budget: {added: 60}\n"
    Path("guardrail.yaml").write_text(text)
    with pytest.raises(Exception, match="on_unknwon") as caught:
        load("guardrail.yaml")
    assert str(caught.value) in TEXT
    assert json.dumps(caught.value.key) == '"policies.default.on_unknwon"'  # type: ignore[attr-defined]
