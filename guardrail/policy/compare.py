"""Two policies side by side, setting by setting. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from guardrail.policy.model import Policy
from guardrail.policy.problems import Path, key_of

__all__ = ["ABSENT", "Difference", "differences"]


class _Absent:
    """Where one of two policies has nothing."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = _Absent()
"""Stands where one of the two has nothing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that differs."""

    path: str
    """Where it stands: ``policies.default.on_unknown[0].do``."""
    old: Any
    """As a policy file would say it, or `ABSENT`."""
    new: Any


def differences(old: Policy, new: Policy) -> tuple[Difference, ...]:
    """The settings that differ, defaults included; none exactly where the digests are the same."""
    return tuple(_between(old.dump(), new.dump(), ()))


def _between(old: Any, new: Any, path: Path) -> Iterator[Difference]:
    pairs = _pairs(old, new)
    if pairs is None:
        if old != new:
            yield Difference(key_of(path), old, new)
        return
    for key, (before, after) in pairs.items():
        yield from _between(before, after, (*path, key))


def _pairs(old: Any, new: Any) -> Mapping[str | int, tuple[Any, Any]] | None:
    """What stands in both, side by side; None where they are values, or of two kinds."""
    filled = [side for side in (old, new) if side is not ABSENT]
    if all(isinstance(side, Mapping) for side in filled) and any(filled):
        first, second = ({} if side is ABSENT else side for side in (old, new))
        return {key: (first.get(key, ABSENT), second.get(key, ABSENT)) for key in {**first, **second}}
    if all(isinstance(side, list) for side in filled) and any(filled):
        first, second = ([] if side is ABSENT else side for side in (old, new))
        return dict(enumerate(zip_longest(first, second, fillvalue=ABSENT)))
    return None
