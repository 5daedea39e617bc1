"""Websockets do not pass through the HTTP client, so a guarded client refuses to open one."""

from __future__ import annotations

from typing import Any, NoReturn

from guardrail_openai.errors import OpenAIUnguardedError

__all__ = ["REFUSING", "RefusedWhile"]


def _refuse(*_: object) -> NoReturn:
    raise OpenAIUnguardedError(
        "guardrail cannot guard websockets (realtime, live and responses.connect); use responses.create, or open the "
        "websocket with the client that is not wrapped"
    )


class _Refusing:
    """A base URL for websockets that refuses to be looked at.

    The SDK hands it on from copy to copy. Before it connects, it asks what it is (a string, or a URL of which HTTP
    library), or for one of its parts.
    """

    __class__ = property(_refuse)
    __str__ = __getattr__ = _refuse


REFUSING: Any = _Refusing()
"""What a guarded client has for ``websocket_base_url``."""


class RefusedWhile:
    """``websocket_base_url`` of a class of clients, some of which are guarded only for a while.

    ``guarded(client)`` tells whether one is.
    """

    def __init__(self, guarded: Any) -> None:
        self._guarded = guarded

    def __get__(self, client: Any, _: type[Any]) -> Any:
        if client is None:
            return self
        return REFUSING if self._guarded(client) else vars(client).get("websocket_base_url")

    def __set__(self, client: Any, url: Any) -> None:
        vars(client)["websocket_base_url"] = url
