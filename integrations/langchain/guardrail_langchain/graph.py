"""Guarded nodes of LangGraph graphs: what answers, is judged before anything of it is in the state."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

import guardrail
from guardrail.conversation import Evidence
from guardrail.errors import BlockedError, MissingExtra
from guardrail.events import Listener
from guardrail.guard import Guard
from guardrail.outcome import Attempt, Outcome
from guardrail.policy.routing import RequestInfo
from guardrail.verdict import Finding
from guardrail_langchain.artifacts import documents_with
from guardrail_langchain.drafts import Answering, Drafts, answering
from guardrail_langchain.guards import guard_of
from guardrail_langchain.messages import read_conversation
from guardrail_langchain.review import Review, apark, park
from guardrail_langchain.state import EVIDENCE_KEYS, answer_in, documents_under, keys_of, messages_in
from guardrail_langchain.ways import Ways, refuse_strange

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

    No callback, stream or checkpoint gets any of a rejected draft. The answer of a chat model is streamed as a guarded
    model's is, unless a person may have to decide upon it; a node's answer comes whole.

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
    refuse_strange("routes", routes or ())
    reviewed = keys_of(review)
    refuse_strange("review", reviewed)
    guard = guard_of(policy, verifiers, listeners)
    ways = Ways(dict(routes or {}), then, frozenset(reviewed), review_in)
    asking = _Asking(keys_of(evidence), messages)
    node: _ModelNode | _DraftNode
    if isinstance(generate, BaseChatModel) and not review:
        node = _ModelNode(guardrail.wrap(generate, guard), ways, asking)
    else:
        node = _DraftNode(answering(generate, messages), guard, ways, asking)
    return RunnableLambda(node.invoke, node.ainvoke, name="guard")


def route_by_verdict(routes: Mapping[str, str], *, then: str = END, messages: str = "messages") -> Callable[[Any], str]:
    """For ``add_conditional_edges`` after a node of your own with a guarded model: the route of the newest answer.

    ``routes`` and ``then`` as for `guard_node`.
    """
    refuse_strange("routes", routes)
    ways = Ways(routes, then)

    def route(state: Any) -> str:
        return ways.after(messages_in(state, messages)[-1]) or then

    return route


@dataclass(frozen=True, slots=True)
class _Asking:
    """What a node takes from the state, and from the run's context."""

    evidence: tuple[str, ...]
    key: str

    def messages(self, state: Any) -> list[BaseMessage]:
        """The conversation so far."""
        return messages_in(state, self.key)

    def documents(self, state: Any) -> Iterator[Evidence]:
        """What is known besides."""
        yield from documents_under(state, self.evidence)
        yield from documents_under(get_runtime().context, self.evidence)


@dataclass(frozen=True, slots=True)
class _ModelNode:
    """A guarded model that answers; what it releases may be streamed at once."""

    model: BaseChatModel
    ways: Ways
    asking: _Asking

    def invoke(self, state: Any, config: RunnableConfig) -> Any:
        with guardrail.evidence(self.asking.documents(state)):
            return self._released(self.model.invoke(self.asking.messages(state), config))

    async def ainvoke(self, state: Any, config: RunnableConfig) -> Any:
        with guardrail.evidence(self.asking.documents(state)):
            return self._released(await self.model.ainvoke(self.asking.messages(state), config))

    def _released(self, answer: AIMessage) -> Any:
        return _update({self.asking.key: [answer]}, self.ways.after(answer))


@dataclass(frozen=True, slots=True)
class _DraftNode:
    """A node that answers, or a model whose answer a person may have to decide upon: nothing is seen before the end."""

    answering: Answering
    guard: Guard
    ways: Ways
    asking: _Asking

    def invoke(self, state: Any, config: RunnableConfig) -> Any:
        drafts = self._drafts(state, config)
        try:
            outcome = self.guard.run(
                drafts.generate,
                read_conversation(drafts.messages),
                evidence=self._evidence(drafts),
                info=_info(config),
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
                drafts.agenerate,
                read_conversation(drafts.messages),
                evidence=self._evidence(drafts),
                info=_info(config),
            )
        except BlockedError as error:
            outcome = self._withheld(error)
        if not self.ways.reviewed(outcome):
            return self._released(outcome, drafts)
        await apark(self._review(outcome, drafts), get_runtime().store)
        return self._sent(outcome, config)

    def _drafts(self, state: Any, config: RunnableConfig) -> Drafts:
        return Drafts(self.answering, state, self.asking.messages(state), config)

    def _evidence(self, drafts: Drafts) -> list[Evidence]:
        return [*self.asking.documents(drafts.state), *documents_with(drafts.messages)]

    def _withheld(self, error: BlockedError) -> Outcome:
        """The outcome of an answer that a person decides upon; raises ``error`` where nobody does."""
        if not self.ways.reviewed(error.outcome):
            raise error
        return error.outcome

    def _released(self, outcome: Outcome, drafts: Drafts) -> Any:
        update = drafts.update(outcome)
        answer = answer_in(update, self.asking.key)
        self.guard.remember(outcome, answer.id)
        return _update(update, self.ways.after(answer))

    def _sent(self, outcome: Outcome, config: RunnableConfig) -> Command[str]:
        """On to the review. The answer waits elsewhere: what is sent is part of the checkpoint."""
        node = str(config["metadata"]["langgraph_node"])
        return Command(goto=Send(self.ways.review_in, {"id": outcome.id, "answered_by": node}))

    def _review(self, outcome: Outcome, drafts: Drafts) -> Review:
        attempt = _presented(outcome)
        questions = [message for message in drafts.messages if isinstance(message, HumanMessage)]
        return Review(
            id=outcome.id,
            question=str(questions[-1].text) if questions else "",
            answer=attempt.turn.text,
            status=attempt.verdict.status.value,
            risk=attempt.verdict.risk,
            findings=tuple(map(_plain, attempt.verdict.findings)),
            rejected=self.guard.policy.policies[outcome.policy].messages.blocked,
        )


def _update(update: dict[str, Any], goto: str | None) -> Any:
    return update if goto is None else Command(update=update, goto=goto)


def _plain(finding: Finding) -> dict[str, Any]:
    return {
        "start": finding.start,
        "end": finding.end,
        "text": finding.text,
        "kind": finding.kind.value,
        "risk": finding.risk,
        "explanation": finding.explanation,
    }


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
