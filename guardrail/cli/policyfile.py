"""A policy file on the disk that one setting is put into: whole, or as it was."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from guardrail.errors import ConfigError, PolicyError
from guardrail.policy.editing import snippet, with_setting

__all__ = ["change", "create"]

_MARK = "\ufeff"


def change(file: Path, path: Sequence[str], value: Mapping[str, Any]) -> None:
    """Put ``value`` at ``path`` of ``file``, and leave all else in it as it is.

    Raises:
        PolicyError: It cannot be put in; the message holds what to paste.
        ConfigError: The file cannot be read or written.
    """
    inside = ("tool", "guardrail", *path) if file.name == "pyproject.toml" else tuple(path)
    target = Path(os.path.realpath(file))
    try:
        text = target.read_bytes().decode("utf-8")
        mark = _MARK if text.startswith(_MARK) else ""
        plain = text.removeprefix(_MARK)
        edited = with_setting(plain, suffix=file.suffix.lower(), file=str(file), path=inside, value=value)
        _replace(target, mark + edited)
    except PolicyError as error:
        raise PolicyError(f"{error.problem}:\n{snippet(path, value)}", file=error.file) from error
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror or error}") from error


def create(file: Path, preset: str, path: Sequence[str], value: Mapping[str, Any]) -> None:
    """A new policy ``file`` in YAML that builds on ``preset``.

    Raises:
        ConfigError: It is there already, or cannot be written.
    """
    try:
        with file.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(f"version: 1\nextends: {preset}\n{snippet(path, value)}")
    except FileExistsError as error:
        raise ConfigError(f"{file}: is there already; to have it changed name it by --policy") from error
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror or error}") from error


def _replace(target: Path, text: str) -> None:
    partial = Path(f"{target}.partial")
    try:
        partial.write_bytes(text.encode())
        os.chmod(partial, target.stat().st_mode & 0o7777)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
