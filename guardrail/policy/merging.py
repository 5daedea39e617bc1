"""One policy file over another: mappings are merged, later wins, lists and other values replace. Pure.

Some mappings are one value, and replace too: a stop, a wait, a step, a threshold, and a verifier of
another kind. A policy with a new name begins as the ``default`` of what lies below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from guardrail.policy.documents import Document
from guardrail.policy.problems import Path, exists

__all__ = ["merge"]

_WHOLE = {"on_unreliable", "on_unknown", "stop", "wait", "threshold"}


def merge(base: Document, over: Document) -> Document:
    """``over`` laid over ``base``."""
    base = _with_new_policies(base, over)
    data = _merged(base.data, over.data, ())
    return Document(
        data,
        over.file,
        {**_still_there(base.keys, data), **over.keys},
        {**_still_there(base.values, data), **over.values},
        {**base.from_env, **over.from_env},
    )


def _still_there(places: Mapping[Path, Any], data: object) -> dict[Path, Any]:
    return {path: place for path, place in places.items() if exists(data, path)}


def _with_new_policies(base: Document, over: Document) -> Document:
    """``base`` with a copy of its ``default`` for each policy that only ``over`` knows."""
    given, known = over.data.get("policies"), base.data.get("policies")
    if not isinstance(given, Mapping) or not isinstance(known, Mapping) or "default" not in known:
        return base
    new = [name for name in given if name not in known]
    data = {**base.data, "policies": {**known, **dict.fromkeys(new, known["default"])}}
    keys, values = (_copied(places, new) for places in (base.keys, base.values))
    return Document(data, base.file, keys, values, base.from_env)


def _copied(places: Mapping[Path, Any], names: Iterable[str]) -> dict[Path, Any]:
    default = {path[2:]: place for path, place in places.items() if path[:2] == ("policies", "default")}
    copies = {("policies", name, *rest): place for name in names for rest, place in default.items()}
    return {**places, **copies}


def _merged(base: Any, over: Any, path: Path) -> Any:
    if path[-1:] == ("on_error",):
        base = base if _by_cause(base) else {"default": base}
        if not _by_cause(over):
            return over
    if not isinstance(base, Mapping) or not isinstance(over, Mapping) or _replaces(base, over, path):
        return over
    both = {key: _merged(base[key], over[key], (*path, key)) for key in base if key in over}
    return {**base, **over, **both}


def _by_cause(value: object) -> bool:
    return isinstance(value, Mapping) and "do" not in value


def _replaces(base: Mapping[str, Any], over: Mapping[str, Any], path: Path) -> bool:
    if len(path) == 2 and path[0] == "verifiers":
        return "kind" in over and over["kind"] != base.get("kind")
    in_on_error = len(path) > 1 and path[-2] == "on_error"
    return in_on_error or (path[-1:] != () and path[-1] in _WHOLE)
