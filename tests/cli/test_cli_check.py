"""The check command, with a scripted verifier in the place of the policy's."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from guardrail.cli.group import cli
from guardrail.conversation import Evidence
from guardrail.errors import VerifierError
from guardrail.testing import ScriptedVerifier, reliable, unknown
from guardrail.verdict import Cause, Finding, FindingKind, Status, Verdict
from guardrail.verifiers.protocol import Check

POLICY = """\
version: 1
policies:
  default: {on_unreliable: regenerate, on_unknown: flag, on_error: flag}
  other: {on_unreliable: {do: fallback, model: other}}
  third: {on_unreliable: block}
routes:
  - {match: {model: "to-other*"}, policy: other}
  - {match: {model: "to-third*"}, policy: third}
"""


def judge(check: Check) -> Verdict:
    """Says of an answer what the answer says of itself."""
    word = check.turn.text.split()[0]
    if word == "error":
        raise VerifierError(Cause.TIMEOUT, "too slow")
    if word == "unreliable":
        finding = Finding(0, 10, "unreliable", FindingKind.NUMBER, 0.9, check.evidence[:1])
        return Verdict(Status.UNRELIABLE, risk=0.9, findings=(finding,), explanation="it says so")
    return unknown() if word == "unknown" else reliable(0.1)


def row(answer: str, **more: object) -> str:
    return json.dumps({"question": "q", "context": "c", "answer": answer, **more})


def run(*args: str, input: str | bytes | None = None, script: ScriptedVerifier | None = None) -> Result:
    verifier = script or ScriptedVerifier(judge, repeat=True)
    return CliRunner().invoke(cli, ["check", *args], input=input, obj={"main": verifier})


def objects(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return str(path)


# the JSON object of a row


def test_the_object_of_a_row_has_exactly_the_published_shape() -> None:
    result = run("-", "--json", input=row("unreliable claim", id="a"))
    [found] = objects(result)
    assert isinstance(found["added_ms"], float)
    assert found == {
        "id": "a",
        "action": "regenerate",
        "verdict": {
            "status": "unreliable",
            "risk": 0.9,
            "cause": None,
            "findings": [
                {
                    "start": 0,
                    "end": 10,
                    "text": "unreliable",
                    "kind": "number",
                    "risk": 0.9,
                    "evidence": [{"text": "c", "origin": "caller", "title": None, "url": None}],
                }
            ],
            "explanation": "it says so",
            "verifier": "scripted",
        },
        "added_ms": found["added_ms"],
    }


def test_an_answer_without_verdict_says_why() -> None:
    [found] = objects(run("-", "--json", input=row("error")))
    assert found["action"] == "flag"
    assert found["verdict"] == {
        "status": "error",
        "risk": None,
        "cause": "timeout",
        "findings": [],
        "explanation": "too slow",
        "verifier": "main",
    }


def test_a_bad_row_is_an_object_with_its_error_and_its_line() -> None:
    result = run("-", "--json", input=row("fine") + '\n{"id": "b", "anwser": "x"}\n' + row("fine"))
    found = objects(result)
    assert [one["id"] for one in found] == [1, "b", 3]
    assert set(found[1]) == {"id", "error", "line"}
    assert found[1]["line"] == 2
    assert "stdin:2: id 'b': " in result.stderr
    assert "did you mean 'answer'" in result.stderr


@pytest.mark.parametrize("row_id", ["x", 7, 2.5, 0, ""])
def test_an_id_is_kept(row_id: object) -> None:
    assert objects(run("-", "--json", input=row("fine", id=row_id)))[0]["id"] == row_id


def test_a_row_without_id_is_called_by_its_line() -> None:
    result = run("-", "--json", input="\n" + row("fine") + "\n\n" + row("fine", id=None) + "\n")
    assert [found["id"] for found in objects(result)] == [2, 4]


def test_many_rows_come_out_in_order_whatever_becomes_of_them() -> None:
    words = ["fine", "unreliable", "unknown", "error", ""]
    rows = [row(words[n % 5], id=n) for n in range(203)]
    result = run("-", "--json", "--jobs", "5", input="\n".join(rows))
    assert [found["id"] for found in objects(result)] == list(range(203))
    assert [("error" in found) for found in objects(result)] == [n % 5 == 4 for n in range(203)]


def test_characters_of_every_script_come_through() -> None:
    answer = "unreliable: Ünïcødé 東京 😀"
    result = run("-", "--json", input=row(answer, id="Ωμέγα"))
    assert objects(result)[0]["id"] == "Ωμέγα"
    assert "Ωμέγα" in result.stdout


# what is judged


def test_the_verifier_sees_question_answer_and_context() -> None:
    verifier = ScriptedVerifier(reliable())
    run(
        "-",
        input=json.dumps({"question": "Q?", "context": ["c1", {"text": "c2"}], "answer": "A"}),
        script=verifier,
    )
    [check] = verifier.checks
    assert [(m.role, m.text) for m in check.conversation] == [("user", "Q?")]
    assert check.turn.text == "A"
    assert [piece.text for piece in check.evidence] == ["c1", "c2"]


def test_the_last_assistant_message_is_judged() -> None:
    verifier = ScriptedVerifier(reliable())
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "the answer"}]
    run("-", input=json.dumps({"messages": messages, "evidence": "e"}, indent=2), script=verifier)
    [check] = verifier.checks
    assert (check.turn.text, check.conversation[0].text, check.evidence) == (
        "the answer",
        "q",
        (Evidence("e", "caller"),),
    )


def test_a_bare_list_of_messages_is_one_conversation() -> None:
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "fine"}]
    assert len(objects(run("-", "--json", input=json.dumps(messages, indent=1)))) == 1


def test_texts_are_read_from_the_command_line_and_from_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"\xef\xbb\xbffrom a file\r\n")
    verifier = ScriptedVerifier(reliable())
    file = f"@{tmp_path}/notes.txt"
    result = run("--question", "q", "--answer", "@@mention", "--context", file, "--context", "more", script=verifier)
    [check] = verifier.checks
    assert result.exit_code == 0
    assert check.turn.text == "@mention"
    assert check.evidence == (
        Evidence("from a file", "caller", title="notes.txt"),
        Evidence("more", "caller"),
    )


def test_context_on_the_command_line_is_for_every_row() -> None:
    verifier = ScriptedVerifier(reliable(), repeat=True)
    run("-", "--context", "shared", input=row("fine") + "\n" + row("fine"), script=verifier)
    assert [[piece.text for piece in check.evidence] for check in verifier.checks] == [["c", "shared"]] * 2


def test_the_model_of_a_logged_request_chooses_the_route(policy: str) -> None:
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "unreliable"}]
    rows = [json.dumps({"model": model, "messages": messages}) for model in ("to-other-1", "to-third-2", "mine")]
    found = objects(run("-", "--json", "--policy", policy, "--jobs", "1", input="\n".join(rows)))
    assert [one["action"] for one in found] == ["fallback", "block", "regenerate"]


# exit codes


EXIT_CODES = [
    (["fine"], [], 0),
    (["unknown"], [], 0),
    (["fine", "unknown"], [], 0),
    (["unknown"], ["unknown"], 1),
    (["unknown"], ["flag"], 1),
    (["fine"], ["flag", "unknown", "unreliable"], 0),
    (["unreliable"], [], 1),
    (["unreliable"], ["unreliable"], 1),
    (["unreliable", "fine"], [], 1),
    (["unreliable", ""], [], 2),
    (["", "fine"], [], 2),
    (["error"], [], 3),
    (["error", "unreliable", ""], [], 3),
    (["", "error"], ["unknown"], 3),
]


@pytest.mark.parametrize(("answers", "fail_on", "code"), EXIT_CODES)
@pytest.mark.parametrize("mode", [[], ["--json"]])
def test_the_highest_exit_code_applies(answers: list[str], fail_on: list[str], code: int, mode: list[str]) -> None:
    options = [word for name in fail_on for word in ("--fail-on", name)]
    assert run("-", *mode, *options, input="\n".join(map(row, answers))).exit_code == code


def test_an_unreliable_answer_that_is_only_flagged_is_no_failure_unless_it_is_asked_for() -> None:
    text = row("unreliable")
    assert run("-", "--policy", "observe", input=text).exit_code == 0
    assert run("-", "--policy", "observe", "--fail-on", "unreliable", input=text).exit_code == 1


# what people see


def test_a_single_answer_is_shown_in_full() -> None:
    result = run("--answer", "unreliable claim", "--context", "the truth")
    assert ">>unreliable<<[1] claim" in result.stdout
    assert "unreliable (risk 0.90): the answer would be regenerated" in result.stdout
    assert "1. number, risk 0.90: unreliable" in result.stdout
    assert "held against (caller): the truth" in result.stdout
    assert "rows" not in result.stdout


def test_without_evidence_the_remedy_is_named() -> None:
    assert "--context" in run("--answer", "unknown thing").stdout


def test_of_many_rows_only_those_that_did_not_pass_are_shown_and_all_are_counted() -> None:
    result = run("-", input="\n".join([row("fine"), row("unreliable", id="x"), row("fine"), "{"]))
    assert "row 2, id x" in result.stdout
    assert "row 1" not in result.stdout
    assert "4 rows" in result.stdout
    assert "bad row" in result.stdout


def test_an_answer_cannot_steer_the_terminal() -> None:
    result = run("--answer", "fine \x1b[2J\x1b]0;owned\x07 [bold]x[/bold] \u202e")
    assert "\x1b" not in result.stdout
    assert "\\x1b[2J" in result.stdout
    assert "[bold]x[/bold]" in result.stdout
    assert "\\u202e" in result.stdout


# --output


def test_output_holds_the_objects_and_stdout_the_table(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    result = run("-", "--output", str(target), input=row("fine", id="ä") + "\n" + row("unreliable") + "\n{}")
    lines = target.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["ä", 2, 3]
    assert "3 rows" in result.stdout
    assert ">>" not in result.stdout
    assert os.listdir(tmp_path) == ["out.jsonl"]


def test_output_and_json_together_give_both(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    result = run("-", "--json", "-o", str(target), input=row("fine"))
    assert result.stdout == target.read_text()


def test_an_older_output_keeps_its_permissions_and_a_link_its_target(tmp_path: Path) -> None:
    target, link = tmp_path / "real", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    assert run("-", "-o", str(link), input=row("fine")).exit_code == 0
    assert link.is_symlink()
    assert json.loads(target.read_text())["id"] == 1
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_to_and_not_replaced() -> None:
    assert run("-", "-o", os.devnull, input=row("fine")).exit_code == 0
    assert not Path(os.devnull).is_file()


def test_when_the_input_cannot_be_used_an_older_output_stays(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("old")
    assert run("-", "-o", str(target), input="").exit_code == 2
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.jsonl"]
