"""A guarded stream, without threads, tasks or a clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrail import Action, BlockedError, Cause, Status, Verdict
from guardrail.errors import VerifierError
from guardrail.streams.commands import Ask, Listen
from guardrail.streams.values import Chunk, Ended, Release, Retracted, Verified, Write
from guardrail.testing import failure, reliable, unknown, unreliable
from guardrail.verifiers.protocol import Check
from tests.streams.driving import BAD, Driven, by_word, flow, judge

GOOD = "France is a country. It has a capital. The capital is Paris. It is big."
WRONG = "France is a country. It has a capital. The capital is London. It is big."
PREFIX = "France is a country. It has a capital."


def run(text: str, **rules: Any) -> Driven:
    return Driven(flow(**rules)).feed(*by_word(text)).end()


def test_a_sentence_goes_out_when_its_verdict_is_in_not_earlier() -> None:
    driven = Driven(flow(), verdict=None).feed(*by_word(GOOD))
    assert driven.text == ""
    driven.answer(1)
    assert driven.text == "France is a country."
    assert driven.of(Verified)[0].end == len(driven.text)


def test_an_upstream_is_listened_to_for_longer_than_its_words_are_apart() -> None:
    line = flow()
    for at, word in enumerate(by_word("France is a country.")):
        commands = line.feed(0, Chunk(word, word), at / 5)
    [listen] = [command for command in commands if isinstance(command, Listen)]
    assert 0.2 < listen.seconds < 0.3
    assert line.silent(0, listen.place - 1, 1.0) == []  # something came meanwhile
    asked = [command for command in line.silent(0, listen.place, 1.0) if isinstance(command, Ask)]
    assert [ask.check.turn.text for ask in asked] == ["France is a country."]


def test_verdicts_that_come_out_of_order_release_in_order() -> None:
    driven = Driven(flow(), verdict=None).feed(*by_word(GOOD))
    driven.answer(2)
    assert driven.text == ""
    driven.answer(1)
    assert driven.text == PREFIX


def test_a_verifier_is_asked_about_the_new_sentence_in_the_answer_so_far() -> None:
    first, second = run(GOOD).checks[:2]
    assert (first.turn.text, first.since) == ("France is a country.", 0)
    assert (second.turn.text, second.turn.text[second.since :]) == (PREFIX, " It has a capital.")


def test_what_is_all_good_passes_piece_for_piece() -> None:
    driven = run(GOOD)
    assert [item.piece for item in driven.of(Release)] == by_word(GOOD)
    assert driven.outcome is not None
    assert (driven.outcome.action, driven.outcome.text) == (Action.PASS, GOOD)
    assert driven.outcome.verdict is not None
    assert driven.outcome.verdict.status is Status.RELIABLE
    assert len(driven.outcome.attempts) == 1


def test_a_piece_that_goes_over_an_end_is_split_there() -> None:
    driven = Driven(flow(), verdict=None).feed("France is a country. It has", " a capital. The capital").answer(1)
    assert [item.piece for item in driven.of(Release)] == ["France is a country."]


def test_pieces_without_text_keep_their_place() -> None:
    driven = Driven(flow(), verdict=None)
    driven.perform(driven.flow.feed(0, Chunk("<role>"), 0.0))
    assert [item.piece for item in driven.of(Release)] == ["<role>"]
    driven.feed("France is a country. It")
    driven.perform(driven.flow.feed(0, Chunk("<thought>"), 0.0))
    driven.feed(" has a capital. So it")
    assert len(driven.of(Release)) == 1
    driven.answer(1)
    assert [item.piece for item in driven.of(Release)] == ["<role>", "France is a country."]
    driven.answer(2)
    assert [item.piece for item in driven.of(Release)][2:] == [" It", "<thought>", " has a capital."]


def test_white_space_costs_no_verdict() -> None:
    driven = run("France is a country.\n\n")
    assert len(driven.checks) == 1
    assert driven.text == "France is a country.\n\n"


def test_an_answer_that_calls_a_tool_is_not_verified() -> None:
    driven = Driven(flow(), verdict=None).feed("The capital is London. I look it up.")
    driven.perform(driven.flow.feed(0, Chunk("<call>", calls=True), 0.0))
    driven.end()
    assert driven.asked == {}
    assert driven.outcome is not None
    assert (driven.outcome.action, driven.text) == (Action.PASS, "The capital is London. I look it up.<call>"[:-6])


def test_the_outcome_says_that_what_waited_for_its_verdict_when_a_tool_was_called_has_none() -> None:
    driven = Driven(flow(), verdict=None).feed("The capital is London. I look it up.")
    driven.perform(driven.flow.feed(0, Chunk("", calls=True), 0.0))
    driven.end()
    assert driven.outcome is not None
    assert driven.outcome.notes == ("what stands beside the call of a tool was shown without a verdict",)


def test_nothing_is_said_of_a_call_of_a_tool_where_all_text_has_its_verdict() -> None:
    driven = Driven(flow()).feed("I look it up.\n")
    driven.perform(driven.flow.feed(0, Chunk("", calls=True), 0.0))
    driven.end()
    assert driven.outcome is not None
    assert driven.outcome.notes == ()


# a bad sentence


def test_a_bad_sentence_cuts_the_upstream_and_the_llm_goes_on_from_what_is_shown() -> None:
    driven = Driven(flow(), continuations=[by_word("The capital is Paris. It is big.")])
    driven.feed(*by_word(WRONG))
    assert driven.cut == [0]
    [draft] = driven.drafts
    assert draft.prefix == PREFIX
    assert draft.messages[-2:] == [
        {"role": "assistant", "content": PREFIX},
        {"role": "user", "content": draft.feedback},
    ]
    assert '"London" is contradicted' in (draft.feedback or "")
    assert driven.text == GOOD
    assert driven.outcome is not None
    assert (driven.outcome.action, driven.outcome.text) == (Action.REGENERATE, GOOD)
    first, last = driven.outcome.attempts
    assert (first.action, first.turn.text) == (Action.REGENERATE, f"{PREFIX} The capital is London.")
    assert (last.action, last.turn.text, last.verdict.status) == (Action.PASS, GOOD, Status.RELIABLE)


def test_findings_stand_in_the_answer_that_is_shown() -> None:
    driven = run(f"{WRONG} It was London.", on_unreliable="flag")
    assert driven.outcome is not None
    assert [driven.outcome.text[f.start : f.end] for f in driven.outcome.findings] == [BAD, BAD]
    assert (driven.outcome.action, driven.text) == (Action.FLAG, f"{WRONG} It was London.")
    assert [event.action for event in driven.of(Verified)] == ["pass", "pass", "flag", "pass", "flag"]


@pytest.mark.parametrize("quote", [BAD, "what nobody said"])
def test_a_finding_that_is_misplaced_lets_nothing_pass(quote: str) -> None:
    def misplacing(check: Check) -> Verdict:
        return unreliable(quote) if BAD in check.turn.text else reliable()

    driven = Driven(flow(on_unreliable="block", messages={"blocked": "No."}), verdict=misplacing).feed(*by_word(WRONG))
    assert driven.text == f"{PREFIX}\n\nNo."


def test_a_continuation_is_gated_too() -> None:
    driven = Driven(flow(on_unreliable=["regenerate", "block"], messages={"blocked": "No."}))
    driven._continuations = [by_word("The capital is Lyon. London is big.")]
    driven.feed(*by_word(WRONG))
    assert driven.text == f"{PREFIX} The capital is Lyon.\n\nNo."
    assert driven.outcome is not None
    assert driven.outcome.action is Action.BLOCK
    assert driven.cut == [0]


def test_a_repaired_answer_goes_on_without_the_sentence() -> None:
    driven = run(WRONG, on_unreliable="repair")
    assert driven.text == f"{PREFIX} It is big."
    assert driven.cut == []
    assert driven.outcome is not None
    assert (driven.outcome.action, driven.outcome.text) == (Action.REPAIR, driven.text)
    first, last = driven.outcome.attempts
    assert (first.turn.text, first.action, len(first.verdict.findings)) == (WRONG, Action.REPAIR, 1)
    assert (last.turn.text, last.verdict.status) == (driven.text, Status.RELIABLE)


REPAIRED = [
    ("London is big. It is Paris.", "It is Paris."),
    ("A.\n\nLondon is big. So is B.", "A.\n\nSo is B."),
    ("- A.\n- London.\n- B.\n", "- A.\n- B.\n"),
    ("It is Paris. London is big.", "It is Paris."),
    ("A is. London is. London was. B is.", "A is. B is."),
]


@pytest.mark.parametrize(("text", "left"), REPAIRED)
def test_what_is_left_is_not_torn(text: str, left: str) -> None:
    driven = run(text, on_unreliable="repair")
    assert driven.text == left
    assert driven.outcome is not None
    assert driven.outcome.text == left


def test_findings_after_a_deletion_stand_where_they_are_shown() -> None:
    def judged(check: Check) -> Verdict:
        new = check.turn.text[check.since :]
        return unknown() if "big" in new else judge(check)

    driven = Driven(flow(on_unreliable="repair"), verdict=None).feed(*by_word(WRONG), " Then. Now").end()
    while driven.asked:
        ticket = max(driven.asked)
        driven.answer(ticket, judged(driven.asked[ticket]))
    places = [(event.start, event.end) for event in driven.of(Verified)]
    assert [driven.text[start:end] for start, end in places] == [
        "France is a country.",
        "It has a capital.",
        "It is big.",
        "Then.",
        "Now",
    ]


def test_what_a_judge_of_the_whole_text_finds_in_a_sentence_that_was_left_out_is_told_once() -> None:
    def everywhere(check: Check) -> Verdict:
        return judge(replace(check, since=0))

    driven = (
        Driven(flow(on_unreliable="repair"), verdict=None).feed(*by_word(f"{WRONG} Is London old? So it is.")).end()
    )
    checks = dict(driven.asked)
    for ticket in sorted(checks, reverse=True):
        if ticket in driven.asked:
            driven.answer(ticket, everywhere(checks[ticket]))
    while driven.asked:
        ticket = min(driven.asked)
        driven.answer(ticket, everywhere(driven.asked[ticket]))
    assert driven.text == f"{PREFIX} It is big. So it is."
    assert driven.outcome is not None
    assert (driven.outcome.action, driven.outcome.findings) == (Action.REPAIR, ())


def test_an_answer_of_which_nothing_is_left_is_blocked() -> None:
    driven = run("London. London is big.", on_unreliable="repair", messages={"blocked": "No."})
    assert driven.text == "No."
    assert driven.outcome is not None
    assert driven.outcome.action is Action.BLOCK


def test_what_a_judge_without_places_says_of_a_text_with_a_sentence_that_was_left_out_is_asked_again() -> None:
    driven = Driven(flow(on_unreliable="repair"), verdict=None).feed("It is London. It is big. And").end()
    driven.answer(2, unreliable()).answer(1, unreliable())
    assert driven.checks[-1].turn.text == " It is big."
    driven.answer(4, reliable()).answer(3, reliable())
    assert driven.text == "It is big. And"


def test_a_blocked_answer_ends_with_the_policys_notice() -> None:
    driven = Driven(flow(on_unreliable="block", messages={"blocked": "Withheld."})).feed(*by_word(WRONG))
    assert driven.cut == [0]
    assert driven.text == f"{PREFIX}\n\nWithheld."
    assert driven.outcome is not None
    assert (driven.outcome.action, driven.outcome.turn) == (Action.BLOCK, None)
    assert [item.notice for item in driven.of(Write)] == [True]


def test_a_policy_that_raises_gives_what_was_good_first() -> None:
    driven = Driven(flow(on_unreliable="block", on_block="raise")).feed(*by_word(WRONG))
    assert driven.text == PREFIX
    assert isinstance(driven.error, BlockedError)


def test_observe_flags_and_releases() -> None:
    driven = run(WRONG, on_unreliable="flag")
    assert driven.text == WRONG
    assert driven.outcome is not None
    assert driven.outcome.action is Action.FLAG


def test_shadow_releases_at_once_and_reports_what_would_have_been_done() -> None:
    driven = Driven(flow(mode="shadow", on_unreliable="block"), verdict=None).feed(*by_word(WRONG))
    assert driven.text == WRONG
    driven.end()
    for ticket in list(driven.asked):
        driven.answer(ticket)
    assert driven.outcome is not None
    assert (driven.outcome.action, driven.outcome.text) == (Action.BLOCK, WRONG)


# an optimistic stream


def test_an_optimistic_stream_is_out_at_once_and_takes_back() -> None:
    driven = Driven(
        flow(stream={"mode": "optimistic"}), verdict=None, continuations=[["The capital is Paris. It is big."]]
    )
    driven.feed(*by_word(WRONG))
    assert driven.text == WRONG
    for ticket in (1, 2, 3):
        driven.answer(ticket)
    [retracted] = driven.of(Retracted)
    assert (retracted.start, retracted.end) == (len(PREFIX), len(WRONG))
    for ticket in list(driven.asked):
        driven.answer(ticket)
    assert driven.outcome is not None
    assert driven.outcome.text == GOOD
    kept = WRONG[: retracted.start]
    assert kept + driven.text[len(WRONG) :] == GOOD


AGAIN = [["regenerate", step] for step in ("flag", "block", "repair")]
STEPS: list[Any] = ["flag", "block", "repair", *AGAIN]
CONTINUATIONS: list[list[str] | Exception] = [
    ConnectionError("down"),
    [""],
    ["The capital is Paris."],
    [" The capital is London, again."],
    ["It is London. ", "Is it big?"],
    ["It has a capital. ", "It is ", "Paris."],
    ["France is the country. It is small."],
]


@pytest.mark.parametrize("at_once", [False, True], ids=["verdicts at the end", "verdicts at once"])
@pytest.mark.parametrize("said", CONTINUATIONS, ids=str)
@pytest.mark.parametrize("steps", STEPS, ids=str)
@pytest.mark.parametrize("mode", ["sentence", "whole", "optimistic"])
def test_who_heeds_the_events_has_what_is_reported(mode: str, steps: Any, said: Any, at_once: bool) -> None:
    verdict = judge if at_once else None
    driven = Driven(flow(on_unreliable=steps, stream={"mode": mode}), verdict=verdict, continuations=[said])
    driven.feed(*by_word(WRONG)).end()
    answer_all(driven)
    assert driven.outcome is not None
    assert heeded(driven.given) == driven.outcome.text


def answer_all(driven: Driven) -> None:
    while driven.asked:
        driven.answer(min(driven.asked))


def heeded(items: Sequence[Any]) -> str:
    """What a user interface shows that takes back what it is told to."""
    text = ""
    for item in items:
        if isinstance(item, Release | Write):
            text += item.text
        if isinstance(item, Retracted):
            text = text[: item.start] + text[item.end :]
    return text


@pytest.mark.parametrize("rules", [{"mode": "shadow"}, {"stream": {"mode": "optimistic"}}], ids=str)
def test_half_a_sentence_that_was_seen_is_reported(rules: Any) -> None:
    driven = Driven(flow(**rules)).feed(*by_word(f"{PREFIX} It is b"))
    driven.perform(driven.flow.failed(0, ConnectionError("gone"), 0.0))
    assert driven.outcome is not None
    assert (driven.outcome.text, driven.text) == (f"{PREFIX} It is b",) * 2
    assert not any("withheld" in note for note in driven.outcome.notes)


def test_a_continuation_that_is_torn_is_taken_back_where_it_was_seen() -> None:
    rules: Any = {"on_unreliable": ["regenerate", "flag"], "stream": {"mode": "optimistic"}}
    driven = Driven(flow(**rules), verdict=None).feed(*by_word(WRONG)).end()
    answer_all(driven)
    driven.feed(*by_word("The capital is P"), source=1)
    driven.perform(driven.flow.failed(1, ConnectionError("gone"), 0.0))
    answer_all(driven)
    assert driven.outcome is not None
    assert heeded(driven.given) == driven.outcome.text == WRONG


def test_a_sentence_that_needs_no_white_space_before_it_is_given_none() -> None:
    driven = Driven(flow(), continuations=[["它的首都是巴黎。"]]).feed(*"法国是一个国家。它的首都是London。").end()
    assert driven.text == "法国是一个国家。它的首都是巴黎。"


def test_a_continuation_whose_first_sentence_is_left_out_keeps_one_space() -> None:
    driven = Driven(flow(on_unreliable=["regenerate", "repair"]), continuations=[["It is London. It is big."]]).feed(
        *by_word(WRONG)
    )
    assert driven.text == f"{PREFIX} It is big."


# what goes wrong


def test_no_verdict_goes_by_the_policy() -> None:
    def down(check: Check) -> VerifierError:
        return failure(Cause.CONNECT)

    flagged = Driven(flow(), verdict=down).feed(*by_word(GOOD)).end()
    assert flagged.text == GOOD
    assert flagged.outcome is not None
    assert (flagged.outcome.action, flagged.outcome.cause) == (Action.FLAG, Cause.CONNECT)
    blocked = Driven(flow(on_error="block", messages={"blocked": "No."}), verdict=down).feed(*by_word(GOOD))
    assert blocked.text == "No."


def test_an_upstream_that_breaks_off_gives_what_was_verified_and_its_error() -> None:
    driven = Driven(flow(), verdict=None).feed(*by_word(f"{PREFIX} The capital is L"))
    error = ConnectionError("gone")
    driven.perform(driven.flow.failed(0, error, 0.0))
    assert driven.outcome is None
    driven.answer(2).answer(1)
    assert driven.text == PREFIX
    assert driven.error is error
    assert driven.outcome is not None
    assert "the stream broke off: ConnectionError" in driven.outcome.notes
    assert "17 characters of an unfinished sentence were withheld" in driven.outcome.notes


def test_a_bad_sentence_of_an_upstream_that_broke_off_is_not_asked_for_again() -> None:
    driven = Driven(flow(on_unreliable=["regenerate", "block"]), verdict=None).feed(*by_word(WRONG))
    driven.perform(driven.flow.failed(0, ConnectionError("gone"), 0.0))
    for ticket in list(driven.asked):
        driven.answer(ticket)
    assert driven.drafts == []
    assert driven.text.startswith(PREFIX)
    assert BAD not in driven.text


def test_where_the_llm_fails_what_was_withheld_goes_by_the_next_step() -> None:
    driven = Driven(flow(), continuations=[ConnectionError("down")]).feed(*by_word(WRONG))
    assert driven.outcome is not None
    assert driven.text == f"{PREFIX} The capital is London."
    assert driven.outcome.action is Action.FLAG
    assert driven.outcome.notes[-3:] == (
        "could not regenerate: down",
        "what was withheld has no end: its upstream had been closed",
        "3 characters of an unfinished sentence were withheld",
    )


def test_where_the_upstream_had_ended_all_of_it_is_there_again() -> None:
    driven = Driven(flow(), verdict=None, continuations=[ConnectionError("down")]).feed(*by_word(WRONG)).end()
    while driven.asked:
        driven.answer(min(driven.asked))
    assert driven.text == WRONG
    assert driven.outcome is not None
    assert driven.outcome.action is Action.FLAG
    assert "could not regenerate: down" in driven.outcome.notes


def test_a_continuation_that_breaks_off_leaves_what_was_verified_and_says_so() -> None:
    driven = Driven(flow()).feed(*by_word(WRONG))
    driven.feed(*by_word("The capital is Paris. It is b"), source=1)
    driven.perform(driven.flow.failed(1, ConnectionError("gone"), 0.0))
    assert driven.text == f"{PREFIX} The capital is Paris."
    assert driven.error is None
    assert driven.outcome is not None
    assert driven.outcome.action is Action.FLAG
    assert "the answer breaks off: could not regenerate the rest: gone" in driven.outcome.notes


def test_the_better_of_two_bad_attempts_is_flagged_where_both_are_whole() -> None:
    def judged(check: Check) -> Verdict:
        return unreliable(risk=0.6 if "big" in check.turn.text else 0.9)

    driven = Driven(flow(), verdict=judged, continuations=[["London is old."]]).feed("London is big.").end()
    assert driven.text == "London is big."
    assert driven.outcome is not None
    assert (driven.outcome.action, driven.outcome.text) == (Action.FLAG, "London is big.")
    assert [attempt.turn.text for attempt in driven.outcome.attempts] == ["London is big.", "London is old."]


def test_a_continuation_that_says_the_last_sentence_again_is_joined() -> None:
    driven = Driven(flow(), continuations=[by_word("It has a capital. The capital is Paris. It is big.")])
    driven.feed(*by_word(WRONG))
    assert driven.text == GOOD
    assert driven.outcome is not None
    assert driven.outcome.text == GOOD


def test_an_answer_that_is_begun_anew_cannot_be_joined_and_the_report_says_so() -> None:
    again = by_word("France is a country. Its capital is called Paris. It is big.")
    driven = Driven(flow(on_unreliable=["regenerate", "block"], messages={"blocked": "No."}), continuations=[again])
    driven.feed(*by_word(WRONG))
    assert driven.text == f"{PREFIX}\n\nNo."
    assert driven.outcome is not None
    assert any("began its answer anew" in note for note in driven.outcome.notes)


def test_a_wait_is_a_pause() -> None:
    again = {"do": "regenerate", "wait": {"fixed": 3.0}}
    driven = Driven(flow(on_unreliable=[again, "block"]), continuations=[["It is Paris."]]).feed(*by_word(WRONG))
    assert (driven.pauses, driven.drafts) == ([3.0], [])
    driven.now = 3.0
    driven.perform(driven.flow.woken(3.0))
    assert driven.text == f"{PREFIX} It is Paris."


def test_the_budget_bounds_what_is_asked_for_again() -> None:
    driven = Driven(flow(budget={"added": 2.0}, on_unreliable=["regenerate", "block"], messages={"blocked": "No."}))
    driven.feed(*by_word(WRONG))
    [draft] = driven.drafts
    assert draft.remaining == 2.0
    driven.perform(driven.flow.late(1, 2.0))
    assert driven.cut == [0, 1]
    assert driven.text == f"{PREFIX}\n\nNo."
    assert driven.outcome is not None
    assert "could not regenerate: the budget was spent" in driven.outcome.notes


def test_a_fallback_goes_on_with_another_model() -> None:
    driven = Driven(flow(on_unreliable=[{"do": "fallback", "model": "big"}]), continuations=[["It is Paris."]])
    driven.feed(*by_word(WRONG))
    assert (driven.drafts[0].model, driven.drafts[0].prefix) == ("big", PREFIX)
    assert driven.outcome is not None
    assert driven.outcome.action is Action.FALLBACK
    assert driven.outcome.attempts[-1].model == "big"


def test_what_is_found_too_late_is_reported() -> None:
    def late(check: Check) -> Verdict:
        return unreliable("France is a country.") if "It has a capital" in check.turn.text else reliable()

    driven = Driven(flow(), verdict=late).feed(*by_word(GOOD)).end()
    assert driven.text == GOOD
    assert driven.outcome is not None
    assert driven.outcome.action is Action.FLAG
    assert [finding.text for finding in driven.outcome.findings] == ["France is a country."]


# bounds


def test_only_so_many_verdicts_are_on_their_way_and_what_waits_is_asked_about_together() -> None:
    text = "One is. Two is. Three is. Four is. Five is. Six is"
    driven = Driven(flow(stream={"in_flight": 2}), verdict=None).feed(*by_word(text))
    assert list(driven.asked) == [1, 2]
    driven.answer(1)
    assert driven.asked[3].turn.text[driven.asked[3].since :] == " Three is. Four is. Five is."
    driven.end().answer(2).answer(3).answer(4)
    assert driven.text == text
    assert len(driven.checks) == 4


def test_sentences_that_are_asked_about_together_are_told_apart_by_the_findings() -> None:
    driven = Driven(flow(stream={"in_flight": 1}, on_unreliable="repair"), verdict=None).feed(*by_word(WRONG)).end()
    while driven.asked:
        driven.answer(min(driven.asked))
    assert driven.text == f"{PREFIX} It is big."
    assert len(driven.checks) == 2


def test_the_last_verdict_is_on_all_that_is_left() -> None:
    driven = Driven(flow(stream={"verifications": 2})).feed(*by_word(GOOD))
    assert len(driven.checks) == 1
    driven.end()
    assert len(driven.checks) == 2
    assert driven.text == GOOD


def test_a_verdict_that_is_not_in_by_the_bound_is_none() -> None:
    driven = Driven(flow(stream={"hold": {"time": 5.0}, "in_flight": 1}), verdict=None).feed(*by_word(GOOD))
    assert driven.checks[0].remaining == 5.0
    driven.now = 6.0
    driven.answer(1, failure(Cause.TIMEOUT))
    assert driven.text == PREFIX + " The capital is Paris."
    assert {event.verdict.cause for event in driven.of(Verified)} == {Cause.TIMEOUT}


# what holds for any text


SENTENCES = st.lists(
    st.sampled_from(
        ["N{} is Paris.", "N{} is London.", "Yes N{}!", "Dr. N{} paid 3.5.", "See https://N{}.bc/d?e.", "- N{}\n"]
    ),
    max_size=7,
).map(lambda forms: [form.format(place) for place, form in enumerate(forms)])
RULES = st.sampled_from(
    [
        {},
        {"on_unreliable": "repair"},
        {"on_unreliable": "block"},
        {"on_unreliable": "flag"},
        {"on_unreliable": ["regenerate", "block"]},
        {"stream": {"mode": "whole"}},
        {"stream": {"in_flight": 1}},
    ]
)


def cut(text: str, places: Sequence[int]) -> list[str]:
    at = [0, *sorted({place % (len(text) + 1) for place in places}), len(text)]
    return [text[a:b] for a, b in pairwise(at) if a < b]


@settings(deadline=None)
@given(SENTENCES, st.lists(st.integers(0, 200), max_size=12), RULES)
def test_chunks_make_no_difference(sentences: list[str], places: list[int], rules: dict[str, Any]) -> None:
    text = " ".join(sentences)

    def told(pieces: list[str]) -> tuple[str, list[Any], Any]:
        driven = Driven(flow(**rules), continuations=[["Then Paris. ", "And so on."]]).feed(*pieces).end()
        assert driven.outcome is not None
        return driven.text, [(item.start, item.end) for item in driven.of(Verified)], driven.outcome.action

    assert told(cut(text, places)) == told(list(text))


@settings(deadline=None)
@given(SENTENCES, st.lists(st.integers(0, 200), max_size=8), RULES, st.randoms(use_true_random=False))
def test_nothing_unverified_and_nothing_bad_goes_out(
    sentences: list[str], places: list[int], rules: dict[str, Any], random: Any
) -> None:
    text = " ".join(sentences)
    driven = Driven(flow(**rules), verdict=None)
    judged: set[int] = set()

    def within() -> bool:
        """Whether all that is out has been judged."""
        checks = [check for ticket, check in enumerate(driven.checks, start=1) if ticket in judged]
        said = "".join(check.turn.text[check.since :] for check in checks)
        return all(f"N{place}" in said for place in range(len(sentences)) if f"N{place}" in driven.text)

    steps = [*cut(text, places), None]
    sources = {0: steps}
    while driven.outcome is None:
        if driven.drafts and 1 not in sources:
            sources[1] = [*by_word("Then Paris. And so on."), None]
        ready = [source for source in sources if sources[source]]
        choices = [*(("piece", source) for source in ready), *(("verdict", ticket) for ticket in driven.asked)]
        what, which = random.choice(choices)
        if what == "verdict":
            judged.add(which)
            driven.answer(which)
        elif (piece := sources[which].pop(0)) is None:
            driven.end(which)
        else:
            driven.feed(piece, source=which)
        assert within()
    if "flag" not in str(rules) and rules.get("on_unreliable") and BAD in driven.text:
        raise AssertionError(driven.text)
    assert driven.given[-1] == Ended(driven.outcome)
    assert driven.outcome.text == driven.text
