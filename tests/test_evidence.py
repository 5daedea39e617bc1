"""What `collect` finds, held against labelled prompts; and what must hold for every text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from guardrail.evidence import collect
from guardrail.wire.messages import read_messages

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "evidence_prompts.jsonl").read_text(encoding="utf-8").splitlines()
]


def found_and_expected(row: dict) -> tuple[set, set]:
    found = {(piece.origin, piece.text) for piece in collect(read_messages(row["messages"]))}
    return found, {(piece["origin"], piece["text"]) for piece in row["evidence"]}
