"""A training that came to an end, for tests of what is said about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from guardrail.evaluate.scores import Quality
from guardrail.train.arguments import Arguments
from guardrail.train.extent import DataFile, Extent, Labels
from guardrail.train.measured import Interval, Measured, Rival
from guardrail.train.trained import Trained

BASE = "its base, the model that guardrail ships"
CLEAR = Interval(0.05, 0.02, 0.08)
UNSURE = Interval(0.01, -0.02, 0.04)
WORSE = Interval(-0.05, -0.08, -0.02)


def scores(*, base: Interval = CLEAR, words: Interval = CLEAR, **changes: Any) -> Measured:
    quality = Quality(0.9, 0.9, 0.8, 0.8, 0.05, 0.99, 0.6, 0.7, 0.7)
    rivals = (Rival(BASE, Interval(0.85, 0.8, 0.9), base), Rival("word novelty", Interval(0.7, 0.6, 0.8), words))
    found = Measured("", 400, 200, 300, Interval(0.9, 0.87, 0.93), Interval(0.8, 0.76, 0.84), quality, rivals)
    return replace(found, **changes)


def made(**changes: Any) -> Trained:
    found = Trained(
        arguments=Arguments("9f2c61d0a7b85e34", "0957a6295b03", 0.3, 3, 5e-5, 16, 1),
        software={"python": "3.11.7", "torch": "2.6.0"},
        base="the model that guardrail ships",
        files=(
            DataFile("qa.jsonl", "ab" * 32, Labels(900, 1100), "CC BY 4.0"),
            DataFile("chats.jsonl", None, Labels(100, 100), None),
        ),
        left_out={"without evidence": 12},
        contradictory=0,
        training=Labels(700, 700),
        choosing=Labels(200, 200),
        scoring=Labels(200, 200),
        contexts=1500,
        pieces_shared=False,
        extent=Extent({"qa": 2000, "chats": 200}, (12, 40), (120, 900), 0.25),
        threshold=0.43,
        rounding=0.08,
        scores=scores(),
        by_source=(),
        seconds=600.0,
    )
    return replace(found, **changes)
