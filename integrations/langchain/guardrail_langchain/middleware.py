"""Middleware for agents of LangChain 1.x. It needs the package ``langchain``; nothing else here does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage

import guardrail
from guardrail.errors import ConfigError, MissingExtra
from guardrail.events import Listener
from guardrail.guard import Guard
from guardrail_langchain.allowance import allow
from guardrail_langchain.guards import guard_of
from guardrail_langchain.marks import MARK
from guardrail_langchain.state import EVIDENCE_KEYS, documents_under, keys_of

try:
    from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
except ImportError as error:
    raise MissingExtra("guarding agents needs LangChain 1.x: pip install 'guardrail-llm[langchain]'") from error

if TYPE_CHECKING:
    from guardrail.policy.model import Policy
    from guardrail.verifiers.own import Judge

__all__ = ["GuardrailMiddleware"]

_MODELS = 8
"""So many of an agent's models are kept in their guarded form."""


class GuardrailMiddleware(AgentMiddleware[Any, Any, Any]):
    """Guards the answers of an agent: ``create_agent(model, tools, middleware=[GuardrailMiddleware()])``.

    It hands the agent a guarded model for each call, so nothing of a rejected draft is in the agent's state, its
    streams or its callbacks. Calls of tools pass; final answers are judged against the results of the tools, the
    conversation, and the documents in the agent's state and in the run's context. Put it last among middleware that
    chooses the model: it guards the one that it is given.

    Args:
        policy: As for `guardrail.wrap`.
        regenerations: How often one run asks the LLM again at most, over all of its answers; what was said since the
            user's last message is one run. Once they are used up, the policy's next step applies. At least 0.
        evidence: Keys of the state, and of the run's context, that hold documents.
        verifiers: As for `guardrail.wrap`.
        listeners: As for `guardrail.wrap`.

    Raises:
        ConfigError: An argument cannot be used.
        PolicyError: The policy cannot be used.
    """

    def __init__(
        self,
        policy: Policy | str | Path | Guard | None = None,
        *,
        regenerations: int = 3,
        evidence: Sequence[str] = EVIDENCE_KEYS,
        verifiers: Mapping[str, Judge] | None = None,
        listeners: Sequence[Listener] = (),
    ) -> None:
        if regenerations < 0:
            raise ConfigError(f"GuardrailMiddleware(regenerations={regenerations}): must be 0 or more")
        self.guard = guard_of(policy, verifiers, listeners)
        self._regenerations, self._evidence = regenerations, keys_of(evidence)
        self._models: dict[int, tuple[BaseChatModel, BaseChatModel]] = {}

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Have the call made by a guarded model."""
        with self._around(request):
            return handler(request.override(model=self._guarded(request.model)))

    # No `async def`: around one, LangChain's tracing goes through a pool of threads twice a call, also when it is off.
    # Where it is on, the hook's own span is empty; the model's run stands beside it.
    def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> Coroutine[Any, Any, ModelResponse[Any]]:
        """The same for an event loop."""
        return self._awrapped(request, handler)

    async def _awrapped(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        with self._around(request):
            return await handler(request.override(model=self._guarded(request.model)))

    def _guarded(self, model: BaseChatModel) -> BaseChatModel:
        # By identity, and kept with the model itself: an id is given out again once its object is gone.
        known = self._models.get(id(model))
        if known is None:
            while len(self._models) >= _MODELS:
                self._models.pop(next(iter(self._models)), None)
            known = self._models[id(model)] = (model, guardrail.wrap(model, self.guard))
        return known[1]

    @contextmanager
    def _around(self, request: ModelRequest[Any]) -> Iterator[None]:
        """The evidence and what is left of the regenerations, for one call of the model."""
        context = getattr(request.runtime, "context", None)
        documents = [*documents_under(request.state, self._evidence), *documents_under(context, self._evidence)]
        left = self._regenerations - _used(request.state["messages"])
        with guardrail.evidence(documents), allow(self._regenerations, left=left):
            yield


def _used(messages: Sequence[BaseMessage]) -> int:
    """How often the LLM was asked again since the user spoke last: the state itself tells, also after an interrupt."""
    used = 0
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            break
        short = message.response_metadata.get(MARK)
        if isinstance(short, Mapping):
            used += max(0, int(short.get("attempts", 1)) - 1)
    return used
