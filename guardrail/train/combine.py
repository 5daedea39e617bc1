"""The combination of the cross-encoder's reading with the novelties: a logistic regression on held-out
rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

from guardrail.claims import asks, claims
from guardrail.claims.words import Novelty
from guardrail.conversation import Evidence, Message, Turn
from guardrail.errors import InputError, MissingExtra
from guardrail.evaluate.calibration import between
from guardrail.train.data import MIX, WRITTEN, Row
from guardrail.verifiers.embedded.model import Model
from guardrail.verifiers.embedded.reading import Reader
from guardrail.verifiers.embedded.select import Sources
from guardrail.verifiers.embedded.units import room, units
from guardrail.verifiers.embedded.verifier import EmbeddedVerifier
from guardrail.verifiers.protocol import Check

__all__ = ["FEATURES", "combine", "fitted"]

FEATURES = ("logit", "word", "pair", "number", "answer_word", "answer_pair")
_ANSWERS = frozenset(part.name for part in MIX if part.answers) | {WRITTEN}
"""Sets whose rows are answers, as the verifier meets them."""
_LARGE = 3.0


def combine(
    folder: Path,
    rows: Sequence[Row],
    *,
    version: str,
    max_tokens: int,
    answers: Container[str] | None = _ANSWERS,
    of: str = "of models, and of those written for this one",
) -> dict[str, float]:
    """Fit the combination on ``rows`` with the model in ``folder`` and write ``config.json`` there.

    The weights are fitted on all answers that state anything, each by the claim that the model trusts least. Each set
    has an intercept of its own there, so that how many of its answers are wrong tells nothing. The threshold is the
    one with the best balanced accuracy of the whole verifier. ``answers``: only rows of these sets count; None: all
    do. ``of``: what these answers are, for whoever reads the settings. Returns the scores.
    """
    settings: dict[str, object] = {"version": version, "max_tokens": max_tokens, "threshold": 0.5}
    settings |= {"chosen_on": "nothing yet", "bias": 0.0, **dict.fromkeys(FEATURES, 0.0)}
    _write(folder, settings)
    # Pairs made for entailment are balanced so that novelty says nothing; in answers that models write it says much.
    rows = [row for row in rows if answers is None or row.source in answers]
    stating = [row for row in rows if claims(row.answer, asked=asks(row.question))]
    learned, scores = fitted(_features(Model(folder, None), stating), stating)
    settings |= learned | {"chosen_on": f"balanced accuracy on {len(rows)} held-out answers {of}"}
    _write(folder, settings)
    threshold, of_verifier = _threshold(folder, rows)
    _write(folder, settings | {"threshold": threshold})
    return scores | of_verifier


def _threshold(folder: Path, rows: Sequence[Row]) -> tuple[float, dict[str, float]]:
    """The threshold at which the verifier is best balanced on ``rows``, and its scores there."""
    import numpy as np
    from sklearn.metrics import roc_auc_score, roc_curve

    verifier = EmbeddedVerifier(folder)
    risks = [verifier.verify(_check(row)).risk for row in rows]
    judged = [(row, risk) for row, risk in zip(rows, risks, strict=True) if risk is not None]
    labels, known = [row.label for row, _ in judged], [risk for _, risk in judged]
    false, true, cuts = roc_curve(labels, known, sample_weight=_weights([row for row, _ in judged]))
    place = int(np.argmax(true - false))
    scores = {
        "AUROC of the verifier": float(roc_auc_score(labels, known)),
        "balanced accuracy of the verifier": float(1 + true[place] - false[place]) / 2,
        "answers with a risk": len(judged) / len(rows),
    }
    cut = min(float(cuts[place]), 1.0)  # the first one, at which none is called, is infinite
    # A number with few digits that calls the same answers: merely rounded, it might call none.
    return between(max((risk for risk in known if risk < cut), default=0.0), cut), scores


def _check(row: Row) -> Check:
    asked = (Message("user", (row.question,)),) if row.question else ()
    return Check(asked, Turn(row.answer), (Evidence(row.context, "caller"),))


def fitted(features: Sequence[Sequence[float]], rows: Sequence[Row]) -> tuple[dict[str, float], dict[str, float]]:
    """The weights with ``bias``, and the scores on the same rows.

    No weight is below zero: what is new may be harmless, but it never speaks for an answer. Raises `InputError` where
    nothing is left, so that no weight above zero tells the labels apart.
    """
    try:
        import numpy as np
        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import roc_auc_score
    except ImportError as error:
        raise MissingExtra("fitting needs scikit-learn: pip install 'guardrail-llm[train]'") from error
    x, y, weights = np.array(features), np.array([row.label for row in rows]), np.array(_weights(rows))
    own, kept = _own_intercepts(rows), list(range(len(FEATURES)))
    slopes = np.zeros(0)
    while kept:
        columns = np.hstack([x[:, kept], own])
        slopes = LogisticRegression(C=1.0, max_iter=3000).fit(columns, y, sample_weight=weights).coef_[0][: len(kept)]
        if slopes.min() >= 0:
            break
        del kept[int(slopes.argmin())]
    if not kept:
        raise InputError(
            f"nothing tells right answers from wrong ones in these {len(rows)} rows: are the labels turned?"
        )
    weighed = x[:, kept] @ slopes
    learned = dict.fromkeys(FEATURES, 0.0)
    learned |= {FEATURES[k]: float(value) for k, value in zip(kept, slopes, strict=True)}
    learned |= {"bias": _bias(weighed, y, weights)}
    scores = {}
    for name, values in {"logit alone": x[:, 0], "combined": weighed}.items():
        scores[f"AUROC, {name}"] = float(roc_auc_score(y, values))
    return learned, scores


def _own_intercepts(rows: Sequence[Row]) -> Any:
    """A column for each set with answers of both labels: what tells sets of one label apart is their label.

    The size of its entries has the fit hardly shrink what it finds.
    """
    import numpy as np

    names = sorted({row.source for row in rows if row.label} & {row.source for row in rows if not row.label})
    return np.array([[_LARGE * (row.source == name) for name in names] for row in rows])


def _bias(weighed: Any, labels: Any, weights: Any) -> float:
    """The one intercept with which the mean risk is the share of wrong answers."""
    import numpy as np
    from scipy.optimize import brentq

    wanted = np.average(labels, weights=weights)

    def beyond(bias: float) -> float:
        return float(np.average(1 / (1 + np.exp(-(weighed + bias))), weights=weights) - wanted)

    return float(brentq(beyond, -100.0, 100.0))


def _weights(rows: Sequence[Row]) -> list[float]:
    """Every set counts the same whatever its size. The mean is 1."""
    sizes = Counter(row.source for row in rows)
    return [len(rows) / len(sizes) / sizes[row.source] for row in rows]


def _features(model: Model, rows: Sequence[Row]) -> list[list[float]]:
    """The features of the claim that the model trusts least, which mostly is the only one, of each row's answer."""
    read = []
    for row in rows:
        sources = Sources([Evidence(row.context, "caller")])
        said = claims(row.answer, asked=asks(row.question))
        together = units(row.answer, said, room=room(sources.words))
        reader = Reader(model, sources, row.question, look_at_clock=lambda: None)
        worst = max(reader.held(together), key=lambda held: held.logit)
        read.append(_vector(worst.logit, worst.novelty, reader.new(row.answer)))
    return read


def _vector(logit: float, claim: Novelty, answer: Novelty) -> list[float]:
    return [logit, claim.word, claim.pair, claim.number, answer.word, answer.pair]


def _write(folder: Path, settings: dict[str, object]) -> None:
    (folder / "config.json").write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
