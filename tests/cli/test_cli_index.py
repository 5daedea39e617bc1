"""``guardrail index``, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from guardrail.cli.group import cli
from tests.knowledge.files import HTML, MARKDOWN, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "docs", refunds__md=MARKDOWN, ferry__html=HTML)


def index(*words: object) -> Result:
    return CliRunner().invoke(cli, ["index", *map(str, words)])


def test_it_says_what_was_done_and_where_the_index_is(folder: Path) -> None:
    first, again = index(folder), index(folder)
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert first.stdout == f"{folder}.index: 2 added\n5 passages\n"
    assert again.stdout == f"{folder}.index: 2 unchanged\n5 passages\n"


def test_what_cannot_be_read_is_told_on_stderr_and_by_the_exit_code(folder: Path) -> None:
    write(folder, bad__txt=b"\xff\xff")
    done = index(folder)
    assert (done.exit_code, done.stderr) == (2, "bad.txt: skipped: it is not UTF-8 (byte 0)\n")
    assert "2 added, 1 skipped" in done.stdout


def test_passages_are_shown_for_words(folder: Path) -> None:
    done = index(folder, "--find", "Do dogs travel free?", "--top", 1)
    assert "\n1. ferry.html Ferry & fares › Fares › Dogs\nDogs travel free." in done.stdout


def test_for_machines_it_is_one_object(folder: Path, tmp_path: Path) -> None:
    done = index(folder, "--into", tmp_path / "other.index", "--json", "--find", "dogs travel")
    told = json.loads(done.stdout)
    assert told["index"] == str(tmp_path / "other.index")
    assert {file["path"]: file["what"] for file in told["files"]} == {"ferry.html": "added", "refunds.md": "added"}
    assert told["found"][0]["url"] == "ferry.html"


def test_a_mistake_is_one_message(folder: Path, tmp_path: Path) -> None:
    missing, other = index(tmp_path / "none"), index(folder, "--into", tmp_path / "no" / "x.index")
    assert (missing.exit_code, missing.stderr) == (2, f"Error: {tmp_path / 'none'}: is no folder\n")
    assert "does not exist; make it first" in other.stderr


def test_an_empty_folder_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    assert index(tmp_path / "docs").stdout == f"{tmp_path / 'docs'}.index: no documents\n0 passages\n"


def test_control_characters_do_not_steer_the_terminal(tmp_path: Path) -> None:
    home = write(tmp_path / "docs", a__txt="The red \x1b[2Jferry sails at noon.")
    assert "\x1b" not in index(home, "--find", "red ferry").stdout
