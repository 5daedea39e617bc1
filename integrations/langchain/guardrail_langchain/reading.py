"""LangChain's messages read into guardrail's."""

from __future__ import annotations

import json
from collections.abc import Iterable

from langchain_core.messages import AIMessage, BaseMessage, ChatMessage

from guardrail.conversation import Message, Role, ToolCall, Turn

__all__ = ["read", "turn_of"]

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "developer",
    "human": "user",
    "user": "user",
    "ai": "assistant",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


def read(messages: Iterable[BaseMessage]) -> tuple[Message, ...]:
    """A conversation; whoever is not known here speaks as the user."""
    return tuple(_read(message) for message in messages)


def turn_of(message: BaseMessage) -> Turn:
    """An answer to be judged."""
    refusal = message.additional_kwargs.get("refusal")
    return Turn(str(message.text), tool_calls=_calls(message), refusal=refusal)


def _read(message: BaseMessage) -> Message:
    role = message.role if isinstance(message, ChatMessage) else message.type.removesuffix("MessageChunk").lower()
    text = str(message.text)
    return Message(
        _ROLES.get(role, "user"),
        (text,) if text else (),
        tool_calls=_calls(message),
        tool_call_id=getattr(message, "tool_call_id", None),
        name=message.name,
    )


def _calls(message: BaseMessage) -> tuple[ToolCall, ...]:
    if not isinstance(message, AIMessage):
        return ()
    return tuple(ToolCall(call["id"] or "", call["name"], json.dumps(call["args"])) for call in message.tool_calls)
