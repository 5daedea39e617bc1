"""From a folder to an index: what has changed is read, what is gone is dropped, what cannot be read is told."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from guardrail.errors import ConfigError, InputError
from guardrail.knowledge.document import passages
from guardrail.knowledge.formats import SUFFIXES, read
from guardrail.knowledge.index import FileKnown, Writing, writing

__all__ = ["FileSeen", "Indexed", "What", "index_folder"]

What: TypeAlias = Literal["added", "changed", "unchanged", "dropped", "skipped"]
LARGEST = 64 * 1024 * 1024
"""Bytes of a file that is read; a larger one is no document."""


@dataclass(frozen=True, slots=True)
class FileSeen:
    """What became of one file."""

    path: str
    """Below the folder, with ``/``."""
    what: What
    """``skipped``: it cannot be read."""
    problem: str = ""
    """Why it was skipped."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """What became of a folder."""

    files: tuple[FileSeen, ...]
    """In the order of their paths."""
    passages: int
    """That the index holds now."""

    def of(self, what: What) -> list[FileSeen]:
        """The files that ``what`` happened to."""
        return [seen for seen in self.files if seen.what == what]


def index_folder(folder: str | Path, into: str | Path, *, tell: Callable[[FileSeen], None] | None = None) -> Indexed:
    """Index the documents below ``folder`` in the file ``into``, which is made or brought up to date.

    Files whose size and time are as they were are not read again. Hidden files and folders, symbolic links, and files
    of other formats are passed over. ``tell`` hears of each file as it is done. The index changes at the end, all at
    once: who searches meanwhile searches the old one.

    Raises:
        ConfigError: ``folder`` is none, or ``into`` cannot be written or is the index of another folder.
        MissingExtra: A library that a file needs is not installed.
    """
    root, target = Path(folder).resolve(), Path(into)
    if not root.is_dir():
        raise ConfigError(f"{folder}: is no folder")
    if not target.resolve().parent.is_dir():
        raise ConfigError(f"{target}: the folder {target.resolve().parent} does not exist; make it first")
    seen = list[FileSeen]()
    with writing(target, root) as index:
        for one in _updated(root, index):
            seen.append(one)
            if tell is not None:
                tell(one)
        total = index.passages()
    found = tuple(sorted(seen, key=lambda one: one.path))
    return Indexed(found, total)


def _updated(root: Path, index: Writing) -> Iterator[FileSeen]:
    known = dict(index.known())
    for path in _documents(root):
        name = path.relative_to(root).as_posix()
        yield _file(path, name, known.pop(name, None), index)
    for name in known:
        index.drop(name)
        yield FileSeen(name, "dropped")


def _documents(root: Path) -> Iterator[Path]:
    """The files of known formats below ``root``."""
    for here, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(here, name)
            if not name.startswith(".") and path.suffix.lower() in SUFFIXES and not path.is_symlink():
                yield path


def _file(path: Path, name: str, known: FileKnown | None, index: Writing) -> FileSeen:
    try:
        state = path.stat()
        if known is not None and (known.size, known.changed) == (state.st_size, state.st_mtime_ns):
            return _same(name, known)
        content = _content(path, state.st_size)
    except OSError as error:
        problem = error.strerror or str(error)
        index.put(name, FileKnown(-1, -1, "", problem), "", ())  # which is tried again the next time
        return FileSeen(name, "skipped", problem)
    except InputError as error:
        index.put(name, FileKnown(state.st_size, state.st_mtime_ns, "", str(error)), "", ())
        return FileSeen(name, "skipped", str(error))
    digest = hashlib.sha256(content).hexdigest()
    file = FileKnown(state.st_size, state.st_mtime_ns, digest, None)
    if known is not None and known.digest == digest:
        index.touch(name, file)
        return _same(name, known)
    return _read(path, name, content, file, known, index)


def _content(path: Path, size: int) -> bytes:
    if size > LARGEST:
        raise InputError(f"it has more than {LARGEST // 2**20} MiB")
    return path.read_bytes()


def _same(name: str, known: FileKnown) -> FileSeen:
    return FileSeen(name, "unchanged") if known.problem is None else FileSeen(name, "skipped", known.problem)


def _read(path: Path, name: str, content: bytes, file: FileKnown, known: FileKnown | None, index: Writing) -> FileSeen:
    try:
        document = read(path, content)
    except InputError as error:
        problem = str(error)
        index.put(name, FileKnown(file.size, file.changed, file.digest, problem), "", ())
        return FileSeen(name, "skipped", problem)
    title = document.title or path.stem
    index.put(name, file, title, list(passages(document)))
    return FileSeen(name, "added" if known is None or known.problem is not None else "changed")
