"""guardrail for LangChain: guarded chat models and chains, and what agents and graphs need besides.

It loads guardrail and langchain-core; what needs ``langchain`` or ``langgraph`` is imported when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrail_langchain.adapter import adapter

if TYPE_CHECKING:
    from guardrail_langchain.answer_guard import AnswerGuard as AnswerGuard
    from guardrail_langchain.callback import AsyncGuardrailCallbackHandler as AsyncGuardrailCallbackHandler
    from guardrail_langchain.callback import GuardrailCallbackHandler as GuardrailCallbackHandler
    from guardrail_langchain.graph import guard_node as guard_node
    from guardrail_langchain.graph import route_by_verdict as route_by_verdict
    from guardrail_langchain.middleware import GuardrailMiddleware as GuardrailMiddleware
    from guardrail_langchain.review import Review as Review
    from guardrail_langchain.review import aunder_review as aunder_review
    from guardrail_langchain.review import review_node as review_node
    from guardrail_langchain.review import under_review as under_review

__all__ = [
    "AnswerGuard",
    "AsyncGuardrailCallbackHandler",
    "GuardrailCallbackHandler",
    "GuardrailMiddleware",
    "Review",
    "adapter",
    "aunder_review",
    "guard_node",
    "review_node",
    "route_by_verdict",
    "under_review",
]

_LAZY: dict[str, str] = {
    "AnswerGuard": "guardrail_langchain.answer_guard",
    "AsyncGuardrailCallbackHandler": "guardrail_langchain.callback",
    "GuardrailCallbackHandler": "guardrail_langchain.callback",
    "GuardrailMiddleware": "guardrail_langchain.middleware",
    "Review": "guardrail_langchain.review",
    "aunder_review": "guardrail_langchain.review",
    "guard_node": "guardrail_langchain.graph",
    "review_node": "guardrail_langchain.review",
    "route_by_verdict": "guardrail_langchain.graph",
    "under_review": "guardrail_langchain.review",
}
"""Names that are imported when they are first used, with the module that each is taken from."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_LAZY[name]), name)
        return value
