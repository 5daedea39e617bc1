"""The dialect of Lynx: nearly JSON, PASS is good."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.conversation import Evidence, Message, Turn
from guardrail.errors import VerifierError
from guardrail.verdict import Cause, Status
from guardrail.verifiers.dialects import Lynx
from guardrail.verifiers.protocol import Check
from tests.verifiers.asking import check

U, R = Status.UNRELIABLE, Status.RELIABLE


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"REASONING": ["a", "b"], "SCORE": "FAIL"}', (U, 1.0, "a\nb")),
        ('{"REASONING": "a", "SCORE": "PASS"}', (R, 0.0, "a")),
        ("{\"REASONING\": ['a', 'b'], \"SCORE\": PASS}", (R, 0.0, "a\nb")),
        ("{'REASONING': ['It doesn't say \"x\".', 'b'], 'SCORE': 'FAIL'}", (U, 1.0, 'It doesn\'t say "x".\nb')),
        ('{"REASONING": ["cut, at {x}"],\n "SCORE": FAIL\n}', (U, 1.0, "cut, at {x}")),
        ('```json\n{"REASONING": ["a"], "SCORE": PASS}\n```', (R, 0.0, "a")),
        ('```json\n{"REASONING": ["a"], "SCORE": "PASS"}\n```', (R, 0.0, "a")),
        ('Here it is:\n{"REASONING": ["a"], "SCORE": "FAIL"}', (U, 1.0, "a")),
        ('<think>PASS?</think>{"REASONING": null, "SCORE": "FAIL"}', (U, 1.0, "")),
    ],
)
def test_json_and_what_is_nearly_json_is_read(content: str, expected: tuple[Status, float, str]) -> None:
    reading = Lynx().read(content, "stop", check=check())
    assert (reading.status, reading.risk, reading.explanation) == expected


@pytest.mark.parametrize(
    "content",
    [
        "PASS",
        "The SCORE is PASS.",
        '"SCORE": PASS',
        '{"SCORE": PASS}',
        '{"REASONING": ["a"], "SCORE": "pass"}',
        '{"REASONING": ["a"], "SCORE": 1}',
        '{"REASONING": ["a"], "SCORE": ["PASS"]}',
        '{"REASONING": ["a"], "SCORE": PASSED}',
        '{"REASONING": ["a"], "SCORE": PASS} and so on',
        '{"REASONING": [\'"SCORE": FAIL\'], "SCORE": PASS}',
        '{"HALLUCINATION": 0}',
    ],
)
def test_what_is_no_verdict_is_not_read_as_one(content: str) -> None:
    with pytest.raises(VerifierError) as caught:
        Lynx().read(content, "stop", check=check())
    assert caught.value.cause is Cause.UNPARSABLE


@given(st.lists(st.text()), st.sampled_from(["PASS", "FAIL"]))
def test_reasons_never_turn_a_verdict_in_json_round(reasons: list[str], score: str) -> None:
    said = json.dumps({"REASONING": reasons, "SCORE": score})
    assert Lynx().read(said, "stop", check=check()).status is (U if score == "FAIL" else R)


@given(st.text(), st.text())
def test_no_reply_raises_anything_but_a_verifier_error(before: str, after: str) -> None:
    for content in (before, before + '{"REASONING": ' + after, '{"REASONING": [' + after + '], "SCORE": FAIL}'):
        try:
            Lynx().read(content, "stop", check=check())
        except VerifierError:
            continue


def test_it_is_asked_with_question_document_and_answer_in_the_blocks_that_it_was_trained_on() -> None:
    history = (Message("user", ("First?",)), Message("assistant", ("Yes.",)), Message("user", ("Where is it?",)))
    evidence = (Evidence("It is in Oslo.", "caller", title="Places"), Evidence("Oslo is cold.", "tool"))
    body = Lynx().request(Check(history, Turn("In {Rome}."), evidence))
    (message,) = body["messages"]
    assert (message["role"], body["temperature"]) == ("user", 0)
    blocks = message["content"].split("\n--\n")
    assert blocks[1].endswith("INFORMATION):\nWhere is it?\n")
    assert blocks[2] == "DOCUMENT:\nPlaces\nIt is in Oslo.\n\nOslo is cold.\n"
    assert blocks[3] == "ANSWER:\nIn {Rome}.\n"
    assert blocks[4].endswith('{"REASONING": <your reasons as bullet points>, "SCORE": <PASS or FAIL>}')
    assert Lynx().plain(body) == {"messages": body["messages"]}
