"""The dialect for any strong LLM."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guardrail.conversation import Evidence, Message, ToolCall, Turn
from guardrail.errors import VerifierError
from guardrail.verdict import Cause, FindingKind, Status
from guardrail.verifiers.dialects import Reading, Structured
from guardrail.verifiers.protocol import Check
from tests.verifiers.asking import check

ANSWER = "The tower is 330 m high. It opened in 1889, and it stands in “Lyon”. It opened in 1889."


def reply(**fields: Any) -> str:
    return json.dumps({"explanation": "why", "findings": [], "verdict": "unreliable", "risk": 0.8, **fields})


def read(content: str, asked: Check | None = None, finish: str | None = "stop") -> Reading:
    return Structured().read(content, finish, check=asked or check(ANSWER, "The tower stands in Paris."))


def found(quote: str, kind: str = "contradicted", explanation: str = "it does not") -> dict[str, str]:
    return {"quote": quote, "kind": kind, "explanation": explanation}


def test_the_reply_is_read() -> None:
    reading = read(reply(verdict="Reliable", risk=0))
    assert reading == Reading(Status.RELIABLE, risk=0.0, explanation="why")


@pytest.mark.parametrize("wrap", ["{}", "```json\n{}\n```", "I think:\n{}", "<think>hm</think>{}"])
def test_a_server_that_does_not_keep_to_json_is_understood(wrap: str) -> None:
    assert read(wrap.format(reply())).status is Status.UNRELIABLE


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("in “Lyon”", "in “Lyon”"),
        ('"it stands in "Lyon""', "it stands in “Lyon”"),
        ("330 m\n  high", "330 m high"),
        ("  330 m ", "330 m"),
    ],
)
def test_a_quotation_is_located_in_the_answer(quote: str, text: str) -> None:
    (finding,) = read(reply(findings=[found(quote)])).findings
    assert finding.text == text == ANSWER[finding.start : finding.end]
    assert (finding.kind, finding.explanation) == (FindingKind.CONTRADICTED, "it does not")


def test_the_same_words_quoted_twice_are_two_places() -> None:
    findings = read(reply(findings=[found("1889"), found("1889"), found("330 m", "number")])).findings
    assert [(f.text, f.start) for f in findings] == [("330 m", 13), ("1889", 38), ("1889", 82)]


def test_a_quotation_that_stands_nowhere_is_kept_in_words() -> None:
    reading = read(reply(findings=[found("in Nice"), found("", explanation="too short"), "odd", {"kind": 3}]))
    assert reading.findings == ()
    assert reading.explanation == 'why\n"in Nice": it does not\ntoo short'


def test_a_kind_that_is_not_known_counts_as_unsupported() -> None:
    (finding,) = read(reply(findings=[found("1889", "typo")])).findings
    assert finding.kind is FindingKind.UNSUPPORTED


@pytest.mark.parametrize(("asked", "cause"), [(check(ANSWER), Cause.NO_EVIDENCE), (check(ANSWER, "Cats purr."), None)])
def test_unknown_says_when_there_was_no_evidence(asked: Check, cause: Cause | None) -> None:
    reading = read(reply(verdict="unknown", risk=None), asked)
    assert (reading.status, reading.risk, reading.cause) == (Status.UNKNOWN, None, cause)


@pytest.mark.parametrize(
    ("content", "finish", "cause"),
    [
        ("", "stop", Cause.EMPTY),
        ('{"explanation": "The', "length", Cause.TRUNCATED),
        ("It is reliable.", "stop", Cause.UNPARSABLE),
        (reply(verdict="fine"), "stop", Cause.UNPARSABLE),
        (reply(verdict="error"), "stop", Cause.UNPARSABLE),
        (reply(risk=1.5), "stop", Cause.UNPARSABLE),
        (reply(risk=True), "stop", Cause.UNPARSABLE),
        (reply(risk="0.5"), "stop", Cause.UNPARSABLE),
        ('{"HALLUCINATION": 0}', "stop", Cause.UNPARSABLE),
    ],
)
def test_what_is_no_verdict_is_not_read_as_one(content: str, finish: str, cause: Cause) -> None:
    with pytest.raises(VerifierError) as caught:
        read(content, finish=finish)
    assert caught.value.cause is cause


def test_the_material_is_fenced_as_data() -> None:
    history = (
        Message("user", ("Weather?",)),
        Message("assistant", tool_calls=(ToolCall("c1", "weather", "{}"),)),
        Message("tool", ("4 degrees",), tool_call_id="c1"),
    )
    asked = Check(history, Turn("It is {warm}."), (Evidence("4 degrees", "tool", title="Met"),))
    request = Structured().request(asked)
    system, user = (message["content"] for message in request["messages"])
    nonce = user.split()[1]
    assert nonce in system
    assert user == (
        f"<<<CONVERSATION {nonce}\nuser: Weather?\n\nassistant: [Calls weather with {{}}]\n\n"
        f"user: [Result of weather]\n4 degrees\nCONVERSATION {nonce}>>>\n\n"
        f"<<<EVIDENCE {nonce}\n[1] Met\n4 degrees\nEVIDENCE {nonce}>>>\n\n"
        f"<<<ANSWER {nonce}\nIt is {{warm}}.\nANSWER {nonce}>>>"
    )
    assert Structured().request(asked) == request


def test_a_plain_request_leaves_out_only_the_response_format() -> None:
    request = Structured().request(check())
    plain = Structured().plain(request)
    assert plain == {"messages": request["messages"]}
    assert Structured().plain(plain) is None


def test_a_strict_schema_names_every_property_as_required() -> None:
    schema = Structured().request(check())["response_format"]["json_schema"]["schema"]
    item = schema["properties"]["findings"]["items"]
    for part in (schema, item):
        assert sorted(part["required"]) == sorted(part["properties"])
        assert part["additionalProperties"] is False
