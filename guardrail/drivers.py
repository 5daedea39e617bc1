"""The only places that perform effects: two drivers for turns, two pumps for streams.

`drive` and `adrive` run a flow from `guardrail.flow` to its outcome. They differ in how they wait and in
nothing else; all
that is decided is decided in the flow.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias, TypeVar

from guardrail.errors import GuardrailError, VerifierError
from guardrail.events import Listener
from guardrail.flow import Done, Draft, Effect, Failed, Flow, Generate, Generated, Reply, Sleep, Tell, Verify
from guardrail.gate import WholeGate
from guardrail.logs import broadcast
from guardrail.outcome import Outcome
from guardrail.resilience.deadline import abounded
from guardrail.verdict import Cause, Verdict
from guardrail.verifiers.protocol import Verifier

__all__ = ["AsyncGenerator", "Generator", "adrive", "apump", "drive", "pump"]

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
    listeners: Sequence[Listener] = (),
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Run ``flow`` to its end in the calling thread. ``clock`` tells the seconds that effects take.

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
                    value = verifiers[effect.verifier].verify(effect.check)
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
    listeners: Sequence[Listener] = (),
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Run ``flow`` to its end on the event loop. Cancelling it ends whatever is in flight."""

    async def perform(effect: Effect) -> Reply:
        started = clock()
        value: Generated | Verdict | None = None
        try:
            match effect:
                case Tell():
                    broadcast(listeners, effect.event)
                    return _NOTHING
                case Verify():
                    value = await abounded(verifiers[effect.verifier].averify(effect.check), effect.check.remaining)
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


def pump(source: Iterable[str], gate: WholeGate[str], settle: Callable[[str], Outcome]) -> Iterator[str]:
    """Read ``source`` through ``gate``; ``settle`` judges the text. Yields what may be shown."""
    for delta in source:
        yield from gate.feed(delta, delta)
    outcome = settle(gate.text)
    yield from _released(gate, outcome)


async def apump(
    source: AsyncIterator[str], gate: WholeGate[str], settle: Callable[[str], Awaitable[Outcome]]
) -> AsyncIterator[str]:
    """The same on the event loop."""
    async for delta in source:
        for piece in gate.feed(delta, delta):
            yield piece
    outcome = await settle(gate.text)
    for piece in _released(gate, outcome):
        yield piece


def _released(gate: WholeGate[str], outcome: Outcome) -> tuple[str, ...]:
    """The stream's own pieces when its answer stands, else the text that takes its place."""
    stands = outcome.text == gate.text
    return gate.settle(stands) or ((outcome.text,) if outcome.text else ())


def _generator(generate: Callable[[Draft], _T] | None) -> Callable[[Draft], _T]:
    if generate is None:
        raise GuardrailError("this mount has nothing to generate with")
    return generate


def _lost(effect: Effect, error: BaseException) -> Exception:
    """The failure as the flow may know it; raises what is the caller's own or a bug, and interrupts."""
    # A failure inside a library written in Rust, such as a tokenizer: PyO3 makes it no `Exception`.
    panic = type(error).__name__ == "PanicException"
    if isinstance(effect, Verify) and (isinstance(error, Exception) or panic):
        if isinstance(error, TimeoutError):
            return VerifierError(Cause.TIMEOUT, "the verifier took longer than the time that was left")
        if isinstance(error, VerifierError):
            return error
        # A verifier of the user's own may raise anything, and the answer must not be lost to it.
        lost = VerifierError(Cause.SERVER, f"the verifier {effect.verifier!r} raised {error!r}")
        lost.__cause__ = error
        return lost
    if isinstance(effect, Generate) and effect.draft.attempt > 1 and isinstance(error, Exception):
        return error
    raise error
