"""From the text of a policy file, YAML, TOML or JSON, to plain data that knows where it stood. Pure.

Of YAML the plain part is read: no tags, no merge keys, and only ``true`` and ``false`` are booleans,
so that ``no`` and ``off`` stay words. The same key twice in one mapping is an error in all formats.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from guardrail.errors import PolicyError
from guardrail.policy.problems import Path, key_of
from guardrail.policy.toml_places import locate_toml

__all__ = ["FORMATS", "Document", "Place", "read_document"]

_LARGEST = 20_000
"""Values in one file: aliases of aliases can make more of a short text than any machine holds."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file; lines and columns from 1."""

    file: str | None = None
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data, with the places of its keys and values as far as they are known."""

    data: Any
    file: str | None = None
    keys: Mapping[Path, Place] = field(default_factory=dict)
    values: Mapping[Path, Place] = field(default_factory=dict)
    from_env: Mapping[str, str] = field(default_factory=dict)
    """Text that came from the environment, and the name of its variable: never to be shown."""

    def place(self, path: Path, *, about_key: bool = False) -> Place:
        """Where ``path`` stands, or the nearest thing around it that has a place."""
        first, second = (self.keys, self.values) if about_key else (self.values, self.keys)
        for end in range(len(path), 0, -1):
            found = first.get(path[:end]) or second.get(path[:end])
            if found is not None:
                return found
        return first.get(()) or second.get(()) or Place(self.file, *((1, 1) if self.file else ()))

    def error(self, message: str, path: Path, *, about_key: bool = False) -> PolicyError:
        """An error about ``path``, with its place."""
        for text, name in self.from_env.items():
            message = message.replace(repr(text), f"the value of ${{{name}}}")
        place = self.place(path, about_key=about_key)
        return PolicyError(message, file=place.file, line=place.line, column=place.column, key=key_of(path) or None)


def read_document(text: str, *, suffix: str, file: str) -> Document:
    """The document that ``text`` is; ``suffix`` (of `FORMATS`) tells the format. Raises `PolicyError`."""
    problem: PolicyError | None = None
    try:
        return FORMATS[suffix](text, file)
    except RecursionError:
        problem = PolicyError("is nested too deeply: no policy needs more than a few levels", file=file)
    # Raised out here, so that the text does not hang on to the error: it may hold what must stay secret.
    raise problem


def _read_yaml(text: str, file: str) -> Document:
    node, problem = None, None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        problem = _yaml_error(error, file)
    except yaml.reader.ReaderError as error:
        line, column = _line_column(text, int(error.position))
        problem = PolicyError(
            "holds a character that YAML does not allow: remove it", file=file, line=line, column=column
        )
    if problem is not None:
        raise problem
    reader = _NodeReader(file)
    data = None if node is None else reader.read(node, ())
    return Document(data, file, reader.keys, reader.values)


def _yaml_error(error: yaml.MarkedYAMLError, file: str) -> PolicyError:
    mark = error.problem_mark or error.context_mark
    words = ", ".join(part for part in (error.context, error.problem) if part)
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    return PolicyError(
        f"is not valid YAML: {words}; mind indentation, colons and quotes",
        file=file,
        line=line,
        column=column,
    )


class _NodeReader:
    """Turns YAML nodes into plain data, and notes their places."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self.under_way: list[yaml.Node] = []

    def read(self, node: yaml.Node, path: Path) -> Any:
        self.values[path] = self._place(node)
        if len(self.values) > _LARGEST or node in self.under_way:
            raise self._error(node, path, "is too large, or holds itself: write aliases out")
        self.under_way.append(node)
        try:
            return self._content(node, path)
        finally:
            self.under_way.pop()

    def _content(self, node: yaml.Node, path: Path) -> Any:
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self.read(item, (*path, place)) for place, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        raise self._error(node, path, f"the tag {node.tag!r} is not allowed: a policy is plain data")

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._error(key, path, "a key must be one word")
            inner = (*path, key.value)
            if key.value in data:
                first = self.keys[inner]
                raise self._error(key, inner, f"stands here twice, first in line {first.line}: keep one of them")
            if key.tag.endswith(":merge"):
                raise self._error(key, inner, "merge keys are not read: write the keys out, or use 'extends'")
            self.keys[inner] = self._place(key)
            data[key.value] = self.read(value, inner)
        return data

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        kind, text = node.tag.removeprefix("tag:yaml.org,2002:"), str(node.value)
        if kind not in ("str", "int", "float", "bool", "null", "timestamp", "value", "merge"):
            raise self._error(node, path, f"the tag {node.tag!r} is not allowed: a policy is plain data")
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if kind == "int" and re.fullmatch(r"[-+]?(0|[1-9][0-9]{0,17})", text):
            return int(text)
        if kind == "float" and re.fullmatch(r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?|[-+]?[0-9]+\.", text):
            return float(text)
        return text

    def _place(self, node: yaml.Node) -> Place:
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _error(self, node: yaml.Node, path: Path, message: str) -> PolicyError:
        place = self._place(node)
        return PolicyError(message, file=self.file, line=place.line, column=place.column, key=key_of(path) or None)


def _read_json(text: str, file: str) -> Document:
    if not text.strip():
        return Document(None, file)
    data, problem = None, None
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        problem = PolicyError(f"is not valid JSON: {error.msg}", file=file, line=error.lineno, column=error.colno)
    if problem is not None:
        raise problem
    # JSON is YAML but for its tabs, which stand only between words: the nodes give the places.
    located = _read_yaml(text.replace("\t", " "), file)
    return Document(data, file, located.keys, located.values)


def _read_toml(text: str, file: str) -> Document:
    text = text.replace("\r\n", "\n")
    data, problem = None, None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem = _toml_error(str(error), file)
    if problem is not None:
        raise problem
    keys, values = (
        {path: Place(file, *_line_column(text, offset)) for path, offset in offsets.items()}
        for offsets in locate_toml(text)
    )
    return Document(data or None, file, keys, values)


def _toml_error(message: str, file: str) -> PolicyError:
    words = re.sub(r"\s*\(at [^)]*\)$", "", message)
    found = re.search(r"\(at line (\d+), column (\d+)\)$", message)
    line, column = (int(found[1]), int(found[2])) if found else (None, None)
    return PolicyError(f"is not valid TOML: {words}", file=file, line=line, column=column)


def _line_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


FORMATS = {".yaml": _read_yaml, ".yml": _read_yaml, ".json": _read_json, ".toml": _read_toml}
"""How each kind of file is read, by its suffix."""
