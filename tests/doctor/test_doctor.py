"""The doctor tells what a guarded client of the installed SDK holds back, and what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from guardrail.cli.group import cli
from guardrail.doctor import examine as examining
from guardrail.doctor import installed
from guardrail.doctor.examine import Tried, examine
from guardrail.doctor.surfaces import SURFACES, Surface
from guardrail.knowledge import index_folder
from guardrail.policy.loading import load
from guardrail.verifiers.embedded import EmbeddedVerifier
from tests.knowledge.files import write
from tests.verifiers.judges import install


@pytest.fixture(scope="module")
def tried() -> dict[str, Tried]:
    return {one.surface.name: one for one in examine()}


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_every_surface_of_the_installed_sdk_is_as_promised(surface: Surface, tried: dict[str, Tried]) -> None:
    one = tried[surface.name]
    assert one.kept, one


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_the_page_on_openai_promises_the_same(surface: Surface) -> None:
    page = (Path(__file__).parents[2] / "docs" / "openai.md").read_text()
    word = {"guarded": "guarded", "passes": "passed through", "loud": "not guarded, and loud"}[surface.expected]
    row = "".join(line for line in page.splitlines() if line.startswith(f"| {word} "))
    assert surface.name.removeprefix("Azure ").partition("(")[0] in row


def test_a_client_that_is_not_guarded_is_seen_to_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examining, "wrap", lambda client, guard: client)
    monkeypatch.setattr(examining, "SURFACES", [s for s in SURFACES if s.name == "chat.completions.create"])
    (one,) = examine()
    assert (one.sync, one.async_, one.kept) == ("leaks", "leaks", False)
    assert one.details == ("chat.completions.create: an answer that the policy blocks came through",) * 2


async def _missing(client: Any) -> Any:
    return client.no_such_resource


async def _broken(client: Any) -> Any:
    raise RuntimeError("upside down")


async def _mistaken(client: Any) -> Any:
    return ().no_such_attribute  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("call", "seen", "kept"),
    [(_missing, "absent", True), (_broken, "fails", False), (_mistaken, "fails", False)],
)
def test_what_the_sdk_has_not_is_absent_and_what_breaks_fails(
    call: Any, seen: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examining, "SURFACES", [Surface("it", call)])
    (one,) = examine()
    assert (one.sync, one.async_, one.kept) == (seen, seen, kept)


def doctor(*args: str) -> Result:
    return CliRunner().invoke(cli, ["doctor", *args], catch_exceptions=False)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examining, "SURFACES", [s for s in SURFACES if s.name.startswith("responses.create")])


@pytest.mark.usefixtures("few")
def test_the_command_prints_versions_policy_model_and_table() -> None:
    result = doctor()
    assert result.exit_code == 0, result.output
    for text in ("openai", "httpx", "default, digest", "main (embedded)", "first verdict after", "responses.create"):
        assert text in result.output


@pytest.mark.usefixtures("few")
def test_as_json_it_holds_the_same() -> None:
    result = doctor("--json")
    told = json.loads(result.stdout)
    assert set(told) == {"versions", "policy", "embedded", "surfaces"}
    assert told["policy"]["verifiers"] == {"main": "embedded"}
    assert [surface["kept"] for surface in told["surfaces"]] == [True, True]


REMOTE = """\
version: 1
verifiers:
  main: {kind: chat, dialect: kluster, headers: {x-team-token: "${TEAM_TOKEN:-}"}}
"""


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(("value", "code"), [(None, 1), ("sk-very-secret", 0)])
def test_keys_are_named_and_never_shown(
    value: str | None, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEAM_TOKEN", raising=False)
    monkeypatch.delenv("KLUSTER_API_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("KLUSTER_API_KEY", value)
    file = tmp_path / "guardrail.yaml"
    file.write_text(REMOTE, encoding="utf-8")
    shown, machine = doctor("--policy", str(file)), doctor("--policy", str(file), "--json")
    assert shown.exit_code == machine.exit_code == code, shown.output
    assert "TEAM_TOKEN is not set, and need not be" in shown.output
    assert ("KLUSTER_API_KEY is set" in shown.output) is (value is not None)
    assert "very-secret" not in shown.output + machine.output
    assert [key["present"] for key in json.loads(machine.stdout)["policy"]["keys"]] == [value is not None, False]


OWN = """\
version: 1
verifiers:
  main: {kind: cascade, first: local, then: several, between: [0.3, 0.7], fallback: local}
  local: {kind: embedded}
  several: {kind: panel, members: [service, own], combine: any}
  service: {kind: dedicated, api_key: "${SERVICE_KEY:-}"}
  own: {kind: custom, name: mine, options: {deep: [{token: "${OWN_TOKEN:-}"}]}}
"""


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("there", [True, False])
def test_what_verifiers_are_made_of_is_told_and_whether_judges_are_installed(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if there:
        install(tmp_path, monkeypatch, {"mine": "own_judges:Judge"})
    file = tmp_path / "guardrail.yaml"
    file.write_text(OWN, encoding="utf-8")
    shown, machine = doctor("--policy", str(file)), doctor("--policy", str(file), "--json")
    assert shown.exit_code == machine.exit_code == (0 if there else 1), shown.output
    output = " ".join(shown.output.split())
    for text in (
        "main (cascade of local, then several, else local)",
        "several (panel of service, own)",
        "service (dedicated)",
        "own (custom mine)",
        "SERVICE_KEY is not set, and need not be (verifiers.service.api_key)",
        "OWN_TOKEN is not set, and need not be (verifiers.own.options.deep[0].token)",
        f"mine is {'' if there else 'not '}installed",
    ):
        assert text in output
    told = json.loads(machine.stdout)["policy"]
    assert told["judges"] == [{"verifier": "own", "name": "mine", "present": there}]
    assert told["verifiers"]["several"] == "panel"


@pytest.mark.usefixtures("few")
@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("there", [True, False])
def test_an_index_of_documents_that_is_not_there_is_told(there: bool, tmp_path: Path) -> None:
    if there:
        index_folder(write(tmp_path / "docs", a__txt="One."), tmp_path / "docs.index")
    file = tmp_path / "guardrail.yaml"
    file.write_text("version: 1\nverifiers:\n  main: {kind: knowledge, index: docs.index}\n", encoding="utf-8")
    shown, machine = doctor("--policy", str(file)), doctor("--policy", str(file), "--json")
    assert shown.exit_code == machine.exit_code == (0 if there else 1), shown.output
    output = " ".join(shown.output.split())
    assert ("1 documents, 1 passages (verifiers.main.index)" if there else "there is no index") in output
    (told,) = json.loads(machine.stdout)["policy"]["indexes"]
    assert (told["verifier"], told["documents"], told["works"]) == ("main", int(there), there)


def test_a_policy_that_cannot_be_used_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    file = tmp_path / "guardrail.yaml"
    file.write_text("version: 1\nverifier: {}\n", encoding="utf-8")
    result = doctor("--policy", str(file))
    assert result.exit_code == 2
    assert "guardrail.yaml:2" in result.output


@pytest.mark.usefixtures("few")
def test_a_model_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "EmbeddedVerifier", lambda: EmbeddedVerifier(tmp_path / "gone"))
    result = doctor()
    assert result.exit_code == 1
    assert "gone" in result.output


def test_a_policy_without_secrets_asks_for_none() -> None:
    assert installed.keys(load(None), {}) == []
