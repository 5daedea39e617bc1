"""A judge of the user's own, as a policy names it: an installed entry point, never code. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from guardrail.policy.caching import CacheSpec
from guardrail.policy.durations import SomeSeconds
from guardrail.policy.judges import Name
from guardrail.policy.part import Maybe, Part
from guardrail.policy.problems import Path, Problem, refuse, refuse_all
from guardrail.policy.retries import Retry
from guardrail.policy.secrets import SecretRef, parse_reference

__all__ = ["CustomSpec"]

_SECRET = re.compile(r"(^|[-_])(api[-_]?key|token|secret|passw(or)?d|credentials?|auth(orization)?)$", re.I)


def _no_code(name: str) -> str:
    if ":" in name or name.endswith(".py"):
        raise refuse(
            "must be the name of an installed entry point: this is code, and a policy is data. Declare it in the "
            "group 'guardrail.verifiers' of a package and write that name here, or hand it over in Python: "
            "Guard(policy, verifiers={'main': guardrail.verifier('package.module:Class')})"
        )
    return name


def _read_options(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    problems = list(_wrong(value, ()))
    if problems:
        raise refuse_all(problems)
    return _mapped(value, lambda leaf: (isinstance(leaf, str) and parse_reference(leaf)) or leaf)


def _wrong(value: object, path: Path) -> Iterator[Problem]:
    """What a policy may not hold in ``value``, which stands at ``path`` of the options."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _wrong(item, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _wrong(item, (*path, place))
    elif message := _wrong_leaf(value, path):
        yield Problem(path, message)


def _wrong_leaf(value: object, path: Path) -> str | None:
    secret = any(isinstance(key, str) and _SECRET.search(key) for key in path)
    if isinstance(value, str):
        found = parse_reference(value)
        if found is None and "${" in value:
            return "must be plain text, or one reference such as ${TEAM} and nothing else"
        return _WRITTEN_OUT if secret and (found is None or found.default) else None
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if secret and isinstance(value, int | float) and not isinstance(value, bool):
        return _WRITTEN_OUT
    return None if isinstance(value, bool | int | float | SecretRef) else "must be plain data"


_WRITTEN_OUT = "must be a reference to an environment variable, such as ${TOKEN}: secrets are not written into policies"


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """``value`` with each leaf changed."""
    if isinstance(value, Mapping):
        return {str(key): _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(item, change) for item in value]
    return change(value)


def _written(value: Any) -> Any:
    return _mapped(value, lambda leaf: str(leaf) if isinstance(leaf, SecretRef) else leaf)


Options = Annotated[
    dict[str, Any],
    BeforeValidator(_read_options),
    PlainSerializer(_written),
    WithJsonSchema({"type": "object"}),
]
"""Plain data; a text may be one reference to the environment, which stays a reference."""


class CustomSpec(Part):
    """A judge of your own, by the name of its entry point."""

    kind: Literal["custom"] = "custom"
    name: Annotated[Name, AfterValidator(_no_code)]
    """The name of an entry point in the group ``guardrail.verifiers`` of an installed package."""
    options: Options = Field(default_factory=dict)
    """What the judge is made with, by the names of its arguments."""
    timeout: Maybe[SomeSeconds] = None
    """For one try; none: what is left of the budget."""
    retry: Maybe[Retry] = None
    """Tries after failures of the transport; none: one try."""
    cache: Maybe[CacheSpec] = None
    """Which verdicts to remember; none: every check is made anew."""
    fallback: Maybe[Name] = None
    """The name of the verifier that is asked when this one gives no verdict."""

    def option_values(self, env: Mapping[str, str]) -> dict[str, Any]:
        """The options with their references resolved; `PolicyError` where a variable is not set."""
        resolved: dict[str, Any] = _mapped(
            self.options, lambda leaf: leaf.resolve(env) if isinstance(leaf, SecretRef) else leaf
        )
        return resolved

    def references(self) -> Iterator[tuple[Path, SecretRef]]:
        """The references among the options, each with its place."""
        yield from _references(self.options, ())


def _references(value: object, path: Path) -> Iterator[tuple[Path, SecretRef]]:
    if isinstance(value, SecretRef):
        yield path, value
    items: Any = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _references(item, (*path, key))
