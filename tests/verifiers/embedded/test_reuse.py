"""What was cut or read before is not cut or read again, and no verdict is another for it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import replace
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.cache import MemoryCache
from guardrail.checks import CHECKS
from guardrail.claims import claims
from guardrail.conversation import Evidence, Message, Turn
from guardrail.verdict import Status, Verdict
from guardrail.verifiers.embedded import EmbeddedVerifier
from guardrail.verifiers.embedded import verifier as module
from guardrail.verifiers.embedded.model import SHIPPED, Model, load
from guardrail.verifiers.embedded.select import Sources
from guardrail.verifiers.protocol import Check

pytestmark = pytest.mark.skipif(
    not (SHIPPED / "model.onnx").is_file(), reason=f"the embedded weights are not in {SHIPPED.name}/"
)

TOWER = Evidence("The tower was opened in 1889. It is 330 metres tall and stands in Paris.", "retrieved", title="Tower")
MENU = Evidence("Opening hours: Monday to Friday, 9 am to 5 pm. A cup of tea costs 3 euros.", "tool")
SENTENCES = [
    "The tower was opened in 1889.",
    "It is 450 metres tall.",
    "Tea costs 3 euros.",
    "Olsen drew it.",
    "Hello!",
    "3 euros.",
]


class Forgetful(MemoryCache[Any]):
    """Remembers nothing."""

    def __init__(self) -> None:
        super().__init__(0)

    def get(self, key: Hashable) -> None:
        return None


class Watched(EmbeddedVerifier):
    """Tells what it reads, and reads nothing that it need not: logits are made up out of the pair."""

    def __init__(self, *, remember: bool = True, checks: Sequence[str] = ()) -> None:
        super().__init__(threads=1, checks=checks)
        self.read: list[tuple[str, str]] = []
        self.watched = copy(load(SHIPPED, 1))
        self.watched._known = MemoryCache(1000) if remember else Forgetful()
        self.watched._read = self._note  # type: ignore[method-assign]

    def _note(self, pair: tuple[str, str]) -> float:
        self.read.append(pair)
        return len(pair[1]) % 7 - 3.0

    def _model(self) -> Model:
        return self.watched


def timeless(verdict: Verdict) -> Verdict:
    return replace(verdict, latency=None)


def check(answer: str, *evidence: Evidence, question: str = "") -> Check:
    asked = (Message("user", (question,)),) if question else ()
    return Check(asked, Turn(answer), evidence)


def without_memory(**options: Any) -> EmbeddedVerifier:
    verifier = EmbeddedVerifier(**options)
    verifier._cut = Forgetful()
    model = copy(verifier._model())
    model._known = Forgetful()
    verifier._model = lambda: model  # type: ignore[method-assign]
    return verifier


ANSWERS = st.lists(st.sampled_from(SENTENCES), max_size=5).map(" ".join)
CHECKS_TO_DO = st.builds(
    check,
    ANSWERS,
    st.sampled_from([TOWER, MENU]),
    st.sampled_from([TOWER, MENU, replace(TOWER, title="Mast"), replace(MENU, text="Tea costs 5 euros.")]),
    question=st.sampled_from(["", "How tall is it?", "What does tea cost?"]),
)
REMEMBERING = EmbeddedVerifier(checks=tuple(CHECKS))


@settings(max_examples=12)
@given(st.lists(CHECKS_TO_DO, min_size=1, max_size=3))
def test_verdicts_are_the_same_whatever_was_seen_before(todo: list[Check]) -> None:
    anew = without_memory(checks=tuple(CHECKS))
    for one in todo:
        expected = timeless(anew.verify(one))
        assert timeless(REMEMBERING.verify(one)) == expected
        assert timeless(asyncio.run(REMEMBERING.averify(one))) == expected


def test_nor_does_it_matter_what_is_verified_beside_it() -> None:
    todo = [check(f"{one} {two}", TOWER, MENU) for one in SENTENCES for two in SENTENCES]
    expected = [timeless(without_memory(threads=1).verify(one)) for one in todo]
    for threads in (1, 3):
        with ThreadPoolExecutor(6) as pool:
            assert list(map(timeless, pool.map(without_memory(threads=threads).verify, todo))) == expected


def test_a_context_that_was_seen_is_not_cut_again(monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[Sequence[Evidence]] = []

    def counted(evidence: Sequence[Evidence]) -> Sources:
        cut.append(evidence)
        return Sources(evidence)

    monkeypatch.setattr(module, "Sources", counted)
    verifier = Watched()
    for answer in SENTENCES[:4]:
        verifier.verify(check(answer, TOWER, MENU))
        verifier.verify(check(answer, replace(TOWER, text="".join(TOWER.text)), MENU))
    assert cut == [(TOWER, MENU)]
    verifier.verify(check(SENTENCES[0], TOWER))
    verifier.verify(check(SENTENCES[0], MENU, TOWER))
    assert len(cut) == 3


def test_of_an_answer_that_grows_only_the_new_sentence_is_read_and_it_among_the_others() -> None:
    verifier, answer, answers = Watched(), "", []
    for number, sentence in enumerate(SENTENCES[:4], start=1):
        answer = f"{answer} {sentence}".strip()
        answers.append(answer)
        verifier.verify(check(answer, TOWER, MENU))
        assert sorted(claim for _, claim in verifier.read) == sorted({*SENTENCES[:number], *answers})


def test_a_claim_is_read_again_when_its_evidence_changes() -> None:
    verifier = Watched()
    verifier.verify(check(SENTENCES[0], TOWER))
    verifier.verify(check(SENTENCES[0], replace(TOWER, text=TOWER.text.replace("1889", "1989"))))
    assert len(verifier.read) == 2


def test_three_thousand_equal_claims_are_read_once_and_found_everywhere() -> None:
    verifier = Watched()
    answer = " ".join([SENTENCES[1]] * 3000)
    verdict = verifier.verify(replace(check(answer, TOWER), threshold=0.0))
    assert len(verifier.read) == 2  # alone, and among its like
    assert verdict.status is Status.UNRELIABLE
    assert [finding.start for finding in verdict.findings] == list(range(0, len(answer), len(SENTENCES[1]) + 1))


# how much is done for long texts


def prose(count: int, *, kinds: int = 40) -> str:
    return " ".join(
        f"House {n} of {n % kinds} streets was built in {1500 + n % 400} by family {n % 31}." for n in range(count)
    )


class Work:
    """Counts the calls of functions, of Python and C, while it is entered: what is done, whatever the clock says."""

    def __init__(self) -> None:
        self.calls = 0

    def _count(self, frame: FrameType, event: str, arg: object) -> None:
        self.calls += event in ("call", "c_call")

    def __enter__(self) -> Work:
        sys.setprofile(self._count)
        return self

    def __exit__(self, *exception: object) -> None:
        sys.setprofile(None)


def work(evidence: int, claims: int, pieces: int = 1, *, equal: bool = False) -> int:
    """Calls for one verdict on so many sentences of evidence, in so many pieces, and so many claims."""
    verifier = Watched()
    texts = [prose(evidence // pieces, kinds=40 + piece) for piece in range(pieces)]
    answer = " ".join(["House 5 was built in 1505."] * claims) if equal else prose(claims)
    asked = check(answer, *(Evidence(text, "retrieved", title=f"Part {n}") for n, text in enumerate(texts)))
    verifier.verify(check("House 5 was built.", TOWER))  # what is done once is done
    with Work() as done:
        verifier.verify(asked)
    return done.calls


@pytest.fixture(autouse=True)
def nobody_else_profiles() -> Iterator[None]:
    before = sys.getprofile()
    yield
    sys.setprofile(before)


@pytest.mark.parametrize(
    ("small", "large"),
    [
        ((1000, 20), (4000, 20)),
        ((200, 100), (200, 400)),
        ((2000, 20, 25), (2000, 20, 200)),
    ],
    ids=["evidence", "claims", "pieces"],
)
def test_the_work_grows_no_faster_than_the_text(small: tuple[int, ...], large: tuple[int, ...]) -> None:
    grown = max(b / a for a, b in zip(small, large, strict=True))
    assert work(*large) <= 1.1 * grown * work(*small)


def test_equal_claims_cost_no_more_than_others() -> None:
    assert work(200, 400, equal=True) <= 1.1 * 4 * work(200, 100, equal=True)


def test_an_answer_full_of_code_is_searched_once_for_it() -> None:
    def lines(blocks: int) -> int:
        answer = "It prints 5.\n```\nx = 4\n```\n" * blocks
        with Work() as done:
            assert len(claims(answer)) == blocks
        return done.calls

    assert lines(400) <= 1.1 * 4 * lines(100)


def test_each_claim_is_compared_with_a_bounded_number_of_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    def scored(sentences: int) -> int:
        sources = Sources([Evidence(prose(sentences), "retrieved")])
        return len(sources._scores(["house", "streets", "built"]))

    assert scored(9000) == scored(6000) <= 4096
