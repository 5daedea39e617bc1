"""A hundred questions to a real LLM from memory: does `consistency` tell its right answers from its wrong ones?

    python -m benchmarks.closed_book BASE_URL REPLIES

BASE_URL is an OpenAI-compatible endpoint with a small model that is wrong often enough; REPLIES a file that keeps what
it said, so that a second run asks nothing. Answers are drawn at temperature 0, and five samples of each as the verifier
wishes. ``closed_book.jsonl`` holds the questions, what is known, and the first answers of the model that the figures in
the documentation are of, each labelled by hand: right, if it gives the known answer and says nothing false beside it.
An answer that has no label stops the run: label it first.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from openai import OpenAI

from guardrail import Guard
from guardrail.claims import claims
from guardrail.conversation import Turn
from guardrail.evaluate.metrics import auroc
from guardrail.flow import Draft, Generated
from guardrail.guard import First
from guardrail.policy.loading import load
from guardrail.policy.thresholds import EMBEDDED_THRESHOLD
from guardrail.verifiers.agreement import improbability
from guardrail.wire.chat import ChatCodec

QUESTIONS = Path(__file__).with_name("closed_book.jsonl")
SYSTEM = "Answer with one short sentence."
SAMPLES = 5
RESAMPLES = 10_000
Json = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One question, and the risks that the methods give to its first answer."""

    wrong: bool
    risks: dict[str, float]


class LLM:
    """The model behind BASE_URL, or what it said before."""

    def __init__(self, url: str, replies: Path) -> None:
        self.client = OpenAI(base_url=url, api_key="none", timeout=300, max_retries=0)
        self.file = replies
        lines = replies.read_text(encoding="utf-8").splitlines() if replies.exists() else []
        self.said: dict[str, Json] = {row["question"]: row for row in map(json.loads, lines)}

    def about(self, question: str) -> Json:
        """The first answer to ``question``, and ``SAMPLES`` further ones."""
        if question not in self.said:
            first = self._ask(question, temperature=0, logprobs=True, max_tokens=120)
            bound = self._bound(turn_of(first))
            samples = [self._ask(question, temperature=1.0, max_tokens=bound, seed=100 + n) for n in range(SAMPLES)]
            self.said[question] = {"question": question, "first": first, "samples": samples}
            with self.file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(self.said[question], ensure_ascii=False) + "\n")
        return self.said[question]

    def _ask(self, question: str, **options: Any) -> Json:
        messages: Any = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
        answer = self.client.chat.completions.create(model="local", messages=messages, **options)
        return answer.to_dict()

    @staticmethod
    def _bound(turn: Turn) -> int:
        """As many tokens as the verifier wishes for; `check` holds that it does."""
        return len(turn.text.encode()) // 3 + 16


def turn_of(reply: Json) -> Turn:
    """The answer in a completion."""
    [turn] = ChatCodec().read_turns(reply)
    return turn


def rows(llm: LLM) -> Iterator[Row]:
    """Every labelled question with its risks."""
    for line in QUESTIONS.read_text(encoding="utf-8").splitlines():
        known = json.loads(line)
        said = llm.about(known["question"])
        turn = turn_of(said["first"])
        if turn.text != known["answer"]:
            sys.exit(f"{known['question']} was answered {turn.text!r}, which has no label in {QUESTIONS.name}")
        risks = {
            "consistency": _risk(said, turn, 0.0),
            "consistency, logprobs: 0.5": _risk(said, turn, 0.5),
            "token probabilities alone": _improbable(turn),
            "answer's length": min(1.0, len(turn.text) / 200),
        }
        yield Row(not known["right"], risks)


def _risk(said: Json, turn: Turn, weight: float) -> float:
    """What a guard's verifier of kind ``consistency`` makes of the answer."""
    spec = {"kind": "consistency", "samples": SAMPLES, "logprobs": weight}
    guard = Guard(load({"version": 1, "verifiers": {"main": spec}, "policies": {"default": {"on_unreliable": "flag"}}}))
    left = [turn_of(reply) for reply in said["samples"]]

    def generate(draft: Draft) -> Generated:
        assert draft.sample is not None
        assert draft.sample.max_tokens == LLM._bound(turn)
        return Generated(left.pop())

    outcome = guard.run(generate, [{"role": "user", "content": said["question"]}], first=First(turn))
    assert outcome.verdict is not None
    return 0.5 if outcome.verdict.risk is None else outcome.verdict.risk


def _improbable(turn: Turn) -> float:
    found = [improbability(turn, claim) for claim in claims(turn.text, asked=True)]
    return max((risk for risk in found if risk is not None), default=0.5)


def interval(labels: Sequence[bool], risks: Sequence[float]) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the AUROC, over questions."""
    random, wrong, given = np.random.default_rng(2017), np.array(labels), np.array(risks)
    above = given[wrong][:, None] - given[~wrong][None, :]
    won = (above > 0) + 0.5 * (above == 0)
    # How often each question is drawn; the pairs of a wrong and a right answer count as often as both together.
    drawn = random.multinomial(len(wrong), np.full(len(wrong), 1 / len(wrong)), RESAMPLES)
    bad, good = drawn[:, wrong], drawn[:, ~wrong]
    values = np.einsum("ri,ij,rj->r", bad, won, good, optimize=True) / (bad.sum(1) * good.sum(1))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    """Ask, judge, and print the figures."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    found = list(rows(LLM(sys.argv[1], Path(sys.argv[2]))))
    labels = [row.wrong for row in found]
    print(f"{len(found)} answers, {sum(labels)} of them wrong, {SAMPLES} samples each")
    for name in found[0].risks:
        risks = [row.risks[name] for row in found]
        value, (low, high) = auroc(labels, risks), interval(labels, risks)
        print(f"{name:28} AUROC {value:.3f}  95 % interval {low:.3f} to {high:.3f}")
    told = [row.risks["consistency"] >= EMBEDDED_THRESHOLD.risk for row in found]
    hit = sum(one and wrong for one, wrong in zip(told, labels, strict=True))
    false = sum(one and not wrong for one, wrong in zip(told, labels, strict=True))
    right = len(labels) - sum(labels)
    risk = EMBEDDED_THRESHOLD.risk
    print(f"flagged from a risk of {risk}: {hit} of {sum(labels)} wrong answers, {false} of {right} right ones")


if __name__ == "__main__":
    main()
