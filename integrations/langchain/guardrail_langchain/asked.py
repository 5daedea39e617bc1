"""The arguments of a call that are for the guard alone: ``model.invoke(messages, guardrail={"evidence": docs})``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from guardrail.conversation import Evidence
from guardrail.errors import ConfigError
from guardrail.grounding import as_evidence

__all__ = ["FIELD", "STRUCTURED", "Asked", "asked_for"]

FIELD = "guardrail"
STRUCTURED = "guardrail_structured"
"""Says that the one tool is the form of the answer, and not to be called."""
_KEYS = ("evidence", "tags", "metadata", "key")
_FORMS = ("response_format", "output_format", "output_config", "format", "response_schema", "response_json_schema")
"""Arguments by which providers are asked for JSON."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the guard is told by the call itself."""

    evidence: tuple[Evidence, ...] = ()
    tags: frozenset[str] = frozenset()
    metadata: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    structured: bool = False
    """The arguments of the one tool are the answer."""
    wants_json: bool = False
    """Nothing but JSON may be put into the answer."""


def asked_for(options: Mapping[str, Any]) -> tuple[Asked, dict[str, Any]]:
    """What is for the guard, and the ``options`` that are for the model.

    Raises `ConfigError` when ``guardrail=`` holds something else than evidence, tags, metadata and key.
    """
    left = dict(options)
    own, structured = left.pop(FIELD, None), bool(left.pop(STRUCTURED, False))
    wants_json = structured or any(_is_form(left[name]) for name in _FORMS if name in left)
    if own is None:
        return Asked(structured=structured, wants_json=wants_json), left
    if not isinstance(own, Mapping):
        raise ConfigError(f"{FIELD}= must be a mapping with {', '.join(_KEYS)}, not a {type(own).__name__}")
    if unknown := [key for key in own if key not in _KEYS]:
        raise ConfigError(f"{FIELD}.{unknown[0]}: unknown key in the call; known: {', '.join(_KEYS)}")
    return Asked(
        _evidence(own.get("evidence", ())),
        _tags(own.get("tags") or ()),
        _metadata(own.get("metadata") or {}),
        None if own.get("key") is None else str(own["key"]),
        structured,
        wants_json,
    ), left


def _is_form(value: object) -> bool:
    return bool(value) and not (isinstance(value, Mapping) and value.get("type") == "text")


def _evidence(docs: object) -> tuple[Evidence, ...]:
    try:
        return tuple(as_evidence(item) for item in (docs if isinstance(docs, list | tuple) else [docs]))
    except ConfigError as error:
        raise ConfigError(f"{FIELD}.evidence: {error}") from error


def _tags(tags: object) -> frozenset[str]:
    # A lone string is iterable too, and would silently become a set of letters.
    if not isinstance(tags, list | tuple | set | frozenset) or not all(isinstance(tag, str) for tag in tags):
        raise ConfigError(f"{FIELD}.tags: must be a list of strings, such as ['medical']")
    return frozenset(tags)


def _metadata(metadata: object) -> dict[str, str]:
    if not isinstance(metadata, Mapping):
        raise ConfigError(f"{FIELD}.metadata: must be a mapping of strings")
    return {str(key): str(value) for key, value in metadata.items()}
