"""Evidence that the caller gives for a block of code."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading

import pytest
from langchain_core.documents import Document

from guardrail.conversation import Evidence
from guardrail.errors import ConfigError
from guardrail.given import evidence, given


def texts() -> list[str]:
    return [piece.text for piece in given()]


def test_nothing_is_given_outside_of_a_block() -> None:
    assert given() == ()


def test_blocks_nest_by_adding_and_end_where_they_end() -> None:
    with evidence("outer"):
        with evidence(["inner", {"text": "other"}]) as everything:
            assert texts() == ["outer", "inner", "other"]
            assert everything == given()
        assert texts() == ["outer"]
    assert texts() == []


def test_a_block_ends_when_it_is_left_by_an_error() -> None:
    with pytest.raises(RuntimeError, match="boom"), evidence("a"):
        raise RuntimeError("boom")
    assert given() == ()


@pytest.mark.parametrize(
    "docs",
    [
        "A fact.",
        ["A fact."],
        ("A fact.",),
        iter(["A fact."]),
        {"page_content": "A fact."},
        Evidence("A fact.", "caller"),
        [Evidence("A fact.", "caller")],
        Document(page_content="A fact."),
        [Document(page_content="A fact.")],
    ],
    ids=["text", "list", "tuple", "iterator", "mapping", "evidence", "evidences", "document", "documents"],
)
def test_one_document_or_many_of_any_shape_are_taken(docs: object) -> None:
    with evidence(docs):
        assert given() == (Evidence("A fact.", "caller"),)


def test_title_and_address_of_a_langchain_document_are_kept() -> None:
    with evidence(Document(page_content="A fact.", metadata={"source": "f.pdf", "title": "F"})):
        assert given() == (Evidence("A fact.", "caller", "F", "f.pdf"),)


@pytest.mark.parametrize(
    ("docs", "message"),
    [
        (["fine", 3], r"evidence\[1\]: something of type int holds no text"),
        (
            ["fine", {"title": "T"}],
            r"evidence\[1\]: something of type dict with the keys title holds no text",
        ),
        (7, r"something of type int holds no text"),
        (None, r"something of type NoneType holds no text"),
        (["a", ""], r"evidence\[1\]: an empty string"),
    ],
)
def test_what_holds_no_text_is_refused_by_index_and_type(docs: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message), evidence(docs):
        pass
    assert given() == ()


async def test_tasks_see_what_was_given_where_they_were_started_and_nothing_else() -> None:
    async def one(name: str) -> list[str]:
        with evidence(name):
            await asyncio.sleep(0)
            return texts()

    with evidence("shared"):
        assert list(await asyncio.gather(one("a"), one("b"))) == [["shared", "a"], ["shared", "b"]]


def test_a_thread_sees_it_through_a_copied_context_only() -> None:
    seen: list[list[str]] = []
    with evidence("a"):
        context = contextvars.copy_context()
        for target in (lambda: seen.append(texts()), lambda: context.run(lambda: seen.append(texts()))):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert seen == [[], ["a"]]


def test_the_public_name_is_the_block_whatever_has_been_imported() -> None:
    """A submodule called ``evidence`` would take the name's place as soon as it is loaded."""
    block = "with guardrail.evidence('a'): print(guardrail.given.given())"
    code = f"import guardrail, guardrail.given, guardrail.history\n{block}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "text='a'" in done.stdout
