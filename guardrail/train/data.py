"""The mix of labelled rows: which sets, how many rows of each, under which licence."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from dataclasses import dataclass
from pathlib import Path

from guardrail.errors import InputError

__all__ = ["MIX", "Row", "SetOf", "digest", "read", "split"]


@dataclass(frozen=True, slots=True)
class SetOf:
    """One set of the mix."""

    name: str
    rows: int
    """At most so many, so that no domain drowns the others."""
    licence: str
    share_alike: bool = False
    answers: bool = False
    """Whether the rows are answers that models gave and people judged: what the verifier meets at run time."""


MIX = (
    SetOf("mnli_dev", 9815, "OANC"),
    SetOf("mnli_train_part", 10047, "OANC"),
    SetOf("mnli_binary_more", 9830, "OANC"),
    SetOf("snli_dev", 2500, "CC BY-SA 4.0", True),
    SetOf("snli_train_part", 2500, "CC BY-SA 4.0", True),
    SetOf("cad_nli", 3000, "Apache-2.0; SNLI CC BY-SA", True),
    SetOf("fever_nli_binary", 17749, "BSD-3; FEVER CC BY-SA", True),
    SetOf("fever_symmetric", 1412, "MIT; FEVER CC BY-SA", True),
    SetOf("foolmetwice", 2547, "Apache-2.0"),
    SetOf("tabfact", 1500, "MIT"),
    SetOf("infotabs", 2500, "Apache-2.0"),
    SetOf("wiki_swap_synth", 5000, "MIT; Wikipedia CC BY-SA", True),
    SetOf("condaqa_yesno", 2000, "Apache-2.0"),
    SetOf("hans_regen", 800, "MIT"),
    SetOf("conjnli", 2386, "MIT"),
    SetOf("xquad_en", 1830, "CC BY-SA 4.0", True),
    SetOf("sgd_grounded", 1500, "CC BY-SA 4.0", True),
    SetOf("tatqa_swap", 1200, "CC BY 4.0"),
    SetOf("timeqa_human", 1500, "BSD-3"),
    SetOf("e2e_clean_swap", 800, "CC BY-SA 4.0", True),
    SetOf("logicnlg_posneg", 800, "MIT"),
    SetOf("begin", 2350, "CC BY 4.0 (the rows from Wizard of Wikipedia alone)", answers=True),
    SetOf("faithdial_audit", 1236, "MIT", answers=True),
    SetOf("alexa_dialog_fact", 2066, "CC BY-SA 4.0", True, answers=True),
    SetOf("expertqa_claims", 1132, "MIT", answers=True),
    SetOf("factcheckgpt_stance", 3103, "Apache-2.0", answers=True),
    SetOf("defacto", 4372, "MIT (labels)", answers=True),
    SetOf("halueval_dialogue", 1200, "MIT", answers=True),
)
"""Sets whose licence lets a model trained on them be shipped, and whose labels form alone does not give
away."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled answer."""

    source: str
    context: str
    question: str
    answer: str
    label: int
    """0 reliable, 1 unreliable."""


def read(folder: Path, *, permissive_only: bool, seed: int) -> list[Row]:
    """The mix out of ``folder``, shuffled; without share-alike sets if ``permissive_only``.

    Raises `InputError` when a set is missing.
    """
    chance = random.Random(seed)
    rows = [row for part in MIX if not (permissive_only and part.share_alike) for row in _sample(folder, part, chance)]
    chance.shuffle(rows)
    return rows


def split(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """For training, and about a twentieth held out for choosing.

    The context decides, so that no held-out row shares its context with a row trained on, in this mix or another.
    """
    train = [row for row in rows if not _is_held(row)]
    return train, [row for row in rows if _is_held(row)]


def _is_held(row: Row) -> bool:
    return hashlib.sha256(row.context.encode()).digest()[0] < 256 // 20


def digest(rows: list[Row]) -> str:
    """Twelve hexadecimal digits that change with any row or with their order."""
    sha = hashlib.sha256()
    for row in rows:
        sha.update(json.dumps([row.source, row.context, row.question, row.answer, row.label]).encode())
    return sha.hexdigest()[:12]


def _sample(folder: Path, part: SetOf, chance: random.Random) -> list[Row]:
    path = folder / f"{part.name}.jsonl.gz"
    if not path.is_file():
        raise InputError(f"{path} is missing; the mix needs it (see MIX in guardrail/train/data.py)")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    if part.name == "begin":
        found = [row for row in found if row["id"].startswith("wow")]
    chance.shuffle(found)
    rows = (_row(part.name, row) for row in found[: part.rows])
    return [row for row in rows if row.context.strip() and row.answer.strip()]


def _row(source: str, row: dict[str, object]) -> Row:
    label = row["label"]
    assert isinstance(label, int)
    context, question, answer = (str(row.get(key) or "") for key in ("context", "question", "answer"))
    return Row(source, context, question, answer, label)
