"""Calls spread over threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.verifiers.embedded.spread import spread


@pytest.fixture(scope="module")
def helpers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(3) as pool:
        yield pool


@given(items=st.lists(st.integers(), max_size=30), most=st.integers(1, 5))
def test_results_come_in_the_order_of_the_items(helpers: ThreadPoolExecutor, items: list[int], most: int) -> None:
    assert spread(lambda item: item + 1, items, helpers, most=most) == [item + 1 for item in items]


def test_as_many_threads_work_as_may_and_the_caller_is_one(helpers: ThreadPoolExecutor) -> None:
    together = threading.Barrier(3)
    names = spread(lambda _: (together.wait(30), threading.current_thread().name)[1], range(3), helpers, most=3)
    assert len(set(names)) == 3
    assert threading.current_thread().name in names


def test_helpers_that_are_busy_elsewhere_hold_nobody_up() -> None:
    free = threading.Event()
    with ThreadPoolExecutor(1) as busy:
        held = busy.submit(free.wait, 30)
        assert spread(str, range(5), busy, most=2) == list("01234")
        assert not held.done()
        free.set()


@pytest.mark.parametrize("error", [IndexError, KeyboardInterrupt])
def test_after_an_error_nothing_new_is_begun_and_the_error_is_raised(
    helpers: ThreadPoolExecutor, error: type[BaseException]
) -> None:
    begun: list[int] = []

    def call(item: int) -> None:
        begun.append(item)
        raise error

    with pytest.raises(error):
        spread(call, range(100), helpers, most=1)
    assert begun == [0]


def test_the_error_of_a_helper_reaches_the_caller(helpers: ThreadPoolExecutor) -> None:
    both, caller = threading.Barrier(2), threading.current_thread()

    def call(_: int) -> None:
        both.wait(30)
        if threading.current_thread() is not caller:
            raise ValueError("of a helper")

    with pytest.raises(ValueError, match="of a helper"):
        spread(call, range(2), helpers, most=2)
