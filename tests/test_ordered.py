"""Many at a time, in order."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.ordered import in_order


@given(st.lists(st.integers(), max_size=60), st.integers(1, 5))
def test_results_come_in_the_order_of_the_items(items: list[int], concurrency: int) -> None:
    assert list(in_order(lambda n: n + 1, items, concurrency=concurrency)) == [n + 1 for n in items]


def test_items_are_read_only_as_fast_as_they_are_worked_off() -> None:
    taken = 0

    def endless() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    results = in_order(lambda n: n, endless(), concurrency=2)
    assert [next(results) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert taken <= 5 + 2 * 4


def test_several_are_worked_on_at_once() -> None:
    barrier = threading.Barrier(3, timeout=10)
    assert list(in_order(lambda n: (barrier.wait(), n)[1], range(3), concurrency=3)) == [0, 1, 2]


def test_an_error_is_raised_in_its_place_and_ends_it() -> None:
    results = in_order(lambda n: 1 // n, [1, 0, 1], concurrency=2)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
