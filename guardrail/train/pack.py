"""A matrix rounded to 4 bits."""

from __future__ import annotations

from typing import Any

from guardrail.errors import InputError
from guardrail.verifiers.embedded.packed import HALF, Packed

__all__ = ["GROUP", "packed"]

GROUP = 64
_LARGEST = 255
_KEPT = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75)
"""How much of a group's range is tried to be kept: what its few large weights lose, the many small ones win."""


def packed(weights: Any, *, turned: bool) -> Packed:
    """``weights`` [inputs, channels] in 4 bits. Of a few ranges each group takes the one with the least error.

    Raises `InputError` if `GROUP` does not divide the inputs.
    """
    import numpy as np

    inputs, channels = weights.shape
    if inputs % GROUP:
        raise InputError(f"a matrix of {inputs} rows has no groups of {GROUP}: choose an encoder of another width")
    grouped = weights.reshape(inputs // GROUP, GROUP, channels)
    largest = np.maximum(np.abs(grouped).max(axis=1), 1e-12)
    scale = (largest.max(axis=0) / (HALF - 1) / _LARGEST).astype(np.float32)
    error = np.full(largest.shape, np.inf)
    shares, numbers = np.ones(largest.shape, np.uint8), np.zeros(grouped.shape, np.int8)
    for kept in _KEPT:
        tried = np.clip(np.rint(kept * largest / (HALF - 1) / scale), 1, _LARGEST)
        steps = (tried * scale)[:, None]
        rounded = np.clip(np.rint(grouped / steps), -HALF, HALF - 1)
        missed = ((rounded * steps - grouped) ** 2).sum(axis=1)
        better = missed < error
        error = np.where(better, missed, error)
        shares = np.where(better, tried, shares).astype(np.uint8)
        numbers = np.where(better[:, None], rounded, numbers).astype(np.int8)
    stored = (numbers.reshape(inputs, channels) + HALF).astype(np.uint8)
    half = inputs // 2
    one = np.ones((inputs, 1), np.float32)
    columns = np.ones(channels, np.float32)
    both = (stored[:half] | stored[half:] << 4).astype(np.uint8)
    return Packed(both, shares, scale, one, columns, np.bool_(turned))
