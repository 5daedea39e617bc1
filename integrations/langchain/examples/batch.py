"""A data set through a guarded chain, two questions at a time; a row that fails does not stop the others."""

from __future__ import annotations

from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate
from llm import chat_model
from shop import PAGES

import guardrail
from guardrail.errors import BlockedError

QUESTIONS = (
    "Within how many days of delivery are refunds possible?",
    "How long does delivery inside the country take?",
    "How long is the guarantee of a lamp?",
)
ROWS = [{"question": question, "context": page.page_content} for question, page in zip(QUESTIONS, PAGES, strict=True)]
PROMPT = ChatPromptTemplate.from_messages(
    [("system", "Answer in one sentence.\n\nContext: {context}"), ("user", "{question}")]
)
POLICY = {"version": 1, "policies": {"default": {"on_unreliable": "block", "on_block": "raise"}}}


def main() -> None:
    """Answer all rows; one answer is wrong, and withheld."""
    model = chat_model(
        {
            "are refunds": ["Refunds are possible within 30 days of delivery."],
            "does delivery": ["Delivery inside the country takes seven days."],
            "is the guarantee": ["The guarantee of a lamp is two years."],
        }
    )
    chain = PROMPT | guardrail.wrap(model, guardrail.load_policy(POLICY))

    answers = chain.batch(ROWS, {"max_concurrency": 2}, return_exceptions=True)

    for row, answer in zip(ROWS, answers, strict=True):
        if isinstance(answer, AIMessage):
            print(f"{guardrail.report(answer).action}: {answer.text}")
        elif isinstance(answer, BlockedError):
            print(f"withheld: {row['question']} ({answer.outcome.findings[0].text!r})")
        else:
            raise answer
    print(f"{sum(isinstance(answer, AIMessage) for answer in answers)} of {len(ROWS)} answered")


if __name__ == "__main__":
    main()
