"""Where rows come from: a file or stdin, read a line at a time.

A file may be one JSON document on many lines or JSONL; which of the two is seen from its first row, since
file names lie. The same goes for gzip. Never more than `MAX_ROW` bytes are held for one row.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from guardrail.cli.rows import BadRow, Row, read_row
from guardrail.conversation import Evidence
from guardrail.errors import InputError

__all__ = ["MAX_ROW", "Line", "Place", "opened", "read_lines", "read_rows"]

MAX_ROW = 32 * 1024 * 1024
"""Bytes that one row may have."""

_LINES = (".jsonl", ".ndjson")
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_STRANGE = {
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    _GZIP: "compressed with gzip twice; unpack it first",
    b"PK\x03\x04": "a zip archive; unpack it first",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file."""

    number: int
    """From 1."""
    data: bytes
    end: int
    """Bytes of the file up to and with this line."""
    too_long: bool = False


@dataclass(slots=True)
class Place:
    """How far a file has been read."""

    size: int | None = None
    """Bytes in all; None where it is not known."""
    read: int = 0
    rows: int = 0
    position: Callable[[], int] | None = None
    """Tells ``read`` where lines do not: of a compressed file."""


@contextmanager
def opened(name: str) -> Iterator[tuple[BinaryIO, Place]]:
    """The file ``name``, or stdin for ``-``; unpacked where it is compressed with gzip.

    Raises:
        InputError: It cannot be opened, or stdin is a terminal, where one would wait for ever.
    """
    if name == "-":
        if sys.stdin is None or sys.stdin.isatty():
            state = "closed" if sys.stdin is None else "a terminal"
            raise InputError(f"stdin is {state}; pipe rows into it, or name a file")
        with _unpacked(sys.stdin.buffer) as stream:
            yield stream, Place()
        return
    with _open(name) as file, _unpacked(file) as stream:
        size = os.fstat(file.fileno()).st_size or None
        yield stream, Place(size) if stream is file else Place(size, position=file.tell)


def read_rows(
    stream: BinaryIO, *, name: str, place: Place | None = None, given: Sequence[Evidence] = ()
) -> Iterator[Row | BadRow]:
    """The rows of ``stream``, in order, each read when it is asked for.

    Raises:
        InputError: The whole file is unfit: empty, or no text.
    """
    place = place or Place()
    lines = _counted(_whole(read_lines(stream), name), place)
    first = next((line for line in lines if not _blank(line)), None)
    if first is None:
        raise InputError(f"{_shown(name)}: empty; expected a conversation, or one JSON row a line")
    _refuse_strange(first, name)
    if not name.endswith(_LINES) and _is_unfinished(first):
        yield from _document_or_rows(first, lines, place, given)
        return
    yield from _rows(chain([first], lines), place, given)


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """The lines of ``stream``, without a byte order mark; one above `MAX_ROW` bytes is skipped and marked."""
    number, end = 0, 0
    while data := stream.readline(MAX_ROW + 1):
        number, end = number + 1, end + len(data)
        too_long = len(data) > MAX_ROW
        while too_long and not data.endswith(b"\n") and data:
            data = stream.readline(MAX_ROW)
            end += len(data)
        data = b"" if too_long else data
        yield Line(number, data.removeprefix(_BOM) if number == 1 else data, end, too_long)


def _open(name: str) -> BinaryIO:
    try:
        return Path(name).open("rb")
    except FileNotFoundError as error:
        raise InputError(f"{name}: no such file") from error
    except IsADirectoryError as error:
        raise InputError(f"{name}: is a directory; name a JSON or JSONL file in it") from error
    except PermissionError as error:
        raise InputError(f"{name}: may not be read; check its permissions") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{name!r}: cannot be opened: {error}") from error


@contextmanager
def _unpacked(stream: BinaryIO) -> Iterator[BinaryIO]:
    """``stream``, or what it holds where its first bytes are those of gzip."""
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, stream))
    try:
        if buffered.peek(2).startswith(_GZIP):
            with gzip.GzipFile(fileobj=buffered) as unpacked:
                yield cast(BinaryIO, unpacked)
        else:
            yield buffered
    finally:
        if buffered is not stream:
            buffered.detach()  # else it would close the stream, which is not ours


def _whole(lines: Iterator[Line], name: str) -> Iterator[Line]:
    """``lines``; `InputError` where compressed data end too early or are damaged."""
    try:
        yield from lines
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"{_shown(name)}: the compressed data are damaged or cut off; compress the file anew"
        ) from error


def _counted(lines: Iterable[Line], place: Place) -> Iterator[Line]:
    for line in lines:
        place.read = line.end if place.position is None else place.position()
        yield line


def _blank(line: Line) -> bool:
    return not line.too_long and not line.data.strip()


def _refuse_strange(line: Line, name: str) -> None:
    for mark, what in _STRANGE.items():
        if line.data.startswith(mark):
            raise InputError(f"{_shown(name)}: is {what}")
    if b"\0" in line.data:
        raise InputError(f"{_shown(name)}: is a binary file; expected JSON or JSONL in UTF-8")


def _is_unfinished(line: Line) -> bool:
    """Whether a JSON value begins on this line and ends on a later one."""
    if line.too_long:
        return False
    text = line.data.decode("utf-8", "replace").rstrip()
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text)
    except (ValueError, RecursionError):
        return False
    return False


def _document_or_rows(
    first: Line, lines: Iterator[Line], place: Place, given: Sequence[Evidence]
) -> Iterator[Row | BadRow]:
    """One document on many lines; or rows after all, where a row stands on a line of its own."""
    held, size = [first], len(first.data)
    for line in lines:
        held.append(line)
        size += len(line.data)
        if size > MAX_ROW or line.too_long:
            break
    # Empty lines in front, so that an error names the line of the file.
    whole = b"\n" * (first.number - 1) + b"".join(line.data for line in held)
    row = _row(Line(first.number, whole, held[-1].end), given)
    if isinstance(row, BadRow) and (size > MAX_ROW or any(_is_row(line) for line in held[1:])):
        yield from _rows(chain(held, lines), place, given)
        return
    place.rows += 1
    yield row


def _is_row(line: Line) -> bool:
    try:
        value = json.loads(line.data)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and ("messages" in value or "answer" in value)


def _rows(lines: Iterable[Line], place: Place, given: Sequence[Evidence]) -> Iterator[Row | BadRow]:
    for line in lines:
        if not _blank(line):
            place.rows += 1
            yield _row(line, given)


def _row(line: Line, given: Sequence[Evidence]) -> Row | BadRow:
    if line.too_long:
        limit = MAX_ROW // (1024 * 1024)
        return BadRow(line.number, line.number, f"longer than {limit} MiB; split the row")
    try:
        text = line.data.rstrip().decode("utf-8")
    except UnicodeDecodeError as error:
        found = f"byte 0x{line.data[error.start]:02x} at position {error.start}"
        return BadRow(line.number, line.number, f"no UTF-8 text: {found}; save the file as UTF-8")
    return read_row(text, line=line.number, given=given)


def _shown(name: str) -> str:
    return "stdin" if name == "-" else name
