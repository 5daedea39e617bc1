"""An HTTP answer of a judge: what it is, and how much of it is read."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from guardrail.errors import VerifierError
from guardrail.verdict import Cause
from guardrail.verifiers.deadlines import Deadline
from guardrail.verifiers.status import cause_of, retry_after

__all__ = ["Reply", "add"]

_LARGEST = 4 * 1024 * 1024
"""Bytes of a reply: a verdict is short, and nobody gets to fill the memory."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def error(self) -> VerifierError:
        """What an answer with a status other than 200 amounts to."""
        wait = retry_after(self.headers, time.time())
        return VerifierError(cause_of(self.status), f"HTTP status {self.status}", retry_after=wait)


def add(content: bytearray, piece: bytes, deadline: Deadline) -> None:
    """Add the next piece of a reply's body. Raises `VerifierError` ``timeout``, or ``unparsable`` beyond the bound."""
    deadline.left()
    content += piece
    if len(content) > _LARGEST:
        raise VerifierError(Cause.UNPARSABLE, f"the reply is longer than {_LARGEST} bytes")
