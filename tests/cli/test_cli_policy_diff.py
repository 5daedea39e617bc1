"""guardrail policy diff: what changes, and an exit code as diff(1) has it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from guardrail.cli.group import cli
from guardrail.policy.loading import load

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
REMOTE = "version: 1\nverifiers: {main: {kind: chat, dialect: kluster, timeout: 4s}}\n"
TESTED = "version: 1\ntests: [{name: one, question: q, answers: a, expect: pass}]\n"


def without_digests(text: str) -> str:
    """``text`` as any release prints it."""
    return re.sub(r"digest [0-9a-f]{16}", "digest", text)


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["policy", "diff", *args], env={"KLUSTER_API_KEY": "sk-very-secret"})


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tested.yaml").write_text(TESTED)
    Path("remote.yaml").write_text(REMOTE)


@pytest.mark.parametrize(("old", "new"), [("strict", "strict"), ("balanced", "tested.yaml")])
def test_the_same_is_told_by_silence(old: str, new: str) -> None:
    result = run(old, new)
    assert (result.exit_code, result.output) == (0, "")
    assert json.loads(run(old, new, "--json").stdout)["differences"] == []


def test_the_page_shows_what_is_printed() -> None:
    shown = re.search(r"\$ guardrail policy diff balanced strict\n(.*?)^\$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert shown
    result = run("balanced", "strict")
    assert (result.exit_code, without_digests(result.stdout)) == (1, without_digests(shown[1]))
    for name in ("balanced", "strict"):
        assert f"{name}, digest {load(name).digest}\n" in result.stdout


def test_what_only_one_of_them_has_is_marked() -> None:
    there, back = run("balanced", "remote.yaml").stdout, run("remote.yaml", "balanced").stdout
    assert "  verifiers.main.kind: embedded -> chat\n" in there
    assert "+ verifiers.main.timeout: 4s\n" in there
    assert "- verifiers.main.timeout: 4s\n" in back


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_secrets_stay_references(form: list[str]) -> None:
    result = run("balanced", "remote.yaml", *form)
    assert "sk-very-secret" not in result.output
    assert "${KLUSTER_API_KEY}" in result.stdout


def test_machines_get_one_object() -> None:
    told = json.loads(run("balanced", "remote.yaml", "--json").stdout)
    assert told["old"] == {"source": "balanced", "digest": load("balanced").digest}
    assert told["same"] is False
    assert {"path": "verifiers.main.kind", "old": "embedded", "new": "chat"} in told["differences"]
    assert {"path": "verifiers.main.timeout", "new": "4s"} in told["differences"]


def test_text_that_could_be_read_otherwise_is_quoted_and_steers_no_terminal() -> None:
    Path("new.yaml").write_text('version: 1\npolicies: {default: {messages: {blocked: "No -> \\e[31m"}}}\n')
    assert r'-> "No -> \u001b[31m"' in run("balanced", "new.yaml").stdout


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["nowhere.yaml", "strict"], "nowhere.yaml"),
        (["strict", "stricd"], "did you mean 'strict'?"),
        (["strict"], "Missing argument 'NEW'"),
    ],
)
def test_what_cannot_be_compared_gives_code_2(args: list[str], told: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""
