"""A RAG chain of the usual shape, guarded with one line: its answers are held against what its retriever finds."""

from __future__ import annotations

from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from llm import chat_model
from shop import ByWords
from telling import Telling

import guardrail

PROMPT = ChatPromptTemplate.from_messages(
    [
        ("system", "Answer in one sentence, from this context only:\n\n{context}"),
        ("user", "{question}"),
    ]
)
QUESTION = "Within how many days of delivery are refunds possible?"


def joined(pages: list[Document]) -> str:
    """The pages as the prompt shows them."""
    return "\n\n".join(page.page_content for page in pages)


def main() -> None:
    """Ask once; the first draft is wrong."""
    model = chat_model(
        {
            "refunds": [
                "Refunds are possible within 60 days of delivery.",
                "Refunds are possible within 30 days of delivery.",
            ]
        }
    )
    chain = {"context": ByWords() | joined, "question": RunnablePassthrough()} | PROMPT | model | StrOutputParser()

    guarded = guardrail.wrap(chain, listeners=[Telling()])  # the line

    print("answer:", guarded.invoke(QUESTION))


if __name__ == "__main__":
    main()
