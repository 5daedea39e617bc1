"""Cutting a conversation to what a verifier should be sent. Pure; never silent."""

from __future__ import annotations

from collections.abc import Sequence

from guardrail.conversation import Message

__all__ = ["trim"]


def trim(
    conversation: Sequence[Message], *, max_tokens: int, keep: Sequence[str]
) -> tuple[tuple[Message, ...], str | None]:
    """Not cut yet."""
    return tuple(conversation), None
