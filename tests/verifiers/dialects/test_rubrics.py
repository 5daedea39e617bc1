"""The dialects of judges that grade by a rubric: selene, flow_judge, prometheus and glider."""

from __future__ import annotations

import pytest

from guardrail.errors import VerifierError
from guardrail.verdict import Cause, FindingKind, Status
from guardrail.verifiers.dialects import Dialect, FlowJudge, Glider, Prometheus, Selene
from tests.verifiers.asking import check

U, R = Status.UNRELIABLE, Status.RELIABLE


def named(value: object) -> str | None:
    return getattr(value, "name", None)


def glider(score: str, highlight: str = "[]") -> str:
    return f"<reasoning>\n- why\n</reasoning>\n<highlight>\n{highlight}\n</highlight>\n<score>\n{score}\n</score>"


@pytest.mark.parametrize(
    ("dialect", "content", "expected"),
    [
        (Selene(), "**Reasoning:** why\n\n**Result:** No", (U, 1.0, "why")),
        (Selene(), "**Reasoning:** a\nb\n\n**Result:** Yes.", (R, 0.0, "a\nb")),
        (Selene(), "**Reasoning:** Not **Result:** Yes.\n\n**Result:** No", (U, 1.0, "Not **Result:** Yes.")),
        (FlowJudge(), "<feedback>why</feedback>\n<score>0</score>", (U, 1.0, "why")),
        (FlowJudge(), "<feedback>\nwhy\n</feedback><score>\n1\n</score>", (R, 0.0, "why")),
        (FlowJudge(), "<feedback>not <score>1</score></feedback><score>0</score>", (U, 1.0, "not <score>1</score>")),
        (Prometheus(), "Feedback: why [RESULT] 5", (R, 0.0, "why")),
        (Prometheus(), "why [RESULT] 4", (R, 0.2, "why")),
        (Prometheus(), "###Feedback: why\n[RESULT]3", (U, 0.6, "why")),
        (Prometheus(), "why [RESULT] 2", (U, 0.8, "why")),
        (Prometheus(), "why [RESULT] 1\n", (U, 1.0, "why")),
        (Glider(), glider("1"), (R, 0.0, "- why")),
        (Glider(), glider("0"), (U, 1.0, "- why")),
    ],
    ids=named,
)
def test_a_grade_is_read_in_its_form(dialect: Dialect, content: str, expected: tuple[Status, float, str]) -> None:
    reading = dialect.read(content, "stop", check=check())
    assert (reading.status, reading.risk, reading.explanation) == expected


@pytest.mark.parametrize(
    ("dialect", "content"),
    [
        (Selene(), "**Result:** Yes"),
        (Selene(), "**Reasoning:** why **Result:** Yes"),
        (Selene(), "**Reasoning:** why\n\n**Result:** 5"),
        (Selene(), "**Reasoning:** why\n\n**Result:** Yes and no"),
        (Selene(), "**Reasoning:** why\n\nResult: Yes"),
        (Selene(), "**Reasoning:** why\n\n**Result:** No\n\n**Result:** Yes"),
        (FlowJudge(), "<score>1</score>"),
        (FlowJudge(), "<feedback>why</feedback>\n<score>2</score>"),
        (FlowJudge(), "<feedback>why</feedback>\n<score>1"),
        (FlowJudge(), "<score>1</score><feedback>why</feedback>"),
        (FlowJudge(), "<feedback>why</feedback>\n<score>1</score> or <score>0</score>"),
        (Prometheus(), "why [RESULT] 6"),
        (Prometheus(), "why [RESULT] 0"),
        (Prometheus(), "why [RESULT] 4.5"),
        (Prometheus(), "why [RESULT] 4/5"),
        (Prometheus(), "why [SCORE] 5"),
        (Prometheus(), "why, so 5"),
        (Prometheus(), "why [RESULT] 1 [RESULT] 5"),
        (Glider(), "<score>1</score>"),
        (Glider(), glider("2")),
        (Glider(), glider("one")),
        (Glider(), glider("1") + glider("0")),
        (Glider(), "<reasoning>why</reasoning><score>1</score>"),
    ],
    ids=named,
)
def test_what_has_not_the_form_is_no_verdict(dialect: Dialect, content: str) -> None:
    with pytest.raises(VerifierError) as caught:
        dialect.read(content, "stop", check=check())
    assert caught.value.cause is Cause.UNPARSABLE


@pytest.mark.parametrize(
    ("dialect", "content"),
    [
        (Selene(), "**Reasoning:** why\n\n**Result:** Yes"),
        (FlowJudge(), "<feedback>why</feedback><score>1</score>"),
        (Prometheus(), "why [RESULT] 5"),
        (Glider(), glider("1")),
    ],
    ids=named,
)
def test_a_reply_that_was_cut_off_holds_no_verdict_though_it_may_seem_to(dialect: Dialect, content: str) -> None:
    with pytest.raises(VerifierError) as caught:
        dialect.read(content, "length", check=check())
    assert caught.value.cause is Cause.TRUNCATED


ANSWER = "The shop is in Rome, as is the shop's café."


@pytest.mark.parametrize(
    ("highlight", "places"),
    [
        ('["in Rome", "café"]', ["in Rome", "café"]),
        ("['in Rome', 'café']", ["in Rome", "café"]),
        ("['café', 'in Rome', 'in Rome']", ["in Rome", "café"]),
        ("- in Rome\n- café", ["in Rome", "café"]),
        ("[in Rome]", ["in Rome"]),
        ("[]", []),
        ("", []),
        ("{}", []),
        ("[1, null]", []),
    ],
)
def test_highlights_are_findings_where_they_stand_in_the_answer(highlight: str, places: list[str]) -> None:
    reading = Glider().read(glider("0", highlight), "stop", check=check(ANSWER))
    assert [finding.text for finding in reading.findings] == places
    for finding in reading.findings:
        assert ANSWER[finding.start : finding.end] == finding.text
        assert (finding.kind, finding.risk) == (FindingKind.UNSUPPORTED, None)


def test_a_highlight_that_stands_nowhere_in_the_answer_is_kept_in_words() -> None:
    reading = Glider().read(glider("0", '["in Oslo", "in Rome"]'), "stop", check=check(ANSWER))
    assert [finding.text for finding in reading.findings] == ["in Rome"]
    assert reading.explanation == '- why\n"in Oslo"'


def test_highlights_of_an_answer_that_passes_are_no_findings() -> None:
    assert Glider().read(glider("1", '["in Rome"]'), "stop", check=check(ANSWER)).findings == ()


FRAMES = {
    Selene(): ["Instruction:\n```\nWhat is", "\n\nContext:\nParis is.\n```", "Response:\n```\nLondon {x}.\n```"],
    FlowJudge(): ["<query>\nWhat is", "<context>\nParis is.\n</context>", "<output>\n<response>\nLondon {x}.\n</re"],
    Prometheus(): ["###The instruction to evaluate:\nWhat is", "Input:\nParis is.\n", "to evaluate:\nLondon {x}.\n\n"],
    Glider(): ["<CONTEXT>\nParis is.\n</CONTEXT>", "<INPUT>\nWhat is", "<OUTPUT>\nLondon {x}.\n</OUTPUT>"],
}


@pytest.mark.parametrize(("dialect", "parts"), FRAMES.items(), ids=named)
def test_the_request_has_the_frame_that_the_judge_was_trained_on(dialect: Dialect, parts: list[str]) -> None:
    body = dialect.request(check("London {x}.", "Paris is."))
    last = body["messages"][-1]
    assert (last["role"], body["temperature"]) == ("user", 0)
    for part in parts:
        assert part in last["content"]
