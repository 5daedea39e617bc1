"""AUROC over resamples of the same rows, all at once. Pure."""

from __future__ import annotations

from typing import Any

__all__ = ["areas"]


def areas(labels: Any, risks: Any, counts: Any) -> Any:
    """The AUROC of each resample, shape (resamples,), in which each row stands as often as ``counts`` says.

    ``labels`` (bool) and ``risks`` have the shape (rows,), ``counts`` (resamples, rows). A tie counts half. NaN where a
    resample lacks one of the labels.
    """
    import numpy as np

    order = np.argsort(risks, kind="stable")
    _, starts = np.unique(risks[order], return_index=True)
    bad, good = (np.add.reduceat((counts * mask)[:, order], starts, axis=1) for mask in (labels, ~labels))
    below = np.cumsum(good, axis=1) - good
    pairs = bad.sum(axis=1) * good.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (bad * (below + good / 2)).sum(axis=1) / pairs
