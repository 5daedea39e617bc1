"""The two drivers of turns; with the pumps of `guardrail.streams`, the only places that perform effects.

`drive` and `adrive` run a flow from `guardrail.flow` to its outcome. They differ in how they wait and in
nothing else; all
that is decided is decided in the flow.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar

from guardrail.errors import GuardrailError
from guardrail.events import Listener
from guardrail.flow import Done, Draft, Effect, Failed, Flow, Generate, Generated, Reply, Sleep, Tell, Verify
from guardrail.logs import broadcast
from guardrail.lost import no_verdict
from guardrail.outcome import Outcome
from guardrail.resilience.deadline import abounded
from guardrail.sampling import Sampler
from guardrail.verdict import Verdict
from guardrail.verifiers.protocol import Verifier

__all__ = ["AsyncGenerator", "Generator", "adrive", "drive"]

Generator: TypeAlias = Callable[[Draft], Generated]
"""Asks the LLM, in the calling thread, within ``draft.remaining`` seconds."""
AsyncGenerator: TypeAlias = Callable[[Draft], Awaitable[Generated]]
"""The same for an event loop."""

_T = TypeVar("_T")
_NOTHING = Done(None, 0.0)


def drive(
    flow: Flow,
    *,
    verifiers: Mapping[str, Verifier],
    generate: Generator | None = None,
    sampler: Sampler | None = None,
    listeners: Sequence[Listener] = (),
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Run ``flow`` to its end in the calling thread. ``clock`` tells the seconds that effects take.

    ``sampler`` performs the `Sample` effects of verifiers, inside the `Verify` that they come from; None where
    there is nothing to generate with.

    A failing verifier or regeneration goes back into the flow. What the first generation raises
    reaches the caller unchanged, as do KeyboardInterrupt and the like.
    """

    def perform(effect: Effect) -> Reply:
        started = clock()
        value: Generated | Verdict | None = None
        try:
            match effect:
                case Tell():
                    broadcast(listeners, effect.event)
                    return _NOTHING
                case Verify():
                    value = verifiers[effect.verifier].verify(replace(effect.check, sampler=sampler))
                case Generate():
                    value = _generator(generate)(effect.draft)
                case Sleep():
                    sleep(effect.seconds)
        except BaseException as error:
            return Failed(_lost(effect, error), clock() - started)
        return Done(value, clock() - started)

    try:
        effect = next(flow)
        while True:
            effect = flow.send(perform(effect))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome
    finally:
        flow.close()


async def adrive(
    flow: Flow,
    *,
    verifiers: Mapping[str, Verifier],
    generate: AsyncGenerator | None = None,
    sampler: Sampler | None = None,
    listeners: Sequence[Listener] = (),
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """`drive` on the event loop. Cancelling it ends whatever is in flight."""

    async def perform(effect: Effect) -> Reply:
        started = clock()
        value: Generated | Verdict | None = None
        try:
            match effect:
                case Tell():
                    broadcast(listeners, effect.event)
                    return _NOTHING
                case Verify():
                    check = replace(effect.check, sampler=sampler)
                    value = await abounded(verifiers[effect.verifier].averify(check), check.remaining)
                case Generate():
                    value = await abounded(_generator(generate)(effect.draft), effect.draft.remaining)
                case Sleep():
                    await sleep(effect.seconds)
        except BaseException as error:
            return Failed(_lost(effect, error), clock() - started)
        return Done(value, clock() - started)

    try:
        effect = next(flow)
        while True:
            effect = flow.send(await perform(effect))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome
    finally:
        flow.close()


def _generator(generate: Callable[[Draft], _T] | None) -> Callable[[Draft], _T]:
    if generate is None:
        raise GuardrailError("this mount has nothing to generate with")
    return generate


def _lost(effect: Effect, error: BaseException) -> Exception:
    """The failure as the flow may know it; raises what is the caller's own or a bug, and interrupts."""
    if isinstance(effect, Verify) and (lost := no_verdict(effect.verifier, error)) is not None:
        return lost
    if isinstance(effect, Generate) and effect.draft.attempt > 1 and isinstance(error, Exception):
        return error
    raise error
