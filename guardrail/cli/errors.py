"""From an exception to what the user sees: one message, an exit code, no traceback for a user's mistake."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import click

from guardrail.errors import GuardrailError

__all__ = ["BAD_INPUT", "BROKEN_PIPE", "BUG", "DEBUG", "INTERRUPTED", "Mistake", "explained", "visible"]

BAD_INPUT = 2
"""Exit code: the user's input, options or policy cannot be used."""
BUG = 70
"""Exit code: guardrail itself failed. Not 1, which says something about the answers."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells give it."""
BROKEN_PIPE = 141
"""Exit code when the reader of the output went away, as shells give it."""
DEBUG = "GUARDRAIL_DEBUG"
"""Set to 1, this environment variable adds the traceback to a message, and the log of the library."""


class Mistake(click.ClickException):
    """A mistake of the user's: shown as one message, exit code 2."""

    exit_code = BAD_INPUT

    def format_message(self) -> str:
        """The message, harmless to a terminal."""
        return visible(self.message)


@contextmanager
def explained() -> Iterator[None]:
    """Turn whatever leaves the block into a message and an exit code of click's."""
    try:
        yield
        sys.stdout.flush()
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        raise click.exceptions.Exit(BROKEN_PIPE) from None
    except GuardrailError as error:
        _trace()
        raise Mistake(str(error)) from error
    except OSError as error:
        # What can be foreseen has been read and written by now: this is a full disk or the like.
        _trace()
        raise Mistake(f"the system says: {error}") from error
    except Exception as error:  # the outermost frame: what no one foresaw becomes a short message
        _trace()
        click.echo(_bug(error), err=True)
        raise click.exceptions.Exit(BUG) from error


def visible(text: str) -> str:
    """``text`` with control characters written out, so that no answer can steer the terminal.

    Line breaks and tabs stay; escape sequences and marks that turn the direction of writing do not.
    """
    return "".join(_escaped(char) if _steers(char) else char for char in text)


def _steers(char: str) -> bool:
    code = ord(char)
    if code < 0x20:
        return char not in "\n\t"
    return 0x7F <= code < 0xA0 or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069


def _escaped(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{ord(char):04x}"


def _trace() -> None:
    if os.environ.get(DEBUG) == "1":
        traceback.print_exc()


def _bug(error: Exception) -> str:
    hint = "" if os.environ.get(DEBUG) == "1" else f"; run it again with {DEBUG}=1 for the traceback"
    return visible(f"Error: {type(error).__name__}: {error}\nThis is a bug in guardrail, not a mistake of yours{hint}.")
