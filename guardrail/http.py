"""The one place that picks an HTTP library: httpx2 where it is installed (openai 3 brings it), else httpx."""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = ["core", "library"]


def library() -> ModuleType:
    """The module, with ``Client``, ``AsyncClient`` and the exceptions, which both spell alike."""
    try:
        import httpx2
    except ImportError:
        import httpx

        return httpx
    return httpx2


def core() -> ModuleType:
    """The module that `library` opens its connections with."""
    return importlib.import_module("httpcore2" if library().__name__ == "httpx2" else "httpcore")
