"""`Recent`: a table that forgets its oldest entries."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

__all__ = ["Recent"]

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """The newest ``capacity`` values by name. Safe between threads."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._values: OrderedDict[str, Value] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, value: Value, *names: str | None) -> None:
        """Remember ``value`` under each of ``names``; None and empty names are left out."""
        with self._lock:
            for name in names:
                if name:
                    self._values[name] = value
                    self._values.move_to_end(name)
            while len(self._values) > self._capacity:
                self._values.popitem(last=False)

    def find(self, name: str) -> Value | None:
        """The value of ``name``; None where it is not known, or not any more."""
        with self._lock:
            return self._values.get(name)
