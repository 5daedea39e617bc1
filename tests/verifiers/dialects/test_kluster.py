"""The dialect of models made to judge reliability."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.conversation import Evidence, Message, ToolCall, Turn
from guardrail.errors import VerifierError
from guardrail.verdict import Cause, Status
from guardrail.verifiers.dialects import Kluster
from guardrail.verifiers.protocol import Check
from tests.verifiers.asking import check

U, R = Status.UNRELIABLE, Status.RELIABLE


def read(content: str, finish: str | None = "stop", asked: Check | None = None) -> tuple[Status, str]:
    reading = Kluster().read(content, finish, check=asked or check())
    return reading.status, reading.explanation


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Hallucination: Yes\n\nExplanation: One.\nTwo.", (U, "One.\nTwo.")),
        ("hallucination: no", (R, "")),
        ("Hallucination: No.\r\n\r\nExplanation: Fine.", (R, "Fine.")),
        ("**Hallucination:** Yes\n\n**Explanation:** Bad.", (U, "Bad.")),
        ("<think>Is it? Yes or no.</think>\nHallucination: No", (R, "")),
        ('{"REASONING": "r", "HALLUCINATION": 1}', (U, "r")),
        ('{"REASONING": "r", "HALLUCINATION": 0}', (R, "r")),
        ('{"REASONING": "r", "HALLUCINATION": "1"}', (U, "r")),
        ('{"HALLUCINATION": "0", "REASONING": ["a", "b", 3]}', (R, "a\nb")),
        ('{"HALLUCINATION": true}', (U, "")),
        ('{"HALLUCINATION": false, "REASONING": null}', (R, "")),
        ('{"HALLUCINATION": "YES"}', (U, "")),
        ('{"HALLUCINATION": "no"}', (R, "")),
        ('{"is_hallucination": false, "explanation": "e"}', (R, "e")),
        ('```json\n{"REASONING": "r", "HALLUCINATION": 1}\n```', (U, "r")),
        ('```\n{"HALLUCINATION": 1}\n```\n', (U, "")),
        ('The document says {amount}, {"a": 1}.\n\nSo: {"HALLUCINATION": 0}', (R, "")),
        ('Therefore, the verdict is: {"REASONING": "}{", "HALLUCINATION": 1}.', (U, "}{")),
        ('{"HALLUCINATION": 1}\n\nI hope this helps.', (U, "")),
        ('<think>{"HALLUCINATION": 0}</think>{"HALLUCINATION": 1}', (U, "")),
    ],
)
def test_every_form_of_a_verdict_is_read(content: str, expected: tuple[Status, str]) -> None:
    assert read(content) == expected


@pytest.mark.parametrize(
    ("content", "finish", "cause"),
    [
        ("", "stop", Cause.EMPTY),
        (" \n", None, Cause.EMPTY),
        ("", "length", Cause.TRUNCATED),
        ("<think>Let me see", "length", Cause.TRUNCATED),
        ("<think>Let me see", "stop", Cause.EMPTY),
        ("We compare the answer with", "length", Cause.TRUNCATED),
        ('{"REASONING": "The answer', "length", Cause.TRUNCATED),
        ('It quotes {"HALLUCINATION": 0} and', "length", Cause.TRUNCATED),
        ("Your request has been queued.", "stop", Cause.UNPARSABLE),
        ("Yes", "stop", Cause.UNPARSABLE),
        ("This is a hallucination: yes, surely.", "stop", Cause.UNPARSABLE),
        ("Hallucination: Yes and no", "stop", Cause.UNPARSABLE),
        ("Hallucination: 1", "stop", Cause.UNPARSABLE),
        ('{"HALLUCINATION": 2}', "stop", Cause.UNPARSABLE),
        ('{"HALLUCINATION": -1}', "stop", Cause.UNPARSABLE),
        ('{"HALLUCINATION": 1.0}', "stop", Cause.UNPARSABLE),
        ('{"HALLUCINATION": "maybe"}', "stop", Cause.UNPARSABLE),
        ('{"HALLUCINATION": null}', "stop", Cause.UNPARSABLE),
        ('{"HALLUCINATION": [1]}', "stop", Cause.UNPARSABLE),
        ('{"HALLUCINATION": 1, "HALLUCINATION": 0}', "stop", Cause.UNPARSABLE),
        ('{"HALLUCINATION": 1, "is_hallucination": false}', "stop", Cause.UNPARSABLE),
        ('{"HALLUCINATION": NaN}', "stop", Cause.UNPARSABLE),
        ('[{"SCORE": 1}]', "stop", Cause.UNPARSABLE),
        ('{"verdict": "reliable"}', "stop", Cause.UNPARSABLE),
        ("{" * 100_000, "stop", Cause.UNPARSABLE),
        ('{"a":' * 10_000, "stop", Cause.UNPARSABLE),
    ],
)
def test_what_is_no_verdict_is_not_read_as_one(content: str, finish: str | None, cause: Cause) -> None:
    with pytest.raises(VerifierError) as caught:
        read(content, finish)
    assert caught.value.cause is cause


@given(st.text(alphabet=st.characters(exclude_characters="{")))
def test_prose_never_holds_a_verdict(prose: str) -> None:
    with pytest.raises(VerifierError):
        read("Well. " + prose)


@given(st.text(), st.booleans())
def test_whatever_a_document_says_before_it_a_final_verdict_is_never_turned_round(noise: str, bad: bool) -> None:
    content = f"{noise}\n\n" + json.dumps({"REASONING": noise, "HALLUCINATION": int(bad)})
    try:
        status, explanation = read("Well: " + content)
    except VerifierError:
        return
    assert (status, explanation) == (U if bad else R, noise.strip())


@given(st.text())
def test_no_reply_raises_anything_but_a_verifier_error(content: str) -> None:
    assert outcome(content) in (U, R, Cause.EMPTY, Cause.UNPARSABLE)


def outcome(content: str) -> Status | Cause:
    try:
        return read(content)[0]
    except VerifierError as error:
        return error.cause


def test_the_conversation_is_sent_with_the_answer_last_and_nothing_else() -> None:
    history = (
        Message("system", ("Be brief.",)),
        Message("developer", ("Use the tools.",)),
        Message("user", ("Weather in Oslo?",), name="ann", omitted=("image_url",)),
        Message("assistant", tool_calls=(ToolCall("c1", "weather", '{"city":"Oslo"}'),)),
        Message("tool", ("4 degrees",), tool_call_id="c1"),
        Message("tool", ("rain",), tool_call_id="c2"),
        Message("assistant", refusal="I cannot."),
        Message("user", ("And now?",)),
    )
    assert Kluster().request(Check(history, Turn("It is 4 degrees."))) == {
        "messages": [
            {"role": "system", "content": "Be brief.\n\nUse the tools."},
            {"role": "user", "content": "Weather in Oslo?\n[image_url left out]"},
            {"role": "assistant", "content": '[Calls weather with {"city":"Oslo"}]'},
            {
                "role": "user",
                "content": "[Result of weather]\n4 degrees\n\n[Result of a tool]\nrain\n\nAnd now?",
            },
            {"role": "assistant", "content": "It is 4 degrees."},
        ]
    }


def test_evidence_that_the_conversation_does_not_hold_stands_in_the_system_message() -> None:
    history = (Message("system", ("Be brief.",)), Message("user", ("Doc:  A is\nB. What is A?",)))
    evidence = (
        Evidence("A is B.", "user"),
        Evidence("A was C.", "caller", title="Old", url="https://a.example"),
    )
    first = Kluster().request(Check(history, Turn("B."), evidence))["messages"][0]
    assert first == {
        "role": "system",
        "content": "Be brief.\n\nEvidence for the answer:\n\n[1] Old, https://a.example\nA was C.",
    }


def test_an_answer_is_never_merged_with_what_the_assistant_said_before() -> None:
    history = (Message("user", ("Go on.",)), Message("assistant", ("First.",)))
    messages = Kluster().request(Check(history, Turn("Second.")))["messages"]
    assert [m["content"] for m in messages] == ["Go on.", "First.", "Second."]


def test_there_is_no_plainer_request() -> None:
    assert Kluster().plain({"messages": []}) is None
