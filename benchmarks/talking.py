"""An LLM that talks at its own pace, and a judge that takes its time: ``python -m benchmarks.talking``.

On the loopback interface, in a process of its own; the first line printed is the base URL. The model's name says how it
talks: ``llm FIRST RATE TOKENS PAUSE BAD`` (seconds to the first token, tokens a second, how many, seconds of silence
after the first sentence, the number of the bad sentence or 0); ``judge SECONDS`` gives a verdict, of which nothing is
remembered with ``judge SECONDS unlogged``. ``GET /log`` tells when verdicts were given, on what, when streams were
closed by their readers, and how many tokens were said since it was last asked. With ``llm ... timed`` the last word of
each sentence says when it was sent (``t`` and microseconds). Times are those of `time.monotonic`.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

BAD = "Its keeper was a penguin."
_FACTS = (
    "The lighthouse on the northern cape was built in the year 1874. ",
    "Its lamp was converted to electricity a good many years later. ",
    "The keeper lived in the small white house beside the tower. ",
    "Visitors may climb the tower from April until the end of October. ",
)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_log: dict[str, list[Any]] = {"verdicts": [], "closed": []}
_said = [0]
"""Tokens."""


def words(count: int, bad: int = 0) -> list[str]:
    """An answer of so many tokens, each a word with the white space before it."""
    said, sentence = list[str](), 0
    while len(said) < count:
        sentence += 1
        said += (f"{BAD} " if sentence == bad else _FACTS[sentence % len(_FACTS)]).split()
    return [f" {word}" if place else word for place, word in enumerate(said[:count])]


def _event(**choice: Any) -> bytes:
    head: dict[str, Any] = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": "llm"}
    data = json.dumps({**head, "choices": [{"index": 0, "logprobs": None, "finish_reason": None, **choice}]})
    raw = f"data: {data}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(raw), raw)


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, how: list[str]) -> None:
    first, rate, count, pause, bad = float(how[0]), float(how[1]), int(how[2]), float(how[3]), int(how[4])
    timed = "timed" in how
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    gone = asyncio.ensure_future(reader.read(1))
    due = time.monotonic() + first
    try:
        for place, word in enumerate(words(count, bad)):
            done, _ = await asyncio.wait({gone}, timeout=max(0.0, due - time.monotonic()))
            if done:
                return _log["closed"].append(time.monotonic())
            if not place:
                writer.write(_event(delta={"role": "assistant", "content": ""}))
            told = f"{word[:-1]} t{time.monotonic() * 1e6:.0f}." if timed and word.endswith(".") else word
            writer.write(_event(delta={"content": told}))
            _said[0] += 1
            due += 1 / rate
            if pause and word.endswith("."):
                _log["closed"].append(time.monotonic())
                due, pause = due + pause, 0.0
        end = b"data: [DONE]\n\n"
        writer.write(_event(delta={}, finish_reason="stop") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(end), end))
    finally:
        gone.cancel()
        writer.close()


async def _judge(writer: asyncio.StreamWriter, how: list[str], body: dict[str, Any]) -> None:
    await asyncio.sleep(float(how[0]))
    shown = json.dumps(body["messages"], ensure_ascii=False)
    verdict = json.dumps({"REASONING": "fine", "HALLUCINATION": int(BAD in shown)})
    message = {"role": "assistant", "content": verdict, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 300, "completion_tokens": 20, "total_tokens": 320}
    head = {"id": "chatcmpl-j", "object": "chat.completion", "created": 0, "model": "judge"}
    if "unlogged" not in how:
        _log["verdicts"].append([time.monotonic(), shown])
    _answer(writer, {**head, "choices": [choice], "usage": usage})


def _answer(writer: asyncio.StreamWriter, value: Any) -> None:
    data = json.dumps(value).encode()
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(data), data)
    )


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = json.loads(await reader.readexactly(int(length[1])) if length else b"{}")
            kind, *how = str(body.get("model", "log")).split()
            if kind == "llm":
                return await _talk(reader, writer, how)
            if kind == "judge":
                await _judge(writer, how, body)
            else:
                _answer(writer, {**_log, "said": list(_said)})
                _log["verdicts"], _log["closed"], _said[0] = [], [], 0
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    """Serve until the process is ended."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
