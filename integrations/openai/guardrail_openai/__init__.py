"""guardrail for OpenAI clients: a guarded HTTP layer below the SDK, so that every surface above it is the
SDK's own."""

from guardrail_openai.adapter import adapter
from guardrail_openai.errors import OpenAIBlockedError, OpenAIInputError, OpenAIUnguardedError

__all__ = ["OpenAIBlockedError", "OpenAIInputError", "OpenAIUnguardedError", "adapter"]
