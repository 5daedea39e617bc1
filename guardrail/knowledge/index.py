"""The index on the disk: one SQLite file, with full-text search by FTS5.

SQLite is in the standard library, keeps passages and their words in one file, changes it all or not at all, and ranks
by BM25 (Robertson and Zaragoza, 2009). Source of the tokenizer and the ranking: https://sqlite.org/fts5.html.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from guardrail.claims.words import content_words, words
from guardrail.conversation import Evidence
from guardrail.errors import ConfigError
from guardrail.knowledge.document import Passage

__all__ = ["FileKnown", "Index", "IndexFacts"]

FORMAT = "1"
"""Changes whenever what is stored does."""
_SCHEMA = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, changed INTEGER NOT NULL, digest TEXT NOT NULL, problem TEXT
);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, title TEXT NOT NULL, place TEXT NOT NULL, text TEXT NOT NULL
);
CREATE INDEX passages_of ON passages (path);
CREATE VIRTUAL TABLE words USING fts5 (title, text, tokenize = 'porter unicode61 remove_diacritics 2');
"""
_SEARCH = """
SELECT passages.path, passages.title, passages.place, passages.text, highlight(words, 1, char(2), char(3))
FROM words JOIN passages ON passages.id = words.rowid
WHERE words MATCH ? ORDER BY bm25(words, 2.0, 1.0), passages.id LIMIT ?
"""
_MARKED = re.compile("\x02(.*?)\x03", re.DOTALL)
_TERMS = 48
"""Words of a query that are looked for; a longer one is no question."""
_CJK = re.compile(r"([぀-ヿ㐀-鿿가-힯])")
"""Chinese, Japanese and Korean characters: the tokenizer would take a whole run of them for one word."""


@dataclass(frozen=True, slots=True)
class FileKnown:
    """A file as it was when it was indexed."""

    size: int
    changed: int
    """When, in nanoseconds since 1970."""
    digest: str
    problem: str | None
    """Why it could not be read; None where it was."""


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """What an index holds."""

    folder: str
    files: int
    """That could be read."""
    passages: int


class Index:
    """An index at ``path``, for searching. Safe between threads and processes; it sees what is indexed meanwhile.

    Raises `ConfigError` when there is none, or it cannot be used; the message says how to make one.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.facts()

    def facts(self) -> IndexFacts:
        """What it holds."""
        with self._reading() as database:
            return IndexFacts(
                folder=_about(database).get("folder", ""),
                files=_count(database, "SELECT count(*) FROM files WHERE problem IS NULL"),
                passages=_count(database, "SELECT count(*) FROM passages"),
            )

    def search(self, query: str, *, top: int = 5) -> list[Evidence]:
        """At most ``top`` passages for ``query``, the best first.

        A passage has two words of content of the query, or the only one. Stems count as the same word, in English.
        """
        terms = _terms(query)
        if not terms:
            return []
        needed = min(2, len(terms))
        with self._reading() as database:
            rows = database.execute(_SEARCH, (" OR ".join(f'"{term}"' for term in terms), 4 * top)).fetchall()
        found = [_evidence(row) for row in rows if needed < 2 or len(_met(f"{row[1]} ", row[4], terms)) >= needed]
        return found[:top]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if not self.path.is_file():
            raise ConfigError(f"{self.path}: there is no index; make it with {_remedy(self.path)}")
        with explained(self.path), closing(sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)) as it:
            if _about(it).get("format") != FORMAT:
                raise ConfigError(
                    f"{self.path}: was made by another version of guardrail; make it anew with {_remedy(self.path)}"
                )
            yield it


class Writing:
    """An index that is being changed; nothing of it is seen before `writing` has ended."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def known(self) -> Mapping[str, FileKnown]:
        """The files that are in it, by path."""
        rows = self._database.execute("SELECT path, size, changed, digest, problem FROM files")
        return {path: FileKnown(*rest) for path, *rest in rows}

    def put(self, path: str, file: FileKnown, title: str, found: Sequence[Passage]) -> None:
        """Put a file in, in the place of what was known of it."""
        self.drop(path)
        self._database.execute(
            "INSERT INTO files VALUES (?, ?, ?, ?, ?)", (path, file.size, file.changed, file.digest, file.problem)
        )
        for passage in found:
            full = " › ".join(part for part in (title, passage.heading) if part)
            row = self._database.execute(
                "INSERT INTO passages (path, title, place, text) VALUES (?, ?, ?, ?)",
                (path, full, passage.place, passage.text),
            )
            self._database.execute(
                "INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)",
                (row.lastrowid, _spaced(full), _spaced(passage.text)),
            )

    def touch(self, path: str, file: FileKnown) -> None:
        """Note that a file is the same, though its size or its time was another."""
        self._database.execute("UPDATE files SET size = ?, changed = ? WHERE path = ?", (file.size, file.changed, path))

    def drop(self, path: str) -> None:
        """Take a file out."""
        self._database.execute("DELETE FROM words WHERE rowid IN (SELECT id FROM passages WHERE path = ?)", (path,))
        self._database.execute("DELETE FROM passages WHERE path = ?", (path,))
        self._database.execute("DELETE FROM files WHERE path = ?", (path,))

    def passages(self) -> int:
        """How many there are."""
        return _count(self._database, "SELECT count(*) FROM passages")


@contextmanager
def writing(path: Path, folder: Path) -> Iterator[Writing]:
    """The index at ``path`` of the files below ``folder``, to be changed: all of it when the block ends, or nothing.

    Raises `ConfigError` when it cannot be written, or is that of another folder.
    """
    with explained(path), closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as database:
        database.execute("BEGIN IMMEDIATE")
        about = _about(database)
        if not about and _count(database, "SELECT count(*) FROM sqlite_master"):
            raise ConfigError(f"{path}: is a database of something else; name another file")
        if about and about.get("folder") != str(folder):
            raise ConfigError(
                f"{path}: is the index of {about.get('folder')}; name another file for {folder}, or remove this one"
            )
        if about.get("format") != FORMAT:
            _emptied(database)
            about = {"format": FORMAT, "folder": str(folder)}
            database.executemany("INSERT INTO about VALUES (?, ?)", about.items())
        yield Writing(database)
        database.execute("COMMIT")


def _emptied(database: sqlite3.Connection) -> None:
    for name in ("words", "passages", "files", "about"):
        database.execute(f"DROP TABLE IF EXISTS {name}")
    for statement in _SCHEMA.split(";\n"):
        if statement.strip():
            database.execute(statement)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the errors of SQLite into `ConfigError`, with ``path`` and the remedy."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise ConfigError(f"{path}: somebody else is changing it; try again when they are done") from error
        if "fts5" in str(error):
            raise ConfigError("this Python's SQLite has no FTS5, which searching needs: use another build") from error
        raise ConfigError(f"{path}: cannot be used as an index: {error}") from error
    except sqlite3.DatabaseError as error:
        raise ConfigError(f"{path}: is no index ({error}); name one that `guardrail index` has made") from error


def _remedy(path: Path) -> str:
    return f"`guardrail index FOLDER --into {path}`"


def _about(database: sqlite3.Connection) -> dict[str, str]:
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'about'").fetchone():
        return {}
    return dict(database.execute("SELECT key, value FROM about").fetchall())


def _count(database: sqlite3.Connection, question: str) -> int:
    return int(database.execute(question).fetchone()[0])


def _terms(query: str) -> list[str]:
    """The words of content in ``query``, or all of its words where it has none; each once."""
    said = words(query)
    found = dict.fromkeys(content_words(said) or said)
    return [term.replace('"', "") for term in found][:_TERMS]


def _met(title: str, text: str, terms: Sequence[str]) -> set[str]:
    """The words of the query that a passage has, as they stand in its text or title."""
    inside = {match.casefold() for match in _MARKED.findall(text)}
    return inside | (set(words(title)) & set(terms))


def _spaced(text: str) -> str:
    return _CJK.sub(r" \1 ", text)


def _evidence(row: tuple[str, str, str, str, str]) -> Evidence:
    path, title, place, text, _ = row
    return Evidence(text, "knowledge", title=title or None, url=f"{path}{place}")
