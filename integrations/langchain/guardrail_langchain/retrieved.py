"""A callback that hears what the retrievers of a run bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler

from guardrail.conversation import Evidence
from guardrail_langchain.artifacts import documents_of

__all__ = ["Retrieved"]


class Retrieved(BaseCallbackHandler):
    """The documents that were retrieved in the runs that it is handed to, in the order in which they came.

    A guarded model takes what it finds in a `Retrieved` among its callbacks as evidence.
    """

    run_inline = True
    """On the event loop too it is called in order, and not in a thread."""

    def __init__(self) -> None:
        self.documents: list[Evidence] = []

    def on_retriever_end(self, documents: Sequence[Any], **kwargs: Any) -> None:
        """Keep them."""
        self.documents += documents_of(list(documents), "retrieved")

    def on_tool_end(self, output: Any, **kwargs: Any) -> None:
        """Keep the documents that a tool brings beside its text."""
        self.documents += documents_of(getattr(output, "artifact", None), "tool")
