"""Trimming: what stays, what goes, and that it is always said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.conversation import Message, ToolCall
from guardrail.history import estimated_tokens, trim

KEEP = ("system", "last_user", "evidence")


def said(role: str, text: str) -> Message:
    return Message(role, (text,))  # type: ignore[arg-type]


def total(messages: tuple[Message, ...]) -> int:
    return sum(
        estimated_tokens(text)
        for message in messages
        for text in (*message.parts, *(t for call in message.tool_calls for t in (call.name, call.arguments)))
    )


TOOL_TURN = (
    said("user", "how warm is it? " * 10),
    Message("assistant", tool_calls=(ToolCall("c1", "weather", "{}"),)),
    Message("tool", ("4 degrees",), tool_call_id="c1"),
    said("assistant", "It is 4 degrees. " * 10),
    said("user", "Thanks, and tomorrow?"),
)


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("abcd", 1), ("abcde", 2), ("故宫闭馆", 4), ("故宫 ok", 3)])
def test_tokens_are_estimated_from_characters(text: str, tokens: int) -> None:
    assert estimated_tokens(text) == tokens


def test_a_history_that_fits_is_untouched_and_nothing_is_noted() -> None:
    assert trim(TOOL_TURN, max_tokens=1000, keep=KEEP) == (TOOL_TURN, None)


def test_the_oldest_goes_first_and_the_note_counts_it() -> None:
    left, note = trim(TOOL_TURN, max_tokens=60, keep=KEEP)
    assert left == TOOL_TURN[1:]
    assert note == "the history sent to the verifier was cut to 60 tokens: 1 message of about 40 tokens left out"


def test_a_call_goes_with_its_result() -> None:
    left, _ = trim(TOOL_TURN, max_tokens=6, keep=("last_user",))
    assert left == TOOL_TURN[-1:]


def test_a_retired_function_call_goes_with_its_result() -> None:
    turn = (
        Message("assistant", tool_calls=(ToolCall("", "f", "x" * 80),)),
        Message("tool", ("y",), name="f"),
        said("user", "and now?"),
    )
    assert trim(turn, max_tokens=5, keep=("last_user",))[0] == turn[2:]


def test_messages_that_hold_evidence_stay() -> None:
    document = said("user", "<document>The lease ends in May.</document> When does it end?")
    turn = (document, said("assistant", "In May. " * 40), said("user", "And the deposit?"))
    left, note = trim(turn, max_tokens=30, keep=KEEP)
    assert left == (document, turn[2])
    assert note is not None


def test_what_must_stay_but_is_too_long_loses_the_middle_of_its_longest_text() -> None:
    turn = (said("system", "Be brief."), said("user", "A" * 400 + "B" * 400))
    left, note = trim(turn, max_tokens=50, keep=KEEP)
    assert left[0] == turn[0]
    assert left[1].text.startswith("AAAA")
    assert left[1].text.endswith("BBBB")
    assert "[...]" in left[1].text
    assert note is not None
    assert "from the middle of the longest texts kept" in note


texts = st.text(alphabet="ab 故宫\n", max_size=200)
messages = st.lists(
    st.builds(
        Message,
        role=st.sampled_from(["system", "user", "assistant", "tool"]),
        parts=st.lists(texts, max_size=2).map(tuple),
    ),
    max_size=8,
).map(tuple)
keeps = st.lists(st.sampled_from(KEEP), unique=True)


@settings(max_examples=200, deadline=None)
@given(conversation=messages, max_tokens=st.integers(1, 200), keep=keeps)
def test_the_result_fits_keeps_the_order_and_says_when_it_cut(
    conversation: tuple[Message, ...], max_tokens: int, keep: list[str]
) -> None:
    left, note = trim(conversation, max_tokens=max_tokens, keep=keep)
    assert total(left) <= max_tokens
    assert (note is None) == (left == conversation)
    roles = iter(message.role for message in conversation)
    assert all(role in roles for role in (message.role for message in left))


@settings(max_examples=100, deadline=None)
@given(conversation=messages, max_tokens=st.integers(1, 200))
def test_system_messages_and_the_last_question_never_go(conversation: tuple[Message, ...], max_tokens: int) -> None:
    left, _ = trim(conversation, max_tokens=max_tokens, keep=("system", "last_user"))
    for role in ("system", "user"):
        count = sum(message.role == role for message in conversation)
        assert sum(message.role == role for message in left) >= (count if role == "system" else min(count, 1))


@settings(max_examples=100, deadline=None)
@given(lengths=st.lists(st.integers(0, 80), min_size=1, max_size=5), max_tokens=st.integers(1, 60))
def test_no_result_is_left_without_its_call(lengths: list[int], max_tokens: int) -> None:
    conversation = tuple(
        message
        for place, length in enumerate(lengths)
        for message in (
            Message("assistant", tool_calls=(ToolCall(f"c{place}", "f", "x" * length),)),
            Message("tool", ("y" * length,), tool_call_id=f"c{place}"),
        )
    )
    left, _ = trim(conversation, max_tokens=max_tokens, keep=())
    calls = {call.id for message in left for call in message.tool_calls}
    assert calls == {message.tool_call_id for message in left if message.role == "tool"}
