"""No character of a bad sentence reaches a consumer, wherever it stands and whatever is done about it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from guardrail import Action, Check, Guard, Policy, Rules, Verdict
from guardrail.streams.values import Ended, Retracted, Verified
from guardrail.testing import ScriptedLLM, ScriptedVerifier, reliable, unreliable
from tests.streams.test_pumps import ASKED, Read, both

BAD = "Ωμέγα θα ξηλωθεί ψυχρά."
GOOD = ("The Louvre is in Paris.", "It opened in 1793.", "It is a museum.")
GREEK = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")
ACTIONS: dict[str, Any] = {
    "regenerate": ["regenerate", "block"],
    "fallback": [{"do": "fallback", "model": "other"}, "block"],
    "repair": "repair",
    "block": "block",
}


def judged(check: Check) -> Verdict:
    return unreliable(BAD) if GREEK.search(check.turn.text) else reliable()


def without_places(check: Check) -> Verdict:
    return unreliable() if GREEK.search(check.turn.text[check.since :]) else reliable()


def guard(action: str, mode: str, judge: Any) -> Guard:
    rules = Rules.model_validate({"on_unreliable": ACTIONS[action], "stream": {"mode": mode}})
    return Guard(Policy(policies={"default": rules}), verifiers={"main": ScriptedVerifier(judge, repeat=True)})


def answer(place: int, size: int) -> list[str]:
    text = " ".join([*GOOD[:place], BAD, *GOOD[place:]])
    return [text[at : at + size] for at in range(0, len(text), size)]


@both
@pytest.mark.parametrize("judge", [judged, without_places])
@pytest.mark.parametrize("mode", ["sentence", "whole"])
@pytest.mark.parametrize("action", list(ACTIONS))
def test_no_character_of_a_bad_sentence_is_shown(read: Read, action: str, mode: str, judge: Any) -> None:
    for place in range(len(GOOD) + 1):
        for size in (1, 5, 400):
            text, outcome, error = read(guard(action, mode, judge), answer(place, size), ScriptedLLM("The end."))
            assert error is None
            assert not GREEK.search(text + outcome.text), (place, size)
            assert text == outcome.text
            assert outcome.action in (action, Action.BLOCK)
            if mode == "sentence":
                assert text.startswith(" ".join(GOOD[:place]))


@pytest.mark.parametrize("action", list(ACTIONS))
def test_nor_is_it_in_an_event_before_the_report(action: str) -> None:
    stream = guard(action, "sentence", judged).stream(answer(1, 5), ASKED, generate=ScriptedLLM("The end."))
    events = list(stream.events())
    assert not any(GREEK.search(repr(event)) for event in events if not isinstance(event, Ended))
    assert isinstance(events[-1], Ended)


def test_what_an_optimistic_stream_shows_it_takes_back() -> None:
    for place in range(len(GOOD) + 1):
        stream = guard("repair", "optimistic", judged).stream(answer(place, 5), ASKED)
        shown, kept = "", ""
        for event in stream.events():
            shown += getattr(event, "text", "")
            if isinstance(event, Verified):
                kept = shown
            if isinstance(event, Retracted):
                assert shown[event.start : event.end].strip() == BAD
        assert BAD in shown
        assert kept
        assert not GREEK.search(stream.outcome.text)
