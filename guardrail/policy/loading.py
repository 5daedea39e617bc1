"""Reading a policy: a first cut."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from guardrail.errors import PolicyError
from guardrail.policy.durations import IN_FILE
from guardrail.policy.model import Policy
from guardrail.policy.part import one_error
from guardrail.policy.presets import PRESETS, preset
from guardrail.policy.problems import key_of, problems_of

__all__ = ["load"]


def load(source: str | Path | Policy | Mapping[str, Any] | None = None, *, env: Mapping[str, str] | None = None) -> Policy:
    """A policy from a preset's name, a file, a mapping, or nothing."""
    if isinstance(source, Policy):
        return source
    if source is None or isinstance(source, Mapping):
        return _validate(dict(source or {"version": 1}))
    if source in PRESETS:
        return preset(str(source))
    path = Path(source)
    if not path.is_file():
        raise PolicyError(f"there is no such file: write its path, or one of {', '.join(PRESETS)}", file=str(path))
    text = path.read_text(encoding="utf-8")
    reader: Any = {".toml": tomllib.loads, ".json": json.loads}.get(path.suffix, yaml.safe_load)
    data = reader(text)
    return _validate(data["tool"]["guardrail"] if path.name == "pyproject.toml" else data)


def _validate(data: dict[str, Any]) -> Policy:
    base = preset(data.pop("extends", "balanced")).dump()
    data = {**base, **data, "policies": {**base["policies"], **data.get("policies", {})}}
    try:
        return Policy.model_validate(data, by_alias=True, by_name=False, context=IN_FILE)
    except ValidationError as error:
        problems = problems_of(error, Policy, data)
    raise one_error([PolicyError(p.message, key=key_of(p.path)) for p in problems])
