"""Data is known again by what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from guardrail.conversation import Evidence, Message, Turn
from guardrail.evaluate.fingerprint import data_digest, row_digest
from guardrail.verifiers.protocol import Check

CHECK = Check((Message("user", ("How tall?",)),), Turn("Tall."), (Evidence("It is tall.", "caller"),))
ROW = row_digest(CHECK, True)


def test_the_order_of_rows_is_none_of_the_data_but_their_number_is() -> None:
    other = row_digest(CHECK, False)
    assert data_digest([ROW, other]) == data_digest([other, ROW])
    assert len({data_digest([ROW]), data_digest([ROW, ROW]), data_digest([other]), data_digest([])}) == 4
    assert len(data_digest([ROW])) == 16


@pytest.mark.parametrize(
    "changed",
    [
        replace(CHECK, turn=Turn("Tall!")),
        replace(CHECK, conversation=(Message("user", ("How tall",)),)),
        replace(CHECK, evidence=(Evidence("It is small.", "caller"),)),
        replace(CHECK, evidence=()),
    ],
)
def test_every_part_of_a_row_counts(changed: Check) -> None:
    assert row_digest(changed, True) != ROW
    assert row_digest(CHECK, False) != ROW


def test_what_the_policy_asks_of_a_check_is_none_of_the_data() -> None:
    assert row_digest(replace(CHECK, threshold=0.3, remaining=5.0), True) == ROW
