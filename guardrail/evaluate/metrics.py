"""Metrics of a two-class detector. Pure; label True is the class *unreliable*, a risk goes from 0 to 1.

All need rows of both labels and are None without. They are scikit-learn's, which the extra ``eval`` brings;
its user guide (section "Metrics and scoring") has the definitions in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from guardrail.errors import MissingExtra

__all__ = ["auroc", "average_precision", "balanced_accuracy", "f1", "percentile", "sklearn_metrics"]


def sklearn_metrics() -> ModuleType:
    """``sklearn.metrics``; call it first where much time goes by before a metric is asked for.

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        import sklearn.metrics
    except ModuleNotFoundError as error:  # any other failure is no missing package
        raise MissingExtra("evaluating needs scikit-learn: pip install 'guardrail-llm[eval]'") from error
    module: ModuleType = sklearn.metrics
    return module


def auroc(labels: Sequence[bool], risks: Sequence[float]) -> float | None:
    """Area under the ROC curve, 0..1: the chance that an unreliable answer has a higher risk than a reliable one.

    A tie counts half, so that a constant risk gives 0.5. (Hanley and McNeil, Radiology 143, 1982.)
    """
    return float(sklearn_metrics().roc_auc_score(labels, risks)) if _both(labels) else None


def average_precision(labels: Sequence[bool], risks: Sequence[float]) -> float | None:
    """Precision averaged over recall as the risk falls, 0..1; a constant risk gives the share of unreliable rows.

    A sum over the distinct risks, without interpolation. (Davis and Goadrich, ICML 2006, on why.)
    """
    return float(sklearn_metrics().average_precision_score(labels, risks)) if _both(labels) else None


def balanced_accuracy(labels: Sequence[bool], called: Sequence[bool]) -> float | None:
    """Mean of two recalls, 0..1: unreliable rows that were ``called`` unreliable, and reliable ones that were not.

    Always or never calling gives 0.5. (Brodersen et al., ICPR 2010.)
    """
    return float(sklearn_metrics().balanced_accuracy_score(labels, called)) if _both(labels) else None


def f1(labels: Sequence[bool], called: Sequence[bool]) -> float | None:
    """Harmonic mean of precision and recall of the class unreliable, 0..1; 0 where nothing was ``called``.

    (Van Rijsbergen, Information Retrieval, 1979, chapter 7.)
    """
    return float(sklearn_metrics().f1_score(labels, called, zero_division=0.0)) if _both(labels) else None


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which ``share`` (0..1) of ``values`` lie, between neighbours by straight line; None of none.

    (Type 7 of Hyndman and Fan, The American Statistician 50, 1996.)
    """
    import numpy as np

    return float(np.quantile(values, share)) if values else None


def _both(labels: Sequence[bool]) -> bool:
    return len(set(labels)) == 2
