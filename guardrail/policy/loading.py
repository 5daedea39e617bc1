"""Reading a policy: from a preset's name, a file or a mapping to a checked `Policy`.

A file is read with the places of all that stands in it, its references to the environment are resolved,
what it extends is laid below it, with the preset ``balanced`` at the bottom, and the whole is checked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import reduce
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from guardrail.errors import PolicyError
from guardrail.policy.documents import FORMATS, Document, Place, read_document
from guardrail.policy.durations import IN_FILE
from guardrail.policy.environment import interpolate
from guardrail.policy.merging import merge
from guardrail.policy.model import Policy
from guardrail.policy.part import one_error
from guardrail.policy.presets import PRESETS, preset
from guardrail.policy.problems import Path, did_you_mean, problems_of

__all__ = ["load", "load_with_places"]

_SMALLEST = "the smallest policy is 'version: 1'"


def load(
    source: str | FilePath | Policy | Mapping[str, Any] | None = None, *, env: Mapping[str, str] | None = None
) -> Policy:
    """The policy that ``source`` is.

    ``source``: None for the preset ``balanced``; the name of a preset; the path of a .yaml, .yml, .toml or
    .json file, or of a pyproject.toml, whose ``[tool.guardrail]`` is read; a mapping that says what a file
    would; or a `Policy`, which is returned as it is. ``env`` stands for the environment (``os.environ``).
    Raises `PolicyError` with the place of everything that is wrong, and how to mend it.
    """
    if isinstance(source, Policy):
        return source
    if source is None or (isinstance(source, str) and source in PRESETS):
        return preset(source or "balanced")
    if not isinstance(source, str | os.PathLike | Mapping):
        raise PolicyError(
            "a policy is a preset's name, the path of a file, a mapping, or what guardrail.load_policy() gives; "
            f"this is a {type(source).__name__}"
        )
    return _checked(_read(source, env))


def load_with_places(
    source: str | FilePath, *, env: Mapping[str, str] | None = None
) -> tuple[Policy, tuple[Place, ...]]:
    """`load`, and where each of the policy's ``tests`` stands."""
    if source in PRESETS:
        return load(source), ()
    document = _read(source, env)
    policy = _checked(document)
    return policy, tuple(document.place(("tests", number)) for number in range(len(policy.tests)))


def _read(source: str | FilePath | Mapping[str, Any], env: Mapping[str, str] | None) -> Document:
    """The document of ``source``, with all that it extends below it."""
    reader = _Reader(os.environ if env is None else env)
    documents = reader.chain(source) if isinstance(source, Mapping) else reader.file(source)
    return reduce(merge, documents, _preset_document("balanced"))


def _preset_document(name: str) -> Document:
    # Only what makes the preset: laid over a file it must not take that file's verifiers or budget away.
    rules = preset(name).dump()["policies"]["default"]
    chains = {key: rules[key] for key in ("on_unreliable", "on_unknown", "on_error")}
    return Document({"version": 1, "policies": {"default": chains}})


def _checked(document: Document) -> Policy:
    try:
        return Policy.model_validate(document.data, by_alias=True, by_name=False, context=IN_FILE)
    except ValidationError as error:
        found = problems_of(error, Policy, document.data)
    # Raised out here, so that no value hangs on to the error as its context.
    errors = [document.error(p.message, p.path, about_key=p.about_key) for p in found]
    raise one_error(sorted(errors, key=lambda error: (error.file or "", error.line or 0, error.column or 0)))


class _Reader:
    """Reads files and what they extend; the result lists documents from the bottom up."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.under_way: list[FilePath] = []

    def file(self, name: str | FilePath, at: Place | None = None, key: str | None = None) -> list[Document]:
        """The documents of the file ``name``; ``at`` and ``key`` say where it was named."""
        extended, at = at is not None, at or Place()
        path = FilePath(name)
        problem = self._cannot_read(path)
        if problem:
            if at.file is None:
                raise PolicyError(problem, file=str(path))
            raise PolicyError(f"{path}: {problem}", file=at.file, line=at.line, column=at.column, key=key)
        self.under_way.append(path.resolve())
        try:
            document = _read_file(path)
            return self._extended(_without_tests(document) if extended else document, path.parent)
        finally:
            self.under_way.pop()

    def chain(self, mapping: Mapping[str, Any]) -> list[Document]:
        """The documents of a mapping."""
        return self._extended(Document(dict(mapping)), FilePath())

    def _cannot_read(self, path: FilePath) -> str | None:
        if not path.exists():
            near = did_you_mean(path.name, PRESETS) if not path.suffix else ""
            return f"there is no such file or preset{near}; the presets are {', '.join(PRESETS)}"
        if not path.is_file():
            return "is not a file: name the policy file itself"
        if path.suffix.lower() not in FORMATS:
            return f"cannot tell the format: the name must end in one of {', '.join(FORMATS)}"
        if path.resolve() in self.under_way:
            circle = [*self.under_way[self.under_way.index(path.resolve()) :], path]
            return f"files extend each other in a circle: {' -> '.join(step.name for step in circle)}"
        return None

    def _extended(self, document: Document, folder: FilePath) -> list[Document]:
        document = interpolate(_sound(document), self.env)
        data = dict(document.data)
        names = data.pop("extends", [])
        document = replace(document, data=_with_paths(data, folder))
        below = [part for path, name in _names(document, names) for part in self._below(document, path, name, folder)]
        return [*below, document]

    def _below(self, document: Document, path: Path, name: str, folder: FilePath) -> list[Document]:
        if name in PRESETS:
            return [_preset_document(name)]
        return self.file(folder / name, document.place(path), "extends")


def _read_file(path: FilePath) -> Document:
    problem = None
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text (byte {error.start + 1}): save it as UTF-8"
    if problem:
        raise PolicyError(problem, file=str(path))
    document = read_document(text, suffix=path.suffix.lower(), file=str(path))
    return _tool_table(document) if path.name == "pyproject.toml" else document


def _without_tests(document: Document) -> Document:
    """Tests are of the file that holds them: under another file's settings they would say something else."""
    if not isinstance(document.data, Mapping):
        return document
    return replace(document, data={key: value for key, value in document.data.items() if key != "tests"})


def _tool_table(document: Document) -> Document:
    """The ``[tool.guardrail]`` of a pyproject.toml."""
    tool = (document.data or {}).get("tool", {})
    if "guardrail" not in tool:
        raise PolicyError("has no [tool.guardrail]: add one with 'version = 1'", file=document.file)
    keys, values = (
        {path[2:]: place for path, place in places.items() if path[:2] == ("tool", "guardrail")}
        for places in (document.keys, document.values)
    )
    return Document(tool["guardrail"] or None, document.file, keys, values)


def _sound(document: Document) -> Document:
    """``document`` if it is a policy at all: a mapping of version 1, each key with a value."""
    if document.data is None or document.data == {}:
        raise document.error(f"is empty: {_SMALLEST}", ())
    if not isinstance(document.data, Mapping):
        raise document.error(f"must be a mapping of keys to values: {_SMALLEST}", ())
    if "version" not in document.data:
        near = did_you_mean("version", document.data)
        raise document.error(f"the key 'version' is missing: add 'version: 1'{near and ' (a key is misspelt)'}", ())
    nothing = [document.error(_NO_VALUE, path) for path in _nulls(document.data, ())]
    if nothing:
        raise one_error(nothing)
    version = document.data["version"]
    if version != 1 or isinstance(version, bool | float):
        raise document.error(_WRONG_VERSION, ("version",))
    return document


_NO_VALUE = "has no value: write one, or leave the key out ('none' says that there is none)"
_WRONG_VERSION = "this guardrail reads version 1 only: write 1, or use the guardrail that the file was made for"


def _nulls(value: object, path: Path) -> Iterator[Path]:
    if value is None:
        yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _nulls(item, (*path, key))
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _nulls(item, (*path, place))


def _names(document: Document, names: object) -> list[tuple[Path, str]]:
    """What ``extends`` names, with where each name stands."""
    listed = list(enumerate(names)) if isinstance(names, list) else [(None, names)]
    found: list[tuple[Path, str]] = []
    for place, name in listed:
        path: Path = ("extends",) if place is None else ("extends", place)
        if not isinstance(name, str) or not name:
            raise document.error("must be the name of a preset, a path, or a list of these", path)
        found.append((path, name))
    return found


def _with_paths(data: dict[str, Any], folder: FilePath) -> dict[str, Any]:
    """``data`` with the paths of weights and indexes taken from the folder of the file that names them."""
    verifiers = data.get("verifiers")
    if not isinstance(verifiers, Mapping):
        return data
    return {**data, "verifiers": {name: _with_path(spec, folder) for name, spec in verifiers.items()}}


def _with_path(spec: object, folder: FilePath) -> object:
    if not isinstance(spec, Mapping):
        return spec
    given = {key: path for key in ("path", "index") if isinstance(path := spec.get(key), str)}
    return {**spec, **{key: str(folder / path) for key, path in given.items() if path not in ("", "none")}}
