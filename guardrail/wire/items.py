"""Items of OpenAI's Responses API (its ``input`` and ``output`` lists) read into `Message`.

Three families: messages; calls with a separate result item; calls that hold their own result. Items
that set something up (tools, approvals, compaction triggers) say nothing and are left out. Items
whose text lies elsewhere (references, compacted history) become empty messages that say so in
`Message.omitted`: a history with holes must be visible. A type that is not known here is such a hole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from guardrail.conversation import Message, Role, ToolCall
from guardrail.wire.content import Content, read_content
from guardrail.wire.shapes import as_mapping, as_sequence, fail, kind_of, optional_text

__all__ = ["read_items"]

Item = Mapping[str, object]

_EXAMPLE = 'write {"role": "user", "content": "..."}'
_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "assistant": "assistant",
    # Other speakers that the API's output knows.
    "tool": "tool",
    "critic": "assistant",
    "discriminator": "assistant",
    "unknown": "assistant",
}
_SAYS_NOTHING = frozenset(
    {
        "reasoning",
        "compaction_trigger",
        "configuration_update",
        "additional_tools",
        "mcp_list_tools",
        "mcp_approval_request",
        "mcp_approval_response",
        "tool_search_output",
    }
)


def read_items(input: object, instructions: object = None) -> tuple[Message, ...]:
    """Read the ``input`` of a Responses request, or the ``output`` of a response, oldest first.

    Args:
        input: A string (the user's), None (with a stored prompt or history), or a list of items as
            dicts or SDK objects.
        instructions: The request's ``instructions``, read as a system message that comes first; a
            list of items, which responses may hold, is read as such.

    Raises:
        InputError: Something cannot be read; the text holds the place, such as
            ``input[3].content[0].type``, and the remedy.
    """
    first: tuple[Message, ...] = ()
    if isinstance(instructions, str):
        first = (Message("system", (instructions,)),) if instructions else ()
    elif instructions is not None:
        first = _read_list(instructions, "instructions")
    if input is None:
        return first
    if isinstance(input, str):
        return (*first, Message("user", (input,) if input else ()))
    return first + _read_list(input, "input")


def _read_list(value: object, where: str) -> tuple[Message, ...]:
    items = as_sequence(value, where, f"pass a string, or {_EXAMPLE} in a list")
    messages = [message for place, item in enumerate(items) for message in _read_item(item, f"{where}[{place}]")]
    return _with_tool_names(messages)


def _with_tool_names(messages: list[Message]) -> tuple[Message, ...]:
    """Results name their call by id only; the name of the tool is put beside it."""
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    return tuple(
        replace(message, name=names.get(message.tool_call_id or ""))
        if message.role == "tool" and message.name is None
        else message
        for message in messages
    )


def _read_item(value: object, where: str) -> Iterable[Message]:
    if isinstance(value, Message):
        return (value,)
    if isinstance(value, str):
        fail(where, f"expected an object, got a string; {_EXAMPLE}")
    item = as_mapping(value, where, _EXAMPLE)
    if item.get("type") is None:
        if "role" in item:
            return _message(item, where)
        if "id" in item:  # The type of a reference may be left out.
            return _hole("item_reference")
    kind = kind_of(item, where, f'{_EXAMPLE}, or give the item its "type"')
    if kind in _SAYS_NOTHING:
        return ()
    return _READERS.get(kind, _unknown)(item, where)


def _hole(kind: str) -> tuple[Message, ...]:
    return (Message("developer", omitted=(kind,)),)


def _unknown(item: Item, where: str) -> tuple[Message, ...]:
    return _hole(str(item["type"]))


def _message(item: Item, where: str) -> tuple[Message, ...]:
    role = item.get("role")
    known = _ROLES.get(str.__str__(role)) if isinstance(role, str) else None
    if known is None:
        found = "missing" if role is None else f"unknown role {role!r}"
        fail(f"{where}.role", f"{found}; expected one of system, developer, user, assistant")
    if "content" not in item:
        fail(f"{where}.content", f"missing; {_EXAMPLE}")
    content = read_content(item["content"], f"{where}.content")
    return (Message(known, content.parts, refusal=content.refusal, omitted=content.omitted),)


def _call(field: str) -> Callable[[Item, str], tuple[Message, ...]]:
    """A reader of calls whose arguments stand in ``field``."""

    def read(item: Item, where: str) -> tuple[Message, ...]:
        name = optional_text(item.get("name"), f"{where}.name")
        return (_calling(item, name or _tool_name(item), item.get(field)),)

    return read


def _tool_name(item: Item) -> str:
    return str(item["type"]).removesuffix("_output").removesuffix("_call")


def _calling(item: Item, name: str, arguments: object) -> Message:
    return Message("assistant", tool_calls=(ToolCall(_call_id(item), name, _json(arguments)),))


def _call_id(item: Item) -> str:
    found = item.get("call_id") or item.get("id")
    return found if isinstance(found, str) else ""


def _json(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _result(item: Item, where: str) -> tuple[Message, ...]:
    """The result of a call, in its own item: a string, or parts."""
    name = optional_text(item.get("name"), f"{where}.name")
    output = item.get("output", item.get("result"))
    content = (
        Content(omitted=(_media(output),)) if isinstance(output, Mapping) else read_content(output, f"{where}.output")
    )
    return (_answering(item, name, content),)


def _media(output: Mapping[object, object]) -> str:
    return str(output.get("type") or "object")


def _answering(item: Item, name: str | None, content: Content) -> Message:
    return Message("tool", content.parts, tool_call_id=_call_id(item) or None, name=name, omitted=content.omitted)


def _shell_result(item: Item, where: str) -> tuple[Message, ...]:
    remedy = 'write [{"stdout": "...", "stderr": "...", "outcome": {...}}]'
    chunks = as_sequence(item.get("output"), f"{where}.output", remedy)
    texts: list[str] = []
    for place, value in enumerate(chunks):
        chunk = as_mapping(value, f"{where}.output[{place}]", remedy)
        texts += [text for key in ("stdout", "stderr") if isinstance(text := chunk.get(key), str) and text]
    return (_answering(item, None, Content(tuple(texts))),)


def _with_result(item: Item, arguments: object, content: Content) -> tuple[Message, ...]:
    """A call that holds its own result, as the two messages that it stands for."""
    named = item.get("name")
    name = named if isinstance(named, str) else _tool_name(item)
    return _calling(item, name, arguments), _answering(item, name, content)


def _file_search(item: Item, where: str) -> tuple[Message, ...]:
    """Found passages, as a JSON array of documents, so that title and text stay apart."""
    results = item.get("results")
    if results is None:
        return _with_result(item, item.get("queries"), Content(omitted=("file_search_results",)))
    remedy = 'write [{"filename": "...", "text": "..."}]'
    documents = []
    for place, value in enumerate(as_sequence(results, f"{where}.results", remedy)):
        found = as_mapping(value, f"{where}.results[{place}]", remedy)
        if found.get("text"):
            documents.append({"title": found.get("filename"), "text": found["text"]})
    return _with_result(item, item.get("queries"), Content((_json(documents),) if documents else ()))


def _web_search(item: Item, where: str) -> tuple[Message, ...]:
    """The pages' text stays with the provider: the item only names addresses."""
    return _with_result(item, item.get("action"), Content(omitted=("web_search_results",)))


def _code(item: Item, where: str) -> tuple[Message, ...]:
    outputs = item.get("outputs") or ()
    listed = as_sequence(outputs, f"{where}.outputs", "leave it out if there are none")
    logs: list[str] = []
    omitted: list[str] = []
    for place, value in enumerate(listed):
        output = as_mapping(value, f"{where}.outputs[{place}]", 'write {"type": "logs", "logs": "..."}')
        text = output.get("logs")
        if isinstance(text, str):
            logs.append(text)
        else:
            omitted.append(str(output.get("type") or "object"))
    return _with_result(item, item.get("code"), Content(tuple(logs), omitted=tuple(omitted)))


def _mcp(item: Item, where: str) -> tuple[Message, ...]:
    output = optional_text(item.get("output"), f"{where}.output")
    text = output if output is not None else _json(item.get("error"))
    return _with_result(item, item.get("arguments"), Content((text,) if text else ()))


def _image(item: Item, where: str) -> tuple[Message, ...]:
    return (Message("assistant", omitted=("image_generation_call",)),)


def _reference(item: Item, where: str) -> tuple[Message, ...]:
    return _hole("item_reference")


_READERS: Mapping[str, Callable[[Item, str], Iterable[Message]]] = {
    "message": _message,
    "item_reference": _reference,
    "function_call": _call("arguments"),
    "custom_tool_call": _call("input"),
    "tool_search_call": _call("arguments"),
    "computer_call": _call("action"),
    "local_shell_call": _call("action"),
    "shell_call": _call("action"),
    "apply_patch_call": _call("operation"),
    "program": _call("code"),
    "function_call_output": _result,
    "custom_tool_call_output": _result,
    "computer_call_output": _result,
    "local_shell_call_output": _result,
    "apply_patch_call_output": _result,
    "program_output": _result,
    "shell_call_output": _shell_result,
    "file_search_call": _file_search,
    "web_search_call": _web_search,
    "code_interpreter_call": _code,
    "mcp_call": _mcp,
    "image_generation_call": _image,
}
