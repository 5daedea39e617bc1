"""A guarded client inside LlamaIndex's OpenAI LLM."""

from __future__ import annotations

import pytest
from openai import AsyncOpenAI, OpenAI

from tests.sdks.guarded import GOOD, Guarded, guarded

llama_index = pytest.importorskip(
    "llama_index.llms.openai", reason="llama-index-llms-openai is not installed: make test-sdks"
)


def llm(it: Guarded) -> object:
    clients = {"openai_client": it.client(OpenAI), "async_openai_client": it.client(AsyncOpenAI)}
    return llama_index.OpenAI(model="gpt-4o-mini", api_key="none", **clients)


def test_complete_and_stream_give_the_regenerated_answer() -> None:
    with guarded() as it:
        assert llm(it).complete("Capital?").text == GOOD  # type: ignore[attr-defined]
        assert it.regenerated_once()
    with guarded() as it:
        assert "".join(piece.delta for piece in llm(it).stream_complete("Capital?")) == GOOD  # type: ignore[attr-defined]
        assert it.regenerated_once()


async def test_so_do_their_asynchronous_twins() -> None:
    with guarded() as it:
        assert (await llm(it).acomplete("Capital?")).text == GOOD  # type: ignore[attr-defined]
        assert it.regenerated_once()
    with guarded() as it:
        pieces = await llm(it).astream_complete("Capital?")  # type: ignore[attr-defined]
        assert "".join([piece.delta async for piece in pieces]) == GOOD
        assert it.regenerated_once()
