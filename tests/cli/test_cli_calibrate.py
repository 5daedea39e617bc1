"""The calibrate command on small files, with a scripted verifier in the place of the policy's."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from guardrail.cli.group import cli
from guardrail.errors import VerifierError
from guardrail.policy.loading import load
from guardrail.policy.model import Threshold
from guardrail.testing import ScriptedVerifier, unknown
from guardrail.verdict import Cause, Status, Verdict
from guardrail.verifiers.protocol import Check

pytest.importorskip("scipy", reason="scipy is of the extra eval")


def judge(check: Check) -> Verdict:
    """Reads the risk off the answer's first word."""
    word = check.turn.text.split()[0]
    if word == "error":
        raise VerifierError(Cause.TIMEOUT, "too slow")
    return unknown() if word == "unknown" else Verdict(Status.RELIABLE, risk=float(word))


def row(answer: str, label: object, **more: object) -> str:
    return json.dumps({"question": "q", "context": "c", "answer": answer, "label": label, **more})


RELIABLE = [row(f"0.{n:02d} x{n}", 0) for n in range(60)]
"""Risks from 0 to 0.59."""
UNRELIABLE = [row(f"0.{n:02d} y{n}", 1) for n in range(40, 100)]
"""Risks from 0.4 to 0.99."""
ROWS = [*RELIABLE, *UNRELIABLE]
PLAIN = "version: 1\npolicies:\n  default:\n    # why\n    on_unknown: block  # so\n\n# end\n"


def run(*args: str, rows: list[str] = ROWS) -> Result:
    verifiers = {"main": ScriptedVerifier(judge, repeat=True)}
    return CliRunner().invoke(cli, ["calibrate", "-", *args], input="\n".join(rows), obj=verifiers)


def found(result: Result) -> dict[str, Any]:
    object: dict[str, Any] = json.loads(result.stdout)
    return object


def threshold_of(file: Path, rules: str = "default") -> Threshold:
    threshold = load(file).policies[rules].verify.threshold
    assert threshold is not None
    return threshold


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "guardrail.yaml"
    file.write_text(PLAIN)
    return file


def test_the_threshold_goes_into_the_policy_with_all_that_it_rests_on(policy: Path) -> None:
    result = run("--target", "false_block=0.1", "--confidence", "0.9", "--policy", str(policy))
    assert result.exit_code == 0, result.output
    threshold = threshold_of(policy)
    assert threshold.chosen_on == "60 reliable and 60 unreliable labelled answers, by guardrail calibrate"
    known = threshold.calibrated
    assert known is not None
    assert known.target.false_block == 0.1
    assert (known.confidence, known.n, known.verifier, known.version) == (0.9, 60, "scripted", "1")
    assert known.observed <= known.bound <= 0.1
    # Two of 60 may be called: those with the risks 0.58 and 0.59.
    assert 0.57 < threshold.risk <= 0.58
    assert policy.read_text().startswith(PLAIN.partition("\n\n")[0])
    assert policy.read_text().endswith("\n\n# end\n")
    assert "wrote policies.default.verify.threshold into" in result.stdout
    assert not list(policy.parent.glob("*.partial"))


def test_missed_counts_the_other_class(policy: Path) -> None:
    object = found(run("--target", "missed=0.1", "--confidence", "0.9", "--policy", str(policy), "--json"))
    assert 0.41 < object["threshold"] <= 0.42
    assert (object["rate"], object["n"], object["errors"]) == ("missed", 60, 2)
    assert object["other"] == {"rate": "false_block", "observed": 0.3, "errors": 18, "n": 60}
    assert object["written"] == str(policy)
    assert threshold_of(policy).risk == object["threshold"]


def test_the_object_has_exactly_the_published_shape() -> None:
    object = found(run("--target", "false_block=0.1", "--confidence", "0.9", "--json"))
    assert object == {
        "threshold": object["threshold"],
        "rate": "false_block",
        "target": 0.1,
        "confidence": 0.9,
        "observed": 0.033333,
        "errors": 2,
        "n": 60,
        "bound": object["bound"],
        "other": {"rate": "missed", "observed": 0.3, "errors": 18, "n": 60},
        "without_risk": 0,
        "repeated": 0,
        "verifier_errors": 0,
        "data": object["data"],
        "verifier": "scripted",
        "version": "1",
        "rules": "default",
        "written": None,
        "notes": [],
    }
    assert len(object["data"]) == 16


def test_the_order_of_rows_changes_nothing() -> None:
    args = ("--target", "false_block=0.1", "--json")
    assert found(run(*args)) == found(run(*args, rows=ROWS[::-1]))


@pytest.mark.parametrize("args", [["--dry-run"], []])
def test_without_a_file_the_setting_is_printed_to_paste(args: list[str], policy: Path) -> None:
    where = ["--policy", str(policy)] if args else []
    result = run("--target", "false_block=0.1", *args, *where)
    assert result.exit_code == 0
    assert policy.read_text() == PLAIN
    pasted = policy.parent / "pasted.yaml"
    pasted.write_text("version: 1\n" + result.stdout.partition("\n\n")[2])
    assert threshold_of(pasted).calibrated is not None


def test_a_new_file_can_be_made_on_a_preset(tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    result = run("--target", "false_block=0.1", "--policy", "strict", "--output", str(file))
    assert result.exit_code == 0
    assert load(file).policies["default"].on_unknown == load("strict").policies["default"].on_unknown
    assert threshold_of(file).calibrated is not None


def test_only_the_rules_that_are_named_are_changed_and_judge_every_row(policy: Path) -> None:
    policy.write_text(
        PLAIN.replace("# end", "  careful: {sample: 0.5}\nroutes: [{match: {model: x}, policy: careful}]")
    )
    result = run("--target", "false_block=0.1", "--policy", str(policy), "--rules", "careful")
    assert result.exit_code == 0, result.output
    assert threshold_of(policy, "careful").calibrated is not None
    assert threshold_of(policy).calibrated is None


@pytest.mark.parametrize(
    ("name", "start"), [("pyproject.toml", "[tool.guardrail]\nversion = 1 # a\n"), ("p.json", "{}")]
)
def test_toml_and_json_are_written_too(name: str, start: str, tmp_path: Path) -> None:
    pytest.importorskip("tomlkit", reason="tomlkit is of the extra eval")
    file = tmp_path / name
    file.write_text(start.replace("{}", '{"version": 1}'))
    result = run("--target", "false_block=0.1", "--policy", str(file))
    assert result.exit_code == 0, result.output
    assert threshold_of(file).calibrated is not None


def test_a_file_that_cannot_be_edited_is_left_as_it_is_with_what_to_paste(policy: Path) -> None:
    text = "version: 1\npolicies:\n  other: &it {on_unknown: flag}\n  default: *it\n"
    policy.write_text(text)
    result = run("--target", "false_block=0.1", "--policy", str(policy))
    assert result.exit_code == 2
    assert policy.read_text() == text
    assert "cannot be edited without changing other settings: paste it in:\npolicies:\n  default:" in result.stderr


def test_rows_without_a_verdict_count_and_are_told() -> None:
    rows = [*ROWS, row("unknown", 0), row("error", 1), row("error", 1)]
    result = run("--target", "missed=0.15", "--confidence", "0.9", "--json", rows=rows)
    assert result.exit_code == 3
    object = found(result)
    assert (object["n"], object["without_risk"], object["verifier_errors"], object["repeated"]) == (62, 3, 2, 1)
    assert len(object["notes"]) == 3
    assert "2 rows got no verdict, only an error: they count against the rate" in object["notes"]


def test_a_verifier_that_cannot_be_reached_proves_nothing(policy: Path) -> None:
    rows = [row(f"error {n}", n % 2) for n in range(200)]
    result = run("--target", "false_block=0.1", "--policy", str(policy), rows=rows)
    assert result.exit_code == 2
    assert "100 of 100 reliable rows have a risk of 1, an error, or" in result.stderr
    assert policy.read_text() == PLAIN


def test_a_verdict_that_hangs_on_the_threshold_counts_at_the_one_that_is_chosen(policy: Path) -> None:
    """As where there is no evidence, and only what a check finds makes the answer unreliable."""

    def shy(check: Check) -> Verdict:
        risk = float(check.turn.text.split()[0])
        assert check.threshold is not None
        return Verdict(Status.UNRELIABLE, risk=risk) if risk >= check.threshold else unknown()

    policy.write_text("version: 1\npolicies: {default: {verify: {threshold: 0.9}}}\n")
    args = ["calibrate", "-", "--target", "missed=0.1", "--confidence", "0.9", "--json", "--policy", str(policy)]
    verifiers = {"main": ScriptedVerifier(shy, repeat=True)}
    object = found(CliRunner().invoke(cli, args, input="\n".join(ROWS), obj=verifiers))
    assert 0.41 < object["threshold"] <= 0.42
    assert (object["errors"], object["other"]["errors"], object["without_risk"]) == (2, 18, 0)


@pytest.mark.parametrize(("does", "stopped"), [("block", True), ("regenerate", True), ("flag", False)])
def test_reliable_rows_that_are_stopped_without_a_verdict_are_told(does: str, stopped: bool, policy: Path) -> None:
    policy.write_text(f"version: 1\npolicies: {{default: {{on_unknown: {does}}}}}\n")
    rows = [*ROWS, *[row(f"unknown {n}", 0) for n in range(3)], row("unknown 3", 1)]
    args = ("--target", "false_block=0.1", "--policy", str(policy), "--json")
    notes = found(run(*args, rows=rows))["notes"]
    assert (
        any(note.startswith("3 reliable rows have the verdict unknown, and this policy") for note in notes) == stopped
    )


def test_rows_that_a_fallback_judged_are_told(policy: Path) -> None:
    policy.write_text(
        "version: 1\nverifiers:\n  main: {kind: chat, dialect: structured, model: m, base_url: 'http://127.0.0.1:9/v1',"
        " retry: {stop: {after_attempt: 1}}, fallback: spare}\n  spare: {kind: embedded}\n"
    )
    args = ["calibrate", "-", "--target", "false_block=0.1", "--json", "--policy", str(policy)]
    verifiers = {"spare": ScriptedVerifier(judge, repeat=True)}
    notes = found(CliRunner().invoke(cli, args, input="\n".join(ROWS), obj=verifiers))["notes"]
    assert notes == ["judged by scripted 1 (120 rows): what holds of them holds while new answers are judged so too"]


def test_verifiers_that_these_rules_do_not_ask_are_left_out(policy: Path) -> None:
    policy.write_text("version: 1\nverifiers: {other: {kind: embedded}}\n")
    verifiers = {name: ScriptedVerifier(judge, repeat=True) for name in ("main", "other")}
    args = ["calibrate", "-", "--target", "false_block=0.1", "--policy", str(policy)]
    result = CliRunner().invoke(cli, args, input="\n".join(ROWS), obj=verifiers)
    assert result.exit_code == 0, result.output


def test_a_file_that_is_named_twice_proves_no_more(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(ROWS))
    for command in (["calibrate", "--target", "false_block=0.1"], ["eval"]):
        result = CliRunner().invoke(cli, [*command, str(file), f"{tmp_path}/./rows.jsonl"])
        assert (result.exit_code, "rows.jsonl: is named twice; name it once" in result.stderr) == (2, True)


def test_what_was_found_is_not_lost_with_a_file_that_cannot_be_written(
    policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("guardrail.cli.policyfile.os.replace", full)
    result = run("--target", "false_block=0.1", "--policy", str(policy))
    assert result.exit_code == 2
    assert "No space left on device; paste it in yourself:\npolicies:\n  default:\n" in result.stderr
    assert policy.read_text() == PLAIN


def test_what_is_to_be_pasted_into_toml_is_toml(tmp_path: Path) -> None:
    tomlkit = pytest.importorskip("tomlkit", reason="tomlkit is of the extra eval")
    file = tmp_path / "pyproject.toml"
    file.write_text("[tool.guardrail]\nversion = 1\n")
    result = run("--target", "false_block=0.1", "--policy", str(file), "--dry-run")
    pasted = tomlkit.parse(result.stdout.partition("\n\n")[2]).unwrap()
    assert pasted["tool"]["guardrail"]["policies"]["default"]["verify"]["threshold"]["calibrated"]["n"] == 60


def test_without_tomlkit_toml_is_refused_before_anything_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "p.toml"
    file.write_text("version = 1\n")
    monkeypatch.setitem(sys.modules, "tomlkit", None)
    verifier = ScriptedVerifier(judge, repeat=True)
    args = ["calibrate", "-", "--target", "false_block=0.1", "--policy", str(file)]
    result = CliRunner().invoke(cli, args, input="\n".join(ROWS), obj={"main": verifier})
    assert (result.exit_code, verifier.checks) == (2, [])
    assert "editing TOML needs tomlkit" in result.stderr


REFUSED = {
    "too few": (ROWS[30:90], ["--target", "false_block=0.02"], "too few for a rate of 0.02", "it takes 149"),
    "one label": (RELIABLE, ["--target", "false_block=0.1"], "no row is labelled unreliable", "both labels"),
    "out of reach": (
        [*[row(f"1 x{n}", 0) for n in range(90)], *UNRELIABLE],
        ["--target", "false_block=0.1"],
        "no threshold keeps false_block within 0.1: 90 of 90",
        "the best that can be reached with confidence 0.95 is 1",
    ),
    "a bad row": ([*ROWS, "{}"], ["--target", "false_block=0.1"], '"answer" is missing', "nothing was written"),
    "no rate": (ROWS, ["--target", "wrong=0.1"], "expected false_block=0.02 or missed=0.1", ""),
    "no number": (ROWS, ["--target", "missed=ten"], "expected false_block=0.02 or missed=0.1", ""),
    "beyond all": (ROWS, ["--target", "missed=1"], "a number between 0 and 1", ""),
    "no number at all": (ROWS, ["--target", "missed=nan"], "a number between 0 and 1", ""),
    "out of all reason": (ROWS, ["--target", "missed=1e-320"], "0.000001 or more", ""),
    "no confidence": (ROWS, ["--target", "missed=0.1", "--confidence", "nan"], "nan is not in the range 0<x<1", ""),
    "no such rules": (ROWS, ["--target", "missed=0.1", "--rules", "defualt"], "did you mean 'default'?", ""),
}


@pytest.mark.parametrize(("rows", "args", "problem", "more"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    rows: list[str], args: list[str], problem: str, more: str, policy: Path
) -> None:
    result = run(*args, "--policy", str(policy), rows=rows)
    assert result.exit_code == 2
    said = " ".join(result.stderr.replace("│", " ").split())
    assert problem in said
    assert more in said
    assert "Traceback" not in result.stderr
    assert policy.read_text() == PLAIN


def test_the_output_is_a_new_file(policy: Path, tmp_path: Path) -> None:
    for args, said in (
        (["--output", str(policy)], "is there already"),
        (["--policy", str(policy), "--output", str(tmp_path / "x.yaml")], "is written to itself"),
        (["--output", str(tmp_path / "x.toml")], "let its name end in .yaml"),
        (["--output", str(tmp_path / "none" / "x.yaml")], "none does not exist; make it first"),
    ):
        result = run("--target", "false_block=0.1", *args)
        assert (result.exit_code, said in result.stderr) == (2, True)


def test_a_threshold_that_the_policy_refuses_is_not_written(policy: Path) -> None:
    text = (
        "version: 1\nverifiers:\n  main: {kind: cascade, first: a, then: b, between: [0.1, 0.5]}\n"
        "  a: {kind: embedded}\n  b: {kind: embedded}\npolicies: {default: {verify: {threshold: 0.3}}}\n"
    )
    policy.write_text(text)
    result = run("--target", "false_block=0.1", "--policy", str(policy))
    assert result.exit_code == 2
    assert "leaves out the threshold of policies.default" in result.stderr
    assert policy.read_text() == text


def test_a_threshold_that_calls_nothing_is_told() -> None:
    rows = [*RELIABLE, *[row(f"0.1 y{n}", 1) for n in range(5)]]
    object = found(run("--target", "false_block=0.1", "--json", rows=rows))
    assert object["notes"] == ["no unreliable row is called unreliable at this threshold: it guards against nothing"]


def test_a_threshold_that_lets_nothing_through_is_told() -> None:
    rows = [*UNRELIABLE, *[row(f"0.95 x{n}", 0) for n in range(5)]]
    object = found(run("--target", "missed=0.1", "--json", rows=rows))
    assert object["notes"] == ["every reliable row is called unreliable at this threshold: it lets nothing through"]


def test_the_embedded_verifier_is_calibrated_end_to_end(tmp_path: Path) -> None:
    good = {"context": "The tower was opened in 1889.", "question": "When?", "label": 0}
    bad = {**good, "answer": "The bridge was sold to a bank in 1950 for nine dollars.", "label": 1}
    rows = [json.dumps({**good, "answer": f"It was opened in 1889{'.' * n}"}) for n in range(1, 9)]
    file = tmp_path / "guardrail.yaml"
    args = ["calibrate", "-", "--target", "false_block=0.4", "--confidence", "0.9", "--output", str(file)]
    result = CliRunner().invoke(cli, args, input="\n".join([*rows, json.dumps(bad)]))
    assert result.exit_code == 0, result.output
    known = threshold_of(file).calibrated
    assert known is not None
    assert known.verifier == "embedded"
    assert "note:" not in CliRunner().invoke(cli, ["policy", "validate", str(file)]).output
