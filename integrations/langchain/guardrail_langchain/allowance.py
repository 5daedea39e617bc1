"""How often a run of an agent may still ask the LLM again, over all of its answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from guardrail.errors import GuardrailError

__all__ = ["allow", "take_one"]


class _Allowance:
    def __init__(self, all: int, left: int) -> None:
        self.all, self.left = all, left


_given: ContextVar[_Allowance | None] = ContextVar("guardrail_langchain_allowance", default=None)


@contextmanager
def allow(all: int, *, left: int) -> Iterator[None]:
    """Inside, guarded models ask again ``left`` more times at most, of ``all`` that the run has."""
    token = _given.set(_Allowance(all, left))
    try:
        yield
    finally:
        _given.reset(token)


def take_one() -> None:
    """Before the LLM is asked again: raises `GuardrailError` when nothing is left."""
    allowance = _given.get()
    if allowance is None:
        return
    if allowance.left <= 0:
        raise GuardrailError(f"the run has used up its {allowance.all} regenerations")
    allowance.left -= 1
