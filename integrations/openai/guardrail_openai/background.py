"""What was asked for by responses that are still in the making: their answers come by another request."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardrail_openai.exchange import Exchange

__all__ = ["Background"]

_MOST = 1024
"""So many are remembered; the oldest go first."""


class Background:
    """Exchanges whose response was not ready, by the id of the response. Bounded; safe between threads."""

    def __init__(self) -> None:
        self._begun: OrderedDict[str, Exchange] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, id: str, exchange: Exchange) -> None:
        """Remember what the response ``id`` answers."""
        with self._lock:
            self._begun[id] = exchange
            while len(self._begun) > _MOST:
                self._begun.popitem(last=False)

    def find(self, id: str) -> Exchange | None:
        """The exchange that began the response ``id``; None where another process did, or long ago."""
        with self._lock:
            return self._begun.get(id)
