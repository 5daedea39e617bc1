"""Guarded streams with real threads and tasks: what waits for what, and what is left over."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias

import pytest

from guardrail import (
    Action,
    BlockedError,
    Check,
    Draft,
    Evidence,
    Guard,
    InputError,
    Outcome,
    Policy,
    Rules,
    Verdict,
    evidence,
)
from guardrail.gate import split_text
from guardrail.streams.pump import AHEAD
from guardrail.streams.values import Chunk, Ended, Release, Write
from guardrail.testing import EventCollector, ScriptedLLM, ScriptedVerifier, ScriptExhausted, reliable
from tests.streams.driving import BAD, by_word, judge

ASKED = [{"role": "user", "content": "Tell me about France."}]
WRONG = "France is a country. It has a capital. The capital is London. It is big."
PREFIX = "France is a country. It has a capital."
Came: TypeAlias = tuple[str, Outcome, Exception | None]
"""The text that came, how it ended, and what was raised."""
LONG = 20.0
"""Seconds after which a test that waits has failed."""


def guard(verifier: Any = None, **rules: Any) -> Guard:
    policy = Policy(policies={"default": Rules.model_validate(rules)})
    return Guard(policy, verifiers={"main": verifier or ScriptedVerifier(judge, repeat=True)})


def read(guard: Guard, pieces: Sequence[str | Exception], generate: Any = None) -> Came:
    """In threads."""

    def source() -> Iterator[str]:
        for piece in pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    stream, text = guard.stream(source(), ASKED, generate=generate), ""
    try:
        for piece in stream:
            text += piece
    except Exception as error:
        return text, stream.outcome, error
    return text, stream.outcome, None


def aread(guard: Guard, pieces: Sequence[str | Exception], generate: Any = None) -> Came:
    """On an event loop."""

    async def source() -> AsyncIterator[str]:
        for piece in pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def generated(draft: Draft) -> Any:
        return generate(draft)

    async def work() -> Came:
        stream, text = guard.astream(source(), ASKED, generate=generate and generated), ""
        try:
            async for piece in stream:
                text += piece
        except Exception as error:
            return text, stream.outcome, error
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return text, stream.outcome, None

    return asyncio.run(work())


Read = Callable[..., Came]
both = pytest.mark.parametrize("read", [read, aread], ids=["threads", "loop"])


POOLS = ("guardrail-embedded", "guardrail-reading")


@pytest.fixture(autouse=True)
def _nothing_is_left_over() -> Iterator[None]:
    before = set(threading.enumerate())  # pools that other tests have warmed stay
    yield
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith("guardrail-") and not thread.name.startswith(POOLS):
            while thread.ident is None:  # about to start: it cannot be joined before
                time.sleep(0.001)
            thread.join(LONG)
            assert not thread.is_alive(), thread


@both
def test_a_good_answer_passes(read: Read) -> None:
    text, outcome, error = read(guard(), by_word(PREFIX))
    assert (text, outcome.action, error) == (PREFIX, Action.PASS, None)


@both
def test_a_bad_tail_is_regenerated_into_one_answer(read: Read) -> None:
    llm = ScriptedLLM("The capital is Paris.")
    text, outcome, error = read(guard(), by_word(WRONG), llm)
    assert (text, outcome.text, error) == (f"{PREFIX} The capital is Paris.", text, None)
    assert outcome.action is Action.REGENERATE
    assert llm.drafts[0].prefix == PREFIX


@both
def test_a_generate_function_may_stream(read: Read) -> None:
    text, _, _ = read(guard(), by_word(WRONG), lambda draft: "The capital is Paris.")
    assert text == f"{PREFIX} The capital is Paris."


def test_so_may_one_that_gives_pieces() -> None:
    stream = guard().stream(by_word(WRONG), ASKED, generate=lambda draft: iter(["The capital ", "is Paris."]))
    assert list(stream)[-3:] == [" ", "The capital ", "is Paris."]


async def test_so_may_an_asynchronous_one() -> None:
    async def pieces(texts: Sequence[str]) -> AsyncIterator[str]:
        for text in texts:
            yield text

    more = ["The capital ", "is Paris."]
    stream = guard().astream(pieces(by_word(WRONG)), ASKED, generate=lambda draft: pieces(more))
    assert [piece async for piece in stream][-2:] == more


@both
def test_an_upstream_that_breaks_off_gives_what_was_verified_then_its_own_error(read: Read) -> None:
    gone = ConnectionError("gone")
    text, outcome, error = read(guard(), [*by_word(PREFIX), " The cap", gone])
    assert (text, error) == (PREFIX, gone)
    assert outcome.text == PREFIX
    assert any("broke off" in note for note in outcome.notes)


@both
@pytest.mark.parametrize("piece", [None, b"It is.", 3], ids=str)
def test_a_piece_that_is_no_text_is_named_after_what_was_verified(read: Read, piece: Any) -> None:
    text, _, error = read(guard(), [*by_word(PREFIX), " It", piece])
    assert text == PREFIX
    assert isinstance(error, InputError)
    assert str(error).startswith(f"a piece of the stream is no string: {piece!r}; give the text of each chunk")


@both
def test_a_policy_may_raise(read: Read) -> None:
    text, outcome, error = read(guard(on_unreliable="block", on_block="raise"), by_word(WRONG))
    assert text == PREFIX
    assert isinstance(error, BlockedError)
    assert error.outcome is outcome


@both
def test_what_no_verifier_may_raise_reaches_the_consumer(read: Read) -> None:
    with pytest.raises(ScriptExhausted):
        read(guard(ScriptedVerifier(reliable())), by_word(WRONG))


@both
def test_a_verifier_that_fails_costs_no_answer(read: Read) -> None:
    def broken(check: Check) -> Verdict:
        raise RuntimeError("a bug")

    text, outcome, _ = read(guard(broken), by_word(WRONG))
    assert (text, outcome.action) == (WRONG, Action.FLAG)


@both
def test_a_llm_that_is_late_is_bounded_by_the_budget(read: Read) -> None:
    ready = threading.Event()

    def late(draft: Draft) -> str:
        ready.wait(LONG if read is not aread else 0)
        raise TimeoutError

    rules: dict[str, Any] = {"on_unreliable": ["regenerate", "block"], "messages": {"blocked": "No."}}
    text, outcome, _ = read(guard(budget={"added": "50ms"}, **rules), by_word(WRONG), late)
    ready.set()
    assert text == f"{PREFIX}\n\nNo."
    assert any(note.startswith("could not regenerate") for note in outcome.notes)


@both
def test_a_pause_before_asking_again_is_kept(read: Read) -> None:
    rules = {"on_unreliable": [{"do": "regenerate", "wait": {"fixed": 0.01}}, "block"]}
    text, _, _ = read(guard(**rules), by_word(WRONG), ScriptedLLM("The capital is Paris."))
    assert text == f"{PREFIX} The capital is Paris."


def test_listeners_and_report_know_the_stream() -> None:
    import guardrail

    heard = EventCollector()
    own = Guard("observe", verifiers={"main": ScriptedVerifier(judge, repeat=True)}, listeners=[heard])
    stream = own.stream(by_word(WRONG), ASKED)
    assert "".join(stream) == WRONG
    assert guardrail.report(stream.outcome) is stream.outcome
    assert type(heard.events[-1]).__name__ == "OutcomeReady"


def test_what_is_given_as_evidence_where_a_stream_is_made_is_seen_by_generate() -> None:
    from guardrail.given import given

    seen: list[Evidence] = []

    def generate(draft: Draft) -> str:
        seen.extend(given())
        return "The capital is Paris."

    with evidence("Paris is the capital."):
        stream = guard().stream(by_word(WRONG), ASKED, generate=generate)
    list(stream)
    assert [piece.text for piece in seen] == ["Paris is the capital."]


# who waits for whom


def test_a_sentence_goes_out_while_the_upstream_is_silent() -> None:
    shown = threading.Event()

    def source() -> Iterator[str]:
        yield "France is a country. It has"
        assert shown.wait(LONG), "the sentence waited for the upstream"
        yield " a capital."

    stream = guard().stream(source(), ASKED)
    assert next(stream) == "France is a country."
    shown.set()
    assert "".join(stream) == " It has a capital."


async def test_so_it_does_on_an_event_loop() -> None:
    shown = asyncio.Event()

    async def source() -> AsyncIterator[str]:
        yield "France is a country. It has"
        await asyncio.wait_for(shown.wait(), LONG)
        yield " a capital."

    stream = guard().astream(source(), ASKED)
    assert await anext(stream) == "France is a country."
    shown.set()
    assert "".join([piece async for piece in stream]) == " It has a capital."


@pytest.mark.parametrize("said", ["France is a country.", "France is a country. ", "It has one. France is a country."])
def test_so_does_one_that_nothing_follows(said: str) -> None:
    shown = threading.Event()

    def source() -> Iterator[str]:
        yield said
        assert shown.wait(LONG), "the sentence waited for the next one"
        yield " It has a capital."

    text = ""
    for piece in guard().stream(source(), ASKED):
        text += piece
        if text == said.strip():
            shown.set()
    assert " ".join(text.split()) == f"{said.strip()} It has a capital."


async def test_nor_does_it_wait_for_it_on_an_event_loop() -> None:
    shown = asyncio.Event()

    async def source() -> AsyncIterator[str]:
        yield "France is a country."
        await asyncio.wait_for(shown.wait(), LONG)
        yield " It has a capital."

    stream = guard().astream(source(), ASKED)
    assert await anext(stream) == "France is a country."
    shown.set()
    assert "".join([piece async for piece in stream]) == " It has a capital."


def test_sentences_are_verified_while_the_next_are_generated_several_at_once() -> None:
    together = threading.Barrier(2, timeout=LONG)

    def judged(check: Check) -> Verdict:
        together.wait()
        return reliable()

    text, _, _ = read(guard(ScriptedVerifier(judged, repeat=True)), by_word("France is. It is big. And old. Bye."))
    assert text == "France is. It is big. And old. Bye."


def test_a_bad_sentence_ends_the_upstream_though_nobody_reads() -> None:
    closed = threading.Event()

    def source() -> Iterator[str]:
        try:
            yield from by_word(WRONG)
            while True:
                yield " More. "
        finally:
            closed.set()

    stream = guard(on_unreliable="block").stream(source(), ASKED)
    assert next(stream) == "France"
    assert closed.wait(LONG)
    assert BAD not in "".join(stream)


class Response:
    """An upstream that waits for ever unless it is closed, as one with a socket does."""

    def __init__(self, *pieces: str) -> None:
        self.pieces, self.closed = list(pieces), threading.Event()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.pieces:
            return self.pieces.pop(0)
        if not self.closed.wait(LONG):
            raise AssertionError("nobody closed the upstream")
        raise ConnectionError("closed")

    def close(self) -> None:
        self.closed.set()


def test_an_upstream_that_can_be_closed_is_closed_while_it_is_waited_for() -> None:
    response = Response(*by_word(WRONG), " And so")
    text = "".join(guard(on_unreliable="block", messages={"blocked": "No."}).stream(response, ASKED))
    assert text == f"{PREFIX}\n\nNo."
    assert response.closed.is_set()


def test_so_is_a_continuation() -> None:
    second = Response("The capital is London. And so")
    rules: dict[str, Any] = {"on_unreliable": ["regenerate", "block"], "messages": {"blocked": "No."}}
    text = "".join(guard(**rules).stream(by_word(WRONG), ASKED, generate=lambda draft: second))
    assert text == f"{PREFIX}\n\nNo."
    assert second.closed.is_set()


def test_an_upstream_that_cannot_be_closed_costs_no_answer() -> None:
    class Stubborn(Response):
        def __next__(self) -> str:
            time.sleep(0.001)  # so that it is still being read when it is cut
            return super().__next__()

        def close(self) -> None:
            super().close()
            raise OSError("cannot be closed")

    def late(draft: Draft) -> str:
        assert source.closed.wait(LONG)
        time.sleep(0.05)
        return "The capital is Paris."

    source = Stubborn(*by_word(WRONG), " And so")
    stream = guard(on_unreliable=["regenerate", "block"]).stream(source, ASKED, generate=late)
    assert "".join(stream) == f"{PREFIX} The capital is Paris."
    with guard().stream(Stubborn(*by_word(PREFIX), " And so"), ASKED) as left:
        next(left)


def test_a_consumer_that_does_not_read_keeps_the_upstream_from_being_read_on() -> None:
    given, paused = 0, threading.Event()

    def source() -> Iterator[str]:
        nonlocal given
        while True:
            given += 1
            if given > AHEAD:
                paused.set()
            yield "So. "

    with guard(mode="shadow", sample=0.0).stream(source(), ASKED) as stream:
        next(stream)
        assert paused.wait(LONG)
        assert given <= 2 * AHEAD + 2


# consumers that stop


def ending(closed: threading.Event, text: str) -> Iterator[str]:
    try:
        while True:
            yield from by_word(text)
    finally:
        closed.set()


def test_close_ends_the_upstream() -> None:
    closed = threading.Event()
    stream = guard().stream(ending(closed, "It is. "), ASKED)
    next(stream)
    stream.close()
    assert closed.wait(LONG)
    stream.close()
    assert list(stream) == []


def test_so_does_the_end_of_a_with_block_and_a_stream_that_nobody_has() -> None:
    for leave in ("with", "break"):
        closed = threading.Event()
        if leave == "with":
            with guard().stream(ending(closed, "It is. "), ASKED) as stream:
                next(stream)
        else:
            for _ in guard().stream(ending(closed, "It is. "), ASKED):
                break
            gc.collect()
        assert closed.wait(LONG), leave


def test_a_stream_that_was_never_read_closes_its_source() -> None:
    response = Response("It is.")
    guard().stream(response, ASKED).close()
    assert response.closed.is_set()


def test_a_continuation_that_comes_when_the_consumer_has_left_is_closed_unread() -> None:
    asked, left, second = threading.Event(), threading.Event(), Response("It is.")

    def generate(draft: Draft) -> Response:
        asked.set()
        assert left.wait(LONG)
        return second

    with guard().stream(by_word(WRONG), ASKED, generate=generate) as stream:
        next(stream)
        assert asked.wait(LONG)
    left.set()
    assert second.closed.wait(LONG)
    assert second.pieces == ["It is."]


def test_what_was_closed_before_it_was_read_is_not_read() -> None:
    left = by_word(PREFIX)
    source = iter(left)
    stream = guard().stream(source, ASKED)
    stream.close()
    assert list(stream) == []
    assert list(source) == left


async def test_nor_is_it_on_an_event_loop() -> None:
    async def source() -> AsyncIterator[str]:
        raise AssertionError("it was read")
        yield ""

    stream = guard().astream(source(), ASKED)
    await stream.aclose()
    assert [piece async for piece in stream] == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_aclose_leaves_no_task_and_no_upstream() -> None:
    closed = threading.Event()

    async def source() -> AsyncIterator[str]:
        try:
            while True:
                for piece in by_word("It is. "):
                    yield piece
                    await asyncio.sleep(0)
        finally:
            closed.set()

    async with guard().astream(source(), ASKED) as stream:
        await anext(stream)
    assert closed.is_set()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_so_does_a_consumer_that_is_cancelled_twice() -> None:
    closed, slow = asyncio.Event(), asyncio.Event()

    async def chunks() -> AsyncIterator[Chunk[str]]:
        try:
            while True:
                yield Chunk("It is. ", "It is. ")
                await asyncio.sleep(0)
        finally:
            slow.set()
            await asyncio.Event().wait()

    async def close() -> None:
        closed.set()

    async def consume() -> None:
        async with guard().agated(chunks(), ASKED, split=split_text, close=close) as items:
            async for _ in items:
                pass

    consumer = asyncio.create_task(consume())
    await asyncio.sleep(0.01)
    consumer.cancel()
    await asyncio.wait_for(slow.wait(), LONG)
    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    assert closed.is_set()


async def test_an_upstream_that_is_cancelled_by_others_does_not_hang_its_consumer() -> None:
    async def source() -> AsyncIterator[str]:
        yield "It is. "
        raise asyncio.CancelledError

    async def consume() -> None:
        async for _ in guard().astream(source(), ASKED):
            pass

    consumer = asyncio.create_task(consume())
    await asyncio.wait([consumer], timeout=LONG)
    assert consumer.cancelled()


@pytest.mark.parametrize("where", ["upstream", "verifier", "generate"])
async def test_a_cancelled_consumer_cancels_all_that_is_under_way(where: str) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def forever() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    class Judge:
        id = version = "1"

        async def averify(self, check: Check) -> Verdict:
            if where == "verifier":
                await forever()
            return judge(check)

        def verify(self, check: Check) -> Verdict:
            return judge(check)

    async def source() -> AsyncIterator[str]:
        for piece in by_word(WRONG if where == "generate" else PREFIX):
            yield piece
        if where == "upstream":
            await forever()

    async def generate(draft: Draft) -> str:
        await forever()
        return "no"

    async def consume() -> None:
        async for _ in guard(Judge()).astream(source(), ASKED, generate=generate):
            pass

    task = asyncio.create_task(consume())
    await asyncio.wait_for(begun.wait(), LONG)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled.is_set()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_bad_sentence_cancels_what_waits_for_the_upstream() -> None:
    cancelled = asyncio.Event()

    async def source() -> AsyncIterator[str]:
        yield WRONG + " And"
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    stream = guard(on_unreliable="block", messages={"blocked": "No."}).astream(source(), ASKED)
    assert "".join([piece async for piece in stream]) == f"{PREFIX}\n\nNo."
    assert cancelled.is_set()


# mounts


def pairs(piece: tuple[str, int], at: int) -> tuple[tuple[str, int], tuple[str, int]]:
    text, index = piece
    return (text[:at], index), (text[at:], index)


def test_choices_come_interleaved_and_each_has_its_outcome() -> None:
    texts = {0: by_word(WRONG), 1: by_word("It is Paris. It is old.")}

    def source() -> Iterator[Chunk[tuple[str, int]]]:
        while any(texts.values()):
            for index, pieces in texts.items():
                if pieces:
                    piece = pieces.pop(0)
                    yield Chunk((piece, index), piece, index)

    def generate(draft: Draft, index: int) -> Iterator[Chunk[tuple[str, int]]]:
        yield Chunk(("It is Lyon.", index), "It is Lyon.", index)

    shown = {0: "", 1: ""}
    with guard().gated(source(), ASKED, split=pairs, generate=generate, choices=2) as gated:
        for item in gated:
            if isinstance(item, Release | Write):
                shown[item.index] += item.text
    assert shown == {0: f"{PREFIX} It is Lyon.", 1: "It is Paris. It is old."}
    assert {index: outcome.action for index, outcome in gated.outcomes.items()} == {0: "regenerate", 1: "pass"}
    assert (gated.outcome.action, len(gated.outcome.choices)) == (Action.REGENERATE, 2)


def test_the_upstream_goes_on_while_another_choice_needs_it() -> None:
    closed = threading.Event()

    def source() -> Iterator[Chunk[str]]:
        try:
            yield Chunk("It is London. And", "It is London. And", 0)
            yield Chunk("It is Paris.", "It is Paris.", 1)
            for _ in range(50):
                yield Chunk(" So it is.", " So it is.", 1)
        finally:
            closed.set()

    gated = guard(on_unreliable="block").gated(source(), ASKED, split=split_text, choices=2)
    ended = {item.index: item.outcome for item in gated if isinstance(item, Ended)}
    assert (ended[0].action, ended[1].action) == (Action.BLOCK, Action.PASS)
    assert ended[1].text == "It is Paris." + 50 * " So it is."
    assert closed.wait(LONG)


@pytest.mark.parametrize("on_loop", [False, True], ids=["threads", "loop"])
def test_a_stream_ends_with_its_upstream_where_a_choice_that_was_asked_for_never_came(on_loop: bool) -> None:
    texts = ["It is London. And", " so", " it is."]

    async def source() -> AsyncIterator[Chunk[str]]:
        for text in texts:
            yield Chunk(text, text)
            await asyncio.sleep(0.01)  # the block is known before the end

    async def work() -> list[Any]:
        async with aclosing(guard(on_unreliable="block").agated(source(), ASKED, split=split_text, choices=2)) as gated:
            return [item async for item in gated]

    chunks = [Chunk(text, text) for text in texts]
    if on_loop:
        items = asyncio.run(asyncio.wait_for(work(), LONG))
    else:
        items = list(guard(on_unreliable="block").gated(chunks, ASKED, split=split_text, choices=2))
    assert [item.outcome.action for item in items if isinstance(item, Ended)] == [Action.BLOCK]


@pytest.mark.parametrize("on_loop", [False, True], ids=["threads", "loop"])
def test_a_mistake_of_the_mount_reaches_the_consumer(on_loop: bool) -> None:
    def torn(piece: str, at: int) -> tuple[str, str]:
        raise ZeroDivisionError("in split")

    chunks = [Chunk("France is. It is big.", "France is. It is big.")]

    async def source() -> AsyncIterator[Chunk[str]]:
        for chunk in chunks:
            yield chunk

    async def work() -> None:
        async with aclosing(guard().agated(source(), ASKED, split=torn)) as gated:
            async for _ in gated:
                pass

    with pytest.raises(ZeroDivisionError):
        asyncio.run(work()) if on_loop else list(guard().gated(chunks, ASKED, split=torn))


def test_json_is_held_whole_whatever_the_policy_says() -> None:
    verifier = ScriptedVerifier(judge, repeat=True)
    chunks = [Chunk(piece, piece) for piece in by_word(WRONG)]
    gated = guard(verifier, on_unreliable="block").gated(chunks, ASKED, split=split_text, whole=True)
    assert [type(item).__name__ for item in gated if isinstance(item, Release | Write)] == ["Write"]
    assert len(verifier.checks) == 1


@both
def test_the_llm_may_be_asked_more_than_once_again(read: Read) -> None:
    again = {"do": "regenerate", "stop": {"after_attempt": 4}}
    llm = ScriptedLLM("The capital is London.", "It is London.", "The capital is Paris.")
    text, outcome, error = read(guard(on_unreliable=[again, "block"]), by_word(WRONG), llm)
    assert (text, error) == (f"{PREFIX} The capital is Paris.", None)
    assert [attempt.action for attempt in outcome.attempts] == [*3 * [Action.REGENERATE], Action.PASS]
