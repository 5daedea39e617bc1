"""A callback that hears of the documents that come up in a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler

from guardrail.conversation import Evidence
from guardrail_langchain.artifacts import documents_of
from guardrail_langchain.inputs import contexts_in

__all__ = ["Overheard"]


class Overheard(BaseCallbackHandler):
    """The documents that came up in a run: retrieved, brought by tools, or handed to a step as its context.

    A guarded model that finds an `Overheard` among its callbacks takes its documents as evidence.
    """

    run_inline = True
    """On the event loop too it is called in order, and not in a thread."""
    ignore_llm = True
    ignore_chat_model = True

    def __init__(self) -> None:
        self._documents: list[Evidence] = []
        self._contexts: list[str] = []

    @property
    def documents(self) -> tuple[Evidence, ...]:
        """In the order in which they came. Text that is made of them is not said twice."""
        known = [" ".join(document.text.split()) for document in self._documents]
        made = [text for text in self._contexts if not any(part in " ".join(text.split()) for part in known)]
        return (*self._documents, *(Evidence(text, "retrieved") for text in dict.fromkeys(made)))

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        """Keep what stands under the names of context."""
        self.hear(inputs)

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        """The same of a stream: what went into it is known when it has all come."""
        self.hear(kwargs.get("inputs"))

    def hear(self, inputs: Any) -> None:
        """Keep what stands under the names of context in ``inputs``."""
        if isinstance(inputs, Mapping):
            documents, contexts = contexts_in(inputs)
            self._documents += documents
            self._contexts += contexts

    def on_retriever_end(self, documents: Sequence[Any], **kwargs: Any) -> None:
        """Keep what was retrieved."""
        self._documents += documents_of(list(documents), "retrieved")

    def on_tool_end(self, output: Any, **kwargs: Any) -> None:
        """Keep the documents that a tool brings beside its text."""
        self._documents += documents_of(getattr(output, "artifact", None), "tool")
