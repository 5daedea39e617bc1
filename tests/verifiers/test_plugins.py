"""Judges by name: entry points, and ``module:Class`` in code."""

from __future__ import annotations

from pathlib import Path

import pytest

import guardrail
from guardrail.errors import ConfigError
from guardrail.verifiers.plugins import names, plugin
from tests.verifiers.asking import ask, both, check
from tests.verifiers.judges import install

ENTRIES = {
    "mine": "own_judges:Judge",
    "made": "own_judges:made",
    "nothing": "own_judges:none",
    "constant": "own_judges:CONSTANT",
    "gone": "own_judges:Gone",
}


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, ENTRIES)


@both
@pytest.mark.parametrize("name", ["mine", "made", "own_judges:Judge", "own_judges:made"])
def test_a_judge_is_made_by_name(name: str, how: str) -> None:
    verdict = ask(guardrail.verifier(name, risk=0.25), check(), how)
    assert verdict.risk == 0.25


def test_the_names_that_are_installed_are_known() -> None:
    assert set(ENTRIES) <= set(names())


WRONG = [
    ("mien", {}, "no installed package has a judge 'mien' .*; did you mean 'mine'"),
    ("zzz", {}, "there are constant, gone, made, mine, nothing"),
    ("gone", {}, r"the judge 'gone' \(own_judges:Gone\) cannot be imported: AttributeError"),
    ("constant", {}, "neither a class nor a function"),
    ("nothing", {}, "None is no judge"),
    ("mine", {"fail": True}, r"cannot be made with options fail: RuntimeError\('no luck'\)"),
    ("mine", {"color": 1}, "cannot be made with options color: TypeError"),
    ("own_judges:Gone", {}, "'own_judges:Gone' cannot be imported: AttributeError.*package.module:Class"),
    ("no_such_module:Judge", {}, "cannot be imported: ModuleNotFoundError"),
    (":Judge", {}, "cannot be imported: ValueError"),
]


@pytest.mark.parametrize(("name", "options", "words"), WRONG)
def test_what_cannot_be_made_says_why(name: str, options: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        guardrail.verifier(name, **options)


def test_a_policy_s_name_is_never_imported_as_code() -> None:
    with pytest.raises(ConfigError, match="no installed package has a judge 'own_judges:Judge'"):
        plugin("own_judges:Judge")


def test_two_packages_with_one_name_are_not_chosen_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, {"mine": "others:Judge"}, name="others")
    with pytest.raises(ConfigError, match="several packages have a judge 'mine': others, own_judges"):
        guardrail.verifier("mine")
