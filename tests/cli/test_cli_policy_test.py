"""guardrail policy test: one line a test, and an exit code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from guardrail.cli.group import cli
from guardrail.policy.loading import load

PAGES = Path(__file__).parents[2] / "docs"

GOOD = """\
version: 1
tests:
  - name: Asked again
    question: How long?
    answers: [60 days., 30 days.]
    verdicts: [unreliable, reliable]
    expect: {action: regenerate, text: 30 days.}
  - name: late
    question: How long?
    answers: 30 days.
    verdicts: [{error: timeout}]
    expect: flag
"""
BAD = (
    GOOD
    + """\
  - name: "wrong \\e[31m"
    question: How long?
    answers: 30 days.
    verdicts: [reliable]
    expect: {action: block, text: "No."}
  - name: lacking
    question: How long?
    answers: 30 days.
    verdicts: [unreliable]
    expect: flag
"""
)


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["policy", "test", *args])


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good.yaml").write_text(GOOD)
    Path("bad.yaml").write_text(BAD)


def test_when_all_pass_the_code_is_0() -> None:
    result = run("good.yaml")
    assert (result.exit_code, result.stdout) == (0, "passed  Asked again\npassed  late\n2 passed\n")


def test_what_failed_is_told_with_its_place_and_what_came() -> None:
    result = run("bad.yaml")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "passed  Asked again",
        "passed  late",
        "FAILED  wrong \\x1b[31m  (bad.yaml:13)",
        "        action: expected 'block', got 'pass'",
        "        text: expected 'No.', got '30 days.'",
        "FAILED  lacking  (bad.yaml:18)",
        "        the LLM was asked for attempt 2, and no answer is left: record it",
        "2 passed, 2 failed",
    ]


@pytest.mark.parametrize("name", ["asked", "ASKED AGAIN"])
def test_tests_are_chosen_by_a_part_of_their_name(name: str) -> None:
    assert run("bad.yaml", "-k", name).stdout == "passed  Asked again\n1 passed\n"


def test_machines_get_one_object() -> None:
    result = run("bad.yaml", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (told["file"], told["digest"]) == ("bad.yaml", load("balanced").digest)
    assert (told["passed"], told["failed"]) == (2, 2)
    assert [(t["line"], t["passed"]) for t in told["tests"]] == [(3, True), (8, True), (13, False), (18, False)]
    assert told["tests"][2]["mismatches"][0] == {"key": "action", "expected": "block", "actual": "pass"}
    assert told["tests"][0]["actual"]["text"] == "30 days."
    assert "no answer is left" in told["tests"][3]["problem"]
    assert told["tests"][3]["actual"] is None


def test_ci_gets_junit() -> None:
    assert run("bad.yaml", "--junit", "out.xml").exit_code == 1
    root = ElementTree.parse("out.xml").getroot()
    assert root[0].get("failures") == root[0].get("errors") == "1"
    assert [case.get("line") for case in root[0]] == ["3", "8", "13", "18"]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["nowhere.yaml"], "no such file"),
        (["strict"], "strict: has no tests: write some under 'tests'"),
        (["none.yaml"], "none.yaml: has no tests"),
        (["slip.yaml"], "slip.yaml:4:5: tests[0].expct: unknown key 'expct'; did you mean 'expect'?"),
        (["good.yaml", "-k", "zzz"], "no test has 'zzz' in its name; there are 'Asked again', 'late'"),
        (["good.yaml", "--junit", "no/where.xml"], "does not exist; make it first"),
        (["good.yaml", "--junit", "good.yaml"], "is the input as well"),
        ([], "Missing argument 'FILE'"),
    ],
)
def test_what_cannot_be_tried_gives_code_2(args: list[str], told: str) -> None:
    Path("none.yaml").write_text("version: 1\n")
    Path("slip.yaml").write_text("version: 1\ntests:\n  - name: one\n    expct: pass\n")
    result = run(*args)
    assert result.exit_code == 2
    assert told in result.stderr
    assert "Traceback" not in result.output
    assert Path("good.yaml").read_text() == GOOD


def test_validate_counts_the_tests() -> None:
    assert "tests:     2" in CliRunner().invoke(cli, ["policy", "validate", "good.yaml"]).stdout


def test_the_tests_of_the_page_pass_as_it_shows() -> None:
    page = (PAGES / "policy.md").read_text(encoding="utf-8")
    file = re.search(r"```yaml\n(# tested\.yaml.*?)```", page, re.DOTALL)
    shown = re.search(r"\$ guardrail policy test tested\.yaml\n(.*?)```", page, re.DOTALL)
    assert file
    assert shown
    Path("tested.yaml").write_text(file[1])
    assert run("tested.yaml").stdout == shown[1]
