"""One guarded call of a chat model: what to ask, and what was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from guardrail.conversation import Evidence, Message, Turn
from guardrail.errors import GuardrailError
from guardrail.flow import Draft, Generated
from guardrail.outcome import Outcome
from guardrail.policy.routing import RequestInfo
from guardrail_langchain.allowance import take_one
from guardrail_langchain.artifacts import documents_with
from guardrail_langchain.aside import aside
from guardrail_langchain.asked import Asked, asked_for
from guardrail_langchain.messages import read_conversation, read_turn
from guardrail_langchain.runs import Run
from guardrail_langchain.settled import Other, settled
from guardrail_langchain.tokens import usage_of
from guardrail_langchain.tools import without_tools
from guardrail_langchain.views import with_fields

__all__ = ["Call", "GenerationError", "Request", "going_to", "opened"]

_ONLY_FIRST = ("n", "stream", "stream_options", "prediction", "store")
"""Arguments that make no sense when one answer is asked for again."""
_MODEL_FIELDS = ("model_name", "model", "model_id")


class GenerationError(GuardrailError):
    """The LLM could not be asked again; the answer at hand is acted upon instead."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a model's ``_generate`` is called with."""

    model: BaseChatModel
    """The model without its guard."""
    messages: list[BaseMessage]
    options: Mapping[str, Any]
    """``stop``, and the arguments that the model takes besides."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is guarded, and the further answers that came in for it."""

    request: Request
    asked: Asked
    run: Run
    conversation: tuple[Message, ...]
    others: list[Other] = field(default_factory=list)
    spent: int = 0
    """Tokens that an answer took, thinking included; 0 where that is not known."""

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What is known besides the texts of the conversation."""
        return (*self.asked.evidence, *self.run.evidence, *documents_with(self.request.messages))

    @property
    def model_name(self) -> str | None:
        """The name of the LLM that is asked, where it is known."""
        model = self.request.options.get("model") or _name_of(self.request.model)
        return model if isinstance(model, str) else None

    @property
    def is_text(self) -> bool:
        """Whether the answer is text, which can be shown by and by: not the form of one that a parser will read."""
        return not (self.asked.structured or self.asked.wants_json)

    def info(self, *, stream: bool = False) -> RequestInfo:
        """What routes go by."""
        return RequestInfo(
            model=self.model_name,
            tags=self.run.tags | self.asked.tags,
            metadata={**self.run.metadata, **self.asked.metadata},
            stream=stream,
            key=self.asked.key or self.run.key,
        )

    def answered(self, result: ChatResult) -> Call:
        """The same call, once ``result`` is there."""
        usages = [usage_of(generation.message) for generation in result.generations]
        return replace(self, spent=max((usage.completion_tokens for usage in usages if usage), default=0))

    def turns(self, result: ChatResult) -> list[Turn]:
        """The answers in ``result``: one a choice."""
        return [self._turn(generation, index) for index, generation in enumerate(result.generations)]

    def again(self, draft: Draft) -> Request:
        """What to ask for another answer; raises `GenerationError` where it cannot be asked for, or not any more."""
        if draft.sample is None:
            take_one()
        model = self.request.model
        options = {key: value for key, value in self.request.options.items() if key not in _ONLY_FIRST}
        if draft.model is not None:
            model = going_to(model, draft.model)
            options.pop("model", None)
        if (getattr(model, "n", None) or 1) > 1:
            model = with_fields(model, n=1)
        if draft.sample is not None:
            model, options = aside(model, options, draft.sample, self.spent)
        if draft.rejected is None:
            return Request(model, self.request.messages, options)
        said = [AIMessage(draft.rejected.text), HumanMessage(draft.feedback or "")]
        if not self.asked.structured:
            options = without_tools(model, options)
        return Request(model, [*self.request.messages, *said], options)

    def generated(self, result: ChatResult, index: int) -> Generated:
        """Another answer, from the response to `again`; raises `GenerationError` where it is none."""
        turn = self._turn(result.generations[0], index)
        if turn.tool_calls:
            # Handed on, it would send an agent round in circles.
            raise GenerationError("the LLM called a tool in the place of an answer")
        if not (turn.text.strip() or turn.refusal):
            raise GenerationError("the LLM's answer was empty")
        self.others.append(Other(index, turn, result))
        return Generated(turn, usage_of(result.generations[0].message))

    def settled(self, result: ChatResult, outcomes: Sequence[Outcome]) -> ChatResult:
        """The result to hand on: what was released of each choice, with the tokens of all attempts."""
        return settled(result, outcomes, self.others, wants_json=self.asked.wants_json)

    def _turn(self, generation: ChatGeneration, index: int) -> Turn:
        info = generation.generation_info or {}
        return read_turn(generation.message, info, index=index, structured=self.asked.structured)


def opened(model: BaseChatModel, messages: list[BaseMessage], run: Run, options: Mapping[str, Any]) -> Call:
    """The call that ``model``, which is not guarded, is to answer; raises `ConfigError` for a bad ``guardrail=``."""
    asked, left = asked_for(options)
    return Call(Request(model, messages, left), asked, run, read_conversation(messages))


def _name_of(model: BaseChatModel) -> str | None:
    return next((name for key in _MODEL_FIELDS if isinstance(name := getattr(model, key, None), str)), None)


def going_to(model: BaseChatModel, name: str) -> BaseChatModel:
    """``model``, asking for the LLM called ``name``; raises `GenerationError` where that cannot be told to it."""
    known = next((key for key in _MODEL_FIELDS if key in type(model).model_fields), None)
    if known is None:
        raise GenerationError(f"a {type(model).__name__} has no field for another model's name, {name!r}")
    return with_fields(model, **{known: name})
