"""``${NAME}`` and ``${NAME:-default}`` in a policy file, out of an environment that is handed in. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from guardrail.errors import PolicyError
from guardrail.policy.documents import Document
from guardrail.policy.part import one_error
from guardrail.policy.problems import Path
from guardrail.policy.secrets import keeps_references

__all__ = ["interpolate"]

_REFERENCE = re.compile(
    r"(?P<escaped>\$\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|(?P<broken>\$\{)"
)


def interpolate(document: Document, env: Mapping[str, str]) -> Document:
    """``document`` with its references resolved, except in keys and headers, which keep theirs.

    An empty variable counts as not set, as in a shell's ``:-``; ``$${`` is a plain ``${``.
    Raises `PolicyError` for what is not set and has no default.
    """
    walk = _Walk(document, env)
    data = walk.into(document.data, ())
    if walk.problems:
        raise one_error(walk.problems)
    return replace(document, data=data, from_env=walk.taken)


class _Walk:
    def __init__(self, document: Document, env: Mapping[str, str]) -> None:
        self.document, self.env = document, env
        self.taken: dict[str, str] = {}
        self.problems: list[PolicyError] = []

    def into(self, value: Any, path: Path) -> Any:
        if keeps_references(path):
            return value
        if isinstance(value, Mapping):
            return {key: self.into(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.into(item, (*path, place)) for place, item in enumerate(value)]
        return self._text(value, path) if isinstance(value, str) else value

    def _text(self, text: str, path: Path) -> str:
        names: list[str] = []

        def resolve(match: re.Match[str]) -> str:
            if match["escaped"]:
                return "${"
            if match["broken"]:
                return self._wrong("'${' must begin a reference such as ${NAME}; a plain one is written '$${'", path)
            value = self.env.get(match["name"]) or match["default"]
            if value is None:
                name = match["name"]
                return self._wrong(
                    f"the environment variable {name} is not set: set it, or write ${{{name}:-default}}", path
                )
            names.append(match["name"])
            return value

        resolved = _REFERENCE.sub(resolve, text)
        if names and resolved:
            self.taken[resolved] = names[0]
        return resolved

    def _wrong(self, message: str, path: Path) -> str:
        self.problems.append(self.document.error(message, path))
        return ""
