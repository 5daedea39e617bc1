"""The surfaces of an OpenAI client that give text, each tried by one call that serves both kinds of client."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

__all__ = ["SURFACES", "Client", "Expected", "Surface"]

Client: TypeAlias = Literal["OpenAI", "AzureOpenAI"]
"""Which class is tried; its asynchronous twin is tried as well."""
Expected: TypeAlias = Literal["guarded", "passes", "loud"]
"""What guardrail promises: the answer is judged; the surface gives no answer and passes; it raises or warns."""
Released: TypeAlias = Any

_MESSAGES = [{"role": "user", "content": "Which city? Answer in JSON."}]
_CHAT: dict[str, Any] = {"model": "m", "messages": _MESSAGES}
_RESPONSE: dict[str, Any] = {"model": "m", "input": "Which city? Answer in JSON."}


@dataclass(frozen=True, slots=True)
class Surface:
    """One way to call an LLM."""

    name: str
    try_: Callable[[Any], Awaitable[Released]]
    """Calls it on a client and gives everything that the application would be handed."""
    expected: Expected = "guarded"
    client: Client = "OpenAI"


async def _done(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def _all(stream: Any) -> list[Any]:
    stream = await _done(stream)
    return [item async for item in stream] if hasattr(stream, "__aiter__") else list(stream)


@asynccontextmanager
async def _entered(manager: Any) -> AsyncIterator[Any]:
    if hasattr(manager, "__aenter__"):
        async with manager as entered:
            yield entered
    else:
        with manager as entered:
            yield entered


def _schema() -> Any:
    from pydantic import BaseModel

    class City(BaseModel):
        city: str

    return City


async def _chat_create(client: Any) -> Released:
    return await _done(client.chat.completions.create(**_CHAT))


async def _chat_choices(client: Any) -> Released:
    return await _done(client.chat.completions.create(n=2, **_CHAT))


async def _chat_stream(client: Any) -> Released:
    return await _all(client.chat.completions.create(stream=True, **_CHAT))


async def _chat_helper(client: Any) -> Released:
    async with _entered(client.chat.completions.stream(**_CHAT)) as stream:
        return [await _all(stream), await _done(stream.get_final_completion())]


async def _chat_parse(client: Any) -> Released:
    return await _done(client.chat.completions.parse(response_format=_schema(), **_CHAT))


async def _chat_raw(client: Any) -> Released:
    raw = await _done(client.chat.completions.with_raw_response.create(**_CHAT))
    return [raw.text, raw.parse()]


async def _chat_streaming_response(client: Any) -> Released:
    async with _entered(client.chat.completions.with_streaming_response.create(**_CHAT)) as response:
        return await _done(response.text())


async def _chat_streaming_lines(client: Any) -> Released:
    async with _entered(client.chat.completions.with_streaming_response.create(stream=True, **_CHAT)) as response:
        return await _all(response.iter_lines())


async def _beta_parse(client: Any) -> Released:
    return await _done(client.beta.chat.completions.parse(response_format=_schema(), **_CHAT))


async def _other_http_client(client: Any) -> Released:
    kind = next(kind for kind in type(client._client.inner).__mro__ if kind.__name__ in ("Client", "AsyncClient"))
    async with _entered(kind()) as http:
        return await _done(client.copy(http_client=http).chat.completions.create(**_CHAT))


async def _with_options(client: Any) -> Released:
    return await _done(client.with_options(timeout=5).chat.completions.create(**_CHAT))


async def _post(client: Any) -> Released:
    return await _done(client.post("/chat/completions", cast_to=object, body=_CHAT))


async def _responses_create(client: Any) -> Released:
    return await _done(client.responses.create(**_RESPONSE))


async def _responses_stream(client: Any) -> Released:
    return await _all(client.responses.create(stream=True, **_RESPONSE))


async def _responses_helper(client: Any) -> Released:
    async with _entered(client.responses.stream(**_RESPONSE)) as stream:
        return [await _all(stream), await _done(stream.get_final_response())]


async def _responses_parse(client: Any) -> Released:
    return await _done(client.responses.parse(text_format=_schema(), **_RESPONSE))


async def _responses_raw(client: Any) -> Released:
    raw = await _done(client.responses.with_raw_response.create(**_RESPONSE))
    return [raw.text, raw.parse()]


async def _responses_retrieve(client: Any) -> Released:
    return await _done(client.responses.retrieve("resp_1"))


async def _responses_retrieve_stream(client: Any) -> Released:
    return await _all(client.responses.retrieve("resp_1", stream=True))


async def _responses_cancel(client: Any) -> Released:
    return await _done(client.responses.cancel("resp_1"))


async def _beta_responses(client: Any) -> Released:
    return await _done(client.beta.responses.create(**_RESPONSE))


async def _legacy_create(client: Any) -> Released:
    return await _done(client.completions.create(model="m", prompt="Which city?"))


async def _legacy_stream(client: Any) -> Released:
    return await _all(client.completions.create(model="m", prompt="Which city?", stream=True))


async def _embeddings(client: Any) -> Released:
    return await _done(client.embeddings.create(model="m", input="city", encoding_format="float"))


async def _models(client: Any) -> Released:
    return await _all(client.models.list())


async def _threads(client: Any) -> Released:
    return await _done(client.beta.threads.create_and_run(assistant_id="asst_1"))


async def _thread_messages(client: Any) -> Released:
    return await _all(client.beta.threads.messages.list("thread_1"))


async def _beta_realtime(client: Any) -> Released:
    async with _entered(client.beta.realtime.connect(model="m")):
        return "connected"


async def _translations(client: Any) -> Released:
    async with _entered(client.realtime.translations.connect(model="m")):
        return "connected"


async def _live(client: Any) -> Released:
    async with _entered(client.live.connect()):
        return "connected"


async def _realtime(client: Any) -> Released:
    async with _entered(client.realtime.connect(model="m")):
        return "connected"


async def _responses_connect(client: Any) -> Released:
    async with _entered(client.responses.connect()):
        return "connected"


SURFACES: Sequence[Surface] = (
    Surface("chat.completions.create", _chat_create),
    Surface("chat.completions.create(n=2)", _chat_choices),
    Surface("chat.completions.create(stream=True)", _chat_stream),
    Surface("chat.completions.stream", _chat_helper),
    Surface("chat.completions.parse", _chat_parse),
    Surface("chat.completions.with_raw_response", _chat_raw),
    Surface("chat.completions.with_streaming_response", _chat_streaming_response),
    Surface("chat.completions.with_streaming_response(stream=True)", _chat_streaming_lines),
    Surface("beta.chat.completions.parse", _beta_parse),
    Surface("with_options(...).chat.completions.create", _with_options),
    Surface("copy(http_client=...).chat.completions.create", _other_http_client),
    Surface("post('/chat/completions')", _post),
    Surface("responses.create", _responses_create),
    Surface("responses.create(stream=True)", _responses_stream),
    Surface("responses.stream", _responses_helper),
    Surface("responses.parse", _responses_parse),
    Surface("responses.with_raw_response", _responses_raw),
    Surface("responses.retrieve", _responses_retrieve),
    Surface("responses.retrieve(stream=True)", _responses_retrieve_stream),
    Surface("responses.cancel", _responses_cancel),
    Surface("beta.responses.create", _beta_responses),
    Surface("completions.create", _legacy_create),
    Surface("completions.create(stream=True)", _legacy_stream),
    Surface("Azure chat.completions.create", _chat_create, client="AzureOpenAI"),
    Surface("Azure chat.completions.create(stream=True)", _chat_stream, client="AzureOpenAI"),
    Surface("Azure responses.create", _responses_create, client="AzureOpenAI"),
    Surface("embeddings.create", _embeddings, "passes"),
    Surface("models.list", _models, "passes"),
    Surface("beta.threads.create_and_run", _threads, "loud"),
    Surface("beta.threads.messages.list", _thread_messages, "loud"),
    Surface("realtime.connect", _realtime, "loud"),
    Surface("realtime.translations.connect", _translations, "loud"),
    Surface("beta.realtime.connect", _beta_realtime, "loud"),
    Surface("live.connect", _live, "loud"),
    Surface("responses.connect", _responses_connect, "loud"),
)
"""What is tried. Surfaces that the installed SDK does not have are shown as such."""
