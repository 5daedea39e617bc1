"""Guarded models over scripted ones, each in the ways in which LangChain calls a model, and what tests look at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import guardrail
from guardrail import Guard, Policy
from guardrail.testing import ScriptedVerifier, reliable, unreliable

ASKED = "Capital of France?"
BAD, GOOD = "It is London.", "It is Paris."
REGENERATE = {"version": 1, "policies": {"default": {"on_unreliable": ["regenerate", "block"]}}}
BLOCK = {
    "version": 1,
    "policies": {"default": {"on_unreliable": "block", "messages": {"blocked": "Withheld."}}},
}
RAISE = {"version": 1, "policies": {"default": {"on_unreliable": "block", "on_block": "raise"}}}

Model = TypeVar("Model")


def judged(check: Any) -> Any:
    """Unreliable is whatever speaks of London."""
    return unreliable("London") if "London" in check.turn.text else reliable()


def scripted_guard(policy: Any = REGENERATE, judge: ScriptedVerifier | None = None) -> Guard:
    """A guard whose verifier looks for London."""
    verifier = judge or ScriptedVerifier(judged, repeat=True)
    return Guard(Policy.model_validate(policy), verifiers={"main": verifier})


def guard(model: Model, policy: Any = REGENERATE, judge: ScriptedVerifier | None = None) -> Model:
    """``model``, guarded by such a guard."""
    return guardrail.wrap(model, scripted_guard(policy, judge))


def run(call: Awaitable[Any]) -> Any:
    async def go() -> Any:
        return await call

    return asyncio.run(go())


async def _gathered(stream: Any) -> Any:
    whole = None
    async for chunk in stream:
        whole = chunk if whole is None else whole + chunk
    return whole


def _summed(stream: Any) -> Any:
    whole = None
    for chunk in stream:
        whole = chunk if whole is None else whole + chunk
    return whole


CALLS: dict[str, Callable[..., Any]] = {
    "invoke": lambda model, said, **more: model.invoke(said, **more),
    "ainvoke": lambda model, said, **more: run(model.ainvoke(said, **more)),
    "stream": lambda model, said, **more: _summed(model.stream(said, **more)),
    "astream": lambda model, said, **more: run(_gathered(model.astream(said, **more))),
    "batch": lambda model, said, **more: model.batch([said], **more)[0],
    "abatch": lambda model, said, **more: run(model.abatch([said], **more))[0],
}
"""The ways to call a model, each giving the whole answer."""
