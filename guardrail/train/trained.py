"""What came of a training, and what there is to doubt about it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from guardrail.train.arguments import Arguments
from guardrail.train.extent import DataFile, Extent, Labels
from guardrail.train.measured import BASELINES, Measured, Rival

__all__ = ["Trained", "doubts"]

_FEW_SCORED = 200
_FEW_TRAINED = 300
_WIDE = 0.1
_COVERED = 0.9


@dataclass(frozen=True, slots=True)
class Trained:
    """All that the card of a trained model tells."""

    arguments: Arguments
    software: Mapping[str, str]
    base: str
    """Its name."""
    files: tuple[DataFile, ...]
    left_out: Mapping[str, int]
    """Rows by why they were left out."""
    contradictory: int
    """Rows that are there with both labels."""
    training: Labels
    choosing: Labels
    scoring: Labels
    contexts: int
    """Different contexts of all rows."""
    pieces_shared: bool
    """Whether a held-out row may share a single piece of evidence, though not all of it, with one trained on."""
    extent: Extent
    threshold: float
    """The risk from which on the model calls a claim unreliable."""
    rounding: float
    """How much the rounding of its weights changes its logits (root of the mean square)."""
    scores: Measured
    """On the rows to score, all together."""
    by_source: tuple[Measured, ...]
    """The same for each source with both labels, where there are several."""
    seconds: float
    """Of the last run."""


def doubts(made: Trained) -> list[str]:
    """Whatever speaks against using the model, or against believing its scores, in whole sentences."""
    return [*_against_rivals(made), *_of_scores(made), *_of_rows(made)]


def _against_rivals(made: Trained) -> Iterator[str]:
    for rival in made.scores.rivals:
        if rival.ahead.high < 0:
            advice = " Use that one." if rival.name not in BASELINES else " It has learned less than there is to count."
            yield f"It is WORSE than {_named(rival)}.{advice}"
        elif rival.ahead.low <= 0:
            yield f"It is not shown to be better than {_named(rival)}: chance may be all there is."
    for part in made.by_source:
        worse = [rival for rival in part.rivals if rival.ahead.high < 0]
        for rival in worse:
            yield f"On the rows of {part.source} it is WORSE than {_named(rival)}."


def _named(rival: Rival) -> str:
    value, low, high = rival.ahead.value, rival.ahead.low, rival.ahead.high
    return f"{rival.name} (difference of AUROC {value:+.3f}, interval {low:+.3f} to {high:+.3f})"


def _of_scores(made: Trained) -> Iterator[str]:
    scores = made.scores
    if scores.auroc.low <= 0.5:
        yield "It may be no better than guessing: the interval of its AUROC reaches down to 0.5."
    if scores.rows < _FEW_SCORED or scores.auroc.high - scores.auroc.low > _WIDE:
        yield (
            f"{scores.rows} rows to score ({scores.unreliable} unreliable, {scores.contexts} contexts) tell little: the"
            f" AUROC may be anything from {scores.auroc.low:.2f} to {scores.auroc.high:.2f}."
        )
    if (scores.quality.coverage or 0.0) < _COVERED:
        yield f"{1 - (scores.quality.coverage or 0.0):.0%} of the rows to score got no risk; they rank in the middle."


def _of_rows(made: Trained) -> Iterator[str]:
    if made.training.rows < _FEW_TRAINED:
        yield f"It was trained on {made.training.rows} rows; some hundreds more may change a lot."
    if made.contradictory:
        yield f"{made.contradictory} rows are there with both labels: one of them is wrong each time."
    if made.pieces_shared:
        yield (
            "Rows share so many pieces of evidence that a row to score may share one with a row trained on: on evidence"
            " never seen it may do worse."
        )
