"""Twenty questions to a real LLM behind a guarded client.

    python -m benchmarks.real_llm BASE_URL [POLICY] [--stream]

BASE_URL is any OpenAI-compatible endpoint, such as a small local model that is wrong often enough. Prints what was
flagged, regenerated and released, with every draft. With ``--stream``, five longer answers are streamed, and what was
shown is printed too.
"""

from __future__ import annotations

import sys
from collections import Counter

from openai import OpenAI

import guardrail

NOTES = {
    "bridge": (
        "The Halden bridge was opened in 1968. It is 412 metres long and carries two lanes of traffic and"
        " a footpath. Lorries above 12 tonnes have been banned since 2009."
    ),
    "bakery": (
        "Bakery Orme opens at 6 in the morning from Tuesday to Saturday and is closed on Sunday and "
        "Monday. A loaf of rye costs 3.80 euros. The bakery was founded by Lise Orme in 1991."
    ),
    "router": (
        "The R20 router has four LAN ports and one USB port. Hold the reset button for 12 seconds to "
        "restore the factory settings. The default password is printed on the bottom. The warranty is two"
        " years."
    ),
    "trial": (
        "The trial enrolled 240 adults at five clinics. After eight weeks 61 % of the treated group slept"
        " better, against 44 % with placebo. Headache was the most frequent side effect. Children were "
        "not studied."
    ),
    "river": (
        "The Tarn Beck rises at 540 metres and is 31 kilometres long. It joins the Lune near Halton. "
        "Otters returned in 2004."
    ),
}
QUESTIONS = (
    ("bridge", "When was the Halden bridge opened?"),
    ("bridge", "How long is the bridge, and how many lanes does it have?"),
    ("bridge", "May a lorry of 20 tonnes use the bridge?"),
    ("bridge", "Who designed the bridge, and what did it cost?"),
    ("bakery", "Is the bakery open on Monday?"),
    ("bakery", "What does a loaf of rye cost?"),
    ("bakery", "Tell me everything about the bakery in three sentences."),
    ("bakery", "How many people work at the bakery?"),
    ("router", "How do I reset the router?"),
    ("router", "What ports does the R20 have?"),
    ("router", "What is the default password?"),
    ("router", "How long is the warranty, and does it cover water damage?"),
    ("trial", "How many people took part, and where?"),
    ("trial", "By how many percentage points was the treatment better than placebo?"),
    ("trial", "Is the treatment safe for children?"),
    ("trial", "Summarise the trial in three sentences."),
    ("river", "How long is the Tarn Beck?"),
    ("river", "Which river does it join, and near which village?"),
    ("river", "Which fish live in the Tarn Beck?"),
    ("river", "When did otters come back, and why?"),
)
LONG = (
    ("bridge", "Tell me everything about the bridge, and who designed it and what it cost, in six sentences."),
    ("bakery", "Describe the bakery, its prices, its founder and its staff in six sentences."),
    ("router", "Explain the router, its reset, its password, its speed and its warranty in six sentences."),
    ("trial", "Report on the trial, its results, its side effects and its cost in six sentences."),
    ("river", "Describe the river, its fish, its otters and its villages in six sentences."),
)
"""Answers of several sentences, of which some cannot be known: for streams."""


def main() -> None:
    """Ask, and print what happened."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    streamed = "--stream" in sys.argv
    url, *rest = [word for word in sys.argv[1:] if word != "--stream"]
    client = guardrail.wrap(OpenAI(base_url=url, api_key="none", timeout=120), rest[0] if rest else "balanced")
    actions: Counter[str] = Counter()
    for number, (topic, question) in enumerate(LONG if streamed else QUESTIONS, start=1):
        request = {
            "model": "local",
            "temperature": 0,
            "max_tokens": 200 if streamed else 120,
            "messages": [
                {"role": "system", "content": f"Answer from the document.\n<document>{NOTES[topic]}</document>"},
                {"role": "user", "content": question},
            ],
        }
        answer = client.chat.completions.create(**request, stream=streamed)
        shown = "".join(chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices) if streamed else ""
        outcome = guardrail.report(answer)
        actions[outcome.action.value] += 1
        show(number, question, outcome)
        if streamed:
            print(f"    shown: {' '.join(shown.split())}")
            for note in outcome.notes:
                print(f"    note: {note}")
    print(", ".join(f"{action} {count}" for action, count in sorted(actions.items())))


def show(number: int, question: str, outcome: guardrail.Outcome) -> None:
    """Print one question, its drafts with their verdicts, and the action."""
    print(f"{number:2}. {question}")
    for attempt in outcome.attempts:
        verdict = attempt.verdict
        risk = "-" if verdict.risk is None else f"{verdict.risk:.2f}"
        print(f"    {verdict.status.value:10} {risk}  {' '.join(attempt.turn.text.split())}")
        for finding in verdict.findings:
            print(f"               [{finding.kind.value}] {finding.text[:90]}")
    print(f"    -> {outcome.action.value}, added {outcome.added:.0f} ms")


if __name__ == "__main__":
    main()
