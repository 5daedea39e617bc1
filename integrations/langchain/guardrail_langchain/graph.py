"""Guarded nodes of LangGraph graphs: what answers, is judged before anything of it is in the state."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

from guardrail.action import Action
from guardrail.conversation import Evidence
from guardrail.errors import BlockedError, ConfigError, GuardrailError, MissingExtra
from guardrail.events import Listener
from guardrail.flow import Draft, Generated
from guardrail.guard import Guard
from guardrail.outcome import Attempt, Outcome
from guardrail.policy.routing import RequestInfo
from guardrail.verdict import Status
from guardrail_langchain.guards import guard_of
from guardrail_langchain.marks import MARK, mark
from guardrail_langchain.messages import read_conversation, read_turn
from guardrail_langchain.review import Review, apark, park
from guardrail_langchain.state import (
    EVIDENCE_KEYS,
    answer_in,
    documents_under,
    messages_in,
    with_answer,
    with_messages,
)
from guardrail_langchain.unseen import unseen

try:
    from langgraph.constants import END
    from langgraph.runtime import get_runtime
    from langgraph.types import Command, Send
except ImportError as error:
    raise MissingExtra("guarding graphs needs LangGraph: pip install 'guardrail-llm[langchain]'") from error

if TYPE_CHECKING:
    from guardrail.policy.model import Policy
    from guardrail.verifiers.own import Judge

__all__ = ["guard_node", "route_by_verdict"]

_KINDS = (*(action.value for action in Action), *(status.value for status in Status), "tool_call")
"""What routes and reviews may name; what is done goes before what was found."""


def guard_node(
    generate: BaseChatModel | Runnable[Any, Any] | Callable[..., Any],
    policy: Policy | str | Path | Guard | None = None,
    *,
    routes: Mapping[str, str] | None = None,
    then: str = END,
    review: Collection[str] = (),
    review_in: str = "review",
    evidence: Sequence[str] = EVIDENCE_KEYS,
    messages: str = "messages",
    verifiers: Mapping[str, Judge] | None = None,
    listeners: Sequence[Listener] = (),
) -> Runnable[Any, Any]:
    """A node that answers with what ``generate`` says once it is judged, as the policy has it.

    Drafts are made unseen: no callback, stream or checkpoint gets any of a rejected one.

    Args:
        generate: A chat model; or a node, a function or Runnable of the state that gives a string, an `AIMessage`,
            or an update with one. A node is called again for a regeneration, with the rejected draft and the feedback
            at the end of its messages.
        policy: As for `guardrail.wrap`.
        routes: Where the graph goes on, by what was done (``pass``, ``flag``, ``regenerate``, ``fallback``,
            ``block``), by the verdict (``reliable``, ``unreliable``, ``unknown``, ``error``), or ``tool_call``. Names
            of nodes; name them in ``add_node(..., destinations=...)`` too, to have them drawn.
        then: Where it goes on otherwise, if there are routes or reviews. Without them it follows the graph's own edges.
        review: Which of these a person decides upon; the answer is not in the state before that.
        review_in: The name of the `review_node` that asks.
        evidence: Keys of the state, and of the run's context, that hold documents.
        messages: The key of the state's messages.

    Raises:
        ConfigError: An argument cannot be used.
        PolicyError: The policy cannot be used.
    """
    _refuse_strange("routes", routes or ())
    _refuse_strange("review", review)
    guard = guard_of(policy, verifiers, listeners)
    ways = _Ways(dict(routes or {}), then, frozenset(review), review_in)
    node = _GuardNode(_answering(generate, messages), guard, ways, tuple(evidence), messages)
    return RunnableLambda(node.invoke, node.ainvoke, name="guard")


def _refuse_strange(argument: str, names: Collection[str]) -> None:
    for name in names:
        if name not in _KINDS:
            raise ConfigError(f"guard_node({argument}=...): {name!r} is none of {', '.join(_KINDS)}")


def route_by_verdict(routes: Mapping[str, str], *, then: str = END, messages: str = "messages") -> Callable[[Any], str]:
    """For ``add_conditional_edges`` after a node of your own with a guarded model: the route of the newest answer.

    ``routes`` and ``then`` as for `guard_node`.
    """
    _refuse_strange("routes", routes)

    def route(state: Any) -> str:
        newest = messages_in(state, messages)[-1]
        short = newest.response_metadata.get(MARK) or {}
        kinds = [str(short.get("action")), str(short.get("status"))]
        if isinstance(newest, AIMessage) and newest.tool_calls:
            kinds.insert(0, "tool_call")
        return next((routes[kind] for kind in kinds if kind in routes), then)

    return route


@dataclass(frozen=True, slots=True)
class _Ways:
    """Where the graph goes on after an answer."""

    routes: Mapping[str, str]
    then: str
    review: frozenset[str]
    review_in: str

    def reviewed(self, outcome: Outcome) -> bool:
        """Whether a person decides."""
        return not self.review.isdisjoint(_kinds(outcome))

    def next(self, outcome: Outcome) -> str | None:
        """The next node; None: by the graph's own edges."""
        if not self.routes and not self.review:
            return None
        return next((self.routes[kind] for kind in _kinds(outcome) if kind in self.routes), self.then)


def _kinds(outcome: Outcome) -> list[str]:
    """What routes may know an outcome by, the most telling first."""
    called = ["tool_call"] if outcome.turn is not None and outcome.turn.tool_calls else []
    found = [outcome.verdict.status.value] if outcome.verdict else []
    return [*called, outcome.action.value, *found]


# what answers

_UNSEEN = "guardrail-unseen"
"""The ids of what only a regeneration is told begin so; a node that gives back all messages gives these back too."""


@dataclass(frozen=True, slots=True)
class _Answering:
    """A node that answers, or a chat model; called with the state."""

    runnable: Runnable[Any, Any]
    key: str
    is_model: bool

    def prepared(self, state: Any, messages: list[BaseMessage], draft: Draft) -> tuple[Runnable[Any, Any], Any]:
        """What to call, and with what."""
        if draft.feedback is not None and draft.rejected is not None:
            rejected = AIMessage(draft.rejected.text, id=f"{_UNSEEN}-rejected-{draft.attempt}")
            messages = [*messages, rejected, HumanMessage(draft.feedback, id=f"{_UNSEEN}-feedback-{draft.attempt}")]
        if self.is_model:
            return (self.runnable.bind(model=draft.model) if draft.model else self.runnable), messages
        if draft.model:
            raise GuardrailError("a node cannot go to another model; give guard_node() the chat model itself")
        return self.runnable, with_messages(state, self.key, messages)


def _answering(generate: Any, key: str) -> _Answering:
    if isinstance(generate, BaseChatModel):
        return _Answering(generate, key, True)
    if isinstance(generate, Runnable):
        return _Answering(generate, key, False)
    if callable(generate):
        return _Answering(RunnableLambda(_without_runtime(generate)), key, False)
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
class _Drafts:
    """What has been generated for one answer: the guard knows turns, the graph needs messages and updates."""

    answering: _Answering
    state: Any
    messages: list[BaseMessage]
    config: RunnableConfig
    made: list[tuple[Generated, AIMessage, Any]]

    def generate(self, draft: Draft) -> Generated:
        runnable, given = self.answering.prepared(self.state, self.messages, draft)
        with unseen(self.config) as quiet:
            return self._kept(runnable.invoke(given, quiet), draft)

    async def agenerate(self, draft: Draft) -> Generated:
        runnable, given = self.answering.prepared(self.state, self.messages, draft)
        with unseen(self.config) as quiet:
            return self._kept(await runnable.ainvoke(given, quiet), draft)

    def _kept(self, result: Any, draft: Draft) -> Generated:
        answer = answer_in(result, self.answering.key)
        generated = Generated(read_turn(answer, {}))
        if draft.attempt > 1 and generated.turn.tool_calls:
            # It would come back here with the tool's result, and might do so again and again.
            raise GuardrailError("it called a tool where it should have answered")
        self.made.append((generated, answer, result))
        return generated

    def update(self, outcome: Outcome) -> dict[str, Any]:
        """The update of the state that releases the outcome."""
        key = self.answering.key
        for generated, answer, result in self.made:
            if generated.turn is outcome.turn:
                return with_answer(result, key, _marked(answer, outcome), without=_UNSEEN)
        return {key: [_marked(AIMessage(outcome.text, response_metadata={"finish_reason": "content_filter"}), outcome)]}


def _marked(answer: AIMessage, outcome: Outcome) -> AIMessage:
    metadata = {**answer.response_metadata, MARK: mark(outcome)}
    return answer.model_copy(update={"response_metadata": metadata, "id": answer.id or f"guardrail-{outcome.id}"})


# the node


@dataclass(frozen=True, slots=True)
class _GuardNode:
    answering: _Answering
    guard: Guard
    ways: _Ways
    evidence: tuple[str, ...]
    key: str

    def invoke(self, state: Any, config: RunnableConfig) -> Any:
        drafts = self._drafts(state, config)
        try:
            outcome = self.guard.run(
                drafts.generate, read_conversation(drafts.messages), evidence=self._found(state), info=_info(config)
            )
        except BlockedError as error:
            outcome = self._withheld(error)
        if not self.ways.reviewed(outcome):
            return self._released(outcome, drafts)
        park(self._review(outcome, drafts), get_runtime().store)
        return self._sent(outcome, config)

    async def ainvoke(self, state: Any, config: RunnableConfig) -> Any:
        drafts = self._drafts(state, config)
        try:
            outcome = await self.guard.arun(
                drafts.agenerate, read_conversation(drafts.messages), evidence=self._found(state), info=_info(config)
            )
        except BlockedError as error:
            outcome = self._withheld(error)
        if not self.ways.reviewed(outcome):
            return self._released(outcome, drafts)
        await apark(self._review(outcome, drafts), get_runtime().store)
        return self._sent(outcome, config)

    def _drafts(self, state: Any, config: RunnableConfig) -> _Drafts:
        return _Drafts(self.answering, state, messages_in(state, self.key), config, [])

    def _found(self, state: Any) -> Iterator[Evidence]:
        yield from documents_under(state, self.evidence)
        yield from documents_under(get_runtime().context, self.evidence)

    def _withheld(self, error: BlockedError) -> Outcome:
        """The outcome of an answer that a person decides upon; raises ``error`` where nobody does."""
        if not self.ways.reviewed(error.outcome):
            raise error
        return error.outcome

    def _released(self, outcome: Outcome, drafts: _Drafts) -> Any:
        update, goto = drafts.update(outcome), self.ways.next(outcome)
        self.guard.remember(outcome, answer_in(update, self.key).id)
        return update if goto is None else Command(update=update, goto=goto)

    def _sent(self, outcome: Outcome, config: RunnableConfig) -> Command[str]:
        """On to the review. The answer waits elsewhere: what is sent is part of the checkpoint."""
        node = str(config["metadata"]["langgraph_node"])
        return Command(goto=Send(self.ways.review_in, {"id": outcome.id, "answered_by": node}))

    def _review(self, outcome: Outcome, drafts: _Drafts) -> Review:
        attempt = _presented(outcome)
        questions = [message for message in drafts.messages if isinstance(message, HumanMessage)]
        return Review(
            id=outcome.id,
            question=str(questions[-1].text) if questions else "",
            answer=attempt.turn.text,
            status=attempt.verdict.status.value,
            risk=attempt.verdict.risk,
            findings=tuple(
                {
                    "start": finding.start,
                    "end": finding.end,
                    "text": finding.text,
                    "kind": finding.kind.value,
                    "risk": finding.risk,
                    "explanation": finding.explanation,
                }
                for finding in attempt.verdict.findings
            ),
            rejected=self.guard.policy.policies[outcome.policy].messages.blocked,
        )


def _presented(outcome: Outcome) -> Attempt:
    """What a person is shown: the answer that would be released, or the last of those that were withheld."""
    kept = [attempt for attempt in outcome.attempts if attempt.turn is outcome.turn]
    return (kept or outcome.attempts)[-1]


def _info(config: RunnableConfig) -> RequestInfo:
    """What routes of the policy may match on."""
    metadata, thread = config.get("metadata", {}), config.get("configurable", {}).get("thread_id")
    return RequestInfo(
        tags=frozenset(config.get("tags", ())),
        metadata={key: value for key, value in metadata.items() if isinstance(value, str)},
        key=str(thread) if thread else None,
    )
