"""A guarded client inside the OpenAI Agents SDK."""

from __future__ import annotations

from typing import Any

import pytest
from openai import AsyncOpenAI

from tests.sdks.guarded import GOOD, guarded

agents = pytest.importorskip("agents", reason="openai-agents is not installed: make test-sdks")


@pytest.fixture(autouse=True)
def _no_tracing() -> None:
    agents.set_tracing_disabled(True)


KINDS = ["OpenAIChatCompletionsModel", "OpenAIResponsesModel"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_run_ends_with_the_regenerated_answer(kind: str) -> None:
    with guarded() as it:
        result = await agents.Runner.run(agent(it.client(AsyncOpenAI), kind), "Capital of France?")
        assert result.final_output == GOOD
        assert it.regenerated_once()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_streamed_run_shows_nothing_of_the_bad_draft(kind: str) -> None:
    with guarded() as it:
        result = agents.Runner.run_streamed(agent(it.client(AsyncOpenAI), kind), "Capital of France?")
        events = [repr(event) async for event in result.stream_events()]
        assert result.final_output == GOOD
        assert not any("London" in event for event in events)
        assert it.regenerated_once()


def agent(client: AsyncOpenAI, kind: str) -> Any:
    return agents.Agent(name="a", model=getattr(agents, kind)(model="m", openai_client=client))
