"""Drafts of a node's answer: what is called for one, and what was said, until one of them is released."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

from guardrail.errors import ConfigError, GuardrailError, MissingExtra
from guardrail.flow import Draft, Generated
from guardrail.outcome import Outcome
from guardrail_langchain.aside import aside
from guardrail_langchain.call import going_to
from guardrail_langchain.marks import MARK, mark
from guardrail_langchain.messages import read_turn
from guardrail_langchain.state import answer_in, with_answer, with_messages
from guardrail_langchain.swapped import Guarded, guards
from guardrail_langchain.unseen import unseen
from guardrail_langchain.views import seen_as

try:
    from langgraph.runtime import get_runtime
except ImportError as error:
    raise MissingExtra("guarding graphs needs LangGraph: pip install 'guardrail-llm[langchain]'") from error

__all__ = ["Answering", "Drafts", "answering"]

_UNSEEN = "guardrail-unseen"
"""The ids of what only a regeneration is told begin so; a node that gives back all messages gives these back too."""


@dataclass(frozen=True, slots=True)
class Answering:
    """A node that answers, or a chat model; called with the state."""

    runnable: Runnable[Any, Any]
    key: str
    model: BaseChatModel | None = None

    def prepared(self, state: Any, messages: list[BaseMessage], draft: Draft) -> tuple[Runnable[Any, Any], Any]:
        """What to call, and with what."""
        if draft.feedback is not None and draft.rejected is not None:
            rejected = AIMessage(draft.rejected.text, id=f"{_UNSEEN}-rejected-{draft.attempt}")
            messages = [*messages, rejected, HumanMessage(draft.feedback, id=f"{_UNSEEN}-feedback-{draft.attempt}")]
        if self.model is not None and draft.sample is not None:
            model, options = aside(self.model, {}, draft.sample, 0)
            return model.bind(**options), messages
        if self.model is not None:
            return going_to(self.model, draft.model) if draft.model else self.model, messages
        if draft.model:
            raise GuardrailError("a node cannot go to another model; give guard_node() the chat model itself")
        return self.runnable, with_messages(state, self.key, messages)


def answering(generate: Any, key: str) -> Answering:
    """How ``generate`` is called; `ConfigError` for what cannot be."""
    if isinstance(generate, BaseChatModel):
        model = seen_as(guards(generate).kind, generate) if isinstance(generate, Guarded) else generate
        return Answering(model, key, model)
    if isinstance(generate, Runnable):
        return Answering(generate, key)
    if callable(generate):
        return Answering(RunnableLambda(_without_runtime(generate)), key)
    raise ConfigError(f"guard_node() takes a chat model, a Runnable or a function, not a {type(generate).__name__}")


def _without_runtime(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` of the state and the config; what else LangGraph hands to nodes is taken from the run."""
    wanted = {"runtime", "store", "writer"}.intersection(inspect.signature(function).parameters)
    if not wanted:
        return function

    def injected() -> dict[str, Any]:
        runtime = get_runtime()
        at_hand = {"runtime": runtime, "store": runtime.store, "writer": runtime.stream_writer}
        return {name: at_hand[name] for name in wanted}

    takes_config = "config" in inspect.signature(function).parameters

    def arguments(config: RunnableConfig) -> dict[str, Any]:
        return {**injected(), **({"config": config} if takes_config else {})}

    async def awaited(state: Any, config: RunnableConfig) -> Any:
        return await function(state, **arguments(config))

    def called(state: Any, config: RunnableConfig) -> Any:
        return function(state, **arguments(config))

    return awaited if inspect.iscoroutinefunction(function) else called


@dataclass(slots=True)
class Drafts:
    """What has been generated for one answer: the guard knows turns, the graph needs messages and updates."""

    answering: Answering
    state: Any
    messages: list[BaseMessage]
    config: RunnableConfig
    made: list[tuple[Generated, AIMessage, Any]] = field(default_factory=list)

    def generate(self, draft: Draft) -> Generated:
        """For the guard: the next draft."""
        runnable, given = self.answering.prepared(self.state, self.messages, draft)
        with unseen(self.config) as quiet:
            return self._kept(runnable.invoke(given, quiet), draft)

    async def agenerate(self, draft: Draft) -> Generated:
        """The same on the event loop."""
        runnable, given = self.answering.prepared(self.state, self.messages, draft)
        with unseen(self.config) as quiet:
            return self._kept(await runnable.ainvoke(given, quiet), draft)

    def _kept(self, result: Any, draft: Draft) -> Generated:
        answer = answer_in(result, self.answering.key)
        generated = Generated(read_turn(answer, {}))
        if generated.turn.tool_calls and (draft.attempt > 1 or draft.sample is not None):
            # It would come back here with the tool's result, and might do so again and again.
            raise GuardrailError("the LLM called a tool in the place of an answer")
        if draft.sample is None:
            self.made.append((generated, answer, result))
        return generated

    def update(self, outcome: Outcome) -> dict[str, Any]:
        """The update of the state that releases the outcome."""
        key = self.answering.key
        if outcome.turn is None:
            blocked = AIMessage(outcome.text, response_metadata={"finish_reason": "content_filter"})
            return {key: [_marked(blocked, outcome)]}
        answer, result = self._released(outcome)
        return with_answer(result, key, _marked(answer, outcome), without=_UNSEEN)

    def _released(self, outcome: Outcome) -> tuple[AIMessage, Any]:
        """The answer to release, and the result that it came in."""
        for generated, answer, result in self.made:
            if generated.turn is outcome.turn:
                return answer, result
        _, answer, result = self.made[-1]  # a repaired answer is the last one without its bad sentences
        return answer.model_copy(update={"content": outcome.text}), result


def _marked(answer: AIMessage, outcome: Outcome) -> AIMessage:
    metadata = {**answer.response_metadata, MARK: mark(outcome)}
    return answer.model_copy(update={"response_metadata": metadata, "id": answer.id or f"guardrail-{outcome.id}"})
