"""Tests of a policy, as its file holds them: what was asked, answered and found, and what must come of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from guardrail.conversation import Evidence, Message, ToolCall, Turn
from guardrail.policy.durations import Seconds
from guardrail.policy.part import Count, NoneWord, Part, Share
from guardrail.policy.problems import Problem, refuse, refuse_all
from guardrail.policy.routing import RequestInfo
from guardrail.policy.rules import ActionName
from guardrail.verdict import Cause, FindingKind

__all__ = [
    "Call",
    "Case",
    "ChatMessage",
    "Expected",
    "Function",
    "Passage",
    "RecordedAnswer",
    "RecordedFinding",
    "RecordedVerdict",
    "Request",
    "TextCheck",
    "TextPart",
]

Word = Annotated[str, Field(min_length=1)]


def _listed(value: object) -> object:
    """One thing is a list of one."""
    return [value] if isinstance(value, str | Mapping) else value


class Function(Part):
    """What a call to a tool calls."""

    name: Word
    """The tool's name."""
    arguments: str = ""
    """The arguments as the LLM wrote them, most often JSON."""


class Call(Part):
    """A call to a tool, as the OpenAI API spells it."""

    id: str = ""
    """The ``tool_call_id`` of the message that holds the result."""
    type: Literal["function"] = "function"
    """There is no other."""
    function: Function

    def value(self) -> ToolCall:
        """The call as the library knows it."""
        return ToolCall(self.id, self.function.name, self.function.arguments)


class TextPart(Part):
    """A part of a message; what holds no text is left out of a test."""

    type: Literal["text"] = "text"
    """There is no other."""
    text: str
    """The text."""


def _text_parts(value: object) -> object:
    return [{"type": "text", "text": value}] if isinstance(value, str) else value


class ChatMessage(Part):
    """One message of a conversation, as the OpenAI API spells it."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    """Who speaks."""
    content: Annotated[
        tuple[TextPart, ...],
        BeforeValidator(_text_parts, json_schema_input_type=str | tuple[TextPart, ...]),
    ] = ()
    """A text, or a list of parts."""
    tool_calls: tuple[Call, ...] = ()
    """For ``assistant``: the calls to tools."""
    tool_call_id: str | None = None
    """For ``tool``: the call that this is the result of."""
    name: str | None = None
    """Who or what speaks, by name."""
    refusal: str | None = None
    """For ``assistant``: what it said in refusing."""

    @model_validator(mode="after")
    def _says_something(self) -> ChatMessage:
        if not self.content and self.role != "assistant":
            raise refuse("the key 'content' is missing: add it")
        return self

    def value(self) -> Message:
        """The message as the library knows it."""
        return Message(
            role=self.role,
            parts=tuple(part.text for part in self.content if part.text),
            tool_calls=tuple(call.value() for call in self.tool_calls),
            tool_call_id=self.tool_call_id,
            name=self.name,
            refusal=self.refusal,
        )


class Passage(Part):
    """One piece of evidence. In files also just its text."""

    text: Word
    """The text."""
    title: str | None = None
    """What it is called."""
    url: str | None = None
    """Where it is from."""

    @model_validator(mode="before")
    @classmethod
    def _written(cls, data: Any) -> Any:
        return {"text": data} if isinstance(data, str) else data

    def value(self) -> Evidence:
        """The evidence as the library knows it."""
        return Evidence(self.text, "caller", self.title, self.url)


class RecordedAnswer(Part):
    """What the LLM said when it was asked. In files also just the text."""

    text: str = ""
    """The answer's text."""
    tool_calls: tuple[Call, ...] = ()
    """The calls to tools that it asks for; such an answer is not verified."""
    refusal: str | None = None
    """What it said in refusing."""
    model: Word | None = None
    """The model of a ``fallback`` that says it; left out: whoever is asked."""
    error: Word | None = None
    """In place of an answer: why there was none."""
    elapsed: Seconds = 0.0
    """How long it took."""

    @model_validator(mode="before")
    @classmethod
    def _written(cls, data: Any) -> Any:
        return {"text": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _one_or_the_other(self) -> RecordedAnswer:
        if self.error and (self.text or self.tool_calls or self.refusal):
            raise refuse("stands in the place of an answer: remove it, or the answer", "error")
        return self

    def value(self) -> Turn:
        """The answer as the library knows it."""
        return Turn(self.text, tuple(call.value() for call in self.tool_calls), refusal=self.refusal)


class RecordedFinding(Part):
    """One bad place of an answer. In files also just its text."""

    text: Word
    """The place, as it stands in the answer."""
    kind: FindingKind = FindingKind.CONTRADICTED
    """What is wrong with it."""
    risk: Share | None = None
    """0 reliable .. 1 unreliable. Default: the verdict's."""
    explanation: str = ""
    """Why, in words."""

    @model_validator(mode="before")
    @classmethod
    def _written(cls, data: Any) -> Any:
        return {"text": data} if isinstance(data, str) else data


class RecordedVerdict(Part):
    """What the verifier found in an answer. In files also just the status."""

    status: Literal["reliable", "unreliable", "unknown"] | None = None
    """What it said."""
    error: Cause | None = None
    """In place of a status: why there is no verdict."""
    risk: Share | None = None
    """0 reliable .. 1 unreliable, held against the policy's threshold. Default: 1 for unreliable, 0 for reliable."""
    findings: Annotated[
        tuple[RecordedFinding, ...],
        BeforeValidator(_listed, json_schema_input_type=RecordedFinding | tuple[RecordedFinding, ...]),
    ] = ()
    """The bad places; they must stand in the answer."""
    explanation: str = ""
    """Why, in words."""
    cause: Cause | None = None
    """For ``unknown``: why nothing can be said."""
    elapsed: Seconds = 0.0
    """How long it took."""

    @model_validator(mode="before")
    @classmethod
    def _written(cls, data: Any) -> Any:
        status = data.get("status") if isinstance(data, Mapping) else data
        if status == "error":
            raise refuse("an error has a cause: write it as {error: timeout}")
        return {"status": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _fits(self) -> RecordedVerdict:
        if (self.status is None) == (self.error is None):
            raise refuse("needs either 'status' or 'error', as in {status: unreliable} or {error: timeout}")
        homes = {"risk": ("reliable", "unreliable"), "findings": ("reliable", "unreliable"), "cause": ("unknown",)}
        lost = [key for key, home in homes.items() if getattr(self, key) and self.status not in home]
        if lost:
            raise refuse_all([Problem((key,), f"goes with {' and '.join(homes[key])} only: remove it") for key in lost])
        return self


class TextCheck(Part):
    """What the released text must be. In files also just the text itself."""

    exactly: str | None = None
    """The whole text."""
    contains: Annotated[tuple[Word, ...], BeforeValidator(_listed, json_schema_input_type=Word | tuple[Word, ...])] = ()
    """What must stand in it: a text, or a list of texts."""

    @model_validator(mode="before")
    @classmethod
    def _written(cls, data: Any) -> Any:
        return {"exactly": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _says_something(self) -> TextCheck:
        if not self.model_fields_set:
            raise refuse("says nothing: write the text, or {contains: ...}")
        return self


class Expected(Part):
    """What must come of a test. In files also just the action."""

    action: ActionName | None = None
    """How the released text came to be: ``regenerate`` when it is a regenerated one."""
    text: TextCheck | None = None
    """The text that the user gets; the policy's message when it is blocked."""
    attempts: Count | None = None
    """How many answers were judged."""
    status: Literal["reliable", "unreliable", "unknown", "error"] | None = None
    """The verdict on the released answer; on the last one judged when it is blocked."""
    cause: Cause | None = None
    """Why there is no verdict."""
    policy: Word | None = None
    """The name of the policy that decides."""
    notes: Annotated[tuple[Word, ...], BeforeValidator(_listed, json_schema_input_type=Word | tuple[Word, ...])] = ()
    """Texts that must each stand in some note of the outcome."""

    @model_validator(mode="before")
    @classmethod
    def _written(cls, data: Any) -> Any:
        return {"action": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _says_something(self) -> Expected:
        if not self.model_fields_set:
            raise refuse("expects nothing, and would pass whatever happens: write an action, for one")
        return self


class Request(Part):
    """What is known of the request: what routes match on."""

    model: str | None = None
    """The model that is asked for."""
    tags: tuple[str, ...] = ()
    """Its tags."""
    metadata: dict[str, str] = Field(default_factory=dict)
    """Its metadata."""
    stream: bool = False
    """Whether the answer is streamed."""

    def value(self) -> RequestInfo:
        """The request as the library knows it."""
        return RequestInfo(self.model, frozenset(self.tags), self.metadata, self.stream)


def _recorded(value: object) -> object:
    if isinstance(value, str) and value != "embedded":
        raise refuse_all([Problem((), "must be a list of verdicts, or embedded", True)])
    return value


class Case(Part):
    """One test of a policy."""

    name: Word
    """What it is called; no two have the same name."""
    question: Word | None = None
    """A conversation of one question."""
    messages: tuple[ChatMessage, ...] = ()
    """In place of ``question``: a conversation, as OpenAI chat messages."""
    context: Annotated[
        tuple[Passage, ...], BeforeValidator(_listed, json_schema_input_type=Passage | tuple[Passage, ...])
    ] = ()
    """What answers are held against, besides what the conversation holds: a text, a document, or a list."""
    request: Request = Request()
    """What routes match on."""
    answers: Annotated[
        tuple[RecordedAnswer, ...],
        BeforeValidator(_listed, json_schema_input_type=RecordedAnswer | tuple[RecordedAnswer, ...]),
    ]
    """What the LLM says: the first draft, then what it says when it is asked again."""
    verdicts: Annotated[tuple[RecordedVerdict, ...] | None, NoneWord("embedded"), BeforeValidator(_recorded)] = ()
    """What the verifier finds in each, in order; ``embedded``: the embedded verifier is asked."""
    expect: Expected
    """What must come of it."""

    @model_validator(mode="after")
    def _hangs_together(self) -> Case:
        problems = [*self._about_conversation(), *self._about_first_answer()]
        if problems:
            raise refuse_all(problems)
        return self

    def _about_conversation(self) -> Iterable[Problem]:
        if self.question is not None and self.messages:
            yield Problem(("question",), "stands beside 'messages': keep one of them")
        if self.question is None and not self.messages:
            yield Problem((), "has no conversation: add 'question', or 'messages'")
        if self.messages and self.messages[-1].role == "assistant":
            last = len(self.messages) - 1
            yield Problem(("messages", last), "is an answer already: write it under 'answers'")

    def _about_first_answer(self) -> Iterable[Problem]:
        if not self.answers:
            yield Problem(("answers",), "is empty: write what the LLM says first")
        for key in ("model", "error"):
            if self.answers and getattr(self.answers[0], key):
                message = "is for what is said when the LLM is asked again: remove it from the first answer"
                yield Problem(("answers", 0, key), message)

    @property
    def live(self) -> bool:
        """Whether the embedded verifier is asked."""
        return self.verdicts is None

    def conversation(self) -> tuple[Message, ...]:
        """What was said before the first answer."""
        if self.question is not None:
            return (Message("user", (self.question,)),)
        return tuple(message.value() for message in self.messages)
