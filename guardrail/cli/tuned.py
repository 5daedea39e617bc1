"""A trained model as people read it: scores, doubts, and what to put into the policy. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from guardrail.policy.editing import snippet
from guardrail.train.measured import Interval
from guardrail.train.trained import Trained, doubts

__all__ = ["in_policy", "told"]


def told(made: Trained, folder: Path) -> str:
    """What there is to say at the end."""
    return "\n".join([*_scores(made), "", *(f"- {doubt}" for doubt in doubts(made)), "", in_policy(made, folder)])


def in_policy(made: Trained, folder: Path) -> str:
    """What to put into a policy, and what to read first."""
    name = folder.as_posix()
    path = name if folder.is_absolute() or name.startswith(".") else f"./{name}"
    verifier = snippet(("verifiers", "main"), {"kind": "embedded", "path": path})
    threshold = snippet(("policies", "default", "verify"), {"threshold": "none"})
    own = f"# the model's own threshold, {made.threshold:g}"
    return (
        f"The card is {folder / 'CARD.md'}. For a policy file in the folder that you are in:\n\n"
        f"{verifier}{threshold.rstrip()}  {own}\n"
    )


def _scores(made: Trained) -> Iterator[str]:
    scores = made.scores
    yield f"AUROC on {scores.rows} rows to score ({scores.unreliable} unreliable), with 95 % intervals:"
    rows = [("this model", scores.auroc, ""), *((one.name, one.auroc, _ahead(one.ahead)) for one in scores.rivals)]
    width = max(len(name) for name, _, _ in rows)
    for name, area, ahead in rows:
        yield f"  {name:{width}}  {area.value:.3f} ({area.low:.3f} to {area.high:.3f}){ahead}"
    balanced = scores.balanced_accuracy
    yield (
        f"Balanced accuracy at its threshold {made.threshold:g}:"
        f" {balanced.value:.3f} ({balanced.low:.3f} to {balanced.high:.3f})"
    )


def _ahead(ahead: Interval) -> str:
    return f"  the model is ahead by {ahead.value:+.3f} ({ahead.low:+.3f} to {ahead.high:+.3f})"
