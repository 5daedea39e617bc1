"""Packages with judges of their own, installed for a test: real entry points."""

from __future__ import annotations

from pathlib import Path

import pytest

__all__ = ["install"]

CODE = '''
from guardrail.verdict import Status, Verdict

class Judge:
    """Says what it was made to say."""

    id, version = "own", "1"

    def __init__(self, *, risk=0.0, token="", fail=False):
        if fail:
            raise RuntimeError("no luck")
        self.risk, self.token = risk, token

    def verify(self, check):
        return Verdict(Status.RELIABLE, risk=self.risk, explanation=f"token {self.token!r}")

def made(**options):
    return Judge(**options).verify

def none():
    return None

CONSTANT = 3
'''


def install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, entries: dict[str, str], *, name: str = "own_judges"
) -> None:
    """A distribution ``name`` with a module of that name, and these entry points in ``guardrail.verifiers``."""
    home = folder / name
    metadata = home / f"{name}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (home / f"{name}.py").write_text(CODE)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"{key} = {value}" for key, value in entries.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[guardrail.verifiers]", *lines, ""]))
    monkeypatch.syspath_prepend(home)
    monkeypatch.delitem(__import__("sys").modules, name, raising=False)
