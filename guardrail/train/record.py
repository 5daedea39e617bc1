"""``training.json`` in a model folder: what a training was asked for, of what, with what, and what came of it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from guardrail.errors import ConfigError
from guardrail.train.arguments import Arguments

__all__ = ["NAME", "UNFINISHED", "Record", "read", "refuse_other", "software", "under_way", "write"]

NAME = "training.json"
UNFINISHED = "unfinished"
"""The folder, inside the model folder, of what a training under way has made so far."""
_FORMAT = 1
_PACKAGES = ("guardrail-llm", "torch", "transformers", "onnx", "onnxruntime", "scikit-learn", "numpy")


@dataclass(frozen=True, slots=True)
class Record:
    """The content of ``training.json``."""

    arguments: Arguments
    software: Mapping[str, str]
    """Versions; another one may give other numbers."""
    result: Mapping[str, Any] | None = None
    """What came of it; None until it is finished."""


def read(folder: Path) -> Record | None:
    """The record in ``folder``; None where that is no folder yet, or empty.

    Raises `ConfigError` where it holds anything but a training, or a record that cannot be read.
    """
    path = folder / NAME
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"--out: {folder}: is a file; name a folder")
    if not path.is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise ConfigError(f"--out: {folder}: holds other things, and no training to go on with; name a new folder")
        return None
    try:
        found = json.loads(path.read_text("utf-8"))
        if found.pop("format") != _FORMAT:
            raise ValueError("it is of another version of guardrail")
        return Record(Arguments(**found.pop("arguments")), **found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}; name a new folder by --out") from error


def under_way(folder: Path) -> bool:
    """Whether a training in ``folder`` has made a checkpoint, without which there is nothing to go on with."""
    return any((folder / UNFINISHED).glob("checkpoint*"))


def write(folder: Path, record: Record) -> None:
    """Put ``record`` into ``folder``, whole or not at all. Raises `ConfigError` where it cannot be written."""
    path = folder / NAME
    partial = path.with_name(f"{NAME}.partial")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps({"format": _FORMAT, **asdict(record)}, indent=2) + "\n", "utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise ConfigError(f"--out: {folder}: cannot be written: {error.strerror or error}") from error


def refuse_other(folder: Path, then: Arguments, now: Arguments) -> None:
    """Raises `ConfigError` where a training in ``folder``, begun with ``then``, is to go on with other arguments."""
    different = [
        f"{_words(field.name)} was {was}, and is {wanted} now"
        for field in fields(Arguments)
        if (was := getattr(then, field.name)) != (wanted := getattr(now, field.name))
    ]
    if different:
        raise ConfigError(
            f"--out: {folder}: holds a training with other arguments: {'; '.join(different)}. Go on with those it was"
            " begun with, or name a new folder"
        )


def software() -> dict[str, str]:
    """Versions of what a training runs on."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _words(name: str) -> str:
    known = {"data": "the digest of the rows", "base": "the base", "max_tokens": "the longest pair"}
    return known.get(name, f"--{name.replace('_', '-')}")
