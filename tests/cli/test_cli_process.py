"""The command line as a real process: signals, pipes, terminals, imports."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import pytest

pty = pytest.importorskip("pty", reason="there are no pseudo terminals on this system")

DRIVER = """
import signal, threading
from guardrail.cli.process import run
from guardrail.testing import ScriptedVerifier, reliable, unreliable

def judge(check):
    if check.turn.text == "wait":
        threading.Event().wait()
    return unreliable(check.turn.text) if check.turn.text == "bad" else reliable()

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
run(verifiers={"main": ScriptedVerifier(judge, repeat=True)})
"""
PATIENCE = 30
"""Seconds after which a process counts as hanging."""


Start: TypeAlias = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the command line; nothing of it is left behind."""
    with ExitStack() as stack:

        def start(
            *args: str,
            driver: str = DRIVER,
            stdin: int = subprocess.DEVNULL,
            stdout: int = subprocess.PIPE,
            stderr: int = subprocess.PIPE,
        ) -> subprocess.Popen[bytes]:
            paths = os.pathsep.join(path for path in sys.path if path)
            env = {**os.environ, "PYTHONPATH": paths, "TERM": "xterm", "COLUMNS": "80"}
            env = {key: value for key, value in env.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
            command = [sys.executable, "-c", driver, *args]
            process = subprocess.Popen(command, env=env, stdin=stdin, stdout=stdout, stderr=stderr)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def rows_file(folder: Path, answers: list[str]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps({"answer": answer, "context": "c"}) + "\n" for answer in answers))
    return path


def read_terminal(descriptor: int) -> bytes:
    """All that was written to the other end of a pseudo terminal."""
    read = b""
    with contextlib.suppress(OSError):  # how a pseudo terminal says that the other end is closed
        while piece := os.read(descriptor, 65536):
            read += piece
    os.close(descriptor)
    return read


def test_ctrl_c_ends_at_once_and_keeps_what_is_done(start: Start, tmp_path: Path) -> None:
    rows, out = rows_file(tmp_path, ["fine", "wait", "fine"]), tmp_path / "out.jsonl"
    process = start("check", str(rows), "--json", "--jobs", "2", "--output", str(out))
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert (json.loads(first)["id"], rest) == (1, b"")
    assert (tmp_path / "out.jsonl.partial").read_bytes() == first
    assert not out.exists()
    assert b"interrupted" in errors
    assert b"out.jsonl.partial" in errors
    assert b"Traceback" not in errors


def test_ctrl_c_shows_people_what_was_counted(start: Start, tmp_path: Path) -> None:
    rows = rows_file(tmp_path, ["bad", "bad", "wait"])
    process = start("check", str(rows), "--jobs", "2")
    assert process.stdout is not None
    while b"row 2" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert b"2 rows" in rest


@pytest.mark.parametrize("form", [["--json"], []], ids=["for machines", "for people"])
def test_a_reader_that_goes_away_is_no_reason_for_noise(start: Start, tmp_path: Path, form: list[str]) -> None:
    process = start("check", str(rows_file(tmp_path, ["bad"] * 3000)), *form)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(PATIENCE) == 141


def test_a_terminal_as_stdin_is_an_error_and_no_hang(start: Start) -> None:
    ours, theirs = pty.openpty()
    process = start("check", "-", stdin=theirs)
    os.close(theirs)
    _, errors = process.communicate(timeout=PATIENCE)
    os.close(ours)
    assert process.returncode == 2
    assert b"stdin is a terminal" in errors


def test_many_rows_have_a_progress_bar_on_a_terminal(start: Start, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = start("check", str(rows_file(tmp_path, ["fine", "bad"] * 20)), "--json", stderr=theirs)
    os.close(theirs)
    assert process.stdout is not None
    lines = process.stdout.read().splitlines()
    shown = read_terminal(ours)
    assert process.wait(PATIENCE) == 1
    assert len(lines) == 40
    assert b"rows, " in shown
    assert all(json.loads(line)["action"] for line in lines)


def test_there_is_no_bar_where_there_is_no_terminal(start: Start, tmp_path: Path) -> None:
    process = start("check", str(rows_file(tmp_path, ["fine"] * 20)), "--json")
    _, errors = process.communicate(timeout=PATIENCE)
    assert errors == b""


def test_bad_places_are_coloured_on_a_terminal(start: Start) -> None:
    ours, theirs = pty.openpty()
    process = start("check", "--answer", "bad", "--context", "c", stdout=theirs)
    os.close(theirs)
    shown = read_terminal(ours)
    assert process.wait(PATIENCE) == 1
    assert b"\x1b[4;31mbad\x1b[0m" in shown
    assert b">>" not in shown


def test_a_terminal_of_another_encoding_still_shows_rows(start: Start) -> None:
    process = start(
        "check",
        "--answer",
        "fine 😀",
        "--context",
        "c",
        driver="import sys; sys.stdout.reconfigure(encoding='ascii')\n" + DRIVER,
    )
    shown, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, b"")
    assert b"\\U0001f600" in shown


def test_what_no_one_foresaw_is_a_short_message_and_a_traceback_on_demand(start: Start) -> None:
    driver = "from guardrail.cli.process import run; run(verifiers=5)"
    process = start("check", "--answer", "a", driver=driver)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 70
    assert b"This is a bug in guardrail" in errors
    assert b"Traceback" not in errors
    again = start("check", "--answer", "a", driver="import os; os.environ['GUARDRAIL_DEBUG'] = '1'\n" + driver)
    assert b"Traceback" in again.communicate(timeout=PATIENCE)[1]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full on this system")
def test_a_full_disk_is_said_and_no_bug(start: Start) -> None:
    with open("/dev/full", "wb") as full:
        process = start("check", "--answer", "a", "--json", stdout=full.fileno())
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert b"No space left" in errors
    assert b"bug" not in errors
    assert b"Traceback" not in errors


def test_closed_streams_are_no_bug(start: Start) -> None:
    closing = "import os, sys\nsys.stdin = sys.stdout = None\n"
    process = start("check", "--answer", "bad", "--context", "c", driver=closing + DRIVER)
    assert process.communicate(timeout=PATIENCE) == (b"", b"")
    assert process.returncode == 1
    process = start("check", "-", driver=closing + DRIVER)
    assert b"stdin is closed" in process.communicate(timeout=PATIENCE)[1]


def test_the_version_costs_no_heavy_import(start: Start) -> None:
    driver = (
        "import sys\nfrom guardrail.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'rich', 'pydantic', 'yaml', 'tenacity', 'openai', 'numpy', 'onnxruntime', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out, _ = start("--version", driver=driver).communicate(timeout=PATIENCE)
    line, heavy = out.decode().splitlines()
    assert line.startswith("guardrail ")
    assert ", Python 3." in line
    assert ", openai " in line
    assert heavy == "[]"


@pytest.mark.parametrize("args", [[], ["--help"], ["check", "--help"], ["policy", "--help"], ["policy", "show", "-h"]])
def test_every_help_text_has_examples(start: Start, args: list[str]) -> None:
    process = start(*args)
    out, errors = process.communicate(timeout=PATIENCE)
    assert b"Example" in out + errors


def test_the_module_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "guardrail.cli", "--version"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.startswith(b"guardrail ")
