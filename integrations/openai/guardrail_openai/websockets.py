"""Websockets do not pass through the HTTP client, so a guarded client refuses to open one."""

from __future__ import annotations

import functools
from collections.abc import Hashable
from typing import Any, NoReturn, cast

from guardrail_openai.errors import OpenAIUnguardedError

__all__ = ["refusing"]

_NOWHERE = "wss://websockets-are-not-guarded.invalid"
"""A name that never resolves (RFC 6761), for code that takes the address without looking at its path."""


def refusing(url: type[Any]) -> Any:
    """A base URL for websockets, of the SDK's class ``url``, that cannot be connected to.

    The SDK hands it on to every copy of a client, and asks for its path before it connects.
    """
    return _kind(cast(Hashable, url))(_NOWHERE)


@functools.cache
def _kind(url: Hashable) -> type[Any]:
    return type("RefusingURL", (cast(type[Any], url),), {"raw_path": property(_refuse)})


def _refuse(_: object) -> NoReturn:
    raise OpenAIUnguardedError(
        "guardrail cannot guard websockets (realtime, live and responses.connect); use responses.create, or open the "
        "websocket with the client that is not wrapped"
    )
