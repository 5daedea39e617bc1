"""What a training is asked for. Pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Arguments"]


@dataclass(frozen=True, slots=True)
class Arguments:
    """What decides the outcome. A stopped run goes on with the very same only."""

    data: str
    """The digest of the usable rows with their labels; their order, and the files that they stand in, do not matter."""
    base: str
    """The digest of the base, or its name on the hub."""
    hold_out: float
    """The share (0..1) of rows that are not trained on."""
    epochs: int
    rate: float
    """The highest learning rate."""
    batch: int
    seed: int
    max_tokens: int = 176
    """Longest pair of evidence and claim."""
