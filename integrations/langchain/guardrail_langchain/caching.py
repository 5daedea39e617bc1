"""LangChain's cache of answers, for guarded models: an identity of their own, and nothing blocked in it."""

from __future__ import annotations

import hashlib
from typing import Any

from langchain_core.caches import BaseCache
from langchain_core.globals import get_llm_cache
from langchain_core.language_models import BaseChatModel
from langchain_core.outputs import ChatGeneration

from guardrail.guard import Guard
from guardrail_langchain.marks import may_be_cached
from guardrail_langchain.runs import Run

__all__ = ["Withholding", "cache_of", "identity"]


def identity(guard: Guard, run: Run) -> str:
    """What an answer rests on besides the model and its prompt: the policy, who judged, evidence from outside."""
    judges = sorted((name, judge.id, judge.version) for name, judge in guard.verifiers.items())
    known = [(piece.text, piece.origin) for piece in run.evidence]
    seen = hashlib.sha256(repr((judges, known)).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"guardrail:{guard.policy.digest}:{seen}"


def cache_of(model: BaseChatModel) -> BaseCache | None:
    """The cache that ``model`` will use, if any: its own, or that of all models."""
    if isinstance(model.cache, BaseCache):
        return model.cache
    return None if model.cache is False else get_llm_cache()


class Withholding(BaseCache):
    """Another cache, which is never told of an answer that was blocked, or that no verifier could judge."""

    def __init__(self, inner: BaseCache) -> None:
        self._inner = inner

    def lookup(self, prompt: str, llm_string: str) -> Any:
        """As the other cache."""
        return self._inner.lookup(prompt, llm_string)

    async def alookup(self, prompt: str, llm_string: str) -> Any:
        """As the other cache."""
        return await self._inner.alookup(prompt, llm_string)

    def update(self, prompt: str, llm_string: str, return_val: Any) -> None:
        """Handed on where all answers may be."""
        if _may_be(return_val):
            self._inner.update(prompt, llm_string, return_val)

    async def aupdate(self, prompt: str, llm_string: str, return_val: Any) -> None:
        """Handed on where all answers may be."""
        if _may_be(return_val):
            await self._inner.aupdate(prompt, llm_string, return_val)

    def clear(self, **kwargs: Any) -> None:
        """Empty the other cache."""
        self._inner.clear(**kwargs)


def _may_be(generations: Any) -> bool:
    return all(may_be_cached(one.message) for one in generations if isinstance(one, ChatGeneration))
