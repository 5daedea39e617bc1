"""The policy: its model (`model`), reading it (`loading`), presets, routing, and `decide`.

Nothing is imported until it is asked for, so that the pure modules stay free of those that read files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardrail.policy.loading import load
    from guardrail.policy.model import Policy, Rules
    from guardrail.policy.presets import preset

__all__ = ["Policy", "Rules", "load", "preset"]

_HOMES = {"Policy": "model", "Rules": "model", "load": "loading", "preset": "presets"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
