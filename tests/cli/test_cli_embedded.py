"""End to end with the verifier in the box: no key, no network, no scripted part."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import guardrail

WEIGHTS = Path(guardrail.__file__).parent / "verifiers" / "embedded" / "weights"
pytestmark = pytest.mark.skipif(
    not list(WEIGHTS.glob("*.onnx")), reason=f"the embedded verifier's weights are not in {WEIGHTS.name}/"
)

TOWER = "The tower was opened in 1889. It is 330 metres tall and stands in Paris."
RIGHT = {
    "id": "right",
    "question": "How tall is the tower?",
    "context": TOWER,
    "answer": "It is 330 metres tall.",
}
WRONG = {
    "id": "wrong",
    "question": "How tall is the tower?",
    "context": TOWER,
    "answer": "It is 450 metres tall.",
}
ALONE = {"id": "alone", "question": "How tall is the tower?", "answer": "It is 330 metres tall."}


def check(*args: str, input: str = "") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "guardrail.cli", "check", *args]
    return subprocess.run(command, input=input, env=env, capture_output=True, encoding="utf-8", timeout=60, check=False)


def test_a_wrong_number_is_found_where_it_stands() -> None:
    done = check("--question", WRONG["question"], "--context", TOWER, "--answer", WRONG["answer"], "--json")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert found["verdict"]["status"] == "unreliable"
    assert found["action"] == "regenerate"
    assert found["verdict"]["findings"]
    for one in found["verdict"]["findings"]:
        assert WRONG["answer"][one["start"] : one["end"]] == one["text"]


def test_a_right_answer_passes() -> None:
    done = check("-", input=json.dumps(RIGHT))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "reliable" in done.stdout


def test_many_rows_keep_their_order_and_their_ids() -> None:
    rows = [{**(RIGHT, WRONG, ALONE)[n % 3], "id": n} for n in range(30)]
    done = check("-", "--json", input="\n".join(map(json.dumps, rows)))
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["id"] for one in found] == list(range(30))
    assert [one["verdict"]["status"] for one in found] == ["reliable", "unreliable", "unknown"] * 10
    assert {one["verdict"]["cause"] for one in found[2::3]} == {"no_evidence"}
    assert done.returncode == 1


def test_what_it_says_of_a_row_does_not_depend_on_its_form() -> None:
    messages = [
        {"role": "system", "content": f"Answer from this.\n<document>{TOWER}</document>"},
        {"role": "user", "content": WRONG["question"]},
        {"role": "assistant", "content": WRONG["answer"]},
    ]
    rows = [json.dumps(WRONG), json.dumps({"messages": messages})]
    found = [json.loads(line) for line in check("-", "--json", input="\n".join(rows)).stdout.splitlines()]
    assert found[0]["verdict"]["status"] == found[1]["verdict"]["status"] == "unreliable"
