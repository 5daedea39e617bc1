"""The dialects of Granite Guardian: Yes means that the risk is there."""

from __future__ import annotations

import math

import pytest

from guardrail.conversation import Evidence, Message, Turn
from guardrail.errors import VerifierError
from guardrail.verdict import Cause, Status
from guardrail.verifiers.dialects import Dialect, Granite30, Granite32, Granite33, Granite41, Reading, Token
from guardrail.verifiers.protocol import Check
from tests.verifiers.asking import check


def named(value: object) -> str | None:
    return getattr(value, "name", None)


U, R = Status.UNRELIABLE, Status.RELIABLE


@pytest.mark.parametrize(
    ("dialect", "content", "expected"),
    [
        (Granite30(), "Yes", (U, 1.0)),
        (Granite30(), " no.\n", (R, 0.0)),
        (Granite32(), "Yes\n<confidence> High </confidence>", (U, 1.0)),
        (Granite32(), "No\n<confidence> High </confidence>", (R, 0.0)),
        (Granite32(), "Yes <confidence>Medium</confidence>", (U, 0.8)),
        (Granite32(), "No\n<confidence> Low </confidence>", (R, 0.4)),
        (Granite32(), "Yes\n<confidence>low</confidence>", (U, 0.6)),
        (Granite32(), "No", (R, 0.0)),
        (Granite33(), "<score> yes </score>", (U, 1.0)),
        (Granite33(), "<score>no</score>", (R, 0.0)),
        (Granite33(), "<think>It says yes.</think>\n<score> no </score>", (R, 0.0)),
        (Granite41(), "<think>\n</think>\n<score>yes</score>", (U, 1.0)),
        (Granite41(), "<score> No </score>", (R, 0.0)),
    ],
    ids=named,
)
def test_yes_means_not_grounded(dialect: Dialect, content: str, expected: tuple[Status, float]) -> None:
    reading = dialect.read(content, "stop", check=check())
    assert reading.status is expected[0]
    assert reading.risk == pytest.approx(expected[1])


@pytest.mark.parametrize(
    ("dialect", "content"),
    [
        (Granite30(), "Yes, it is grounded"),
        (Granite30(), "<score>no</score>"),
        (Granite30(), "No\n<confidence> High </confidence>"),
        (Granite32(), "No <confidence> High </confidence> Yes"),
        (Granite32(), "No\n<confidence> Sure </confidence>"),
        (Granite32(), "No\n<confidence> High"),
        (Granite33(), "no"),
        (Granite33(), "<score>no"),
        (Granite33(), "<score>maybe</score>"),
        (Granite33(), "<score>no</score><score>yes</score>"),
        (Granite33(), "It is grounded: <score>no</score>"),
        (Granite41(), "<think>\n</think>\n<score>no</score></think>\n<score>no</score>"),
        (Granite41(), "</think><score>no</score>"),
    ],
    ids=named,
)
def test_what_has_not_the_form_of_the_generation_is_no_verdict(dialect: Dialect, content: str) -> None:
    with pytest.raises(VerifierError) as caught:
        dialect.read(content, "stop", check=check())
    assert caught.value.cause is Cause.UNPARSABLE


@pytest.mark.parametrize("dialect", [Granite30(), Granite33(), Granite41()], ids=lambda dialect: dialect.name)
def test_the_risk_is_the_probability_of_yes_at_the_verdict(dialect: Dialect) -> None:
    thought = Token(" yes", ((" yes", math.log(0.99)),))
    said = Token(" no", ((" no", math.log(0.6)), (" yes", math.log(0.2))))
    weighed = dialect.weighed(Reading(R, 0.0), [thought, Token("<score>", ()), said, Token("</score>", ())])
    assert weighed.risk == pytest.approx(0.25)


def test_what_3_2_says_of_its_confidence_is_kept_and_probabilities_are_not_asked_for() -> None:
    said = Token("No", (("No", math.log(0.6)), ("Yes", math.log(0.4))))
    assert Granite32().weighed(Reading(R, 0.2), [said]).risk == 0.2
    assert "logprobs" not in Granite32().request(ASKED)


HISTORY = (Message("user", ("Where is it?",)),)
ASKED = Check(
    HISTORY, Turn("In Rome."), (Evidence("It is in Oslo.", "caller", title="Places"), Evidence("Cold.", "tool"))
)
KEPT = {"role": "assistant", "content": "In Rome."}


@pytest.mark.parametrize("dialect", [Granite30(), Granite32()], ids=lambda dialect: dialect.name)
def test_the_older_are_given_context_and_answer_and_the_name_of_the_risk(dialect: Dialect) -> None:
    body = dialect.request(ASKED)
    assert body["messages"] == [{"role": "context", "content": "Places\nIt is in Oslo.\n\nCold."}, KEPT]
    assert body["chat_template_kwargs"] == {"guardian_config": {"risk_name": "groundedness"}}


DOCUMENTS = [{"doc_id": "0", "text": "Places\nIt is in Oslo."}, {"doc_id": "1", "text": "Cold."}]


def test_3_3_is_given_documents_and_the_criterion_through_the_template() -> None:
    body = Granite33().request(ASKED)
    assert body["messages"] == [KEPT]
    assert body["chat_template_kwargs"] == {
        "documents": DOCUMENTS,
        "guardian_config": {"criteria_id": "groundedness"},
        "think": False,
    }


def test_4_1_is_given_the_criterion_as_the_last_message() -> None:
    answer, guardian = Granite41().request(ASKED)["messages"]
    assert (answer, guardian["role"]) == (KEPT, "user")
    assert guardian["content"].startswith("<guardian><no-think>")
    assert [part.partition(":")[0] for part in guardian["content"].split("### ")[1:]] == ["Criteria", "Scoring Schema"]
    assert Granite41().request(ASKED)["chat_template_kwargs"] == {"documents": DOCUMENTS}


@pytest.mark.parametrize("dialect", [Granite30(), Granite33(), Granite41()], ids=lambda dialect: dialect.name)
def test_a_plain_request_still_says_what_is_to_be_judged(dialect: Dialect) -> None:
    body = dialect.request(ASKED)
    assert dialect.plain(body) == {key: body[key] for key in ("messages", "chat_template_kwargs")}
