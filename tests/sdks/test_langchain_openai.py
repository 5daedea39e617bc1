"""A guarded client inside LangChain's ChatOpenAI."""

from __future__ import annotations

import os

import pytest
from openai import AsyncOpenAI, OpenAI

from tests.sdks.guarded import GOOD, Guarded, guarded

if "SDK" not in os.environ:  # the tests of the LangChain integration bring the package, whose sockets stay open here
    pytest.skip("SDKs are tried in environments of their own: make test-sdks", allow_module_level=True)
langchain_openai = pytest.importorskip("langchain_openai", reason="langchain-openai is not installed: make test-sdks")


def model(it: Guarded, *, responses: bool) -> object:
    sync, async_ = it.client(OpenAI), it.client(AsyncOpenAI)
    return langchain_openai.ChatOpenAI(
        model="m",
        api_key="none",
        root_client=sync,
        root_async_client=async_,
        client=sync.chat.completions,
        async_client=async_.chat.completions,
        use_responses_api=responses,
    )


@pytest.mark.parametrize("responses", [False, True], ids=["chat", "responses"])
def test_invoke_and_stream_give_the_regenerated_answer(responses: bool) -> None:
    with guarded() as it:
        assert model(it, responses=responses).invoke("Capital?").text == GOOD  # type: ignore[attr-defined]
        assert it.regenerated_once()
    with guarded() as it:
        pieces = model(it, responses=responses).stream("Capital?")  # type: ignore[attr-defined]
        assert "".join(piece.text for piece in pieces) == GOOD
        assert it.regenerated_once()


@pytest.mark.parametrize("responses", [False, True], ids=["chat", "responses"])
async def test_so_do_their_asynchronous_twins(responses: bool) -> None:
    with guarded() as it:
        assert (await model(it, responses=responses).ainvoke("Capital?")).text == GOOD  # type: ignore[attr-defined]
        assert it.regenerated_once()
    with guarded() as it:
        pieces = [piece.text async for piece in model(it, responses=responses).astream("Capital?")]  # type: ignore[attr-defined]
        assert "".join(pieces) == GOOD
        assert it.regenerated_once()
