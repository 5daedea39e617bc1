"""Every sample of a judge's raw output is read, by the dialect that is configured, as the verdict that it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from guardrail.errors import ConfigError, VerifierError
from guardrail.verdict import Cause, Status
from guardrail.verifiers.dialect_names import REFUSED
from guardrail.verifiers.dialects import DIALECTS, dialect_named
from tests.verifiers.asking import check

SAMPLES = Path(__file__).parents[2].parent / "shared" / "contract" / "fixtures" / "dialects.json"
ROWS: list[dict[str, Any]] = json.loads(SAMPLES.read_text(encoding="utf-8")) if SAMPLES.is_file() else []
pytestmark = pytest.mark.skipif(not ROWS, reason="the contract's fixtures (../shared/contract) are not here")

NAMES = {"kluster_text": "kluster", "kluster_json": "kluster"}
"""Two forms of one dialect."""
READ = [row for row in ROWS if row["dialect"] not in REFUSED]
NOT_READ = [row for row in ROWS if row["dialect"] in REFUSED]


def test_every_dialect_but_our_own_has_a_sample_and_every_sample_is_read_or_refused() -> None:
    sampled = {NAMES.get(row["dialect"], row["dialect"]) for row in READ}
    assert sampled == {dialect.name for dialect in DIALECTS} - {"structured"}
    assert {row["dialect"] for row in NOT_READ} == REFUSED.keys()


@pytest.mark.parametrize("row", READ, ids=lambda row: f"{row['dialect']}: {row['output'][:30]!r}")
def test_a_sample_is_read_as_the_verdict_that_it_is(row: dict[str, Any]) -> None:
    dialect = dialect_named(NAMES.get(row["dialect"], row["dialect"]))
    if row["hallucination"] is None:
        with pytest.raises(VerifierError) as caught:
            dialect.read(row["output"], "stop", check=check())
        assert caught.value.cause is Cause.UNPARSABLE
        with pytest.raises(VerifierError) as caught:
            dialect.read(row["output"], "length", check=check())
        assert caught.value.cause is Cause.TRUNCATED
    else:
        reading = dialect.read(row["output"], "stop", check=check())
        assert (reading.status is Status.UNRELIABLE) == row["hallucination"]
        assert reading.status in (Status.UNRELIABLE, Status.RELIABLE)


@pytest.mark.parametrize("row", NOT_READ, ids=lambda row: str(row["dialect"]))
def test_a_judge_of_something_else_is_refused_by_name(row: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=row["dialect"]):
        dialect_named(row["dialect"])


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_no_dialect_reads_the_output_of_a_judge_of_safety(dialect: Any) -> None:
    for row in NOT_READ:
        if isinstance(row["output"], str):
            with pytest.raises(VerifierError):
                dialect.read(row["output"], "stop", check=check())
