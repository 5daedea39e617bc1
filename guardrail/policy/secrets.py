"""Secrets: references to the environment, never values. Pure; whoever builds a verifier resolves them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, InstanceOf, PlainSerializer, WithJsonSchema

from guardrail.errors import PolicyError
from guardrail.policy.problems import Path, Problem, refuse, refuse_all

__all__ = [
    "ApiKey",
    "Headers",
    "SecretRef",
    "header_values",
    "is_secret_header",
    "keeps_references",
    "parse_reference",
]

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_REFERENCE = re.compile(rf"(?:(?P<scheme>Bearer|Basic|Token) )?\$\{{(?P<name>{_NAME})(?::-(?P<default>[^}}]*))?\}}")
_SECRET_HEADER = re.compile(
    r"authorization|api[-_]?key|token|secret|cookie|passw|credential|(^|[-_])(auth|key)([-_]|$)",
    re.IGNORECASE,
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_REMEDY = "must be a reference to an environment variable, such as {example}: secrets are not written into policies"
_KEY_REMEDY = _REMEDY.replace("{example}", "${KLUSTER_API_KEY}")
_HEADER_REMEDY = _REMEDY.replace("{example}", "${TOKEN} or 'Bearer ${TOKEN}'")
_DEFAULT = "must not have a default, which would be a secret in the policy: write ${NAME}, or ${NAME:-} for none"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """The name of an environment variable that holds a secret; ``str()`` is ``${NAME}``."""

    variable: str
    default: str | None = None
    """What to take when the variable is not set; for keys only the empty text."""
    scheme: str = ""
    """A word before the secret in a header, such as ``Bearer``."""

    def __str__(self) -> str:
        default = "" if self.default is None else f":-{self.default}"
        return f"{self.scheme} ${{{self.variable}{default}}}".lstrip()

    def resolve(self, env: Mapping[str, str]) -> str:
        """The secret out of ``env``; `PolicyError` when it is not set. Empty counts as not set."""
        value = env.get(self.variable) or self.default
        if value is None:
            raise PolicyError(
                f"the environment variable {self.variable} is not set: set it, or write "
                f"${{{self.variable}:-}} where no secret is needed"
            )
        return f"{self.scheme} {value}" if self.scheme and value else value


def keeps_references(path: Path) -> bool:
    """Whether ``${NAME}`` at ``path`` of a policy file stays a reference when the file is loaded."""
    return len(path) > 2 and path[0] == "verifiers" and path[2] in ("api_key", "headers", "options")


def is_secret_header(name: str) -> bool:
    """Whether a header of this name is taken for a secret."""
    return bool(_SECRET_HEADER.search(name))


def parse_reference(text: str) -> SecretRef | None:
    """The reference that ``text`` is; None when it is anything else."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        return None
    return SecretRef(match["name"], match["default"], match["scheme"] or "")


def _read_key(value: object) -> object:
    if isinstance(value, SecretRef):
        return value
    found = parse_reference(value) if isinstance(value, str) else None
    if found is None or found.scheme:
        raise refuse(_KEY_REMEDY)
    if found.default:
        raise refuse(_DEFAULT)
    return found


def _read_headers(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    wrong = {str(name): _wrong_header(str(name), text) for name, text in value.items()}
    problems = [Problem((name,), problem) for name, problem in wrong.items() if problem]
    if problems:
        raise refuse_all(problems)
    return {name: (isinstance(text, str) and parse_reference(text)) or text for name, text in value.items()}


def _wrong_header(name: str, value: object) -> str | None:
    found = parse_reference(value) if isinstance(value, str) else value
    found = found if isinstance(found, SecretRef) else None
    if not _HEADER_NAME.fullmatch(name):
        return "is not the name of an HTTP header"
    if found is not None:
        return _DEFAULT if found.default and is_secret_header(name) else None
    if is_secret_header(name):
        return _HEADER_REMEDY
    if not isinstance(value, str):
        return "must be text: put it in quotes"
    if "${" in value:
        return "must be plain text, or one reference such as ${TEAM} and nothing else"
    if re.match(r"(bearer|basic|token) ", value, re.IGNORECASE):
        return _HEADER_REMEDY
    return None if value.isprintable() else "must be printable text on one line"


ApiKey = Annotated[
    InstanceOf[SecretRef],
    BeforeValidator(_read_key),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": rf"^\$\{{{_NAME}(:-)?\}}$"}),
]
"""A reference to a key."""

_HeaderValue = Annotated[
    str | InstanceOf[SecretRef], PlainSerializer(str, return_type=str), WithJsonSchema({"type": "string"})
]
Headers = Annotated[dict[str, _HeaderValue], BeforeValidator(_read_headers)]
"""HTTP headers: plain text, or one reference; for names that sound like secrets only a reference."""


def header_values(headers: Mapping[str, str | SecretRef], env: Mapping[str, str]) -> dict[str, str]:
    """``headers`` with their references resolved; `PolicyError` where a variable is not set."""
    return {name: value.resolve(env) if isinstance(value, SecretRef) else value for name, value in headers.items()}
