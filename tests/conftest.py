"""What all tests share."""

from __future__ import annotations

import pytest
from guardrail import given
from hypothesis import settings

settings.register_profile("ci", deadline=None, print_blob=True)
settings.load_profile("ci")


@pytest.fixture(autouse=True)
def _no_evidence_left_over() -> None:
    """Evidence given in one test must not reach another."""
    assert given.given() == ()
