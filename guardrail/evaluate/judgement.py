"""What is kept of a labelled answer once it was judged. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from guardrail.evaluate.baselines import Baselines
from guardrail.verdict import Cause, FindingKind, Status

__all__ = ["Judgement"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One judged answer: all that scores need, and no text."""

    source: str
    unreliable: bool
    """The label."""
    status: Status
    """At the policy's threshold."""
    risk: float | None
    cause: Cause | None
    seconds: float
    """Until the verdict, or the error, was in."""
    verifier: str
    """Who judged, with the version."""
    policy: str
    """The name of the rules that applied."""
    baselines: Baselines
    kinds: frozenset[FindingKind] = frozenset()
    """Of the findings."""
