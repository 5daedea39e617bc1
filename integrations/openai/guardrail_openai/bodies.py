"""The body of an upstream's response, piece by piece as it comes."""

from __future__ import annotations

from typing import Any

__all__ = ["apieces", "pieces"]


def pieces(response: Any) -> Any:
    """The pieces of ``response``, decoded: a generator."""
    return response.iter_raw() if _is_plain(response) else response.iter_bytes()


def apieces(response: Any) -> Any:
    """The same for an event loop."""
    return response.aiter_raw() if _is_plain(response) else response.aiter_bytes()


def _is_plain(response: Any) -> bool:
    """Whether there is nothing to decode, which takes as long as reading a piece; and nothing is read yet."""
    return "content-encoding" not in response.headers and not response.is_stream_consumed
