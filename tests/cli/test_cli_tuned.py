"""What is printed when a training is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrail.cli.tuned import in_policy, told
from guardrail.policy.loading import load
from tests.train.made import BASE, WORSE, made, scores


def test_scores_come_first_then_what_to_doubt_then_what_to_put_into_the_policy() -> None:
    text = told(made(scores=scores(base=WORSE)), Path("my-model"))
    places = [
        text.index(said)
        for said in (
            "AUROC on 400 rows to score (200 unreliable)",
            f"  {BASE}  0.850 (0.800 to 0.900)  the model is ahead by -0.050 (-0.080 to -0.020)",
            "Balanced accuracy at its threshold 0.43: 0.800 (0.760 to 0.840)",
            f"- It is WORSE than {BASE}",
            "The card is my-model/CARD.md",
            "{kind: embedded, path: ./my-model}",
        )
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("folder", "path"), [("my-model", "./my-model"), ("../models/a b", "../models/a b"), ("/srv/model", "/srv/model")]
)
def test_what_is_printed_is_a_policy(folder: str, path: str, tmp_path: Path) -> None:
    text = in_policy(made(), Path(folder))
    file = tmp_path / "guardrail.yaml"
    file.write_text(f"version: 1\n{text[text.index('verifiers:') :]}")
    policy = load(file)
    assert policy.policies["default"].verify.threshold is None
    assert str(policy.dump()["verifiers"]["main"]["path"]).endswith(path.lstrip("./"))
