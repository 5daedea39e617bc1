"""The verifier in the box, with its real weights."""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail.checks import CHECKS, RISKS, VERSION
from guardrail.claims.segment import sentences
from guardrail.conversation import Evidence, Message, Turn
from guardrail.errors import ConfigError, VerifierError
from guardrail.policy.thresholds import EMBEDDED_THRESHOLD
from guardrail.verdict import Cause, FindingKind, Status, Verdict
from guardrail.verifiers.embedded import EmbeddedVerifier
from guardrail.verifiers.embedded.model import SHIPPED, Model, digest, load
from guardrail.verifiers.embedded.reading import Reader
from guardrail.verifiers.embedded.select import Sources
from guardrail.verifiers.embedded.units import Unit
from guardrail.verifiers.protocol import Check, Verifier

pytestmark = pytest.mark.skipif(
    not (SHIPPED / "model.onnx").is_file(), reason=f"the embedded weights are not in {SHIPPED.name}/"
)

TOWER = Evidence(
    "The tower was opened in 1889. It is 330 metres tall and stands in Paris. Stephen Sauvestre drew its shape.",
    "retrieved",
    title="Tower",
    url="https://example.org/tower",
)
MENU = Evidence("Opening hours: Monday to Friday, 9 am to 5 pm. A cup of tea costs 3 euros.", "tool")


def check(answer: str, *evidence: Evidence, question: str = "", **options: Any) -> Check:
    asked = (Message("user", (question,)),) if question else ()
    return Check(asked, Turn(answer), evidence, **options)


ALL = tuple(CHECKS)


def verify(answer: str, *evidence: Evidence, question: str = "", checks: Sequence[str] = ()) -> Verdict:
    return EmbeddedVerifier(checks=checks).verify(check(answer, *evidence, question=question))


def test_it_is_a_verifier() -> None:
    verifier = EmbeddedVerifier()
    assert isinstance(verifier, Verifier)
    assert verifier.id == "embedded"
    assert verifier.version == digest(SHIPPED)
    assert EmbeddedVerifier(checks=["dates"]).version == f"{digest(SHIPPED)}+checks{VERSION}:dates"
    assert EmbeddedVerifier(checks=ALL).version == f"{digest(SHIPPED)}+checks{VERSION}"


def test_what_the_evidence_says_is_reliable() -> None:
    verdict = verify("The tower was opened in 1889. It is 330 metres tall.", TOWER)
    assert verdict.status is Status.RELIABLE
    assert verdict.findings == ()
    assert verdict.evidence == (TOWER,)
    assert (verdict.verifier, verdict.version) == ("embedded", digest(SHIPPED))
    assert verdict.latency is not None
    assert verdict.latency >= 0


@pytest.mark.parametrize(
    "answer",
    ["图书馆周一九点开门。", "Музей открывается в девять.", "يفتح المتحف في التاسعة.", "Hi! 図書館は八時に開きます。"],
    ids=["Chinese", "Russian", "Arabic", "Japanese"],
)
def test_of_a_script_that_the_model_does_not_know_it_says_nothing(answer: str) -> None:
    verdict = verify(answer, Evidence(answer, "caller"))
    assert (verdict.status, verdict.cause, verdict.risk) == (Status.UNKNOWN, Cause.LANGUAGE, None)
    assert "Latin" in verdict.explanation


def test_nor_of_evidence_in_one() -> None:
    verdict = verify("The library opens at nine.", Evidence("图书馆周二至周日九点开门。", "caller"))
    assert (verdict.status, verdict.cause) == (Status.UNKNOWN, Cause.LANGUAGE)


def test_a_foreign_name_or_a_bare_number_is_no_foreign_answer() -> None:
    told = Evidence("The word λόγος (logos) is Greek. It occurs 330 times.", "caller")
    assert verify("The word λόγος is Greek.", told).status is Status.RELIABLE
    assert verify("330", told, question="How often does it occur?").status is Status.RELIABLE


async def test_a_check_that_is_cancelled_ends_with_the_claim_that_it_is_at() -> None:
    reading = 0

    class Counting(EmbeddedVerifier):
        def _model(self) -> Model:
            model = super()._model()

            def read(pair: tuple[str, str]) -> float:
                nonlocal reading
                reading += 1
                loop.call_soon_threadsafe(task.cancel)
                cancelled.wait(30)
                return Model._read(model, pair)

            counted = copy(model)
            counted._read = read  # type: ignore[method-assign]
            return counted

        def _judge(self, check: Check, look_at_clock: Callable[[], None]) -> Verdict:
            try:
                return super()._judge(check, look_at_clock)
            finally:
                ended.set()

    loop, cancelled, ended = asyncio.get_running_loop(), threading.Event(), threading.Event()
    answer = " ".join(f"The tower has {n} stairs." for n in range(100))
    task = asyncio.create_task(Counting(threads=2).averify(check(answer, TOWER)))
    with pytest.raises(asyncio.CancelledError):
        await task
    cancelled.set()
    assert await asyncio.to_thread(ended.wait, 30)
    assert reading <= 2  # one a thread


def test_what_a_title_names_is_read_with_the_text_below_it() -> None:
    told = Evidence("It is 330 metres tall.", "retrieved", title="Eiffel Tower", url="https://example.org/2026/tower")
    assert verify("The Eiffel Tower is 330 metres tall.", told).status is Status.RELIABLE
    wrong = verify("The Eiffel Tower is 450 metres tall.", told)
    assert [held.text for held in wrong.findings[0].evidence] == ["It is 330 metres tall."]


@pytest.mark.parametrize(
    ("checks", "text", "kind"),
    [((), "It is 450 metres tall.", FindingKind.NUMBER), (ALL, "450 metres", FindingKind.QUANTITY)],
)
def test_the_wrong_place_is_found_among_right_ones(checks: Sequence[str], text: str, kind: FindingKind) -> None:
    answer = "The tower was opened in 1889. It is 450 metres tall. Stephen Sauvestre drew its shape."
    verdict = verify(answer, TOWER, MENU, checks=checks)
    assert verdict.status is Status.UNRELIABLE
    worst = max(verdict.findings, key=lambda finding: finding.risk or 0)
    assert worst.text == answer[worst.start : worst.end] == text
    assert worst.risk == verdict.risk
    assert worst.kind is kind
    assert [(held.title, held.url, held.origin) for held in worst.evidence] == [
        ("Tower", "https://example.org/tower", "retrieved")
    ]
    assert worst.evidence[0].text == "It is 330 metres tall and stands in Paris."


def test_what_nothing_speaks_of_is_unsupported() -> None:
    verdict = verify("The tower was sold to a Norwegian shipping magnate called Olsen.", TOWER)
    assert verdict.status is Status.UNRELIABLE
    assert [finding.kind for finding in verdict.findings] == [FindingKind.UNSUPPORTED]


def test_a_name_that_nothing_speaks_of_is_the_place_that_is_found() -> None:
    verdict = verify("The tower was sold to a Norwegian shipping magnate called Olsen.", TOWER, checks=ALL)
    assert [(finding.text, finding.kind) for finding in verdict.findings] == [("Olsen", FindingKind.NAME)]


@pytest.mark.parametrize("evidence", [(), (Evidence("  \n", "tool"),)])
def test_without_evidence_it_does_not_know(evidence: Sequence[Evidence]) -> None:
    verdict = verify("The tower was opened in 1889.", *evidence)
    assert (verdict.status, verdict.cause, verdict.risk) == (Status.UNKNOWN, Cause.NO_EVIDENCE, None)


def test_evidence_about_other_things_leaves_it_unknown() -> None:
    verdict = verify("Photosynthesis turns light into sugar.", MENU, question="What do plants do?")
    assert (verdict.status, verdict.cause, verdict.findings) == (Status.UNKNOWN, None, ())


@pytest.mark.parametrize(
    "answer", ["", "Hello! How can I help you?", "I'm sorry, I cannot help with that.", "```\nx = 1\n```"]
)
def test_what_claims_nothing_is_reliable(answer: str) -> None:
    verdict = verify(answer, TOWER)
    assert (verdict.status, verdict.risk, verdict.explanation) == (Status.RELIABLE, None, "no_claim")


def test_the_policy_may_set_another_threshold() -> None:
    wrong = check("It is 450 metres tall.", TOWER)
    verifier = EmbeddedVerifier()
    assert verifier.verify(replace(wrong, threshold=1.0)).status is Status.RELIABLE
    lenient = verifier.verify(replace(wrong, threshold=0.0))
    assert lenient.status is Status.UNRELIABLE
    assert len(lenient.findings) == 1
    assert 0 < verifier.threshold < 1


SOME = [
    "The tower was opened in 1889.",
    " It is 450 metres tall!",
    "\n- Tea costs 3 euros",
    "\n\n",
    " Hello.",
    " É. 𝒳 ",
]


@settings(max_examples=15)
@given(st.lists(st.sampled_from(SOME), max_size=8).map("".join))
def test_findings_quote_the_answer_and_are_its_riskiest_places(answer: str) -> None:
    verdict = EmbeddedVerifier().verify(check(answer, TOWER, MENU, threshold=0.3))
    assert all(answer[f.start : f.end] == f.text for f in verdict.findings)
    assert all(f.risk is not None and 0.3 <= f.risk <= 1 for f in verdict.findings)
    if verdict.findings:
        assert verdict.risk == max(f.risk or 0 for f in verdict.findings)


def timeless(verdict: Verdict) -> Verdict:
    return replace(verdict, latency=None)


CASES = [
    check("It is 450 metres tall. Stephen Sauvestre drew its shape.", TOWER, MENU),
    check("3 euros.", MENU, question="What does a cup of tea cost?"),
    check("The tower is tall."),
    check("Hello!", TOWER),
]


@pytest.mark.parametrize("case", CASES)
async def test_both_twins_say_the_same(case: Check) -> None:
    verifier = EmbeddedVerifier()
    assert timeless(await verifier.averify(case)) == timeless(verifier.verify(case))


async def test_the_event_loop_is_not_held_up() -> None:
    ticks: list[str] = []

    async def watch() -> None:
        while True:
            ticks.append(threading.current_thread().name)
            await asyncio.sleep(0)

    watcher = asyncio.create_task(watch())
    await EmbeddedVerifier().averify(check(" ".join(f"It is {n} metres tall." for n in range(40)), TOWER))
    watcher.cancel()
    assert len(ticks) > 10


def test_threads_share_one_model_and_agree() -> None:
    verifier = EmbeddedVerifier()
    alone = [timeless(verifier.verify(case)) for case in CASES]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda case: timeless(verifier.verify(case)), CASES * 3))
    assert together == alone * 3


def _in_child(answers: multiprocessing.Queue[float | None]) -> None:
    answers.put(asyncio.run(EmbeddedVerifier().averify(CASES[0])).risk)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Python 3.12 warns of forking with threads: the very case
def test_a_forked_child_gets_a_model_of_its_own() -> None:
    risk = asyncio.run(EmbeddedVerifier().averify(CASES[0])).risk
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[float | None] = context.Queue()
    child = context.Process(target=_in_child, args=(answers,))
    child.start()
    assert answers.get(timeout=60) == risk
    child.join(timeout=60)
    assert child.exitcode == 0


def test_long_answers_and_evidence_cost_one_short_pair_a_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str]] = []

    def count(model: Model, pairs: Sequence[tuple[str, str]], look_at_clock: object) -> list[float]:
        seen.extend(pairs)
        return [0.0] * len(pairs)

    monkeypatch.setattr(Model, "logits", count)
    long = Evidence(" ".join(f"Tower {n} was opened in {1000 + n} by the town." for n in range(3000)), "tool")
    verify(" ".join(f"Tower {n} was opened in {n}." for n in range(300)), long)
    assert len(seen) == 300
    assert max(len(evidence.split()) for evidence, _ in seen) <= 85


def test_time_that_ran_out_is_a_timeout() -> None:
    with pytest.raises(VerifierError) as caught:
        EmbeddedVerifier().verify(check("It is 450 metres tall.", TOWER, remaining=-1.0))
    assert caught.value.cause is Cause.TIMEOUT


async def test_closing_twice_does_no_harm() -> None:
    verifier = EmbeddedVerifier()
    verifier.close()
    verifier.close()
    await verifier.aclose()
    assert verifier.verify(CASES[0]).status is Status.UNRELIABLE


def test_a_folder_without_a_model_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no model.onnx, tokenizer.json, config.json.*Leave `path` out"):
        EmbeddedVerifier(tmp_path).verify(CASES[0])


@pytest.mark.parametrize("name", ["model.onnx", "matrices.npz", "tokenizer.json", "config.json"])
def test_a_damaged_model_folder_is_an_error_that_names_the_file(name: str, tmp_path: Path) -> None:
    folder = shutil.copytree(SHIPPED, tmp_path / "model")
    (folder / name).write_text("{ this is not it")
    with pytest.raises(ConfigError, match=name.replace(".", r"\.")):
        EmbeddedVerifier(folder).verify(CASES[0])


def test_a_right_sentence_is_not_marked_for_its_neighbour() -> None:
    told = Evidence("Adults pay 6 euros. The museum displays 4,500 paintings. It opens in April.", "caller")
    answer = "Adults pay 25 euros. It displays 4,500 paintings."
    verdict = verify(answer, told, question="What does it cost, and what is there?")
    assert [finding.text for finding in verdict.findings] == ["Adults pay 25 euros."]


def test_the_presets_threshold_is_the_models_and_a_name_alone_is_below_it() -> None:
    assert pytest.approx(load(SHIPPED, None).settings.threshold, abs=0.005) == EMBEDDED_THRESHOLD.risk
    assert RISKS["names"] < EMBEDDED_THRESHOLD.risk
    assert min(risk for name, risk in RISKS.items() if name != "names") >= EMBEDDED_THRESHOLD.risk


def test_what_is_new_in_the_rest_of_an_answer_makes_its_claims_riskier() -> None:
    told = Evidence("Adults pay 6 euros. The museum displays 4,500 paintings. " * 12, "caller")
    claim = "Adults pay 6 euros."
    reader = Reader(load(SHIPPED, None), Sources([told]), "", look_at_clock=lambda: None)
    [sentence] = sentences(claim)
    [alone] = reader.read(claim, [Unit(claim, (sentence,))])
    [among] = reader.read(f"{claim} Wombats quarrel about gorgonzola and xylophones.", [Unit(claim, (sentence,))])
    assert among.risk > alone.risk
    assert among.alone == alone.alone == alone.risk


@pytest.mark.parametrize(
    "wrong",
    [
        "It is closed on Sundays.",
        "The architect was Gustave Eiffel.",
        "It opens in November.",
    ],
)
def test_one_wrong_sentence_among_right_ones_is_found(wrong: str) -> None:
    right = [
        "The museum opens in April.",
        "Adults pay 6 euros.",
        "Children under ten enter free.",
        "It displays 4,500 paintings.",
        "The building was designed by Anna Berg.",
        "It is closed on Mondays.",
        "The cafe serves soup and cake.",
    ]
    verdict = verify(" ".join([*right[:3], wrong, *right[3:]]), Evidence(" ".join(right), "caller"))
    assert wrong in [finding.text for finding in verdict.findings]


def test_what_contradicts_the_conversation_is_unreliable_without_evidence() -> None:
    said = (Message("assistant", ("The fee is 10 euros a month.",)), Message("user", ("What is the fee?",)))
    verdict = EmbeddedVerifier(checks=ALL).verify(Check(said, Turn("The fee is 12 euros a month."), ()))
    assert (verdict.status, [f.text for f in verdict.findings]) == (Status.UNRELIABLE, ["12 euros"])
    assert EmbeddedVerifier().verify(Check(said, Turn("The fee is 12 euros a month."), ())).status is Status.UNKNOWN
