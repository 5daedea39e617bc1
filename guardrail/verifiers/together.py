"""Several checks at the same time, in threads or in tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial

from guardrail.errors import VerifierError
from guardrail.verdict import Cause, Verdict
from guardrail.verifiers.combining import Answer
from guardrail.verifiers.own import lost
from guardrail.verifiers.protocol import Check, Verifier
from guardrail.verifiers.threads import begun

__all__ = ["Asked", "asked_together", "atogether"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One verifier, by the name that it has in errors, and what it is asked."""

    name: str
    verifier: Verifier
    check: Check


def asked_together(asked: Sequence[Asked], remaining: float | None) -> list[Answer]:
    """What each came up with, in order, within ``remaining`` seconds (None: without bound).

    Each is asked in a thread of its own, with the context variables of this one.
    """
    futures = [begun(partial(one.verifier.verify, one.check), name="guardrail-together") for one in asked]
    wait(futures, timeout=remaining)
    return [_answer(future, one) for future, one in zip(futures, asked, strict=True)]


async def atogether(asked: Sequence[Asked], remaining: float | None) -> list[Answer]:
    """The same in tasks; they end with this call, however it ends."""
    tasks = [asyncio.create_task(_aanswer(one)) for one in asked]
    try:
        done = (await asyncio.wait(tasks, timeout=remaining))[0] if tasks else set()
        return [task.result() if task in done else _late(one) for task, one in zip(tasks, asked, strict=True)]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _answer(future: Future[Verdict], asked: Asked) -> Answer:
    if not future.done():
        return _late(asked)
    try:
        return future.result()
    except Exception as error:
        return lost(error, asked.name)


async def _aanswer(asked: Asked) -> Answer:
    try:
        return await asked.verifier.averify(asked.check)
    except Exception as error:
        return lost(error, asked.name)


def _late(asked: Asked) -> VerifierError:
    seconds = asked.check.remaining
    within = "in time" if seconds is None else f"within {seconds:.3g} s"
    return VerifierError(Cause.TIMEOUT, f"the verifier {asked.name!r} did not answer {within}")
