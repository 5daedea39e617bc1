"""Answers in whatever form a chain gives them: text, a message, a dict with an answer, or an object. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables.utils import AddableDict
from pydantic import BaseModel

from guardrail.conversation import Turn
from guardrail.errors import BlockedError
from guardrail.outcome import Outcome
from guardrail_langchain import pieces
from guardrail_langchain.marks import MARK, mark
from guardrail_langchain.messages import read_turn, text_of
from guardrail_langchain.settled import blocked, is_repaired

__all__ = ["grows", "is_guarded", "like", "replaced", "split", "text_in", "turn_in"]

_ANSWERS = ("answer", "output", "result", "response", "output_text", "text")
"""Where a dict keeps its answer."""


def turn_in(value: Any) -> Turn:
    """The answer that ``value`` is or holds; an object without one is its own JSON."""
    if isinstance(value, str):
        return Turn(value)
    if isinstance(value, BaseMessage):
        return read_turn(value, {})
    if (key := _key(value)) is not None:
        return turn_in(value[key])
    return Turn("" if value is None else _json(value))


def replaced(value: Any, outcome: Outcome) -> Any:
    """``value`` with what was released in the place of its answer.

    Raises `BlockedError` where nothing was, and the policy's message cannot stand in the place of an object.
    """
    if isinstance(value, BaseMessage):
        return _message(value, outcome)
    if (key := _key(value)) is not None:
        return type(value)({**value, key: replaced(value[key], outcome)})
    if isinstance(value, str):
        return outcome.text
    if outcome.turn is None or is_repaired(outcome):
        raise BlockedError(outcome.text, outcome)
    return value


def is_guarded(value: Any) -> bool:
    """Whether the answer is a message that a guarded model has written."""
    key = _key(value)
    message = value if key is None else value[key]
    return isinstance(message, BaseMessage) and MARK in message.response_metadata


# streams


def grows(value: Any) -> bool:
    """Whether the pieces of a stream like ``value`` add up; of others each one takes the place of those before."""
    return isinstance(value, str | AIMessageChunk | AddableDict)


def text_in(value: Any) -> str:
    """The text that a piece of a stream adds to the answer."""
    if isinstance(value, str):
        return value
    if isinstance(value, BaseMessage):
        return text_of(value)
    key = _key(value)
    return "" if key is None else text_in(value[key])


def split(value: Any, at: int) -> tuple[Any, Any]:
    """Two pieces in the place of one."""
    if isinstance(value, str):
        return value[:at], value[at:]
    if isinstance(value, AIMessageChunk):
        whole = pieces.Piece(0, ChatGenerationChunk(message=value))
        head, tail = pieces.split(whole, at)
        return head.chunk.message, tail.chunk.message
    key = _key(value)
    assert key is not None  # only what has text is split
    first, second = split(value[key], at)
    return AddableDict({**value, key: first}), AddableDict({key: second})


def like(value: Any, text: str) -> Any:
    """``text`` as a piece that goes on after ``value``."""
    if isinstance(value, AIMessageChunk):
        return pieces.like(value, text).message
    if (key := _key(value)) is not None:
        return AddableDict({key: like(value[key], text)})
    return text


def _key(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return None
    return next((key for key in _ANSWERS if isinstance(value.get(key), str | BaseMessage)), None)


def _json(value: Any) -> str:
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    return json.dumps(value, ensure_ascii=False, default=str)


def _message(message: BaseMessage, outcome: Outcome) -> BaseMessage:
    if outcome.turn is None:
        message = blocked(message, outcome, wants_json=False)
    elif is_repaired(outcome):
        message = AIMessage(outcome.text, id=message.id)
    return message.model_copy(update={"response_metadata": {**message.response_metadata, MARK: mark(outcome)}})
