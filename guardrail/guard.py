"""`Guard`: a policy and its verifiers; and `wrap`, one verb for every client."""

from __future__ import annotations

import functools
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Literal, TypeAlias, TypeVar

from guardrail import drivers, reports
from guardrail.action import Action
from guardrail.building import build, stale
from guardrail.conversation import Message, Turn
from guardrail.cores import cores
from guardrail.errors import BlockedError
from guardrail.events import Event, Listener, OutcomeReady
from guardrail.flow import Draft, Generated, Job, guard_turn
from guardrail.gate import Merge, Split, split_text
from guardrail.given import given
from guardrail.grounding import as_evidence, missing_note
from guardrail.logs import LogListener, broadcast, once
from guardrail.ordered import in_order
from guardrail.outcome import Outcome
from guardrail.policy.kinds import draws_samples
from guardrail.policy.loading import load
from guardrail.policy.model import Policy
from guardrail.policy.routing import RequestInfo
from guardrail.prepare import job_for
from guardrail.resilience.deadline import DeadlineVerifier, bounded
from guardrail.samplers import TaskSampler, ThreadSampler
from guardrail.sampling import Sampler
from guardrail.streaming import AsyncGated, AsyncGuardedStream, Gated, GuardedStream
from guardrail.streams.apump import AsyncPump
from guardrail.streams.choices import Choices
from guardrail.streams.drawing import task_sampler, thread_sampler
from guardrail.streams.flow import StreamFlow
from guardrail.streams.pump import Pump
from guardrail.streams.sources import Texts, answered, atexts
from guardrail.streams.values import Chunk
from guardrail.verifiers.own import Judge, as_verifier
from guardrail.verifiers.protocol import Check, Verifier
from guardrail.wire.messages import read_messages, split_last_answer

__all__ = ["Answer", "Draft", "First", "Guard", "Messages"]

Messages: TypeAlias = Sequence[Message | Mapping[str, object]]
"""A conversation: OpenAI chat messages, or `Message` values."""
Answer: TypeAlias = str | Turn | Generated
"""What a generate function may return."""
Generate: TypeAlias = Callable[[Draft], Answer]
AsyncGenerate: TypeAlias = Callable[[Draft], Awaitable[Answer]]
StreamGenerate: TypeAlias = Callable[[Draft], Answer | Iterable[str]]
AsyncStreamGenerate: TypeAlias = Callable[[Draft], Awaitable[Answer] | AsyncIterable[str]]
StreamMode: TypeAlias = Literal["sentence", "whole", "optimistic"]
Piece = TypeVar("Piece")

_ANYONE = RequestInfo()
_A_STREAM = RequestInfo(stream=True)
_WAITED_FOR = ("chat", "dedicated", "consistency", "custom")
"""Kinds of verifiers that may work elsewhere; a cascade or a panel is as remote as its members."""
_REMOTE_CONCURRENCY = 16
"""Checks in flight while a remote verifier is waited for."""


@dataclass(frozen=True, slots=True)
class First:
    """A first answer that is there already, for mounts that made the call themselves."""

    turn: Turn
    elapsed: float = 0.0
    """Seconds that it took."""
    cannot_generate: str | None = None
    """Why the LLM cannot be asked again, in words; None where it can."""
    waited: float = 0.0
    """Seconds that the mount has spent since the answer was there; they count as added."""
    notes: tuple[str, ...] = ()
    """What a reader of the outcome must know, in words."""


class Guard:
    """Applies one policy. Immutable, and meant to be shared between threads and tasks.

    ``policy``: a `Policy`, a policy file, a preset's name (``observe``, ``balanced``, ``strict``), or None
    for the default: the embedded verifier and ``balanced``. ``verifiers`` puts judges of your own in the
    place of the policy's verifiers, by name: whole ones, objects with ``verify`` only, or functions of a
    `Check`. Raises `PolicyError` when the policy cannot be used, and `ConfigError` for what is no judge or
    has a name that the policy has not.
    """

    def __init__(
        self,
        policy: Policy | str | Path | None = None,
        *,
        verifiers: Mapping[str, Judge] | None = None,
        listeners: Sequence[Listener] = (),
    ) -> None:
        self._policy = load(policy)
        self._given = dict(verifiers or {})
        self._listeners = (LogListener(), *listeners)
        # Foreign verifiers may know no deadline; the built ones keep theirs.
        own = {name: DeadlineVerifier(as_verifier(judge)) for name, judge in (verifiers or {}).items()}
        self._built = build(self._policy, without=own, on_retry=self._tell)
        self._verifiers: dict[str, Verifier] = {**self._built, **own}
        self._stale = dict(stale(self._policy, self._verifiers))
        for key, note in self._stale.items():
            once(f"stale {self._policy.digest} {key}", f"policies.{key}.verify.threshold: {note}")

    def __reduce__(self) -> tuple[object, ...]:
        # What is built of the policy (models, connections) is built anew where it arrives.
        return _restored, (self._policy, self._given, self._listeners[1:])

    def __deepcopy__(self, memo: object) -> Guard:
        return self  # immutable; what holds it may be copied as it likes

    @property
    def policy(self) -> Policy:
        """The resolved policy."""
        return self._policy

    @property
    def verifiers(self) -> Mapping[str, Verifier]:
        """The verifiers that are asked, by name."""
        return MappingProxyType(self._verifiers)

    @property
    def concurrency(self) -> int:
        """How many checks to run at once: one a core, or 16 where a remote verifier is waited for."""
        remote = any(spec.kind in _WAITED_FOR for spec in self._policy.verifiers.values())
        return _REMOTE_CONCURRENCY if remote else cores()

    # an answer that is there: judge it

    def check(
        self, conversation: Messages | Check, *, evidence: Iterable[object] = (), info: RequestInfo = _ANYONE
    ) -> Outcome:
        """Judge an answer and decide, without acting.

        ``conversation`` ends with the assistant message to judge, or is a `Check`. The outcome's
        ``action`` is
        the first thing that the policy would do. A failing verifier gives a verdict with status ``error``.
        Raises `InputError` when the conversation cannot be read.
        """
        return self._drive(self._check_job(conversation, evidence, info), None, _sampler_of(conversation))

    async def acheck(
        self, conversation: Messages | Check, *, evidence: Iterable[object] = (), info: RequestInfo = _ANYONE
    ) -> Outcome:
        """`check` for an event loop."""
        job = self._check_job(conversation, evidence, info)
        return await self._adrive(job, None, _sampler_of(conversation))

    def check_many(
        self,
        checks: Iterable[Messages | Check],
        *,
        concurrency: int | None = None,
        info: RequestInfo = _ANYONE,
    ) -> Iterator[Outcome]:
        """`check` each, several at a time; outcomes come in the order of ``checks``, which are read as
        needed.

        ``concurrency``: how many at once; None: `concurrency`.
        """
        # Of where this is called, wherever the outcomes are read.
        check = functools.partial(self.check, evidence=given(), info=info)
        return in_order(check, checks, concurrency=concurrency or self.concurrency)

    # an answer that is to come: generate, verify, act

    def run(
        self,
        generate: Generate | None,
        messages: Messages,
        *,
        first: First | None = None,
        evidence: Iterable[object] = (),
        info: RequestInfo = _ANYONE,
    ) -> Outcome:
        """Generate an answer with ``generate``, verify it, and act as the policy says.

        ``generate`` is given a `Draft` and returns the answer; it is called again for a regeneration or a
        fallback. ``first`` is the first answer where it is there already. Without ``generate``, steps
        that would need it are skipped and noted. Raises what the first call of ``generate`` raises,
        `TimeoutError` when it outlasts ``budget.total``, and `BlockedError` under ``on_block: raise``.
        """
        job = self._run_job(messages, first, evidence, info, generate is not None)
        return self._checked(job, self._drive(job, generate))

    async def arun(
        self,
        generate: AsyncGenerate | None,
        messages: Messages,
        *,
        first: First | None = None,
        evidence: Iterable[object] = (),
        info: RequestInfo = _ANYONE,
    ) -> Outcome:
        """`run` for an event loop; ``generate`` is awaited. Cancelling ends all that is in flight."""
        job = self._run_job(messages, first, evidence, info, generate is not None)
        return self._checked(job, await self._adrive(job, generate))

    # streams

    def stream(
        self,
        source: Iterable[str],
        messages: Messages,
        *,
        generate: StreamGenerate | None = None,
        evidence: Iterable[object] = (),
        info: RequestInfo = _A_STREAM,
    ) -> GuardedStream:
        """The text of ``source`` as it may be shown: each sentence when its verdict is in, by the policy's
        ``stream``.

        ``generate`` is called for a regeneration or a fallback, with a `Draft`; it returns the answer, or an iterable
        of its text. Where ``draft.prefix`` is set that much is shown already, and only what follows is wanted.
        The iterator raises what ``source`` raises, once all that was verified has been given; and `BlockedError`
        under ``on_block: raise``.
        """
        return GuardedStream(
            self.gated(
                Texts(source),
                messages,
                split=split_text,
                generate=None if generate is None else functools.partial(_more, generate),
                evidence=evidence,
                info=info,
            )
        )

    def astream(
        self,
        source: AsyncIterable[str],
        messages: Messages,
        *,
        generate: AsyncStreamGenerate | None = None,
        evidence: Iterable[object] = (),
        info: RequestInfo = _A_STREAM,
    ) -> AsyncGuardedStream:
        """`stream` for an event loop: iterate it with ``async for``. ``generate`` is awaited, or gives an
        asynchronous iterable."""
        return AsyncGuardedStream(
            self.agated(
                atexts(source),
                messages,
                split=split_text,
                generate=None if generate is None else functools.partial(_amore, generate),
                evidence=evidence,
                info=info,
            )
        )

    def gated(
        self,
        source: Iterable[Chunk[Piece]],
        messages: Messages | Callable[[int], Messages],
        *,
        split: Split[Piece],
        merge: Merge[Piece] | None = None,
        generate: Callable[[Draft, int], Iterable[Chunk[Piece]]] | None = None,
        close: Callable[[], None] | None = None,
        evidence: Iterable[object] = (),
        info: RequestInfo = _A_STREAM,
        choices: int = 1,
        cannot_generate: str | None = None,
        notes: Iterable[str] = (),
        whole: bool = False,
    ) -> Gated[Piece]:
        """For mounts: guard a stream of whatever pieces; `guardrail.streams` tells how.

        ``messages``: or a function of the choice. ``generate`` is given the `Draft` and the choice. ``choices``: how
        many were asked for. ``cannot_generate``: why the LLM cannot be asked again, in words. ``whole``: hold
        everything until the verdict on the whole is in, whatever the policy says, as for JSON.
        """
        open = self._flows(messages, split, merge, evidence, info, generate is not None, cannot_generate, notes, whole)
        flows = Choices(open, choices)
        pump = Pump(
            source,
            flows,
            verifiers=self._verifiers,
            generate=generate,
            close=close,
            sampler=functools.cache(functools.partial(thread_sampler, flows, generate)),
            listeners=(*self._listeners, _KEEPER),
        )
        return Gated(pump, flows.outcomes)

    def agated(
        self,
        source: AsyncIterable[Chunk[Piece]],
        messages: Messages | Callable[[int], Messages],
        *,
        split: Split[Piece],
        merge: Merge[Piece] | None = None,
        generate: Callable[[Draft, int], AsyncIterable[Chunk[Piece]]] | None = None,
        close: Callable[[], Awaitable[None]] | None = None,
        evidence: Iterable[object] = (),
        info: RequestInfo = _A_STREAM,
        choices: int = 1,
        cannot_generate: str | None = None,
        notes: Iterable[str] = (),
        whole: bool = False,
    ) -> AsyncGated[Piece]:
        """`gated` for an event loop."""
        open = self._flows(messages, split, merge, evidence, info, generate is not None, cannot_generate, notes, whole)
        flows = Choices(open, choices)
        pump = AsyncPump(
            source,
            flows,
            verifiers=self._verifiers,
            generate=generate,
            close=close,
            sampler=functools.cache(functools.partial(task_sampler, flows, generate)),
            listeners=(*self._listeners, _KEEPER),
        )
        return AsyncGated(pump, flows.outcomes)

    def stream_mode(
        self, info: RequestInfo, messages: Messages | None = None, *, evidence: Iterable[object] = ()
    ) -> StreamMode:
        """For mounts: how the policy has the streams of such requests guarded.

        With ``messages``: ``whole`` too where a sample may be drawn, as they hold no evidence.
        """
        rules = self._policy.rules_for(info)[1]
        if messages is None or not draws_samples(self._policy.verifiers, rules.verify.with_, evidence=False):
            return rules.stream.mode
        return "whole" if self._draws(self._job(read_messages(messages), None, evidence, info)) else rules.stream.mode

    def remember(self, outcome: Outcome, *names: str | None) -> None:
        """For mounts: have `guardrail.report` find ``outcome`` under the ids of what the caller is handed."""
        reports.keep(outcome, *names)

    # closing

    def close(self) -> None:
        """Close the verifiers that this guard built; those that it was given stay open."""
        for verifier in self._built.values():
            verifier.close()

    async def aclose(self) -> None:
        """`close`, from an event loop."""
        for verifier in self._built.values():
            await verifier.aclose()

    def __enter__(self) -> Guard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Guard:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    # what the twins share

    def _check_job(self, conversation: Messages | Check, evidence: Iterable[object], info: RequestInfo) -> Job:
        if isinstance(conversation, Check):
            history, turn, extra = conversation.conversation, conversation.turn, conversation.evidence
        else:
            (history, turn), extra = split_last_answer(read_messages(conversation)), ()
        job = self._job(history, turn, (*extra, *evidence), info)
        return replace(job, act=False)

    def _run_job(
        self,
        messages: Messages,
        first: First | None,
        evidence: Iterable[object],
        info: RequestInfo,
        able: bool,
    ) -> Job:
        job = self._job(read_messages(messages), first.turn if first else None, evidence, info)
        cannot = None if able else "there is nothing to generate with"
        if first is None:
            return replace(job, cannot_generate=cannot)
        return replace(
            job,
            elapsed=first.elapsed,
            waited=first.waited,
            notes=(*first.notes, *job.notes),
            cannot_generate=first.cannot_generate or cannot,
        )

    def _flows(
        self,
        messages: Messages | Callable[[int], Messages],
        split: Split[Piece],
        merge: Merge[Piece] | None,
        evidence: Iterable[object],
        info: RequestInfo,
        able: bool,
        cannot_generate: str | None,
        notes: Iterable[str],
        whole: bool,
    ) -> Callable[[int], StreamFlow[Piece]]:
        """Makes the flow of each choice."""
        docs = (*given(), *evidence)  # of where the stream is made, wherever it is read
        cannot = cannot_generate or (None if able else "there is nothing to generate with")
        notes = tuple(notes)

        def open(index: int) -> StreamFlow[Piece]:
            said = read_messages(messages(index) if callable(messages) else messages)
            job = self._job(said, None, docs, info)
            hold = whole or self._draws(job)
            rules = job.rules.but(stream=job.rules.stream.but(mode="whole")) if hold else job.rules
            job = replace(job, rules=rules, notes=(*notes, *job.notes), cannot_generate=cannot)
            return StreamFlow(job, split=split, merge=merge, index=index)

        return open

    def _draws(self, job: Job) -> bool:
        """Whether samples may be drawn for ``job``."""
        told = any(piece.origin != "user" for piece in job.evidence)
        return draws_samples(self._policy.verifiers, job.rules.verify.with_, evidence=told)

    def _job(
        self, history: tuple[Message, ...], turn: Turn | None, evidence: Iterable[object], info: RequestInfo
    ) -> Job:
        docs = tuple(dict.fromkeys((*given(), *(as_evidence(item) for item in evidence))))
        job = job_for(self._policy, id=secrets.token_hex(8), conversation=history, turn=turn, given=docs, info=info)
        if note := self._stale.get(job.policy):
            job = replace(job, notes=(note, *job.notes))
        if missing_note() in job.notes:
            once("no_evidence", missing_note())
        return job

    def _drive(self, job: Job, generate: Generate | None, sampler: Sampler | None = None) -> Outcome:
        ask = None if generate is None else functools.partial(_ask, generate)
        if ask is not None and not job.cannot_generate:
            sampler = ThreadSampler(job.conversation, ask)
        outcome = drivers.drive(
            guard_turn(job), verifiers=self._verifiers, generate=ask, sampler=sampler, listeners=self._listeners
        )
        reports.keep(outcome)
        return outcome

    async def _adrive(self, job: Job, generate: AsyncGenerate | None, sampler: Sampler | None = None) -> Outcome:
        ask = None if generate is None else functools.partial(_aask, generate)
        if ask is not None and not job.cannot_generate:
            sampler = TaskSampler(job.conversation, ask)
        outcome = await drivers.adrive(
            guard_turn(job), verifiers=self._verifiers, generate=ask, sampler=sampler, listeners=self._listeners
        )
        reports.keep(outcome)
        return outcome

    def _checked(self, job: Job, outcome: Outcome) -> Outcome:
        if outcome.action is Action.BLOCK and outcome.turn is None and job.rules.on_block == "raise":
            raise BlockedError(outcome.text, outcome)
        return outcome

    def _tell(self, event: Event) -> None:
        broadcast(self._listeners, event)


def _restored(policy: Policy, verifiers: Mapping[str, Judge], listeners: Sequence[Listener]) -> Guard:
    """A guard, from what was pickled of it."""
    return Guard(policy, verifiers=verifiers, listeners=listeners)


class _Keeper(Listener):
    """Has `guardrail.report` find what ends."""

    def on_outcome(self, event: OutcomeReady) -> None:
        reports.keep(event.outcome)


_KEEPER = _Keeper()


def _more(generate: StreamGenerate, draft: Draft, index: int) -> Iterable[Chunk[str]]:
    answer = generate(draft)
    return (answered(answer),) if isinstance(answer, str | Turn | Generated) else Texts(answer)


async def _amore(generate: AsyncStreamGenerate, draft: Draft, index: int) -> AsyncIterator[Chunk[str]]:
    answer = generate(draft)
    if isinstance(answer, AsyncIterable):
        async for chunk in atexts(answer):
            yield chunk
    else:
        yield answered(await answer)


def _sampler_of(conversation: Messages | Check) -> Sampler | None:
    """What draws samples for an answer that is only checked: whoever made the `Check` may have some at hand."""
    return conversation.sampler if isinstance(conversation, Check) else None


def _ask(generate: Generate, draft: Draft) -> Generated:
    if draft.remaining is None:
        return _generated(generate(draft))
    # A function that knows no time must not hold up for ever what waits for it: a budget, or an answer at hand.
    return _generated(bounded(functools.partial(generate, draft), draft.remaining))


async def _aask(generate: AsyncGenerate, draft: Draft) -> Generated:
    return _generated(await generate(draft))


def _generated(answer: Answer) -> Generated:
    if isinstance(answer, Generated):
        return answer
    return Generated(answer if isinstance(answer, Turn) else Turn(answer))
