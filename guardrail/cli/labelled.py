"""Labelled rows out of files, one file after the other."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from guardrail.cli.rows import BadRow, Row
from guardrail.cli.source import Place, opened, read_rows
from guardrail.errors import InputError
from guardrail.evaluate.judging import Case
from guardrail.evaluate.labels import read_label, read_source
from guardrail.policy.routing import RequestInfo

__all__ = ["Bad", "Item", "Labelled", "first_of_each", "labelled_rows", "refuse_twice", "size"]

_ENDINGS = (".gz", ".jsonl", ".ndjson", ".json")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A row with its label, and where it stands."""

    file: str
    row: Row
    case: Case


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that has no usable label or conversation; where ``row`` is None, a file that cannot be read on."""

    file: str
    row: BadRow | None
    problem: str
    """What is wrong, with the place and the remedy."""


Item: TypeAlias = Labelled | Bad


def refuse_twice(files: Iterable[str]) -> None:
    """Raises `InputError` where a file is named twice: its rows would count twice, and prove more than they can."""
    seen = set[str]()
    for name in files:
        target = name if name == "-" else os.path.realpath(name)
        if target in seen:
            raise InputError(f"{'stdin' if name == '-' else name}: is named twice; name it once")
        seen.add(target)


def size(files: Iterable[str]) -> int | None:
    """Bytes of all files together; None where that is not known.

    Raises:
        InputError: One of them cannot be opened: better said now than after an hour.
    """
    sizes = [_size(name) for name in files]
    return None if None in sizes else sum(found for found in sizes if found is not None)


def labelled_rows(files: Sequence[str], progress: Place) -> Iterator[Item]:
    """The rows of all ``files``, in order, each read when it is asked for; ``progress`` counts along."""
    for name in files:
        done = progress.read
        try:
            with opened(name) as (stream, place):
                for row in read_rows(stream, name=name, place=place):
                    progress.read, progress.rows = done + place.read, progress.rows + 1
                    yield _labelled(row, name)
        except InputError as error:
            yield Bad(name, None, str(error))


def first_of_each(items: Iterable[Item], limit: int | None) -> Iterator[Item]:
    """At most ``limit`` labelled rows of each source, the first ones, and whatever is bad; all where it is None."""
    seen: Counter[str] = Counter()
    for item in items:
        if isinstance(item, Labelled):
            seen[item.case.source] += 1
            if limit is not None and seen[item.case.source] > limit:
                continue
        yield item


def _size(name: str) -> int | None:
    if name == "-" or Path(name).is_fifo() or Path(name).is_char_device():
        return None  # what stands there can be read once only
    with opened(name) as (_, place):
        return place.size or 0


def _labelled(row: Row | BadRow, file: str) -> Item:
    if isinstance(row, BadRow):
        return _bad(row, file)
    try:
        unreliable = read_label(row.other)
        source = read_source(row.other, otherwise=_name(file))
    except InputError as error:
        return _bad(BadRow(row.id, row.line, str(error)), file)
    return Labelled(file, row, Case(source, unreliable, row.check, RequestInfo(model=row.model)))


def _bad(row: BadRow, file: str) -> Bad:
    called = "" if row.id == row.line else f"id {row.id!r}: "
    return Bad(file, row, f"{'stdin' if file == '-' else file}:{row.line}: {called}{row.problem}")


def _name(file: str) -> str:
    """The file's name, without what its end says of the format."""
    name = "stdin" if file == "-" else Path(file).name
    for ending in _ENDINGS:
        name = name.removesuffix(ending) or name
    return name
