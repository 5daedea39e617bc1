"""Verdicts that are remembered, as a policy says it. Pure."""

from __future__ import annotations

from guardrail.policy.durations import SomeSeconds
from guardrail.policy.part import Count, Maybe, Part

__all__ = ["CacheSpec"]


class CacheSpec(Part):
    """Verdicts on equal checks are given again without asking."""

    entries: Count = 1000
    """At most so many verdicts are remembered, those used last."""
    ttl: Maybe[SomeSeconds] = 3600.0
    """After so long a verdict is forgotten; none: never for its age."""
