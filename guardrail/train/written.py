"""Answers that were written for this model: to each piece of evidence two right and two wrong ones, alike in form.

One right answer is near the evidence's words and one is in words of its own, and so are the wrong ones: what is new in
them says nothing. The wrong ones are mostly the right ones with one thing wrong, so that it is known of each of their
sentences whether it is. The texts are invented, none is taken from anywhere; they are under the licence of the project.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from guardrail.claims.segment import sentences
from guardrail.train.data import WRITTEN, Row

__all__ = ["by_sentence", "written"]

_FILE = Path(__file__).with_name("written.jsonl")
_FEW = 3
"""A sentence of so few words is seldom a claim."""


def written() -> list[Row]:
    """All of them, those of one context in a row.

    A line of the file is one context: ``context``, ``question``, ``domain``, and ``answers`` with ``text``, ``label``,
    ``form`` (right-free, right-near, wrong-near, wrong-free) and what kind of ``error`` it has.
    """
    lines = [json.loads(line) for line in _FILE.read_text("utf-8").splitlines()]
    return [
        Row(WRITTEN, line["context"], line["question"], answer["text"], answer["label"])
        for line in lines
        for answer in line["answers"]
    ]


def by_sentence(rows: Sequence[Row]) -> list[Row]:
    """The sentences of such rows' answers of several, as rows with labels of their own.

    All of a right answer are right. Of a wrong one those are that a right one has too; where that leaves just one, it
    is the wrong one. Each comes once.
    """
    right = defaultdict[str, set[str]](set)
    for row in rows:
        if row.label == 0:
            right[row.context].update(sentence.text for sentence in sentences(row.answer))
    found: dict[tuple[str, str], Row] = {}
    for row in rows:
        said = [sentence.text for sentence in sentences(row.answer)]
        wrong = [text for text in said if text not in right[row.context]]
        if len(said) > 1 and len(wrong) == row.label:
            for text in said:
                if len(text.split()) > _FEW:
                    found[row.context, text] = replace(row, answer=text, label=int(text in wrong))
    return list(found.values())
