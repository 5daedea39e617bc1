"""An LLM that does whatever a request makes possible: calls the tool that it may, fills in the schema it is given."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.integrations.openai.upstream import Json, Reply, chunks, completion, message, response, response_events, sse

__all__ = ["answer"]

TEXT = "Hello there. How are you today?"
_USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def answer(body: Json, number: int) -> Reply:
    """The reply to a request, of the chat API or of responses, by the model that was asked for."""
    reply = _answer(body)
    content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
    named = content.replace(b'"model": "m"', b'"model": ' + json.dumps(body["model"]).encode())
    return Reply(named, headers=reply.headers)


def _answer(body: Json) -> Reply:
    if "input" in body:
        return response_events(TEXT) if body.get("stream") else Reply(response(TEXT))
    call = _call(body)
    form = _form(body)
    text = TEXT if form is None else json.dumps(form)
    if body.get("stream"):
        return _streamed_call(call) if call else chunks(text, usage=True)
    return Reply(_called(call) if call else completion(text))


def _call(body: Json) -> Json | None:
    """The call of the tool that is forced, or of the first one where a user asks and may be answered so."""
    choice, tools = body.get("tool_choice", "auto"), [tool["function"] for tool in body.get("tools") or ()]
    if not tools or choice == "none" or (choice == "auto" and body["messages"][-1]["role"] == "tool"):
        return None
    forced = choice["function"]["name"] if isinstance(choice, dict) else tools[0]["name"]
    tool = next(tool for tool in tools if tool["name"] == forced)
    asked = str(body["messages"][-1]["content"])
    return {"name": forced, "arguments": json.dumps(_filled(tool["parameters"], asked), ensure_ascii=False)}


def _form(body: Json) -> Any:
    form = body.get("response_format") or {}
    if form.get("type") == "json_schema":
        return _filled(form["json_schema"]["schema"], "")
    return {"setup": "Why?", "punchline": "Because."} if form.get("type") == "json_object" else None


def _filled(schema: Json, asked: str) -> Any:
    """Something that fits ``schema``: the number 3, and what the user has quoted."""
    if "anyOf" in schema:
        return _filled(schema["anyOf"][0], asked)
    quoted = asked.split("'")[1] if asked.count("'") > 1 else "something"
    simple: dict[str, Callable[[], object]] = {
        "integer": lambda: 3, "number": lambda: 3, "boolean": lambda: True, "string": lambda: quoted,
        "array": list, "null": lambda: None,
    }  # fmt: skip
    kind = schema.get("type", "object")
    if kind in simple:
        return simple[kind]()
    return {name: _filled(inner, asked) for name, inner in schema.get("properties", {}).items()}


def _called(call: Json) -> Json:
    whole = completion("", finish="tool_calls")
    whole["choices"][0]["message"] = message(None, tool_calls=[{"id": "call_1", "type": "function", "function": call}])
    return whole


def _streamed_call(call: Json) -> Reply:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    started = {"index": 0, "id": "call_1", "type": "function", "function": {**call, "arguments": ""}}
    argued = {"index": 0, "function": {"arguments": call["arguments"]}}
    deltas: list[Json] = [{"role": "assistant", "content": None}, {"tool_calls": [started]}, {"tool_calls": [argued]}]
    said = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    end = {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    return sse(*said, end, {**head, "choices": [], "usage": _USAGE})
