"""Whatever a user gets wrong: one clear message on stderr, exit code 2, and never a traceback."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from guardrail.cli import source
from guardrail.cli.group import cli
from guardrail.testing import ScriptedVerifier, reliable

GOOD = b'{"id": "good", "context": "c", "question": "q", "answer": "a"}'


def run(*args: str, input: bytes | None = None) -> Result:
    verifiers = {"main": ScriptedVerifier(reliable(), repeat=True)}
    return CliRunner().invoke(cli, ["check", *args], input=input, obj=verifiers)


def assert_one_message(result: Result, *expected: str) -> None:
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.stderr
    for text in expected:
        assert text in result.stderr


# files that cannot be used at all

FILES = {
    "empty": (b"", "empty; expected"),
    "blank lines": (b"\n \r\n\t\n", "empty; expected"),
    "only a byte order mark": (b"\xef\xbb\xbf", "empty; expected"),
    "binary": (b"\x7fELF\x02\x01\x00\x00", "is a binary file"),
    "utf-16": ("{}".encode("utf-16"), "UTF-16 text; save it as UTF-8"),
    "gzip in gzip": (gzip.compress(gzip.compress(GOOD)), "compressed with gzip twice"),
    "gzip cut off": (gzip.compress(GOOD)[:-12], "damaged or cut off"),
    "gzip that is none": (b"\x1f\x8b not gzip", "damaged or cut off"),
    "zip": (b"PK\x03\x04rest", "a zip archive"),
}


@pytest.mark.parametrize(("content", "expected"), FILES.values(), ids=FILES)
def test_an_unfit_file_is_named_with_the_remedy(content: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    assert_one_message(run(str(path)), f"{path}: ", expected)


@pytest.mark.parametrize(("content", "expected"), FILES.values(), ids=FILES)
def test_the_same_on_stdin(content: bytes, expected: str) -> None:
    assert_one_message(run("-", input=content), "stdin: ", expected)


# rows that cannot be judged: each stands between two good ones, which are judged

ROWS = {
    "samples": (b'{"answer": "x", "samples": "y"}', "samples: expected a list of strings"),
    "no JSON": (b"answer: x", "invalid JSON at column 1: expecting value"),
    "a missing comma": (b'{"answer": "x" "id": 1}', "invalid JSON at column 16: expecting ',' delimiter"),
    "cut off in a text": (b'{"answer": "x', "is it cut off?"),
    "cut off in an object": (b'{"answer":', "is it cut off?"),
    "two rows on a line": (b"{} {}", "invalid JSON at column 4: extra data"),
    "NaN": (b'{"answer": "x", "score": NaN}', "NaN is not JSON"),
    "infinity": (b'{"answer": "x", "score": -Infinity}', "-Infinity is not JSON"),
    "one key twice": (b'{"answer": "x", "answer": "y"}', "'answer' stands twice"),
    "an endless number": (b'{"answer": ' + b"1" * 5000 + b"}", "too many digits"),
    "nested without end": (b"[" * 100_000, "nested too deeply"),
    "half a character": (b'{"answer": "\\ud83d"}', "half of a surrogate pair"),
    "no UTF-8": (b'{"answer": "caf\xe9"}', "no UTF-8 text: byte 0xe9 at position 15"),
    "a control character": (b'{"answer": "\x01"}', "invalid control character"),
    "a text": (b'"text"', "a row is an object, not a string"),
    "null": (b"null", "a row is an object, not null"),
    "an empty object": (b"{}", '"answer" is missing'),
    "a near miss": (b'{"quesiton": "q"}', "did you mean 'question' by 'quesiton'?"),
    "other keys": (b'{"prompt": "q", "label": 1}', "this row has prompt, label"),
    "an array of rows": (b"[" + GOOD + b"]", "write one row a line"),
    "an empty array": (b"[]", "messages: empty"),
    "messages and answer": (b'{"messages": [], "answer": "x"}', "not both"),
    "an empty answer": (b'{"answer": " \\n "}', "answer: empty"),
    "answer null": (b'{"answer": null}', "answer: expected a string, got null"),
    "answer a list": (b'{"answer": ["x"]}', "answer: expected a string, got a list"),
    "question a number": (b'{"answer": "x", "question": 3}', "question: expected a string, got a number"),
    "context true": (b'{"answer": "x", "context": true}', "context: expected a string or a list"),
    "context with a number": (
        b'{"answer": "x", "context": ["c", 1]}',
        "context[1]: expected a string or an object",
    ),
    "evidence without text": (b'{"answer": "x", "evidence": [{"score": 1}]}', "evidence[0]: "),
    "an empty document": (b'{"answer": "x", "evidence": [" "]}', "evidence[0]: an empty string"),
    "id a list": (b'{"answer": "x", "id": [1]}', "id: expected a string or a number"),
    "id without end": (b'{"answer": "x", "id": 1e999}', "id: the number is too large"),
    "messages a text": (b'{"messages": "x"}', "messages: "),
    "no role": (b'{"messages": [{"content": "x"}]}', "messages[0].role"),
    "a wrong role": (b'{"messages": [{"role": "ai", "content": "x"}]}', "did you mean 'assistant'?"),
    "the user last": (
        b'{"messages": [{"role": "user", "content": "x"}]}',
        "the last message has the role 'user'",
    ),
    "an answer without text": (b'{"messages": [{"role": "assistant", "content": ""}]}', "no text"),
    "model a number": (b'{"model": 4, "messages": []}', "expected"),
}


@pytest.mark.parametrize(("bad", "expected"), ROWS.values(), ids=ROWS)
def test_a_bad_row_is_reported_with_its_line_and_the_others_are_judged(bad: bytes, expected: str) -> None:
    result = run("-", "--json", input=GOOD + b"\r\n" + bad + b"\r\n" + GOOD)
    assert_one_message(result, "stdin:2: ", expected)
    first, second, third = (json.loads(line) for line in result.stdout.splitlines())
    assert (first["id"], second["id"], third["id"]) == ("good", 2, "good")
    assert expected in second["error"]
    assert third["verdict"]["status"] == "reliable"


@pytest.mark.parametrize(("bad", "expected"), ROWS.values(), ids=ROWS)
def test_a_bad_first_row_costs_no_other(bad: bytes, expected: str) -> None:
    result = run("-", "--json", input=bad + b"\n" + GOOD + b"\n" + GOOD + b"\n")
    assert_one_message(result, "stdin:1: ")
    assert len(result.stdout.splitlines()) == 3


def test_a_document_names_line_and_column_of_its_error() -> None:
    result = run("-", input=b'\n{\n  "messages": [\n    {"role": "user" "content": "q"}\n  ]\n}\n')
    assert_one_message(result, "invalid JSON at line 4, column 21: expecting ',' delimiter")


def test_a_document_that_is_cut_off_is_one_bad_row() -> None:
    result = run("-", "--json", input=b'{\n  "messages": [\n')
    assert_one_message(result, "is it cut off?")
    assert len(result.stdout.splitlines()) == 1


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake() -> None:
    result = run("-", "--json", input=b"\xef\xbb\xbf" + GOOD + b"\r\n" + GOOD + b"\r\n")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 2


def test_a_huge_row_is_skipped_without_being_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_ROW", 1024 * 1024)
    huge = b'{"answer": "' + b"x" * 3 * 1024 * 1024 + b'"}'
    result = run("-", "--json", input=GOOD + b"\n" + huge + b"\n" + GOOD)
    assert_one_message(result, "stdin:2: longer than 1 MiB")
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == ["good", 2, "good"]


# options

OPTIONS = {
    "nothing": ([], "nothing to judge"),
    "a file and an answer": (["f.json", "--answer", "a"], "FILE and --answer exclude each other"),
    "a file and a question": (["f.json", "--question", "a"], "FILE and --question exclude each other"),
    "stdin and an answer": (["-", "--answer", "a"], "exclude each other"),
    "a question without an answer": (["--question", "q"], "--question needs --answer"),
    "a context alone": (["--context", "c"], "nothing to judge"),
    "an answer twice": (["--answer", "a", "--answer", "b"], "--answer is given 2 times"),
    "a policy twice": (
        ["--answer", "a", "--policy", "strict", "--policy", "observe"],
        "--policy is given 2 times",
    ),
    "an output twice": (["--answer", "a", "-o", "x", "--output", "y"], "--output is given 2 times"),
    "an empty answer": (["--answer", " "], "answer: empty"),
    "an empty context": (["--answer", "a", "--context", ""], "--context: empty"),
    "no such file": (["nowhere.json"], "nowhere.json: no such file"),
    "a directory": (["."], ".: is a directory"),
    "a name with a null": (["a\0b"], "cannot be opened"),
    "no such @file": (["--answer", "@nowhere"], "for a text that begins with @ write @@"),
    "a directory as @file": (["--answer", "@."], "--answer: .: cannot be read"),
    "no such preset": (["--answer", "a", "--policy", "stict"], "stict"),
    "an unknown option": (["--awnser", "a"], "No such option"),
    "an unknown status": (["--answer", "a", "--fail-on", "bad"], "'bad' is not one of"),
    "no jobs": (["--answer", "a", "--jobs", "0"], "0 is not in the range"),
    "two files": (["a", "b"], "unexpected extra argument"),
    "output a directory": (["--answer", "a", "-o", "."], ".: is a directory"),
    "output nowhere": (["--answer", "a", "-o", "no/where"], "does not exist; make it first"),
}


@pytest.mark.parametrize(("args", "expected"), OPTIONS.values(), ids=OPTIONS)
def test_a_wrong_option_is_explained(
    args: list[str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_one_message(run(*args), expected)
    assert os.listdir(tmp_path) == []


def test_the_output_must_not_be_the_input(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(GOOD)
    assert_one_message(run(str(path), "-o", str(path)), "is the input as well")
    assert path.read_bytes() == GOOD


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read and write everything")
def test_what_may_not_be_read_or_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(GOOD)
    path.chmod(0)
    assert_one_message(run(str(path)), "may not be read")
    assert_one_message(run("--answer", "a", "-o", str(path)), "may not be written")


def test_a_text_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"\xff\xfe\x00")
    assert_one_message(run("--answer", "a", "--context", f"@{path}"), "--context: ", "no UTF-8 text")


def test_a_bad_policy_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\npolicies: {default: {on_unreliabel: flag}}\n")
    assert_one_message(run("--answer", "a", "--policy", str(path)), "on_unreliabel")


def test_the_name_of_a_file_cannot_steer_the_terminal() -> None:
    result = run("no\x1b[2Jsuch.json")
    assert_one_message(result, "\\x1b[2J")
    assert "\x1b" not in result.stderr
