"""An LLM and a judge on the loopback interface, in a process of their own: `python -m benchmarks.upstream`.

Each answers at once with the same completion, so that what is measured is the client. The model named ``judge`` gives a
verdict, every other one an answer. The first line printed is the base URL.
"""

from __future__ import annotations

import asyncio
import json
import re

ANSWER = "The Eiffel Tower is 300 metres tall. It is a wrought-iron lattice tower in Paris, and it opened in 1889."
VERDICT = json.dumps({"REASONING": "fine", "HALLUCINATION": 0})
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def _response(model: str, text: str) -> bytes:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 300, "completion_tokens": 150, "total_tokens": 450}
    head = {"id": f"chatcmpl-{model}", "object": "chat.completion", "created": 0, "model": model}
    body = json.dumps({**head, "choices": [choice], "usage": usage}).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


_REPLIES = {"judge": _response("judge", VERDICT), "llm": _response("llm", ANSWER)}


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1])) if length else b"{}"
            writer.write(_REPLIES["judge" if json.loads(body).get("model") == "judge" else "llm"])
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    """Serve until the process is ended."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
