"""The command line as a process: its streams before, its exit code after."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn

from guardrail.cli.errors import BUG, DEBUG, INTERRUPTED
from guardrail.cli.interrupt import heed_interrupts

if TYPE_CHECKING:
    from guardrail.verifiers.protocol import Verifier

__all__ = ["run"]


def run(*, verifiers: Mapping[str, Verifier] | None = None) -> None:
    """Run the command line and exit the process.

    ``verifiers`` take the place of the policy's, by name: so a script of three lines is a ``guardrail check``
    with a verifier of one's own.
    """
    _set_up_streams()
    _set_up_log()
    heed_interrupts()
    try:
        from guardrail.cli.group import cli

        cli(prog_name="guardrail", obj=verifiers)
    except SystemExit as end:
        # Where work was cut short, the interpreter would wait for every check that is still under way.
        if end.code not in (None, 0, 1) or not _flushed():
            _leave(end.code)
        raise
    except KeyboardInterrupt:
        _leave(INTERRUPTED)


def _set_up_streams() -> None:
    """A closed stream swallows what is written; a character that cannot be shown becomes its escape."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, ends with the process
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, ends with the process
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


def _leave(code: object) -> NoReturn:
    """Exit at once."""
    _flushed()
    os._exit(code if isinstance(code, int) else BUG)


def _flushed() -> bool:
    """Write what is still held; False where that is not possible."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return False
    return True
