"""Where the keys and values of a TOML text stand, which tomllib does not tell. Pure.

The text must be valid TOML: tomllib reads it first, so this only has to find its way through.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from guardrail.policy.problems import Path

__all__ = ["locate_toml"]

_BLANK = re.compile(r"[ \t]*")
_FILLER = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\])*"|\'[^\']*\'', re.DOTALL)
_OTHER = re.compile(r"[^,\]}#\n]+")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


def locate_toml(text: str) -> tuple[dict[Path, int], dict[Path, int]]:
    """Offsets of the keys and of the values of ``text``, whose lines end with a line feed, by path."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.keys, scanner.values


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.keys: dict[Path, int] = {}
        self.values: dict[Path, int] = {}
        self.tables: dict[Path, int] = {}
        """How many tables each array of tables has so far."""
        self.name_at = 0
        """Where the last name of the last key stands."""

    def document(self) -> None:
        table: Path = ()
        self._skip(_FILLER)
        while self.at < len(self.text):
            table = self._header() if self._sees("[") else self._pair(table)
            self._skip(_FILLER)

    def _header(self) -> Path:
        many = self._sees("[[")
        self.at += 2 if many else 1
        path = self._key((), self._into)
        self.at += 2 if many else 1
        if many:
            array = path[:-1] if isinstance(path[-1], int) else path
            self.tables[array] = self.tables.get(array, 0) + 1
            path = self._into(array)
            self.values.setdefault(path, self.name_at)
        return path

    def _into(self, path: Path) -> Path:
        """``path``, or the last table so far where an array of tables stands there."""
        return (*path, self.tables[path] - 1) if path in self.tables else path

    def _pair(self, table: Path) -> Path:
        path = self._key(table, lambda path: path)
        self.at += 1
        self._skip(_BLANK)
        self._value(path)
        return table

    def _key(self, path: Path, into: Callable[[Path], Path]) -> Path:
        """Read a dotted key up to what follows it, and note where each of its parts stands."""
        while True:
            self._skip(_BLANK)
            self.name_at = self.at
            path = (*path, self._name())
            self.keys.setdefault(path, self.name_at)
            path = into(path)
            self._skip(_BLANK)
            if not self._sees("."):
                return path
            self.at += 1

    def _name(self) -> str:
        if not self._sees('"', "'"):
            return self._skip(_BARE)
        quoted = self._skip(_STRING)
        return quoted[1:-1] if quoted[0] == "'" else re.sub(r"\\(U.{8}|u.{4}|.)", _unescape, quoted[1:-1])

    def _value(self, path: Path) -> None:
        self.values[path] = self.at
        if self._sees("["):
            self._items("]", lambda place: self._value((*path, place)))
        elif self._sees("{"):
            self._items("}", lambda place: self._pair(path))
        else:
            self._skip(_STRING if self._sees('"', "'") else _OTHER)

    def _items(self, end: str, read: Callable[[int], object]) -> None:
        self.at += 1
        place = 0
        self._skip(_FILLER)
        while not self._sees(end):
            read(place)
            place += 1
            self._skip(_FILLER)
            self.at += 1 if self._sees(",") else 0
            self._skip(_FILLER)
        self.at += 1

    def _sees(self, *what: str) -> bool:
        return self.text.startswith(what, self.at)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        assert match is not None, "tomllib has read what this cannot"
        self.at = match.end()
        return match[0]


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if code[0] in "uU" and len(code) > 1 else _ESCAPES.get(code, code)
