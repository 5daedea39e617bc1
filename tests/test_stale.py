"""A verifier that is not the one a threshold was calibrated for is told, and never silently asked."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from guardrail import Guard
from guardrail.cli.group import cli
from guardrail.errors import PolicyError
from guardrail.logs import forgotten
from guardrail.outcome import Outcome
from guardrail.policy.loading import load
from guardrail.policy.model import Calibrated, Policy, Target
from guardrail.testing import ScriptedVerifier, reliable
from guardrail.verifiers.embedded import EmbeddedVerifier

MESSAGES = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]


def calibrated(verifier: str, version: str) -> dict[str, Any]:
    return {
        "target": {"missed": 0.1},
        "confidence": 0.9,
        "observed": 0.05,
        "bound": 0.09,
        "n": 100,
        "data": "abc",
        "verifier": verifier,
        "version": version,
    }


def policy(verifier: str = "scripted", version: str = "1", **rules: Any) -> Policy:
    threshold = {"risk": 0.4, "calibrated": calibrated(verifier, version)}
    return load({"version": 1, "policies": {"default": {"verify": {"threshold": threshold}, **rules}}})


@pytest.fixture(autouse=True)
def nothing_said() -> Iterator[None]:
    with forgotten():
        yield


async def ask(guard: Guard, sync: bool) -> Outcome:
    return guard.check(MESSAGES) if sync else await guard.acheck(MESSAGES)


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize(("verifier", "version"), [("scripted", "0"), ("other", "1")])
async def test_every_outcome_says_so_and_the_logger_once(
    sync: bool, verifier: str, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "guardrail"):
        guards = [
            Guard(policy(verifier, version), verifiers={"main": ScriptedVerifier(reliable(), repeat=True)})
            for _ in "ab"
        ]
        outcomes = [await ask(guard, sync) for guard in guards for _ in "ab"]
    said = f"calibrated for the verifier '{verifier} {version}', but 'scripted 1' is asked"
    assert [sum(said in note for note in outcome.notes) for outcome in outcomes] == [1, 1, 1, 1]
    assert sum(said in message for message in caplog.messages) == 1


@pytest.mark.parametrize("sync", [True, False])
async def test_the_verifier_that_was_calibrated_needs_no_note(sync: bool, caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard(policy(), verifiers={"main": ScriptedVerifier(reliable(), repeat=True)})
    outcome = await ask(guard, sync)
    assert not any("calibrated" in text for text in (*outcome.notes, *caplog.messages))


def test_only_outcomes_of_the_rules_in_question_say_so() -> None:
    threshold = {"risk": 0.4, "calibrated": calibrated("other", "1")}
    rules = {"other": {"verify": {"threshold": threshold}}}
    found = load({"version": 1, "policies": rules, "routes": [{"match": {"model": "x"}, "policy": "other"}]})
    guard = Guard(found, verifiers={"main": ScriptedVerifier(reliable(), repeat=True)})
    assert not any("calibrated" in note for note in guard.check(MESSAGES).notes)


def test_validate_tells_of_another_embedded_model(tmp_path: Path) -> None:
    for version, told in ((EmbeddedVerifier().version, False), ("000000000000", True)):
        file = tmp_path / "guardrail.json"
        file.write_text(json.dumps(policy("embedded", version).dump()))
        result = CliRunner().invoke(cli, ["policy", "validate", str(file)])
        assert result.exit_code == 0, result.output
        assert ("policies.default.verify.threshold: the threshold was calibrated" in result.output) == told


def test_a_policy_is_the_same_after_dumping_and_without_a_calibration_nothing_is_dumped() -> None:
    assert load(policy().dump()) == policy()
    assert "calibrated" not in Policy().dump()["policies"]["default"]["verify"]["threshold"]


@pytest.mark.parametrize("target", [{}, {"missed": 0.1, "false_block": 0.1}, {"missed": 0.0}, {"missed": 1}])
def test_a_target_is_one_rate_between_0_and_1(target: dict[str, float]) -> None:
    with pytest.raises(PolicyError):
        Target(**target)


def test_a_calibration_is_read_strictly() -> None:
    with pytest.raises(PolicyError, match="unknown key 'verison'; did you mean 'version'"):
        Calibrated(**{**calibrated("a", "1"), "verison": "2"})
