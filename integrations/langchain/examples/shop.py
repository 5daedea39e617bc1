"""The pages of a small shop, and a retriever that finds them by the words that they share with a question."""

from __future__ import annotations

import re

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

__all__ = ["PAGES", "ByWords"]

PAGES = (
    Document(
        "Refunds are possible within 30 days of delivery. The customer pays for sending the goods back.",
        metadata={"title": "Refunds", "source": "refunds.md"},
    ),
    Document(
        "Parcels are sent on the day after the order. Delivery inside the country takes three days.",
        metadata={"title": "Delivery", "source": "delivery.md"},
    ),
    Document(
        "Every lamp has a guarantee of two years, which begins on the day of delivery.",
        metadata={"title": "Guarantee", "source": "guarantee.md"},
    ),
)


class ByWords(BaseRetriever):
    """Finds the pages that share the most words with the question."""

    pages: tuple[Document, ...] = PAGES
    most: int = 2

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        asked = _words(query)
        ranked = sorted(self.pages, key=lambda page: -len(asked & _words(page.page_content)))
        return ranked[: self.most]


def _words(text: str) -> set[str]:
    return {word.removesuffix("s") for word in re.findall(r"\w{4,}", text.lower())}
