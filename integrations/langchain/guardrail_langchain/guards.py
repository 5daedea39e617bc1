"""The guard that an application names: a policy, or a `Guard` of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from guardrail.errors import ConfigError
from guardrail.events import Listener
from guardrail.guard import Guard

if TYPE_CHECKING:
    from guardrail.policy.model import Policy
    from guardrail.verifiers.own import Judge

__all__ = ["guard_of"]


def guard_of(
    policy: Policy | str | Path | Guard | None,
    verifiers: Mapping[str, Judge] | None,
    listeners: Sequence[Listener],
) -> Guard:
    """``policy`` itself where it is a guard, else a new guard with it; `ConfigError` where both are described."""
    if not isinstance(policy, Guard):
        return Guard(policy, verifiers=verifiers, listeners=listeners)
    if verifiers or listeners:
        raise ConfigError("verifiers= and listeners= belong to the Guard that was given; set them there")
    return policy
