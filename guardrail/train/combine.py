"""The combination of the cross-encoder's reading with the novelties: a logistic regression on held-out
rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from guardrail.conversation import Evidence
from guardrail.errors import MissingExtra
from guardrail.train.data import Row
from guardrail.verifiers.embedded.model import Model
from guardrail.verifiers.embedded.select import Sources
from guardrail.verifiers.embedded.verifier import with_question
from guardrail.verifiers.embedded.words import Lexicon, novelty, words

__all__ = ["FEATURES", "combine"]

FEATURES = ("logit", "word", "pair", "number", "name", "passage_pair")


def combine(folder: Path, rows: Sequence[Row], *, version: str, max_tokens: int) -> dict[str, float]:
    """Fit the combination on ``rows`` with the model in ``folder`` and write ``config.json`` there.

    The threshold is the one with the best balanced accuracy on the same rows. Returns the scores on them.
    """
    try:
        import numpy as np
        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import roc_auc_score, roc_curve
    except ImportError as error:
        raise MissingExtra("fitting needs scikit-learn: pip install 'guardrail-llm[train]'") from error
    settings = {
        "version": version,
        "max_tokens": max_tokens,
        "threshold": 0.5,
        "chosen_on": "nothing yet",
        "bias": 0.0,
    }
    _write(folder, settings | dict.fromkeys(FEATURES, 0.0))
    x = np.array(_features(Model(folder, None), rows))
    y = np.array([row.label for row in rows])
    sizes = Counter(row.source for row in rows)
    # Every set counts the same, whatever its size: the next domain is like none of them in particular.
    weights = np.array([1 / sizes[row.source] for row in rows])
    fitted = LogisticRegression(C=10.0, max_iter=1000).fit(x, y, sample_weight=weights * len(rows) / len(sizes))
    risk = fitted.predict_proba(x)[:, 1]
    false, true, cuts = roc_curve(y, risk, sample_weight=weights)
    threshold = float(cuts[int(np.argmax(true - false))])
    learned = dict(zip(FEATURES, map(float, fitted.coef_[0]), strict=True))
    chosen_on = f"balanced accuracy on {len(rows)} held-out rows of the training mix"
    _write(
        folder,
        settings
        | learned
        | {"bias": float(fitted.intercept_[0]), "threshold": round(threshold, 3), "chosen_on": chosen_on},
    )
    scores = {"AUROC, logit alone": roc_auc_score(y, x[:, 0]), "AUROC, combined": roc_auc_score(y, risk)}
    return {**{name: float(value) for name, value in scores.items()}, "threshold": threshold}


def _features(model: Model, rows: Sequence[Row]) -> list[list[float]]:
    prepared = []
    for row in rows:
        sources = Sources([Evidence(row.context, "caller")])
        claim = with_question(row.answer, row.question)
        prepared.append((sources, sources.passage(claim), claim, row.answer))
    logits = model.logits([(passage.text, claim) for _, passage, claim, _ in prepared], lambda: None)
    return [
        _vector(logit, answer, sources.lexicon, Lexicon.of(words(passage.text)))
        for logit, (sources, passage, _, answer) in zip(logits, prepared, strict=True)
    ]


def _vector(logit: float, answer: str, everywhere: Lexicon, here: Lexicon) -> list[float]:
    new = novelty(answer, everywhere)
    return [logit, new.word, new.pair, new.number, new.name, novelty(answer, here).pair]


def _write(folder: Path, settings: dict[str, object]) -> None:
    (folder / "config.json").write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
