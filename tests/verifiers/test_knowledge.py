"""The user's own documents are looked up, and the answer is held against them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from guardrail import Action, Guard
from guardrail.conversation import Evidence, Message, Turn
from guardrail.errors import ConfigError, PolicyError, VerifierError
from guardrail.knowledge import Index, index_folder
from guardrail.policy.loading import load
from guardrail.testing import ScriptedVerifier, failure, reliable
from guardrail.verdict import Cause, Status, Verdict
from guardrail.verifiers.knowledge import KnowledgeVerifier
from guardrail.verifiers.protocol import Check
from tests.knowledge.files import write
from tests.verifiers.asking import ask, both

RULE = "Refunds are possible within 30 days of delivery."
QUESTION = "How long can I ask for a refund?"


def check(answer: str = "Within 60 days.", *evidence: Evidence, **more: Any) -> Check:
    return Check((Message("user", (QUESTION,)),), Turn(answer), evidence, **more)


def held() -> ScriptedVerifier:
    return ScriptedVerifier(Verdict(Status.RELIABLE, risk=0.1, explanation="Fine."), repeat=True, id="inner")


@pytest.fixture
def index(tmp_path: Path) -> Path:
    write(tmp_path / "docs", refunds__md=f"# Shop\n\n## Refunds\n\n{RULE}\n")
    index_folder(tmp_path / "docs", tmp_path / "docs.index")
    return tmp_path / "docs.index"


@both
def test_what_an_index_says_of_the_question_or_a_claim_is_further_evidence(index: Path, how: str) -> None:
    inner, given = held(), Evidence("I bought a book.", "user")
    verdict = ask(KnowledgeVerifier(Index(index), inner), check("Within 60 days.", given), how)
    (asked,) = inner.checks
    assert asked.evidence == (given, Evidence(RULE, "knowledge", "Shop › Refunds", "refunds.md"))
    assert (verdict.verifier, verdict.version) == ("knowledge", "top 5, inner 1")
    assert verdict.explanation == "Fine. (1 passages of the documents were looked at)"


@both
def test_with_nothing_found_the_other_verifier_is_asked_as_it_would_be(index: Path, how: str) -> None:
    inner = held()
    asked = Check((Message("user", ("Who painted Guernica?",)),), Turn("Picasso painted Guernica."))
    verdict = ask(KnowledgeVerifier(Index(index), inner), asked, how)
    assert (inner.checks[0].evidence, verdict.explanation) == ((), "Fine. (no document is about it)")


@both
def test_what_claims_nothing_is_not_looked_up(how: str) -> None:
    def find(query: str) -> list[str]:
        raise AssertionError(f"{query} was looked up")

    inner = held()
    ask(KnowledgeVerifier(find, inner), check("Hello!"), how)
    assert inner.checks[0].evidence == ()


@both
def test_the_question_and_each_claim_are_looked_up_and_what_comes_twice_counts_once(how: str) -> None:
    queries: list[str] = []

    def find(query: str) -> list[str]:
        queries.append(query)
        return [RULE]

    inner = held()
    ask(KnowledgeVerifier(find, inner), check("Refunds take 60 days. Books are never refunded."), how)
    assert len(queries) == 3
    assert queries[0] == QUESTION
    assert [piece.text for piece in inner.checks[0].evidence] == [RULE]


class Retrieves(BaseRetriever):
    """LangChain's kind."""

    def _get_relevant_documents(self, query: str, **_: Any) -> list[Document]:
        return [Document(RULE, metadata={"title": "Refunds", "source": "shop.md"})]


async def afind(query: str) -> list[Any]:
    await asyncio.sleep(0)
    return [{"text": RULE, "title": "Refunds", "url": "shop.md"}]


RETRIEVERS: dict[str, Any] = {
    "LangChain": Retrieves(),
    "mapping": lambda query: [{"text": RULE, "title": "Refunds", "url": "shop.md"}],
    "evidence": lambda query: [Evidence(RULE, "caller", "Refunds", "shop.md")],
}


@both
@pytest.mark.parametrize("kind", RETRIEVERS)
def test_any_retriever_will_do(kind: str, how: str) -> None:
    inner = held()
    ask(KnowledgeVerifier(RETRIEVERS[kind], inner), check(), how)
    assert inner.checks[0].evidence == (Evidence(RULE, "knowledge", "Refunds", "shop.md"),)


def test_an_asynchronous_function_serves_event_loops_only() -> None:
    inner = held()
    ask(KnowledgeVerifier(afind, inner), check(), "async")
    assert inner.checks[0].evidence[0].origin == "knowledge"
    with pytest.raises(ConfigError, match="only acheck and arun can ask it"):
        KnowledgeVerifier(afind, held()).verify(check())


@both
def test_no_more_passages_a_query_than_wanted(how: str) -> None:
    inner = held()
    ask(KnowledgeVerifier(lambda query: [f"Fact {n}." for n in range(9)], inner, top=2), check(), how)
    assert len(inner.checks[0].evidence) == 2


@both
def test_a_retriever_never_blocks_the_event_loop(how: str) -> None:
    threads: list[int] = []

    def find(query: str) -> list[str]:
        threads.append(threading.get_ident())
        return []

    ask(KnowledgeVerifier(find, held()), check(), how)
    assert threading.get_ident() not in threads


@both
def test_a_retriever_that_is_late_or_fails_is_no_verdict(how: str) -> None:
    def slow(query: str) -> list[str]:
        time.sleep(0.5)
        return []

    def broken(query: str) -> list[str]:
        raise RuntimeError("the store is down")

    for find, remaining, cause in ((slow, 0.05, Cause.TIMEOUT), (broken, 60, Cause.SERVER)):
        with pytest.raises(VerifierError) as caught:
            ask(KnowledgeVerifier(find, held()), check(remaining=remaining), how)
        assert caught.value.cause is cause


@both
def test_an_index_that_has_gone_is_no_verdict(index: Path, how: str) -> None:
    verifier = KnowledgeVerifier(Index(index), held())
    index.unlink()
    with pytest.raises(VerifierError, match="there is no index") as caught:
        ask(verifier, check(), how)
    assert caught.value.cause is Cause.GONE


@both
def test_the_other_verifier_gets_the_time_that_is_left_and_its_failure_is_told(how: str) -> None:
    inner = ScriptedVerifier(failure(Cause.AUTH))
    with pytest.raises(VerifierError) as caught:
        ask(KnowledgeVerifier(lambda query: [RULE], inner), check(remaining=9.0), how)
    assert caught.value.cause is Cause.AUTH
    assert 0 < (inner.checks[0].remaining or 0) < 9.0


@pytest.mark.parametrize("what", [None, 3, "handbook.index"])
def test_what_is_no_retriever_is_refused(what: Any) -> None:
    with pytest.raises(ConfigError, match="is no retriever"):
        KnowledgeVerifier(what)


# by a policy


def guard(index: Path, **verifiers: Any) -> Guard:
    given = verifiers or {"main": {"kind": "knowledge", "index": str(index)}}
    return Guard(load({"version": 1, "verifiers": given, "policies": {"default": {"on_unreliable": "block"}}}))


Run = Callable[[Guard, str], Any]
ASKED = [{"role": "user", "content": QUESTION}]


def run(how: str, one: Guard, answer: str) -> Any:
    if how == "sync":
        return one.run(lambda draft: answer, ASKED)

    async def generate(draft: Any) -> str:
        return answer

    return asyncio.run(one.arun(generate, ASKED))


@both
def test_a_guard_finds_a_wrong_answer_by_the_documents_alone(index: Path, how: str) -> None:
    one = guard(index)
    bad = run(how, one, "You can ask for a refund within 60 days of delivery.")
    good = run(how, one, "You can ask for a refund within 30 days of delivery.")
    assert (bad.action, good.action) == (Action.BLOCK, Action.PASS)
    assert [(piece.origin, piece.url) for piece in good.verdict.evidence] == [("knowledge", "refunds.md")]
    assert bad.verdict.findings[0].evidence[0].title == "Shop › Refunds"


@both
def test_what_the_documents_do_not_tell_goes_on_to_the_fallback(index: Path, how: str) -> None:
    chain = {
        "main": {"kind": "embedded", "fallback": "documents"},
        "documents": {"kind": "knowledge", "index": str(index), "fallback": "closed_book"},
        "closed_book": {"kind": "consistency", "samples": 2},
    }
    one = guard(index, **chain)
    asked = [{"role": "user", "content": "Who painted Guernica?"}]
    answer = "Picasso painted Guernica."
    outcome = one.run(lambda draft: answer, asked)
    assert outcome.verdict is not None
    assert (outcome.verdict.verifier, outcome.verdict.status) == ("consistency", Status.RELIABLE)
    assert run(how, one, "You can ask for a refund within 30 days of delivery.").verdict.verifier == "knowledge"


def test_an_index_that_is_not_there_is_a_mistake_of_the_policy(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"^verifiers\.main: .*there is no index; make it with") as caught:
        guard(tmp_path / "none.index")
    assert caught.value.key == "verifiers.main"


def test_the_path_of_an_index_is_relative_to_the_policy_file(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = index.with_name("guardrail.yaml")
    file.write_text("version: 1\nverifiers:\n  main: {kind: knowledge, index: docs.index}\n")
    monkeypatch.chdir(index.parent.parent)
    assert Guard(file).verifiers["main"].id == "knowledge"


def test_a_retriever_in_code_takes_the_place_of_an_index(tmp_path: Path) -> None:
    policy = load({"version": 1, "verifiers": {"main": {"kind": "knowledge", "index": "not/needed.index"}}})
    inner = ScriptedVerifier(reliable(), repeat=True)
    one = Guard(policy, verifiers={"main": KnowledgeVerifier(Retrieves(), inner)})
    assert run("sync", one, "Within 30 days.").action is Action.PASS
    assert inner.checks[0].evidence[0].url == "shop.md"
