"""The examples do what they say, offline, with the embedded verifier."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "integrations" / "langchain" / "examples"
Run = Callable[[str], list[str]]
PARTS = ("llm", "shop", "telling")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.syspath_prepend(str(EXAMPLES))

    def run(name: str) -> list[str]:
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out.splitlines()

    yield run
    for part in PARTS:
        sys.modules.pop(part, None)


def test_a_chain_with_a_retriever_corrects_itself_and_names_the_page(run: Run) -> None:
    assert run("rag_chain") == [
        "not supported: 'Refunds are possible within 60 days of delivery.', held against refunds.md",
        "guardrail: regenerate, 2 drafts",
        "answer: Refunds are possible within 30 days of delivery.",
    ]


def test_an_agent_is_held_against_what_its_tool_returned(run: Run) -> None:
    assert run("agent") == [
        "not supported: 'Order 5512 will be delivered on Friday.', held against order_status",
        "guardrail: regenerate, 2 drafts",
        "messages: human ai tool ai",
        "answer: Order 5512 will be delivered on Thursday.",
    ]


def test_a_person_decides_upon_what_a_graph_does_not_trust(run: Run) -> None:
    *_, action, asked, answer = run("human_review")
    assert action == "guardrail: block, 3 drafts"
    assert asked.startswith("to be decided: 'Every lamp has a guarantee of five years.', unreliable, risk 0.")
    assert answer == "answer: The guarantee is two years, from the day of delivery."


def test_a_batch_answers_all_rows_but_the_one_that_is_withheld(run: Run) -> None:
    assert run("batch") == [
        "pass: Refunds are possible within 30 days of delivery.",
        "withheld: How long does delivery inside the country take? ('Delivery inside the country takes seven days.')",
        "pass: The guarantee of a lamp is two years.",
        "2 of 3 answered",
    ]


def test_every_example_is_tried_here() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {"agent", "batch", "human_review", "rag_chain", *PARTS}
