"""The loop, run by hand: no clock, no threads, no sleeping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import pytest
import tenacity
from hypothesis import given
from hypothesis import strategies as st

from guardrail.action import Action
from guardrail.conversation import Message, Turn
from guardrail.errors import VerifierError
from guardrail.events import ActionTaken, Event, OutcomeReady, TurnGenerated, VerdictGiven
from guardrail.flow import (
    Done,
    Draft,
    Effect,
    Failed,
    Generate,
    Generated,
    Job,
    Reply,
    Sleep,
    Tell,
    Verify,
    guard_turn,
)
from guardrail.outcome import Outcome
from guardrail.policy.model import Budget, Rules
from guardrail.testing import reliable, unknown, unreliable
from guardrail.verdict import Cause, Status, Usage, Verdict

ASKED = (Message("system", ("Be brief.",)), Message("user", ("Capital of France?",)))
BAD, GOOD = "It is London.", "It is Paris."
Heard = TypeVar("Heard", bound=Event)


class Hand:
    """Performs effects from two lists, at a stated number of seconds each."""

    def __init__(
        self,
        answers: Sequence[str | Exception] = (),
        verdicts: Sequence[Verdict | Exception] = (),
        *,
        generating: float = 0.0,
        verifying: float = 0.0,
    ) -> None:
        self.answers, self.verdicts = list(answers), list(verdicts)
        self.seconds = {Generate: generating, Verify: verifying}
        self.effects: list[Effect] = []

    def play(self, job: Job) -> Outcome:
        flow = guard_turn(job)
        try:
            effect = next(flow)
            while True:
                self.effects.append(effect)
                effect = flow.send(self.reply(effect))
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome

    def reply(self, effect: Effect) -> Reply:
        match effect:
            case Generate():
                answer = self.answers.pop(0)
                spent = self.seconds[Generate]
                if isinstance(answer, Exception):
                    return Failed(answer, spent)
                return Done(Generated(Turn(answer), Usage(1, 2)), spent)
            case Verify():
                verdict = self.verdicts.pop(0)
                spent = self.seconds[Verify]
                return Failed(verdict, spent) if isinstance(verdict, Exception) else Done(verdict, spent)
            case Sleep(seconds):
                return Done(None, seconds)
            case Tell():
                return Done(None, 0.0)

    def drafts(self) -> list[Draft]:
        return [effect.draft for effect in self.effects if isinstance(effect, Generate)]

    def told(self, kind: type[Heard]) -> list[Heard]:
        events = [effect.event for effect in self.effects if isinstance(effect, Tell)]
        return [event for event in events if isinstance(event, kind)]


def rules(**settings: object) -> Rules:
    return Rules.model_validate(settings)


REGENERATE_ONCE = [{"do": "regenerate", "stop": {"after_attempt": 2}}]


def job(rules_: Rules, **settings: object) -> Job:
    return Job(id="1", conversation=ASKED, rules=rules_, **settings)  # type: ignore[arg-type]


def test_a_reliable_answer_passes_untouched() -> None:
    outcome = Hand([GOOD], [reliable()]).play(job(rules()))
    assert (outcome.action, outcome.text, len(outcome.attempts)) == (Action.PASS, GOOD, 1)


def test_an_unreliable_answer_is_regenerated_with_feedback_about_it() -> None:
    hand = Hand([BAD, GOOD], [unreliable(explanation="France's capital is Paris"), reliable()])
    outcome = hand.play(job(rules(on_unreliable=[*REGENERATE_ONCE, "block"])))
    assert (outcome.action, outcome.text) == (Action.REGENERATE, GOOD)
    again = hand.drafts()[1]
    assert again.conversation[:2] == ASKED
    assert again.conversation[2] == Message("assistant", (BAD,))
    assert "France's capital is Paris" in again.conversation[3].text


def test_feedback_is_about_the_last_draft_only() -> None:
    hand = Hand(["a", "b", "c"], [unreliable(), unreliable(), reliable()])
    hand.play(job(rules(on_unreliable=[{"do": "regenerate", "stop": {"after_attempt": 3}}])))
    assert [len(draft.conversation) for draft in hand.drafts()] == [2, 4, 4]
    assert hand.drafts()[2].conversation[2].text == "b"


def test_when_attempts_end_the_next_step_of_the_policy_follows() -> None:
    outcome = Hand([BAD, BAD], [unreliable(), unreliable()]).play(
        job(rules(on_unreliable=[*REGENERATE_ONCE, "block"], messages={"blocked": "Withheld."}))
    )
    assert (outcome.action, outcome.text, outcome.turn) == (Action.BLOCK, "Withheld.", None)
    assert [attempt.action for attempt in outcome.attempts] == [Action.REGENERATE, Action.BLOCK]


def test_every_attempt_bears_the_action_that_it_led_to() -> None:
    hand = Hand(["a", "b", "c"], [unreliable(), unreliable(), unreliable()])
    outcome = hand.play(job(rules(on_unreliable=[{"do": "regenerate", "stop": {"after_attempt": 3}}, "block"])))
    expected = [Action.REGENERATE, Action.REGENERATE, Action.BLOCK]
    assert [attempt.action for attempt in outcome.attempts] == expected
    assert [event.action for event in hand.told(ActionTaken)] == expected
    assert [event.attempt for event in hand.told(ActionTaken)] == [1, 2, 3]


def test_an_action_that_fails_and_is_tried_again_is_told_once() -> None:
    hand = Hand(["a", ConnectionError("down"), "c"], [unreliable(), reliable()])
    hand.play(job(rules(on_unreliable=[{"do": "regenerate", "stop": {"after_attempt": 3}}, "block"])))
    assert [event.action for event in hand.told(ActionTaken)] == [Action.REGENERATE, Action.PASS]


def test_when_no_step_follows_the_least_risky_attempt_is_flagged() -> None:
    verdicts = [unreliable(risk=0.9), unreliable(risk=0.6), unreliable(risk=0.8)]
    policy = rules(on_unreliable=[{"do": "regenerate", "stop": {"after_attempt": 3}}])
    outcome = Hand(["first", "second", "third"], verdicts).play(job(policy))
    assert (outcome.action, outcome.text) == (Action.FLAG, "second")
    assert outcome.verdict is not None
    assert outcome.verdict.risk == 0.6


def test_an_attempt_without_a_verdict_is_less_risky_than_one_known_to_be_bad() -> None:
    verdicts: list[Verdict | Exception] = [unreliable(risk=0.9), VerifierError(Cause.CONNECT)]
    outcome = Hand([BAD, "second"], verdicts).play(job(rules(on_unreliable=REGENERATE_ONCE)))
    assert (outcome.action, outcome.text) == (Action.FLAG, "second")
    assert outcome.cause is Cause.CONNECT


def test_fallback_sends_the_same_request_to_another_model() -> None:
    hand = Hand([BAD, GOOD], [unreliable(), reliable()])
    outcome = hand.play(job(rules(on_unreliable=[{"do": "fallback", "model": "strong"}, "block"])))
    assert (outcome.action, outcome.text, outcome.attempts[1].model) == (Action.FALLBACK, GOOD, "strong")
    assert (hand.drafts()[1].conversation, hand.drafts()[1].model) == (ASKED, "strong")


def test_another_verdict_brings_its_own_rule() -> None:
    policy = rules(on_unreliable=REGENERATE_ONCE, on_unknown="block")
    outcome = Hand([BAD, "?"], [unreliable(), unknown()]).play(job(policy))
    assert outcome.action is Action.BLOCK


@pytest.mark.parametrize("cause", list(Cause))
def test_no_verdict_is_never_a_pass(cause: Cause) -> None:
    outcome = Hand([GOOD], [VerifierError(cause)]).play(job(rules(on_error={cause.value: "block", "default": "flag"})))
    assert (outcome.action, outcome.cause) == (Action.BLOCK, cause)
    other = Hand([GOOD], [VerifierError(cause)]).play(job(rules(on_error={"default": "flag"})))
    assert (other.action, other.text, other.verdict and other.verdict.status) == (
        Action.FLAG,
        GOOD,
        Status.ERROR,
    )


def test_a_cause_named_by_the_policy_goes_before_the_rule_for_unknown() -> None:
    policy = rules(on_unknown="flag", on_error={"no_evidence": "block", "default": "flag"})
    assert Hand([GOOD], [unknown()]).play(job(policy)).action is Action.BLOCK


def test_a_failed_regeneration_loses_nothing() -> None:
    outcome = Hand([BAD, RuntimeError("HTTP 503")], [unreliable()]).play(job(rules(on_unreliable=REGENERATE_ONCE)))
    assert (outcome.action, outcome.text) == (Action.FLAG, BAD)
    assert outcome.notes == ("could not regenerate: HTTP 503",)


def test_a_failure_without_words_is_told_by_its_name() -> None:
    outcome = Hand([BAD, TimeoutError()], [unreliable()]).play(job(rules(on_unreliable=REGENERATE_ONCE)))
    assert outcome.notes == ("could not regenerate: TimeoutError",)


def test_an_llm_that_fails_at_once_is_not_asked_as_fast_as_it_can() -> None:
    step = {"do": "regenerate", "stop": {"after_delay": "60s"}}
    hand = Hand([BAD, *[RuntimeError("HTTP 503")] * 3], [unreliable()])
    assert hand.play(job(rules(on_unreliable=[step]))).action is Action.FLAG
    assert len(hand.drafts()) == 2


def test_a_mount_that_cannot_generate_says_so_and_goes_on() -> None:
    policy = rules(on_unreliable=[*REGENERATE_ONCE, "block"])
    outcome = Hand([], [unreliable()]).play(job(policy, turn=Turn(BAD), cannot_generate="the request is signed"))
    assert outcome.action is Action.BLOCK
    assert outcome.notes == ("could not regenerate: the request is signed",)


@pytest.mark.parametrize("turn", [Turn(""), Turn(" \n"), Turn("", refusal="I cannot.")])
def test_an_answer_that_says_nothing_is_not_judged(turn: Turn) -> None:
    outcome = Hand([], []).play(job(rules(on_unreliable="block"), turn=turn))
    assert (outcome.action, outcome.turn) == (Action.PASS, turn)


def test_waits_between_regenerations_are_effects_in_tenacitys_measure() -> None:
    step = {
        "do": "regenerate",
        "stop": {"after_attempt": 4},
        "wait": {"incrementing": {"start": "1s", "increment": "2s"}},
    }
    hand = Hand(["a"] * 4, [unreliable()] * 4)
    hand.play(job(rules(on_unreliable=[step], budget={"added": "60s"})))
    assert [effect.seconds for effect in hand.effects if isinstance(effect, Sleep)] == [1.0, 3.0, 5.0]


def test_a_wait_that_the_budget_does_not_outlast_is_not_begun() -> None:
    hand = Hand(["a"], [unreliable()], verifying=1.0)
    step = {"do": "regenerate", "wait": {"fixed": "3s"}}
    outcome = hand.play(job(rules(on_unreliable=[step, "flag"], budget={"added": "4s"})))
    assert not [effect for effect in hand.effects if isinstance(effect, Sleep)]
    assert outcome.added == pytest.approx(1000)
    assert "could not regenerate: a wait of 3 s would outlast the budget" in outcome.notes


def test_a_minute_of_regenerations_is_played_in_no_time_and_stops_by_tenacitys_clock() -> None:
    step = {"do": "regenerate", "stop": {"after_delay": "60s"}, "wait": {"fixed": "5s"}}
    hand = Hand(["a"] * 20, [unreliable()] * 20, generating=9.0, verifying=1.0)
    outcome = hand.play(job(rules(on_unreliable=[step], budget={"added": "10m"})))
    # Each goes 5 s of waiting, 9 s of generating, 1 s of verifying: 15, 30, 45, 60 s.
    assert len(outcome.attempts) == 5
    assert outcome.added == pytest.approx(61_000)


def test_the_budget_bounds_every_effect_and_ends_the_loop() -> None:
    step = {"do": "regenerate", "stop": {"after_attempt": 10}}
    hand = Hand(["a"] * 10, [unreliable()] * 10, generating=4.0, verifying=1.0)
    outcome = hand.play(job(rules(on_unreliable=[step], budget={"added": "12s"})))
    left = [effect.check.remaining for effect in hand.effects if isinstance(effect, Verify)]
    assert left == [12.0, 7.0, 2.0]
    assert [draft.remaining for draft in hand.drafts()] == [None, 11.0, 6.0, 1.0]
    assert outcome.action is Action.FLAG
    assert outcome.attempts[-1].verdict.cause is Cause.BUDGET


def test_the_total_budget_counts_from_the_start() -> None:
    hand = Hand([GOOD], [reliable()], generating=3.0, verifying=1.0)
    hand.play(job(rules(budget={"added": "60s", "total": "10s"})))
    assert [draft.remaining for draft in hand.drafts()] == [10.0]
    assert [effect.check.remaining for effect in hand.effects if isinstance(effect, Verify)] == [7.0]


def test_time_spent_before_the_answer_was_at_hand_is_not_added_by_the_guard() -> None:
    outcome = Hand([], [reliable()], verifying=0.25).play(job(rules(), turn=Turn(GOOD), elapsed=30.0))
    assert outcome.added == pytest.approx(250)


def test_a_timeout_that_is_the_budgets_doing_is_called_so() -> None:
    hand = Hand([GOOD], [VerifierError(Cause.TIMEOUT)], verifying=5.0)
    assert hand.play(job(rules(budget={"added": "5s"}))).cause is Cause.BUDGET


def test_shadow_decides_and_reports_but_releases_the_first_answer() -> None:
    outcome = Hand([BAD], [unreliable()]).play(job(rules(on_unreliable="block"), mode="shadow"))
    assert (outcome.action, outcome.text, outcome.turn, outcome.mode) == (
        Action.BLOCK,
        BAD,
        Turn(BAD),
        "shadow",
    )


def test_unsampled_turns_are_not_verified_and_say_so() -> None:
    outcome = Hand([BAD], []).play(job(rules(), mode="unsampled"))
    assert (outcome.action, outcome.text, outcome.verdict, outcome.mode) == (
        Action.PASS,
        BAD,
        None,
        "unsampled",
    )


def test_the_threshold_of_the_policy_reads_the_verdict() -> None:
    strict = rules(verify={"threshold": {"risk": 0.3, "chosen_on": "a test"}}, on_unreliable="block")
    assert Hand([GOOD], [reliable(risk=0.4)]).play(job(strict)).action is Action.BLOCK
    lenient = rules(verify={"threshold": {"risk": 0.7, "chosen_on": "a test"}}, on_unreliable="block")
    assert Hand([GOOD], [unreliable(risk=0.6)]).play(job(lenient)).action is Action.PASS


def test_every_step_is_told_in_order() -> None:
    hand = Hand([BAD, GOOD], [unreliable(), reliable()])
    hand.play(job(rules(on_unreliable=REGENERATE_ONCE)))
    told = [type(effect.event) for effect in hand.effects if isinstance(effect, Tell)]
    once = [TurnGenerated, VerdictGiven, ActionTaken]
    assert told == [*once, *once, OutcomeReady]


def test_tokens_beyond_the_first_answer_are_counted() -> None:
    spent = Verdict(Status.UNRELIABLE, risk=1.0, usage=Usage(10, 1))
    outcome = Hand([BAD, GOOD], [spent, reliable()]).play(job(rules(on_unreliable=REGENERATE_ONCE)))
    assert outcome.usage == Usage(11, 3)


def test_closing_the_flow_midway_leaves_it_closed() -> None:
    flow = guard_turn(job(rules(on_unreliable=REGENERATE_ONCE), turn=Turn(BAD)))
    effect: Effect = next(flow)
    while not isinstance(effect, Generate):
        effect = flow.send(Done(unreliable() if isinstance(effect, Verify) else None, 0.0))
    flow.close()
    with pytest.raises(StopIteration):
        next(flow)


VERDICTS = st.one_of(
    st.floats(0, 1).map(lambda risk: reliable(risk)),
    st.floats(0, 1).map(lambda risk: unreliable(risk=risk)),
    st.just(unknown()),
    st.sampled_from(Cause).map(VerifierError),
)
AGAIN = st.one_of(
    st.integers(2, 4).map(lambda n: {"do": "regenerate", "stop": {"after_attempt": n}}),
    st.integers(2, 3).map(lambda n: {"do": "fallback", "model": "m", "stop": {"after_attempt": n}}),
)
LAST = st.sampled_from([[], ["flag"], ["block"], ["pass"]])
STEPS = st.tuples(st.lists(AGAIN, max_size=2), LAST).map(lambda parts: [*parts[0], *parts[1]]).filter(bool)


@given(st.lists(VERDICTS, min_size=40, max_size=40), STEPS, STEPS, STEPS)
def test_any_policy_ends_and_the_outcome_is_what_it_says(
    verdicts: list[Verdict | Exception], bad: list[object], unsure: list[object], error: list[object]
) -> None:
    policy = rules(on_unreliable=bad, on_unknown=unsure, on_error={"default": error})
    outcome = Hand([f"answer {n}" for n in range(40)], verdicts).play(job(policy))
    assert 1 <= len(outcome.attempts) < 40
    if outcome.action is Action.BLOCK:
        assert (outcome.turn, outcome.text) == (None, policy.messages.blocked)
    else:
        assert outcome.turn is not None
        assert outcome.text == outcome.turn.text
        assert any(attempt.turn is outcome.turn for attempt in outcome.attempts)
    if outcome.action in (Action.PASS, Action.REGENERATE, Action.FALLBACK):
        assert outcome.verdict is not None
        assert outcome.verdict.status is Status.RELIABLE or "pass" in [*bad, *unsure, *error]


def test_the_loop_is_tenacitys_own() -> None:
    step = rules(on_unreliable=[{"do": "regenerate", "stop": {"after_attempt": 3}}]).on_unreliable[0]
    assert step.stop is not None
    assert isinstance(step.stop.build(), tenacity.stop.stop_base)
    assert Budget().total is None
