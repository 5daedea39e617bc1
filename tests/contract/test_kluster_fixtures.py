"""Every chat reply and error of the reliability model's contract, served over HTTP, gives what it must."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from guardrail.errors import VerifierError
from guardrail.verdict import Cause, Status
from tests.verifiers.asking import ask, both, chat, check
from tests.verifiers.loopback import answers, judge

FIXTURES = Path(__file__).parents[2].parent / "shared" / "contract" / "fixtures"
pytestmark = pytest.mark.skipif(
    not FIXTURES.is_dir(), reason="the contract's fixtures (../shared/contract) are not here"
)

VERDICTS = {
    "resp_chat_text_yes.json": (Status.UNRELIABLE, "The answer says the vitamin"),
    "resp_chat_text_no.json": (Status.RELIABLE, "The definition given is correct."),
    "resp_chat_json_str0.json": (Status.RELIABLE, "The answer restates the document."),
    "resp_chat_json_int1.json": (Status.UNRELIABLE, "Amount and currency differ"),
    "resp_chat_json_reasoning_list.json": (Status.UNRELIABLE, "The document says 7116 GBP.\nThe answer says"),
    "resp_chat_prose_then_json.json": (Status.RELIABLE, "Matches the document."),
    "resp_chat_json_fenced.json": (Status.RELIABLE, "ok"),
    "resp_chat_json_dedicated_keys.json": (Status.UNRELIABLE, "The answer names the wrong city."),
    "resp_chat_stream.sse": (Status.UNRELIABLE, "differs"),
}
CAUSES = {
    "resp_chat_empty.json": Cause.EMPTY,
    "resp_chat_truncated.json": Cause.TRUNCATED,
    "resp_chat_async_queued.json": Cause.UNPARSABLE,
    "err_500_unexpected.json": Cause.SERVER,
    "err_500_flat.json": Cause.SERVER,
    "err_429_concurrency.json": Cause.RATE_LIMITED,
    "err_429_rpm.json": Cause.RATE_LIMITED,
    "err_429_cloudflare.txt": Cause.RATE_LIMITED,
    "err_401_fastify.json": Cause.AUTH,
    "err_402_generic.json": Cause.AUTH,
    "err_400_validation.json": Cause.UNPARSABLE,
}


def described() -> dict[str, dict[str, Any]]:
    return {row["file"]: row for row in json.loads((FIXTURES / "index.json").read_text())}


def test_every_chat_reply_and_error_of_the_contract_is_in_these_tables() -> None:
    files = {path.name for path in FIXTURES.iterdir() if path.name.startswith(("resp_chat_", "err_"))}
    assert files == VERDICTS.keys() | CAUSES.keys()


@both
@pytest.mark.parametrize(("file", "expected"), VERDICTS.items())
def test_a_reply_with_a_verdict_is_read(file: str, expected: tuple[Status, str], how: str) -> None:
    row, body = described()[file], (FIXTURES / file).read_bytes()
    with judge(answers(row["status"], body, {"content-type": row["content_type"]})) as server:
        verdict = ask(chat(server.url), check(), how)
    assert (verdict.status, verdict.explanation[: len(expected[1])]) == expected
    assert verdict.risk == (1.0 if expected[0] is Status.UNRELIABLE else 0.0)
    assert (verdict.usage is None) == file.endswith(".sse")


@both
@pytest.mark.parametrize(("file", "cause"), CAUSES.items())
def test_a_reply_without_a_verdict_says_why(file: str, cause: Cause, how: str) -> None:
    row, body = described()[file], (FIXTURES / file).read_bytes()
    with (
        judge(answers(row["status"], body, {"content-type": row["content_type"]})) as server,
        pytest.raises(VerifierError) as caught,
    ):
        ask(chat(server.url), check(), how)
    assert caught.value.cause is cause


@pytest.mark.parametrize("file", ["req_chat_basic.json", "req_chat_multiturn.json"])
def test_the_request_is_the_one_of_the_contract(file: str) -> None:
    from guardrail.verifiers.dialects import Kluster
    from guardrail.verifiers.protocol import Check
    from guardrail.wire.messages import read_messages, split_last_answer

    wanted = json.loads((FIXTURES / file).read_text())["messages"]
    history, turn = split_last_answer(read_messages(wanted))
    assert Kluster().request(Check(history, turn)) == {"messages": wanted}


def test_samples_of_raw_output_are_read_by_their_dialect_only() -> None:
    from guardrail.verifiers.dialects import Kluster

    rows = json.loads((FIXTURES / "dialects.json").read_text())
    own = [row for row in rows if row["dialect"].startswith("kluster") and isinstance(row["output"], str)]
    assert own
    for row in own:
        assert flag(Kluster(), row["output"]) == row["hallucination"], row
    foreign = [row for row in rows if row not in own and isinstance(row["output"], str)]
    assert [row["dialect"] for row in foreign if flag(Kluster(), row["output"]) is not None] == []


def flag(dialect: Any, output: str) -> bool | None:
    try:
        return bool(dialect.read(output, "stop", check=check()).status is Status.UNRELIABLE)
    except VerifierError:
        return None
