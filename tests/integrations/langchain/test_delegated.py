"""Chat models that cannot be given a guarded class are guarded from in front."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage
from pydantic import BaseModel

import guardrail
from guardrail import Action
from guardrail.logs import forgotten
from tests.integrations.langchain.guarded import ASKED, BAD, BLOCK, CALLS, GOOD, guard
from tests.integrations.langchain.scripted import ScriptedModel, calling
from tests.integrations.langchain.test_models import Heard

every_way = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


class Wilful(ScriptedModel):
    """Answers by a way of its own, past what LangChain calls."""

    def invoke(self, input: Any, config: Any = None, **more: Any) -> AIMessage:
        return self._next(self._convert_input(input).to_messages(), more)

    async def ainvoke(self, input: Any, config: Any = None, **more: Any) -> AIMessage:
        return self.invoke(input, config, **more)


def wilful(*script: Any, **more: Any) -> Any:
    kind: Any = Wilful
    return kind(*script, **more)


@every_way
def test_a_bad_answer_is_regenerated_or_blocked(call: Any) -> None:
    heard = Heard()
    answer = call(guard(wilful(BAD, GOOD)), ASKED, config={"callbacks": [heard]})
    assert (answer.content, guardrail.report(answer).action) == (GOOD, Action.REGENERATE)
    assert "London" not in heard.text
    assert heard.runs == 1
    assert call(guard(wilful(BAD), BLOCK), ASKED).content == "Withheld."


def test_it_is_said_that_the_class_is_another(caplog: pytest.LogCaptureFixture) -> None:
    with forgotten():
        guarded = guard(wilful(GOOD))
    assert not isinstance(guarded, Wilful)
    assert "a Wilful is called by methods of its own" in caplog.text


@every_way
def test_tools_and_structured_output_go_through(call: Any) -> None:
    model = wilful(calling("search", query="x"))
    answer = call(guard(model).bind_tools(["search"]), ASKED)
    assert answer.tool_calls[0]["name"] == "search"
    assert model.options[0]["tools"] == ["search"]


def test_structured_output_is_that_of_the_model_behind() -> None:
    class City(BaseModel):
        name: str

    model = wilful(calling("City", name="London"), calling("City", name="Paris"))
    assert guard(model).with_structured_output(City).invoke(ASKED) == City(name="Paris")


def test_the_cache_holds_guarded_answers_only() -> None:
    cache = InMemoryCache()
    model = wilful(BAD, GOOD, cache=cache)
    guarded = guard(model)
    assert [guarded.invoke(ASKED).content for _ in range(2)] == [GOOD, GOOD]
    assert "London" not in repr(cache._cache)
    assert len(model.asked) == 2


def test_guarding_it_again_guards_once() -> None:
    twice: Any = guard(guard(wilful(GOOD)))
    assert isinstance(twice.inner, Wilful)
