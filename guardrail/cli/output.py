"""``--output``: a file that is either whole or not there.

Rows go to ``FILE.partial``, which becomes ``FILE`` at the end. After Ctrl-C, or a crash, what was done is in
``FILE.partial`` and an older ``FILE`` is untouched.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

import click

from guardrail.errors import ConfigError

__all__ = ["OutputFile"]


class OutputFile:
    """Lines written to ``path``, all or nothing.

    Raises `ConfigError`, before anything is judged, when it cannot be written, or is one of ``sources``, the input.
    """

    def __init__(self, path: Path, *, sources: Sequence[Path] = ()) -> None:
        self.path = path
        self._target = Path(os.path.realpath(path))
        _refuse(path, self._target, sources)
        # A device or a pipe is written to as it is: renaming over it would replace it.
        self._direct = self._target.exists() and not self._target.is_file()
        self._written = self._target if self._direct else Path(f"{self._target}.partial")
        self._stream = self._open()
        self._lines = 0

    def write(self, line: str) -> None:
        """Add one line."""
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
            self._lines += 1
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def __enter__(self) -> OutputFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        if self._direct:
            return
        if kind is None:
            self._finish()
        elif not self._lines:
            self._written.unlink(missing_ok=True)
        else:
            click.echo(f"the rows done so far are in {self.path}.partial", err=True)

    def _finish(self) -> None:
        try:
            if self._target.exists():
                os.chmod(self._written, self._target.stat().st_mode & 0o7777)
            os.replace(self._written, self._target)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _open(self) -> TextIO:
        try:
            return self._written.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise _unwritable(self.path, error) from error


def _refuse(path: Path, target: Path, sources: Sequence[Path]) -> None:
    if target.is_dir():
        raise ConfigError(f"{path}: is a directory; name a file in it")
    if not target.parent.is_dir():
        raise ConfigError(f"{path}: the directory {target.parent} does not exist; make it first")
    if target.exists() and not os.access(target, os.W_OK):
        raise ConfigError(f"{path}: may not be written; check its permissions")
    if target.exists() and any(source.exists() and os.path.samefile(source, target) for source in sources):
        raise ConfigError(f"{path}: is the input as well; write to another file")


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{path}: cannot be written: {error.strerror or error}")
