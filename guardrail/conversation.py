"""What was said: messages, the generated turn under judgement, and the evidence at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Conversation", "Evidence", "Message", "Origin", "Role", "ToolCall", "Turn"]

Role = Literal["system", "developer", "user", "assistant", "tool"]
"""Who speaks. OpenAI's retired ``function`` role is read as ``tool``."""

Origin = Literal["tool", "retrieved", "system", "user", "caller", "search", "knowledge", "sample"]
"""Where a piece of evidence was found. ``sample``: another answer of the LLM, which bears nothing out by itself."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the assistant asks the application to call."""

    id: str
    name: str
    arguments: str
    """The arguments as the LLM wrote them: usually, but not always, a JSON object."""


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of a conversation."""

    role: Role
    parts: tuple[str, ...] = ()
    """The text parts, in order."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    """For ``tool`` messages: the call that this is the result of."""
    name: str | None = None
    refusal: str | None = None
    omitted: tuple[str, ...] = ()
    """Kinds of content that hold no text and were left out, such as ``image_url``."""

    @property
    def text(self) -> str:
        """The text parts, joined by line breaks."""
        return "\n".join(self.parts)

    def to_dict(self) -> dict[str, object]:
        """This message as the OpenAI chat API spells it; content that was left out stays out."""
        calls = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
            for c in self.tool_calls
        ]
        content = None if calls and not self.parts else self.text
        fields = {
            "tool_calls": calls,
            "tool_call_id": self.tool_call_id,
            "name": self.name,
            "refusal": self.refusal,
        }
        return {"role": self.role, "content": content, **{k: v for k, v in fields.items() if v}}


Conversation: TypeAlias = Sequence[Message]


@dataclass(frozen=True, slots=True)
class Turn:
    """A generated answer: what is judged, and what may be released."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    index: int = 0
    """Which of the choices of one request this is (``n > 1``)."""
    refusal: str | None = None
    finish_reason: str | None = None
    logprobs: tuple[float, ...] | None = None
    """Natural-log probabilities of the tokens of ``text``, where the provider gave them."""
    tokens: tuple[str, ...] = ()
    """The tokens that ``logprobs`` are of, one for each; empty where they are not known."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of grounding that an answer can be held against."""

    text: str
    origin: Origin
    title: str | None = None
    url: str | None = None
