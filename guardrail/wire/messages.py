"""OpenAI chat messages read into `Message`; the Responses API's items are read by `read_items`.

Accepted are dicts, objects of the OpenAI SDK and `Message` itself. Kinds of content without text
are noted in `Message.omitted`; only a broken structure is an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from guardrail.conversation import Message, Role, ToolCall, Turn
from guardrail.errors import InputError
from guardrail.wire.content import Content, read_content
from guardrail.wire.items import read_items
from guardrail.wire.shapes import as_mapping, as_sequence, fail, optional_text, typename

__all__ = ["read_items", "read_messages", "split_last_answer"]

_EXAMPLE = 'write {"role": "user", "content": "..."}'
_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_MEANT = {"human": "user", "ai": "assistant", "bot": "assistant", "model": "assistant", "gpt": "assistant"}


def read_messages(messages: object, *, where: str = "messages") -> tuple[Message, ...]:
    """Read a list of OpenAI chat messages, oldest first.

    Args:
        messages: A list or tuple; each entry a dict, an SDK object or a `Message`.
        where: What the list is called in errors.

    Raises:
        InputError: Something cannot be read; the text holds the place, such as
            ``messages[3].content[0].type``, and the remedy.
    """
    entries = as_sequence(messages, where, f"{_EXAMPLE} in a list")
    return tuple(_read_message(entry, f"{where}[{place}]") for place, entry in enumerate(entries))


def split_last_answer(messages: tuple[Message, ...]) -> tuple[tuple[Message, ...], Turn]:
    """The history, and the answer under judgement: the last message.

    A refusal counts as an answer: it says something, though it claims nothing.

    Raises:
        InputError: There is no message, or the last one is no assistant's or says nothing.
    """
    if not messages:
        raise InputError("messages: empty; expected a conversation that ends with an assistant message")
    last, where = messages[-1], f"messages[{len(messages) - 1}]"
    if last.role != "assistant":
        fail(
            where,
            f"the last message has the role {last.role!r}; expected the assistant message to be judged:"
            ' add {"role": "assistant", "content": "..."} at the end',
        )
    if not last.text.strip() and not last.refusal:
        fail(where, f"the last assistant message has {_instead_of_text(last)}; expected text to be judged")
    return messages[:-1], Turn(text=last.text, tool_calls=last.tool_calls, refusal=last.refusal)


def _instead_of_text(message: Message) -> str:
    if message.tool_calls:
        return "only tool calls and no text"
    if message.omitted:
        return f"no text, only {', '.join(message.omitted)}"
    return "no text"


def _read_message(value: object, where: str) -> Message:
    if isinstance(value, Message):
        return value
    entry = as_mapping(value, where, _EXAMPLE)
    role = _role(entry, where)
    if "content" not in entry and role != "assistant":
        fail(f"{where}.content", f"missing; {_EXAMPLE}")
    content = _spoken(entry, read_content(entry.get("content"), f"{where}.content"))
    calls, strange = _tool_calls(entry, where)
    return Message(
        role=role,
        parts=content.parts,
        tool_calls=calls,
        tool_call_id=optional_text(entry.get("tool_call_id"), f"{where}.tool_call_id"),
        name=optional_text(entry.get("name"), f"{where}.name"),
        refusal=optional_text(entry.get("refusal"), f"{where}.refusal") or content.refusal,
        omitted=content.omitted + strange,
    )


def _role(entry: Mapping[str, object], where: str) -> Role:
    role = entry.get("role")
    expected = "expected one of " + ", ".join(_ROLES)
    if role is None:
        fail(f"{where}.role", f"missing; {expected}")
    if not isinstance(role, str):
        fail(f"{where}.role", f"expected a string, got {typename(role)}; {expected}")
    # The SDK's enums of other packages are str subclasses; what counts is their value.
    known = _ROLES.get(str.__str__(role))
    if known is None:
        meant = _MEANT.get(role.lower()) or (role.lower() if role.lower() in _ROLES else None)
        hint = f"; did you mean {meant!r}?" if meant else ""
        fail(f"{where}.role", f"unknown role {role!r}; {expected}{hint}")
    return known


def _spoken(entry: Mapping[str, object], content: Content) -> Content:
    """An answer given as audio: its transcript is the text, where there is one."""
    audio = entry.get("audio")
    if not isinstance(audio, Mapping):
        return content
    transcript = audio.get("transcript")
    heard = (transcript,) if isinstance(transcript, str) and transcript and not content.parts else ()
    return Content(content.parts + heard, content.refusal, (*content.omitted, "audio"))


def _tool_calls(entry: Mapping[str, object], where: str) -> tuple[tuple[ToolCall, ...], tuple[str, ...]]:
    """The calls, and the kinds of calls that are not known here."""
    given = entry.get("tool_calls") or ()
    listed = as_sequence(given, f"{where}.tool_calls", "leave it out if there are none")
    calls: list[ToolCall] = []
    strange: list[str] = []
    for place, value in enumerate(listed):
        call = as_mapping(value, f"{where}.tool_calls[{place}]", "write it as the API returned it")
        found = _tool_call(call, f"{where}.tool_calls[{place}]")
        if isinstance(found, str):
            strange.append(found)
        else:
            calls.append(found)
    retired = entry.get("function_call")
    if retired is not None:
        body = as_mapping(retired, f"{where}.function_call", "write it as the API returned it")
        calls.append(_function(body, "", f"{where}.function_call"))
    return tuple(calls), tuple(strange)


def _tool_call(call: Mapping[str, object], where: str) -> ToolCall | str:
    call_id = optional_text(call.get("id"), f"{where}.id") or ""
    for kind in ("function", "custom"):
        body = call.get(kind)
        if body is not None:
            remedy = 'it holds "name" and the arguments'
            return _function(as_mapping(body, f"{where}.{kind}", remedy), call_id, f"{where}.{kind}")
    kind_given = call.get("type")
    if kind_given in (None, "function", "custom"):
        fail(f"{where}.function", 'missing; write {"name": "...", "arguments": "{...}"}')
    return f"tool_call:{kind_given}"


def _function(body: Mapping[str, object], call_id: str, where: str) -> ToolCall:
    name = body.get("name")
    if not isinstance(name, str):
        fail(f"{where}.name", f"expected a string, got {typename(name)}; name the function")
    arguments = body.get("arguments", body.get("input"))
    if arguments is None:
        arguments = ""
    if not isinstance(arguments, str):
        # Some servers send the arguments as an object instead of its JSON text.
        arguments = json.dumps(arguments, ensure_ascii=False, default=str)
    return ToolCall(id=call_id, name=name, arguments=arguments)
