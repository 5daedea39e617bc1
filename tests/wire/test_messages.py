"""OpenAI's chat messages and Responses items, read; and every broken one refused by place."""

from __future__ import annotations

import json
import typing
from collections.abc import Callable
from typing import Any

import pytest
import typing_extensions
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionMessage, ChatCompletionMessageParam
from openai.types.responses import ResponseInputItemParam, ResponseOutputMessage

from guardrail.conversation import Message, ToolCall, Turn
from guardrail.errors import InputError
from guardrail.grounding import collect
from guardrail.wire.messages import read_items, read_messages, split_last_answer

CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"role": "system", "content": "Be brief."}, Message("system", ("Be brief.",))),
        ({"role": "developer", "content": "Be brief."}, Message("developer", ("Be brief.",))),
        ({"role": "user", "content": "Hi", "name": "ann"}, Message("user", ("Hi",), name="ann")),
        ({"role": "assistant", "content": "Hello"}, Message("assistant", ("Hello",))),
        ({"role": "assistant"}, Message("assistant")),
        ({"role": "assistant", "content": None, "refusal": "No."}, Message("assistant", refusal="No.")),
        (
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            Message("assistant", tool_calls=(ToolCall("c1", "weather", '{"city": "Oslo"}'),)),
        ),
        (
            {
                "role": "assistant",
                "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "sql", "input": "SELECT"}}],
            },
            Message("assistant", tool_calls=(ToolCall("c", "sql", "SELECT"),)),
        ),
        (
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]},
            Message("assistant", tool_calls=(ToolCall("", "f", '{"a": 1}'),)),
        ),
        (
            {"role": "assistant", "tool_calls": [{"id": "c", "type": "hologram"}]},
            Message("assistant", omitted=("tool_call:hologram",)),
        ),
        (
            {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
            Message("assistant", tool_calls=(ToolCall("", "f", "{}"),)),
        ),
        (
            {"role": "tool", "content": "4 degrees", "tool_call_id": "c1"},
            Message("tool", ("4 degrees",), tool_call_id="c1"),
        ),
        ({"role": "function", "name": "f", "content": None}, Message("tool", name="f")),
        (
            {
                "role": "user",
                "content": [{"type": "text", "text": "a"}, {"type": "input_text", "text": "b"}, "c"],
            },
            Message("user", ("a", "b", "c")),
        ),
        (
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "data:"}},
                    {"type": "input_audio", "input_audio": {}},
                    {"type": "file", "file": {}},
                    {"type": "hologram"},
                    {"type": "memo", "text": "kept"},
                ],
            },
            Message("user", ("kept",), omitted=("image_url", "input_audio", "file", "hologram")),
        ),
        (
            {
                "role": "assistant",
                "content": [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "no"}],
            },
            Message("assistant", ("a",), refusal="no"),
        ),
        ({"role": "assistant", "audio": {"id": "x"}}, Message("assistant", omitted=("audio",))),
        (
            {"role": "assistant", "audio": {"id": "x", "transcript": "Hello"}},
            Message("assistant", ("Hello",), omitted=("audio",)),
        ),
        (ChatCompletionMessage(role="assistant", content="Hello"), Message("assistant", ("Hello",))),
        (
            ChatCompletionMessage.model_construct(role="assistant", content=None, tool_calls=[CALL]),
            Message("assistant", tool_calls=(ToolCall("c1", "weather", '{"city": "Oslo"}'),)),
        ),
        (Message("user", ("as it is",)), Message("user", ("as it is",))),
    ],
)
def test_a_chat_message_is_read(message: object, expected: Message) -> None:
    assert read_messages([message]) == (expected,)


def test_every_role_of_the_sdk_is_known() -> None:
    for param in typing.get_args(ChatCompletionMessageParam):
        (role,) = literals(param, "role")
        assert read_messages([{"role": role, "content": "x"}])[0].text == "x"


@pytest.mark.parametrize(
    ("messages", "place", "remedy"),
    [
        ("Hi", "messages: expected a list, got a string", "in a list"),
        ({"role": "user"}, "messages: expected a list, got an object", "in a list"),
        (None, "messages: expected a list, got null", "in a list"),
        (iter([]), "messages: expected a list, got list_iterator", "in a list"),
        (["Hi"], "messages[0]: expected an object, got a string", '{"role": "user"'),
        ([{"content": "x"}], "messages[0].role: missing", "expected one of system, developer"),
        ([{"role": 3, "content": "x"}], "messages[0].role: expected a string, got a number", "one of"),
        (
            [{"role": "ai", "content": "x"}],
            "messages[0].role: unknown role 'ai'",
            "did you mean 'assistant'?",
        ),
        ([{"role": "User", "content": "x"}], "messages[0].role: unknown role 'User'", "did you mean 'user'?"),
        ([{"role": "user"}], "messages[0].content: missing", '"content": "..."'),
        (
            [{"role": "user", "content": 3}],
            "messages[0].content: expected a string, null or a list",
            '"text"',
        ),
        (
            [{"role": "user", "content": {}}],
            "messages[0].content: expected a string, null or a list",
            '"text"',
        ),
        (
            [{"role": "user", "content": [3]}],
            "messages[0].content[0]: expected an object, got a number",
            '"text"',
        ),
        ([{"role": "user", "content": [{}]}], "messages[0].content[0].type: missing", '"text"'),
        (
            [{"role": "user", "content": [{"type": 1}]}],
            "messages[0].content[0].type: expected a string",
            '"text"',
        ),
        (
            [{"role": "user", "content": "x"}, {"role": "user", "content": ["x", {"type": "text"}]}],
            "messages[1].content[1].text: expected a string, got null",
            "put the text there",
        ),
        (
            [{"role": "user", "content": "x", "name": 1}],
            "messages[0].name: expected a string",
            "leave it out",
        ),
        (
            [{"role": "assistant", "tool_calls": "x"}],
            "messages[0].tool_calls: expected a list, got a string",
            "leave it out",
        ),
        (
            [{"role": "assistant", "tool_calls": [3]}],
            "messages[0].tool_calls[0]: expected an object",
            "as the API",
        ),
        (
            [{"role": "assistant", "tool_calls": [{"id": "c", "type": "function"}]}],
            "messages[0].tool_calls[0].function: missing",
            '"arguments"',
        ),
        (
            [{"role": "assistant", "tool_calls": [{"function": {}}]}],
            "messages[0].tool_calls[0].function.name: expected a string, got null",
            "name the function",
        ),
    ],
)
def test_a_broken_conversation_is_refused_by_place_and_remedy(messages: object, place: str, remedy: str) -> None:
    with pytest.raises(InputError) as caught:
        read_messages(messages)
    assert str(caught.value).startswith(place)
    assert remedy in str(caught.value)


def test_the_place_takes_the_callers_name_for_the_list() -> None:
    with pytest.raises(InputError, match=r"^line 3\.messages\[0\]\.role: missing"):
        read_messages([{}], where="line 3.messages")


def test_the_last_answer_is_split_from_its_history() -> None:
    messages = read_messages([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}])
    assert split_last_answer(messages) == (messages[:1], Turn("Hello"))


def test_a_refusal_counts_as_an_answer() -> None:
    _, turn = split_last_answer((Message("assistant", refusal="I cannot."),))
    assert turn == Turn("", refusal="I cannot.")


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ((), "messages: empty; expected a conversation that ends with an assistant message"),
        (
            (Message("user", ("Hi",)),),
            "messages[0]: the last message has the role 'user'; expected the assistant",
        ),
        ((Message("assistant"),), "messages[0]: the last assistant message has no text; expected text"),
        (
            (Message("assistant", (" ",)),),
            "messages[0]: the last assistant message has no text; expected text",
        ),
        ((Message("assistant", tool_calls=(ToolCall("c", "f", ""),)),), "only tool calls and no text"),
        ((Message("assistant", omitted=("audio",)),), "has no text, only audio"),
    ],
)
def test_a_conversation_without_an_answer_says_what_is_there(messages: tuple[Message, ...], text: str) -> None:
    with pytest.raises(InputError) as caught:
        split_last_answer(messages)
    assert text in str(caught.value)


# --- Responses items


def test_a_string_is_the_users_and_instructions_come_first() -> None:
    assert read_items("Hi", "Be brief.") == (Message("system", ("Be brief.",)), Message("user", ("Hi",)))


def test_no_input_and_no_instructions_are_an_empty_conversation() -> None:
    assert read_items(None) == ()


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"role": "user", "content": "Hi"}, [Message("user", ("Hi",))]),
        (
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "u"}],
            },
            [Message("user", ("a",), omitted=("input_image",))],
        ),
        (
            ResponseOutputMessage.model_validate(
                {
                    "id": "m",
                    "type": "message",
                    "role": "assistant",
                    "status": "completed",
                    "content": [{"type": "output_text", "text": "a", "annotations": []}],
                }
            ),
            [Message("assistant", ("a",))],
        ),
        ({"type": "reasoning", "id": "r", "summary": []}, []),
        ({"type": "item_reference", "id": "i"}, [Message("developer", omitted=("item_reference",))]),
        ({"id": "i"}, [Message("developer", omitted=("item_reference",))]),
        (
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            [Message("assistant", tool_calls=(ToolCall("c", "f", "{}"),))],
        ),
        (
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "a"}]},
            [Message("tool", ("a",), tool_call_id="c")],
        ),
        (
            {"type": "shell_call_output", "call_id": "c", "output": [{"stdout": "out", "stderr": "err"}]},
            [Message("tool", ("out", "err"), tool_call_id="c")],
        ),
        (
            {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot"}},
            [Message("tool", tool_call_id="c", omitted=("computer_screenshot",))],
        ),
        (
            {"type": "mcp_call", "id": "m", "name": "ask", "arguments": "{}", "output": "said"},
            [
                Message("assistant", tool_calls=(ToolCall("m", "ask", "{}"),)),
                Message("tool", ("said",), tool_call_id="m", name="ask"),
            ],
        ),
        (
            {
                "type": "code_interpreter_call",
                "id": "k",
                "code": "1+1",
                "outputs": [{"type": "logs", "logs": "2"}, {"type": "image", "url": "u"}],
            },
            [
                Message("assistant", tool_calls=(ToolCall("k", "code_interpreter", "1+1"),)),
                Message("tool", ("2",), tool_call_id="k", name="code_interpreter", omitted=("image",)),
            ],
        ),
        ({"type": "hologram"}, [Message("developer", omitted=("hologram",))]),
    ],
)
def test_a_responses_item_is_read(item: object, expected: list[Message]) -> None:
    assert read_items([item]) == tuple(expected)


def test_a_result_gets_the_name_of_its_call() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "c", "output": "4 degrees"}
    assert read_items([call, result])[1].name == "weather"


def test_passages_of_a_file_search_become_evidence_with_their_titles() -> None:
    item = {
        "type": "file_search_call",
        "id": "f",
        "queries": ["lease"],
        "results": [{"filename": "lease.md", "text": "The lease ends in May."}, {"filename": "empty"}],
    }
    (piece,) = collect(read_items([item]))
    assert (piece.text, piece.title, piece.origin) == ("The lease ends in May.", "lease.md", "tool")


def test_results_that_stay_with_the_provider_are_noted() -> None:
    search = {"type": "web_search_call", "id": "w", "action": {"type": "search", "query": "q"}}
    assert read_items([search])[1].omitted == ("web_search_results",)
    assert read_items([{"type": "file_search_call", "id": "f", "queries": []}])[1].omitted == ("file_search_results",)


@pytest.mark.parametrize(
    ("given_input", "text"),
    [
        (3, "input: expected a list, got a number"),
        ({"role": "user"}, "input: expected a list, got an object"),
        (["Hi"], "input[0]: expected an object, got a string"),
        ([{}], "input[0].type: missing"),
        ([{"role": "robot", "content": "x"}], "input[0].role: unknown role 'robot'"),
        ([{"type": "message", "content": "x"}], "input[0].role: missing"),
        ([{"role": "user"}], "input[0].content: missing"),
        (
            [{"role": "user", "content": [{"type": "input_text"}]}],
            "input[0].content[0].text: expected a string",
        ),
        (
            [{"type": "function_call_output", "output": 3}],
            "input[0].output: expected a string, null or a list",
        ),
        ([{"type": "shell_call_output", "output": "x"}], "input[0].output: expected a list"),
        ([{"type": "file_search_call", "results": [1]}], "input[0].results[0]: expected an object"),
    ],
)
def test_broken_input_is_refused_by_place(given_input: object, text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_items(given_input)
    assert str(caught.value).startswith(text)


def literals(param: Any, field: str) -> tuple[str, ...]:
    """The literal values of one field of a TypedDict of the SDK, whatever wraps them."""
    hints = typing.get_type_hints(param)
    if field not in hints:
        return ()
    found: list[str] = []
    waiting = [hints[field]]
    while waiting:
        hint = waiting.pop()
        inner = typing.get_args(hint)
        if typing.get_origin(hint) is typing.Literal:
            found += inner
        else:
            waiting += inner
    return tuple(found)


def sample(hint: Any) -> Any:
    """A small value of a type of the SDK."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if typing_extensions.is_typeddict(hint):
        hints = typing.get_type_hints(hint, include_extras=True)
        return {
            key: sample(typing.get_args(inner)[0])
            for key, inner in hints.items()
            if typing.get_origin(inner) in (typing.Required, typing_extensions.Required)
        }
    if origin is typing.Literal:
        return inner[0]
    if origin is typing.Union or (inner and origin is None):
        return sample(inner[0])
    if origin is dict:
        return {}
    if origin is not None:  # Lists and iterables.
        return [sample(inner[0])]
    return {str: "text", int: 1, float: 1.0, bool: True}.get(hint, {"any": "thing"})


ITEMS = typing.get_args(ResponseInputItemParam)


@pytest.mark.parametrize("param", ITEMS, ids=lambda param: param.__name__)
def test_every_item_that_the_sdk_can_send_is_read_and_known(param: Any) -> None:
    kinds = literals(param, "type")
    assert kinds
    for kind in kinds:
        for message in read_items([{**sample(param), "type": kind}]):
            known_hole = kind in ("item_reference", "compaction")
            assert known_hole or message.omitted != (kind,) or kind == "image_generation_call"


KEYS = st.sampled_from(
    [
        "role",
        "content",
        "type",
        "text",
        "tool_calls",
        "function",
        "name",
        "id",
        "output",
        "results",
        "outputs",
        "audio",
    ]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
ITEM = st.dictionaries(KEYS, json_values, max_size=5)
NAMED = st.builds(
    lambda entry, role, kind: {**entry, "role": role, "type": kind},
    ITEM,
    st.sampled_from(["user", "assistant", "tool"]),
    st.sampled_from([kind for param in ITEMS for kind in literals(param, "type")]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(ITEM | NAMED, max_size=3))
def test_whatever_json_comes_is_read_or_refused_and_never_crashes(entries: list[dict[str, Any]]) -> None:
    for read in (read_messages, read_items):
        messages, refusal = outcome(read, json.loads(json.dumps(entries)))
        assert refusal == "" or refusal.startswith(("messages[", "input["))
        assert all(isinstance(part, str) for message in messages for part in message.parts)


def outcome(read: Callable[[object], tuple[Message, ...]], entries: object) -> tuple[tuple[Message, ...], str]:
    try:
        return read(entries), ""
    except InputError as error:
        return (), str(error)
