"""What is remembered, and for how long."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.cache import Cache, MemoryCache


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_was_put_is_found_again() -> None:
    cache: Cache[str] = MemoryCache(2)
    cache.put("a", "1")
    assert cache.get("a") == "1"
    assert cache.get("b") is None


def test_what_was_not_used_for_longest_is_forgotten_first() -> None:
    cache = MemoryCache[int](2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.get("a")
    cache.put("c", 3)
    assert [cache.get(name) for name in "abc"] == [1, None, 3]


def test_a_value_is_forgotten_when_its_time_is_over() -> None:
    clock = Clock()
    cache = MemoryCache[int](2, ttl=60, clock=clock)
    cache.put("a", 1)
    clock.now = 59.9
    assert cache.get("a") == 1
    clock.now = 60
    assert cache.get("a") is None
    assert len(cache) == 0


def test_a_value_that_is_larger_than_all_room_is_not_kept_and_drives_nothing_out() -> None:
    cache = MemoryCache[str](10, size=5, weigh=len)
    cache.put("small", "abc")
    cache.put("large", "abcdef")
    assert (cache.get("small"), cache.get("large"), cache.size) == ("abc", None, 3)


@given(st.lists(st.tuples(st.integers(0, 8), st.text(max_size=6)), max_size=60), st.integers(1, 4), st.integers(0, 12))
def test_it_never_holds_more_than_it_may_and_knows_what_it_weighs(
    puts: list[tuple[int, str]], entries: int, size: int
) -> None:
    cache = MemoryCache[str](entries, size=size, weigh=len)
    newest: dict[int, str] = {}
    for key, value in puts:
        cache.put(key, value)
        newest[key] = value
        held = {key: found for key in newest if (found := cache.get(key)) is not None}
        assert len(held) == len(cache) <= entries
        assert sum(map(len, held.values())) == cache.size <= size
        assert all(newest[key] == found for key, found in held.items())


def test_threads_share_it() -> None:
    cache = MemoryCache[int](50, size=500, weigh=lambda value: value % 7)

    def use(start: int) -> None:
        for step in range(2000):
            cache.put((start + step) % 90, step)
            cache.get(step % 90)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(8)))
    assert len(cache) <= 50
    assert cache.size == sum((cache.get(key) or 0) % 7 for key in range(90))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_begins_with_none_though_its_lock_was_held() -> None:
    cache = MemoryCache[int](5)
    cache.put("a", 1)
    with cache._lock:
        child = os.fork()
        if not child:
            empty = cache.get("a") is None
            cache.put("b", 2)
            os._exit(0 if empty and cache.get("b") == 2 else 1)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert cache.get("a") == 1
