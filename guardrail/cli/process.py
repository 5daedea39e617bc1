"""The command line as a process: its streams before, its exit code after."""

from __future__ import annotations

import contextlib
import io
import os
import sys

from guardrail.cli.errors import BROKEN_PIPE, INTERRUPTED

__all__ = ["run"]


def run() -> None:
    """Run the command line and exit the process."""
    _forgive_encodings()
    try:
        from guardrail.cli.group import cli

        cli(prog_name="guardrail")
    except SystemExit as end:
        if end.code in (INTERRUPTED, BROKEN_PIPE):
            _leave(end.code)
        raise
    except KeyboardInterrupt:
        _leave(INTERRUPTED)


def _forgive_encodings() -> None:
    """A terminal that cannot show a character gets its escape, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _leave(code: int) -> None:
    """Exit at once: the interpreter would otherwise wait for every check that is still under way."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
