"""Whatever finds passages, asked in one way: an index, a LangChain retriever, or a function."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol, TypeAlias

from guardrail.conversation import Evidence
from guardrail.errors import ConfigError
from guardrail.grounding import as_evidence
from guardrail.knowledge.index import Index

__all__ = ["Found", "Invokes", "Retriever", "Searcher"]


class Invokes(Protocol):
    """A LangChain retriever, as far as it is needed."""

    def invoke(self, input: str, /) -> Any:
        """Documents for a query."""
        ...


Found: TypeAlias = Iterable[object]
"""Documents of any shape that `guardrail.evidence` takes."""
Retriever: TypeAlias = Index | Invokes | Callable[[str], Found] | Callable[[str], Awaitable[Found]]
"""What finds passages for a query: an `Index`, anything with ``invoke``, or a function, which may be asynchronous."""


class Searcher:
    """``retriever``, asked for at most ``top`` passages, which come as evidence with the origin ``knowledge``.

    Raises `ConfigError` when it is none, and for a document without text.
    """

    def __init__(self, retriever: Retriever, *, top: int = 5) -> None:
        if not (isinstance(retriever, Index) or hasattr(retriever, "invoke") or callable(retriever)):
            raise ConfigError(f"{retriever!r} is no retriever: it is no Index or function, and has no invoke(query)")
        self._retriever, self._top = retriever, top

    @property
    def waits(self) -> bool:
        """Whether it has to be awaited, and cannot be asked in a thread."""
        return inspect.iscoroutinefunction(self._retriever)

    def search(self, query: str) -> list[Evidence]:
        """Passages for ``query``, the best first."""
        if isinstance(self._retriever, Index):
            return self._retriever.search(query, top=self._top)
        asked: Any = getattr(self._retriever, "invoke", None) or self._retriever
        return self._read(asked(query))

    async def asearch(self, query: str) -> list[Evidence]:
        """The same from what has ``ainvoke``, or is an asynchronous function."""
        asked: Any = getattr(self._retriever, "ainvoke", None) or self._retriever
        return self._read(await asked(query))

    @property
    def has_async(self) -> bool:
        """Whether `asearch` can be used."""
        return self.waits or hasattr(self._retriever, "ainvoke")

    def _read(self, found: Found) -> list[Evidence]:
        pieces = [as_evidence(item, "knowledge") for item in found]
        return [
            piece if piece.origin == "knowledge" else Evidence(piece.text, "knowledge", piece.title, piece.url)
            for piece in pieces[: self._top]
        ]
