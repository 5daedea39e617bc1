"""A guarded client inside LiteLLM's SDK."""

from __future__ import annotations

import pytest
from openai import AsyncOpenAI, OpenAI

from tests.sdks.guarded import GOOD, guarded

litellm = pytest.importorskip("litellm", reason="litellm is not installed: make test-sdks")

CALL = {"model": "openai/m", "messages": [{"role": "user", "content": "Capital of France?"}]}


def test_a_completion_is_the_regenerated_one_streamed_or_not() -> None:
    with guarded() as it:
        answer = litellm.completion(client=it.client(OpenAI), **CALL)
        assert answer.choices[0].message.content == GOOD
        assert it.regenerated_once()
    with guarded() as it:
        pieces = litellm.completion(client=it.client(OpenAI), stream=True, **CALL)
        assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == GOOD
        assert it.regenerated_once()


async def test_so_is_an_asynchronous_one_streamed_or_not() -> None:
    with guarded() as it:
        answer = await litellm.acompletion(client=it.client(AsyncOpenAI), **CALL)
        assert answer.choices[0].message.content == GOOD
        assert it.regenerated_once()
    with guarded() as it:
        pieces = await litellm.acompletion(client=it.client(AsyncOpenAI), stream=True, **CALL)
        assert "".join([piece.choices[0].delta.content or "" async for piece in pieces]) == GOOD
        assert it.regenerated_once()
