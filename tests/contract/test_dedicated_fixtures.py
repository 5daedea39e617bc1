"""Every dedicated request, reply and error of the contract, served over HTTP, gives what it must."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from guardrail.conversation import Evidence, Message, Turn
from guardrail.errors import VerifierError
from guardrail.verdict import Status, Usage
from guardrail.verifiers.dedicated import DedicatedVerifier
from guardrail.verifiers.protocol import Check
from guardrail.wire.messages import read_messages, split_last_answer
from tests.contract.test_kluster_fixtures import CAUSES, FIXTURES, described
from tests.verifiers.asking import ask, both, check
from tests.verifiers.loopback import answers, judge

pytestmark = pytest.mark.skipif(
    not FIXTURES.is_dir(), reason="the contract's fixtures (../shared/contract) are not here"
)

VERDICTS = {
    "resp_dedicated_true.json": (Status.UNRELIABLE, "The answer names the wrong city.\nThe tower", Usage(1100, 154)),
    "resp_dedicated_false.json": (Status.RELIABLE, "The year is right.\nThe tower was", Usage(957, 418)),
    "resp_dedicated_search.json": (Status.UNRELIABLE, "The search results do not", Usage(1778, 308)),
    "resp_dedicated_minimal.json": (Status.RELIABLE, "", Usage(1, 1)),
    "resp_dedicated_raw_judge_leak.json": (Status.RELIABLE, "Matches.", Usage(265, 246)),
    "resp_mcp_tool.json": (Status.UNRELIABLE, "Section 4.2 says otherwise.", Usage(890, 156)),
    "resp_mcp_tool_v1.json": (Status.UNRELIABLE, "...", Usage(50, 150)),
}
ERRORS = {file: cause for file, cause in CAUSES.items() if file.startswith("err_")}
NOT_VERDICTS = [file for file in CAUSES if file.startswith("resp_")]


def test_every_dedicated_reply_of_the_contract_is_in_the_table() -> None:
    files = {path.name for path in FIXTURES.iterdir() if path.name.startswith(("resp_dedicated_", "resp_mcp_"))}
    assert files == VERDICTS.keys()


@both
@pytest.mark.parametrize(("file", "expected"), VERDICTS.items())
def test_a_reply_with_a_verdict_is_read(file: str, expected: tuple[Status, str, Usage], how: str) -> None:
    status, explanation, usage = expected
    with judge(answers(200, (FIXTURES / file).read_bytes())) as server:
        verdict = ask(DedicatedVerifier(base_url=server.url), check(), how)
    assert server.requests[0].path == "/v1/verify/reliability"
    assert (verdict.status, verdict.usage) == (status, usage)
    assert verdict.risk == float(status is Status.UNRELIABLE)
    assert verdict.explanation.startswith(explanation)
    assert "HALLUCINATION" not in verdict.explanation


@both
def test_what_the_service_found_is_evidence_of_the_verdict(how: str) -> None:
    with judge(answers(200, (FIXTURES / "resp_dedicated_search.json").read_bytes())) as server:
        verdict = ask(DedicatedVerifier(base_url=server.url, search=True), check("x", "a document"), how)
    assert verdict.evidence == (
        Evidence("a document", "caller"),
        Evidence("A survey of beliefs ...", "search", "Campus paper", "https://example.org/a"),
        Evidence("Course examines tales.", "search", "Class on folklore", "https://example.org/b"),
        Evidence("Only a title", "search", "Only a title"),
    )


@both
@pytest.mark.parametrize("file", ERRORS)
def test_an_error_has_its_cause_by_status(file: str, how: str) -> None:
    row = described()[file]
    reply = answers(row["status"], (FIXTURES / file).read_bytes(), {"content-type": row["content_type"]})
    with judge(reply) as server, pytest.raises(VerifierError) as caught:
        ask(DedicatedVerifier(base_url=server.url), check(), how)
    assert caught.value.cause is ERRORS[file]


@both
@pytest.mark.parametrize("file", NOT_VERDICTS)
def test_a_chat_completion_is_no_verdict(file: str, how: str) -> None:
    with judge(answers(200, (FIXTURES / file).read_bytes())) as server, pytest.raises(VerifierError) as caught:
        ask(DedicatedVerifier(base_url=server.url), check(), how)
    assert caught.value.cause == "unparsable"


def asked(fixture: dict[str, Any]) -> tuple[dict[str, Any], Check]:
    """The settings of a verifier, and what to ask it, that make the request of a fixture."""
    # Some clients of the service spell the flag as text.
    search = fixture["return_search_results"] in (True, "true")
    if "messages" in fixture:
        history, turn = split_last_answer(read_messages(fixture["messages"]))
        return {"body": "messages", "search": search}, Check(history, turn)
    given = (Evidence(fixture["context"], "caller"),) if "context" in fixture else ()
    prompt = Message("user", (fixture["prompt"],))
    return {"search": search, "model": fixture.get("model")}, Check((prompt,), Turn(fixture["output"]), given)


@both
@pytest.mark.parametrize("name", ["context", "general", "mcp", "messages", "string_flag"])
def test_the_request_is_the_one_of_the_contract(name: str, how: str) -> None:
    fixture = json.loads((FIXTURES / f"req_dedicated_{name}.json").read_text())
    options, question = asked(fixture)
    with judge(answers(200, (FIXTURES / "resp_dedicated_minimal.json").read_bytes())) as server:
        ask(DedicatedVerifier(base_url=server.url, **options), question, how)
    assert server.requests[0].json == {**fixture, "return_search_results": options["search"]}


def test_every_dedicated_request_of_the_contract_is_tried() -> None:
    files = {path.name for path in Path(FIXTURES).glob("req_dedicated_*.json")}
    assert files == {f"req_dedicated_{n}.json" for n in ("context", "general", "mcp", "messages", "string_flag")}
