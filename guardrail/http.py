"""The one place that picks an HTTP library: httpx2 where it is installed (openai 3 brings it), else httpx."""

from __future__ import annotations

from types import ModuleType

__all__ = ["library"]


def library() -> ModuleType:
    """The module, with ``Client``, ``AsyncClient`` and the exceptions, which both spell alike."""
    try:
        import httpx2
    except ImportError:
        import httpx

        return httpx
    return httpx2
