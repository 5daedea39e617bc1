"""A guarded client inside Pydantic AI."""

from __future__ import annotations

from typing import Any

import pytest
from openai import AsyncOpenAI

from tests.sdks.guarded import GOOD, guarded

pydantic_ai = pytest.importorskip("pydantic_ai", reason="pydantic-ai is not installed: make test-sdks")

KINDS = ["OpenAIChatModel", "OpenAIResponsesModel"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_run_gives_the_regenerated_answer(kind: str) -> None:
    with guarded() as it:
        assert (await agent(it.client(AsyncOpenAI), kind).run("Capital of France?")).output == GOOD
        assert it.regenerated_once()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_streamed_run_shows_nothing_of_the_bad_draft(kind: str) -> None:
    with guarded() as it:
        async with agent(it.client(AsyncOpenAI), kind).run_stream("Capital of France?") as result:
            pieces = [piece async for piece in result.stream_text(delta=True)]
        assert "".join(pieces) == GOOD
        assert it.regenerated_once()


def agent(client: AsyncOpenAI, kind: str) -> Any:
    models = pytest.importorskip("pydantic_ai.models.openai")
    providers = pytest.importorskip("pydantic_ai.providers.openai")
    return pydantic_ai.Agent(getattr(models, kind)("m", provider=providers.OpenAIProvider(openai_client=client)))
