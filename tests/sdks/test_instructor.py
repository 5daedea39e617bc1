"""A guarded client inside instructor."""

from __future__ import annotations

import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.sdks.guarded import guarded

instructor = pytest.importorskip("instructor", reason="instructor is not installed: make test-sdks")

BAD, GOOD = '{"city": "London"}', '{"city": "Paris"}'
MESSAGES = [{"role": "user", "content": "Capital of France?"}]


class City(BaseModel):
    city: str


def test_the_parsed_answer_is_the_regenerated_one() -> None:
    with guarded(BAD, GOOD) as it:
        client = instructor.from_openai(it.client(OpenAI), mode=instructor.Mode.JSON)
        assert client.chat.completions.create(model="m", messages=MESSAGES, response_model=City).city == "Paris"
        assert it.regenerated_once()


async def test_so_is_the_asynchronous_one() -> None:
    with guarded(BAD, GOOD) as it:
        client = instructor.from_openai(it.client(AsyncOpenAI), mode=instructor.Mode.JSON)
        answer = await client.chat.completions.create(model="m", messages=MESSAGES, response_model=City)
        assert answer.city == "Paris"
        assert it.regenerated_once()


def test_parts_of_a_streamed_answer_are_of_the_regenerated_one() -> None:
    with guarded(BAD, GOOD) as it:
        client = instructor.from_openai(it.client(OpenAI), mode=instructor.Mode.JSON)
        parts = list(client.chat.completions.create_partial(model="m", messages=MESSAGES, response_model=City))
        assert parts[-1].city == "Paris"
        assert not any("London" in repr(part) for part in parts)
        assert it.regenerated_once()
