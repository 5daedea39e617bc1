"""Where a graph goes on after a guarded answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage

from guardrail.action import Action
from guardrail.errors import ConfigError
from guardrail.outcome import Outcome
from guardrail.verdict import Status
from guardrail_langchain.marks import MARK

__all__ = ["Ways", "kinds_of", "refuse_strange"]

KINDS = (*(action.value for action in Action), *(status.value for status in Status), "tool_call")
"""What routes and reviews may name."""


def refuse_strange(argument: str, names: Collection[str]) -> None:
    """Raises `ConfigError` for a name that no answer is known by."""
    for name in names:
        if name not in KINDS:
            raise ConfigError(f"guard_node({argument}=...): {name!r} is none of {', '.join(KINDS)}")


def kinds_of(answer: BaseMessage) -> list[str]:
    """What routes may know an answer by: a call of a tool, what was done, what was found, in this order."""
    short = answer.response_metadata.get(MARK) or {}
    called = ["tool_call"] if isinstance(answer, AIMessage) and answer.tool_calls else []
    return [*called, str(short.get("action")), str(short.get("status"))]


@dataclass(frozen=True, slots=True)
class Ways:
    """Where the graph goes on."""

    routes: Mapping[str, str]
    then: str
    review: frozenset[str] = frozenset()
    review_in: str = ""

    def reviewed(self, outcome: Outcome) -> bool:
        """Whether a person decides."""
        found = outcome.verdict.status.value if outcome.verdict else None
        return outcome.action.value in self.review or found in self.review

    def after(self, answer: BaseMessage) -> str | None:
        """The next node; None: by the graph's own edges."""
        if not self.routes and not self.review:
            return None
        return next((self.routes[kind] for kind in kinds_of(answer) if kind in self.routes), self.then)
