"""What is handed on in the place of what the LLM said. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from guardrail.action import Action
from guardrail.conversation import Turn
from guardrail.outcome import Outcome
from guardrail_langchain.marks import MARK, mark
from guardrail_langchain.tokens import spent, tokens_of, total_output

__all__ = ["OF_THE_MODEL", "Other", "blocked", "is_repaired", "settled", "source_of"]

OF_THE_MODEL = ("model_name", "model_provider")
"""What a message that no LLM wrote still says of it: tokens are counted by it. Ids go: they lead to the answer."""


@dataclass(frozen=True, slots=True)
class Other:
    """A further answer."""

    index: int
    """The choice that it is for."""
    turn: Turn
    result: ChatResult


def settled(
    result: ChatResult, outcomes: Sequence[Outcome], others: Sequence[Other], *, wants_json: bool
) -> ChatResult:
    """``result`` with what was released of each choice, and the tokens of all attempts."""
    generations = [
        _generation(first, outcome, [other for other in others if other.index == index], wants_json=wants_json)
        for index, (first, outcome) in enumerate(zip(result.generations, outcomes, strict=True))
    ]
    return result.model_copy(update={"generations": generations, "llm_output": _output(result, outcomes, others)})


def blocked(old: BaseMessage, outcome: Outcome, *, wants_json: bool) -> AIMessage:
    """The policy's message in the place of ``old``; a refusal where prose would break a parser."""
    about = {key: old.response_metadata[key] for key in OF_THE_MODEL if key in old.response_metadata}
    return AIMessage(
        "" if wants_json else outcome.text,
        id=old.id,
        additional_kwargs={"refusal": outcome.text} if wants_json else {},
        response_metadata={**about, "finish_reason": "stop" if wants_json else "content_filter"},
        usage_metadata=tokens_of(old),
    )


def _generation(
    first: ChatGeneration, outcome: Outcome, others: Sequence[Other], *, wants_json: bool
) -> ChatGeneration:
    source = source_of(outcome, others)
    released = first if source is None else source.result.generations[0]
    if outcome.turn is None or (wants_json and is_repaired(outcome)):
        released = ChatGeneration(message=blocked(first.message, outcome, wants_json=wants_json))
    elif is_repaired(outcome):
        released = ChatGeneration(message=_repaired(released.message, outcome))
    message = released.message
    update: dict[str, Any] = {"response_metadata": {**message.response_metadata, MARK: mark(outcome)}}
    if others:
        update["usage_metadata"] = spent([first.message, *(other.result.generations[0].message for other in others)])
    return released.model_copy(update={"message": message.model_copy(update=update)})


def source_of(outcome: Outcome, others: Sequence[Other]) -> Other | None:
    """The further answer that was released, or that a repaired one was made of; None where it is the first, or none."""
    turns = [attempt.turn for attempt in outcome.attempts] if is_repaired(outcome) else []
    made_of = turns[-2] if len(turns) > 1 else outcome.turn
    return next((other for other in others if other.turn is made_of), None)


def is_repaired(outcome: Outcome) -> bool:
    """Whether what is released is a part of an answer, as its bad sentences were left out."""
    return outcome.action is Action.REPAIR and outcome.turn is not None and outcome.mode == "enforce"


def _repaired(old: BaseMessage, outcome: Outcome) -> AIMessage:
    """What is left of ``old``. Ids go: they lead to the whole of it."""
    gone = ("id", "logprobs")
    return AIMessage(
        outcome.text,
        id=old.id,
        response_metadata={key: value for key, value in old.response_metadata.items() if key not in gone},
        usage_metadata=tokens_of(old),
    )


def _output(result: ChatResult, outcomes: Sequence[Outcome], others: Sequence[Other]) -> dict[str, Any] | None:
    """What the provider said of the whole; where there is one choice, of the reply that is released."""
    output = result.llm_output
    if len(outcomes) == 1:
        source = source_of(outcomes[0], others)
        output = output if source is None else source.result.llm_output
        if output and (outcomes[0].turn is None or is_repaired(outcomes[0])):
            output = {key: output[key] for key in (*OF_THE_MODEL, "token_usage") if key in output}
    return total_output(output, [result, *(other.result for other in others)])
