"""Errors that pass through the OpenAI SDK once and unchanged.

The SDK retries what it does not know and wraps it in an error of its own; an `OpenAIError` raised below it goes
straight to the caller. So what a guarded client raises is both.
"""

from __future__ import annotations

from openai import OpenAIError

from guardrail.errors import BlockedError, ConfigError, InputError

__all__ = ["OpenAIBlockedError", "OpenAIInputError", "OpenAIUnguardedError"]


class OpenAIBlockedError(BlockedError, OpenAIError):
    """`guardrail.BlockedError` as a guarded OpenAI client raises it; ``outcome`` holds everything."""


class OpenAIInputError(InputError, OpenAIError):
    """The ``guardrail`` field of a request cannot be used; nothing was sent."""


class OpenAIUnguardedError(ConfigError, OpenAIError):
    """A guarded client was asked for something whose answers cannot be guarded; nothing was sent."""
