"""The demonstration shows what it says: every verdict is the embedded model's own."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from guardrail.cli.group import cli
from guardrail.demo.play import Played, play
from guardrail.demo.scenes import SCENES


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["demo", *args], catch_exceptions=False)


@pytest.fixture(scope="module")
def played() -> dict[str, Played]:
    return {result.scene.name: result for result in play(SCENES)}


@pytest.mark.parametrize(
    ("scene", "action", "attempts"),
    [
        ("flagged", "flag", 1),
        ("regenerated", "regenerate", 2),
        ("blocked", "block", 3),
        ("streamed", "regenerate", 2),
        ("outage", "flag", 1),
    ],
)
def test_each_scene_ends_as_its_title_says(played: dict[str, Played], scene: str, action: str, attempts: int) -> None:
    outcome = played[scene].outcome
    assert (outcome.action.value, len(outcome.attempts)) == (action, attempts)


def test_the_bad_sentence_is_the_one_that_is_marked(played: dict[str, Played]) -> None:
    assert [finding.text for finding in played["flagged"].outcome.findings] == ["It stands 65 metres tall."]


def test_nothing_of_a_rejected_draft_is_received(played: dict[str, Played]) -> None:
    for name in ("regenerated", "blocked", "streamed"):
        result = played[name]
        assert all(attempt.turn.text != result.received for attempt in result.outcome.attempts[:-1])
    assert played["blocked"].finish_reason == "content_filter"
    shown, said = played["streamed"].received, SCENES[3].drafts
    assert shown == f"Full-time employees receive 26 days of paid leave a year. {said[1]}"
    assert "never" not in shown


def test_an_outage_is_reported_with_its_cause(played: dict[str, Played]) -> None:
    assert played["outage"].outcome.cause is not None
    assert played["outage"].outcome.cause.value == "connect"
    assert played["outage"].received == SCENES[4].drafts[0]


def test_all_scenes_are_printed() -> None:
    result = run()
    assert result.exit_code == 0
    assert all(scene.title[:30] in result.output for scene in SCENES)
    assert ">>It stands" in result.output  # the place is marked, wherever the line is broken


def test_an_answer_of_ones_own_is_judged() -> None:
    result = run("--text", "The tower is 900 metres tall.", "--context", "The tower is 300 metres tall.", "--json")
    row = json.loads(result.output)
    assert (row["id"], row["verdict"]["status"]) == ("yours", "unreliable")


def test_context_without_text_is_a_usage_error() -> None:
    result = CliRunner().invoke(cli, ["demo", "--context", "x"])
    assert result.exit_code == 2
    assert "--text" in result.output
