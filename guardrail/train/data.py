"""The mix of labelled rows: which sets, how many rows of each, under which licence."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from guardrail.claims.segment import sentences
from guardrail.errors import InputError

__all__ = ["MIX", "WRITTEN", "Row", "SetOf", "digest", "held_answers", "read", "split"]


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
    SetOf("mnli_dev", 2500, "OANC"),
    SetOf("mnli_train_part", 2500, "OANC"),
    SetOf("mnli_binary_more", 2500, "OANC"),
    SetOf("snli_dev", 500, "CC BY-SA 4.0", True),
    SetOf("snli_train_part", 500, "CC BY-SA 4.0", True),
    SetOf("cad_nli", 1200, "Apache-2.0; SNLI CC BY-SA", True),
    SetOf("fever_nli_binary", 5500, "BSD-3; FEVER CC BY-SA", True),
    SetOf("fever_symmetric", 1412, "MIT; FEVER CC BY-SA", True),
    SetOf("foolmetwice", 2547, "Apache-2.0"),
    SetOf("infotabs", 800, "Apache-2.0"),
    SetOf("wiki_swap_synth", 2000, "MIT; Wikipedia CC BY-SA", True),
    SetOf("hans_regen", 300, "MIT"),
    SetOf("conjnli", 800, "MIT"),
    SetOf("tabfact", 500, "MIT"),
    SetOf("condaqa_yesno", 600, "Apache-2.0"),
    SetOf("xquad_en", 400, "CC BY-SA 4.0", True),
    SetOf("tatqa_swap", 300, "CC BY 4.0"),
    SetOf("timeqa_human", 400, "BSD-3"),
    SetOf("e2e_clean_swap", 300, "CC BY-SA 4.0", True),
    SetOf("logicnlg_posneg", 300, "MIT"),
    SetOf("sgd_grounded", 500, "CC BY-SA 4.0", True),
    SetOf("begin", 2350, "CC BY 4.0 (the rows from Wizard of Wikipedia alone)", answers=True),
    SetOf("faithdial_audit", 1236, "MIT", answers=True),
    SetOf("alexa_dialog_fact", 2066, "CC BY-SA 4.0", True, answers=True),
    SetOf("expertqa_claims", 1132, "MIT", answers=True),
    SetOf("factcheckgpt_stance", 2000, "Apache-2.0", answers=True),
    SetOf("defacto", 3200, "MIT (labels)", answers=True),
    SetOf("halueval_dialogue", 1000, "MIT"),
    SetOf("halueval_summarization", 800, "MIT"),
)
"""Sets whose licence lets a model trained on them be shipped, and whose labels form alone does not give
away."""


WRITTEN = "written"
"""The source of the rows in `guardrail.train.written`."""
_HELD = 400


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
    """For training, and about a twentieth held out for choosing (of those written for the model an eighth).

    The context decides, so that no held-out row shares its context with a row trained on, in this mix or another.
    """
    train = [row for row in rows if not _is_held(row)]
    return train, [row for row in rows if _is_held(row)]


def held_answers(folder: Path, *, permissive_only: bool, seed: int) -> list[Row]:
    """Held-out answers that models wrote and people judged, at most `_HELD` of a set, in the mix or not."""
    chance = random.Random(seed)
    rows: list[Row] = []
    for part in MIX:
        if part.answers and not (permissive_only and part.share_alike):
            whole = replace(part, rows=sys.maxsize)
            rows += [row for row in _sample(folder, whole, chance) if _is_held(row)][:_HELD]
    return rows


def _is_held(row: Row) -> bool:
    drawn = hashlib.sha256(row.context.encode()).digest()
    return drawn[1] % 8 == 0 if row.source == WRITTEN else drawn[0] < 256 // 20


def digest(rows: list[Row]) -> str:
    """Twelve hexadecimal digits that change with any row or with their order."""
    sha = hashlib.sha256()
    for row in rows:
        sha.update(json.dumps([row.source, row.context, row.question, row.answer, row.label]).encode())
    return sha.hexdigest()[:12]


def _sample(folder: Path, part: SetOf, chance: random.Random) -> list[Row]:
    rows = _rows(folder, part.name, chance)
    repair = _REPAIRED.get(part.name)
    return (repair(rows, chance) if repair else rows)[: part.rows]


def _rows(folder: Path, name: str, chance: random.Random) -> list[Row]:
    path = folder / f"{name}.jsonl.gz"
    if not path.is_file():
        raise InputError(f"{path} is missing; the mix needs it (see MIX in guardrail/train/data.py)")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    if name == "begin":
        found = [row for row in found if row["id"].startswith("wow")]
    chance.shuffle(found)
    return [row for row in (_row(name, row) for row in found) if row.context.strip() and row.answer.strip()]


def _of_like_length(rows: list[Row], chance: random.Random) -> list[Row]:
    """As many right as wrong answers of each length: length says nothing then."""
    by_length: dict[int, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    for row in rows:
        by_length[len(row.answer.split()) // 2][row.label].append(row)
    kept = [row for right, wrong in by_length.values() for both in zip(right, wrong, strict=False) for row in both]
    chance.shuffle(kept)
    return kept


def _sentence_of_right(rows: list[Row], chance: random.Random) -> list[Row]:
    """One sentence out of each right answer: the wrong ones of this set are told by their length alone."""
    right = [(row, sentences(row.answer)) for row in rows if row.label == 0]
    return [replace(row, answer=chance.choice(said).text) for row, said in right if said]


_REPAIRED = {"halueval_dialogue": _of_like_length, "halueval_summarization": _sentence_of_right}
"""Sets whose form gives the label away, and what is done about it."""


def _row(source: str, row: dict[str, object]) -> Row:
    label = row["label"]
    assert isinstance(label, int)
    context, question, answer = (str(row.get(key) or "") for key in ("context", "question", "answer"))
    return Row(source, context, question, answer, label)
