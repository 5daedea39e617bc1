"""What is wrong with a policy, in words: the place, what is allowed, and a remedy. Pure.

Values are shown only where that is safe: never those of keys and headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

__all__ = [
    "Path",
    "Problem",
    "at",
    "did_you_mean",
    "exists",
    "key_of",
    "problems_of",
    "refuse",
    "refuse_all",
    "unknown_key",
]

Path: TypeAlias = tuple[str | int, ...]
"""Where something stands: keys, and numbers of list items from 0."""

_HIDDEN = {"api_key", "headers", "base_url", "options"}
"""Keys whose values are never shown: they may hold what must stay secret."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    path: Path
    message: str
    """What is wrong, what is allowed, and how to mend it."""
    shows_value: bool = False
    """The message may be followed by the value."""
    about_key: bool = False
    """It is the key that is wrong, not its value."""


def refuse(message: str, *path: str | int) -> PydanticCustomError:
    """An error for a validator to raise; ``path`` leads on from where the validator stands."""
    return refuse_all([Problem(path, message)])


def refuse_all(problems: Sequence[Problem]) -> PydanticCustomError:
    """One error for several problems; their paths lead on from where the validator stands."""
    return PydanticCustomError("problems", "see the context", {"problems": tuple(problems)})


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """``; did you mean 'x'?``, or nothing."""
    names = list(choices)
    # Letters changed round make a short word look like another one altogether.
    turned = [name for name in names if sorted(name) == sorted(word)]
    close = turned or get_close_matches(word, names, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def unknown_key(key: str, allowed: Iterable[str]) -> str:
    """The message for a key that is not among ``allowed``."""
    names = list(allowed)
    if key in _RETIRED:
        return f"unknown key {key!r}; {_RETIRED[key]}"
    near = did_you_mean(key, names)
    return f"unknown key {key!r}{near or '; allowed here: ' + ', '.join(names)}"


_RETIRED = {
    "initial": "tenacity has retired it: write 'multiplier', the seconds of the first wait",
    "never": "a loop must end: write a stop such as {after_attempt: 3}",
}


def key_of(path: Path) -> str:
    """A path as it is written: ``policies.default.on_unknown[0].do``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def at(data: object, path: Path) -> object:
    """What stands at ``path`` of ``data``; None where there is nothing."""
    for part in path:
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list | tuple) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def exists(data: object, path: Path) -> bool:
    """Whether anything stands at ``path`` of ``data``."""
    missing = object()
    for part in path:
        if isinstance(data, Mapping):
            data = data.get(part, missing)
        elif isinstance(data, list | tuple) and isinstance(part, int):
            data = data[part] if part < len(data) else missing
        else:
            return False
    return data is not missing


def problems_of(error: ValidationError, model: type[BaseModel], data: object) -> list[Problem]:
    """The problems that ``error`` tells of, with paths into ``data`` as it was written."""
    found: dict[tuple[Path, str], Problem] = {}
    for detail in error.errors(include_url=False, include_input=False):
        for problem in _problems(detail, model, data):
            found.setdefault((problem.path, problem.message), problem)
    return [_with_value(problem, data) for problem in found.values()]


def _problems(detail: ErrorDetails, model: type[BaseModel], data: object) -> list[Problem]:
    loc, kind, context = detail["loc"], detail["type"], detail.get("ctx", {})
    if kind == "problems":
        nested: Sequence[Problem] = context["problems"]
        return [replace(p, path=_placed(loc, p.path, data)) for p in nested]
    path = _written(loc, data)
    if kind == "extra_forbidden":
        return [Problem(path, unknown_key(str(loc[-1]), _keys_at(model, loc[:-1])), about_key=True)]
    if kind == "missing":
        return [Problem(path, f"the key {str(loc[-1])!r} is missing: add it")]
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        return [_wrong_tag(path, kind, _kinds_at(model, loc), data)]
    return [_wrong_value(path, kind, context, detail["msg"])]


def _wrong_tag(path: Path, kind: str, allowed: Sequence[str], data: object) -> Problem:
    names = ", ".join(allowed)
    if kind == "union_tag_not_found":
        given = at(data, path)
        slip = get_close_matches("kind", list(given), n=1) if isinstance(given, Mapping) else []
        meant = f"; or is {slip[0]!r} meant to be it?" if slip else ""
        return Problem(path, f"the key 'kind' is missing: add one of {names}{meant}")
    return Problem((*path, "kind"), f"{_CHOICES}{names}", True)


_CHOICES = "must be one of "
_WORDS = {
    "string_type": "must be text: put it in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of names to values",
    "tuple_type": "must be a list",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be {le:g} or less",
    "string_too_short": "must not be empty",
}


def _wrong_value(path: Path, kind: str, context: Mapping[str, Any], message: str) -> Problem:
    if kind in ("literal_error", "enum"):
        allowed = [number or text for text, number in re.findall(r"'([^']*)'|(\d+)", str(context["expected"]))]
        return Problem(path, f"{_CHOICES}{', '.join(allowed)}", True)
    words = _WORDS.get(kind)
    return Problem(path, words.format(**context) if words else message, True)


def _with_value(problem: Problem, data: object) -> Problem:
    """The problem with the value named, where a value may be shown."""
    value = at(data, problem.path)
    if not problem.shows_value or not isinstance(value, str | int | float) or _HIDDEN & set(problem.path):
        return problem
    shown = repr(value) if isinstance(value, str) else str(value).lower()
    choices = problem.message.partition(_CHOICES)[2].split(", ")
    near = did_you_mean(value, choices) if isinstance(value, str) else ""
    return replace(problem, message=f"{problem.message}, not {shown}{near}")


def _written(loc: Path, data: object) -> Path:
    """``loc`` without the parts that stand in the model only, such as places in a list not written."""
    path: list[str | int] = []
    for place, part in enumerate(loc):
        if isinstance(data, BaseModel):
            data = {(field.alias or name): getattr(data, name) for name, field in type(data).model_fields.items()}
        if isinstance(data, Mapping) and (part in data or place == len(loc) - 1):
            data = data.get(part)
        elif isinstance(data, list | tuple) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            continue
        path.append(part)
    return tuple(path)


def _placed(loc: Path, path: Path, data: object) -> Path:
    """Where the part at ``path`` of what stands at ``loc`` was written. The kind in a union's ``loc`` is no key."""
    written = _written((*loc, *path), data)
    return written if path or exists(data, written) else written[:-1]


def _kinds_at(model: type[BaseModel], loc: Path) -> list[str]:
    """The kinds that may stand at ``loc`` of ``model``, which are told apart by ``kind``."""
    kind: Any = model
    for part in loc:
        kind = _step_into(kind, part)
    return [member.model_fields["kind"].default for member in _members(kind)]


def _keys_at(model: type[BaseModel], loc: Path) -> list[str]:
    """The keys that are allowed at ``loc`` of ``model``, as files write them."""
    kind: Any = model
    for part in loc:
        kind = _step_into(kind, part)
    models = [k for k in _members(kind) if isinstance(k, type) and issubclass(k, BaseModel)]
    return ([] if loc else ["extends"]) + [
        field.alias or name for m in models[:1] for name, field in m.model_fields.items()
    ]


def _step_into(kind: Any, part: str | int) -> Any:
    for member in _members(kind):
        if isinstance(member, type) and issubclass(member, BaseModel):
            tag = member.model_fields.get("kind")
            if tag is not None and tag.default == part:
                return member
            for name, field in member.model_fields.items():
                if part in (name, field.alias):
                    return field.annotation
        elif get_origin(member) in (dict, tuple):
            return get_args(member)[1 if get_origin(member) is dict else 0]
    return kind


def _members(kind: Any) -> list[Any]:
    """The types that ``kind`` is made of, without Annotated, None and unions."""
    if get_origin(kind) is Annotated:
        return _members(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [member for arg in get_args(kind) for member in _members(arg)]
    return [] if kind is type(None) else [kind]
