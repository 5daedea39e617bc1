"""The command line as a process: its streams before, its exit code after."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from guardrail.cli.errors import BROKEN_PIPE, DEBUG, INTERRUPTED
from guardrail.cli.interrupt import heed_interrupts

if TYPE_CHECKING:
    from guardrail.verifiers.protocol import Verifier

__all__ = ["run"]


def run(*, verifiers: Mapping[str, Verifier] | None = None) -> None:
    """Run the command line and exit the process.

    ``verifiers`` take the place of the policy's, by name: so a script of three lines is a ``guardrail check``
    with a verifier of one's own.
    """
    _forgive_encodings()
    _set_up_log()
    heed_interrupts()
    try:
        from guardrail.cli.group import cli

        cli(prog_name="guardrail", obj=verifiers)
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


def _set_up_log() -> None:
    """The rows themselves tell what the library logs; only who debugs wants to read it twice."""
    import logging

    if os.environ.get(DEBUG) == "1":
        logging.basicConfig(level=logging.INFO)
        logging.getLogger("guardrail").setLevel(logging.DEBUG)
    else:
        logging.getLogger("guardrail").addHandler(logging.NullHandler())


def _leave(code: int) -> None:
    """Exit at once: the interpreter would otherwise wait for every check that is still under way."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
