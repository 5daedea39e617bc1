"""HTTP clients that guard: they delegate to the user's own client and look at what comes back.

One pair of classes for each HTTP library that the SDK may be using, made when first needed: openai 3 runs on
httpx2, openai 2 on httpx, and openai 3 still takes a client of httpx.
"""

from __future__ import annotations

import functools
import sys
from types import ModuleType
from typing import Any

from guardrail.errors import ConfigError
from guardrail.guard import Guard
from guardrail_openai.sending import GuardedSending
from guardrail_openai.sending_async import AsyncSending
from guardrail_openai.sending_sync import SyncSending

__all__ = ["guarded_client"]


def guarded_client(inner: Any, guard: Guard, *, owner: object, owns_guard: bool) -> Any:
    """An HTTP client in front of ``inner``, guarding what passes; one that guards already is replaced.

    ``owner`` is kept alive with it: the SDK's client, which closes its HTTP client when it is collected.
    """
    if isinstance(inner, GuardedSending):
        inner, owner = inner.inner, inner.owner
    hx, is_async = _http_module(inner)
    kind = _kinds(hx)[1 if is_async else 0]
    return kind(inner, guard, hx, owner=owner, owns_guard=owns_guard)


def _http_module(inner: object) -> tuple[ModuleType, bool]:
    """The HTTP library that ``inner`` belongs to, and whether it is asynchronous."""
    # The SDK's own subclasses come first and live in the module `openai`.
    for kind in type(inner).__mro__:
        if kind.__name__ in ("Client", "AsyncClient"):
            return sys.modules[kind.__module__.partition(".")[0]], kind.__name__ == "AsyncClient"
    raise ConfigError(
        f"the OpenAI client sends through a {type(inner).__module__}.{type(inner).__qualname__}, which is no client of "
        "httpx2 or httpx; give it http_client=httpx2.Client() (openai 3) or httpx.Client() (openai 2)"
    )


@functools.cache
def _kinds(hx: Any) -> tuple[type, type]:
    """The two guarded classes on top of the library ``hx``."""
    return (
        type("GuardedClient", (SyncSending, hx.Client), {}),
        type("GuardedAsyncClient", (AsyncSending, hx.AsyncClient), {}),
    )
