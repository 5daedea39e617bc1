"""A policy file on the disk that one setting is put into: whole, or as it was."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from guardrail.errors import ConfigError, PolicyError
from guardrail.policy.editing import snippet, with_setting

__all__ = ["change", "create", "to_paste"]

_MARK = "\ufeff"


def to_paste(file: Path | None, path: Sequence[str], value: Mapping[str, Any]) -> str:
    """The setting alone as it stands in ``file``, or in a new one where that is None.

    Raises:
        MissingExtra: tomlkit is needed and not installed.
    """
    return snippet(path, value) if file is None else snippet(_inside(file, path), value, suffix=file.suffix.lower())


def change(file: Path, path: Sequence[str], value: Mapping[str, Any]) -> None:
    """Put ``value`` at ``path`` of ``file``, and leave all else in it as it is.

    Raises:
        PolicyError: It cannot be put in; the message holds what to paste.
        ConfigError: The file cannot be read or written; so does this.
    """
    inside, target = _inside(file, path), Path(os.path.realpath(file))
    try:
        text = target.read_bytes().decode("utf-8")
        mark = _MARK if text.startswith(_MARK) else ""
        plain = text.removeprefix(_MARK)
        edited = with_setting(plain, suffix=file.suffix.lower(), file=str(file), path=inside, value=value)
        _replace(target, mark + edited)
    except PolicyError as error:
        raise PolicyError(f"{error.problem}:\n{to_paste(file, path, value)}", file=error.file) from error
    except OSError as error:
        raise _unwritable(file, error, to_paste(file, path, value)) from error


def create(file: Path, preset: str, path: Sequence[str], value: Mapping[str, Any]) -> None:
    """A new policy ``file`` in YAML that builds on ``preset``.

    Raises:
        ConfigError: It is there already, or cannot be written; the message holds what to paste.
    """
    setting = snippet(path, value)
    try:
        with file.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(f"version: 1\nextends: {preset}\n{setting}")
    except OSError as error:
        raise _unwritable(file, error, setting) from error


def _inside(file: Path, path: Sequence[str]) -> tuple[str, ...]:
    return ("tool", "guardrail", *path) if file.name == "pyproject.toml" else tuple(path)


def _unwritable(file: Path, error: OSError, setting: str) -> ConfigError:
    """Judging may have taken an hour: what was found must not be lost with the file."""
    return ConfigError(f"{file}: cannot be written: {error.strerror or error}; paste it in yourself:\n{setting}")


def _replace(target: Path, text: str) -> None:
    partial = Path(f"{target}.partial")
    try:
        partial.write_bytes(text.encode())
        os.chmod(partial, target.stat().st_mode & 0o7777)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
