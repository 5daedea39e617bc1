"""What answers cost, in LangChain's words and in guardrail's. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.outputs import ChatResult

from guardrail.verdict import Usage
from guardrail.wire import exchange

__all__ = ["spent", "tokens_of", "total_output", "usage_of"]


def tokens_of(message: BaseMessage) -> UsageMetadata | None:
    """The tokens that ``message`` took, as far as its provider said."""
    return message.usage_metadata if isinstance(message, AIMessage) else None


def usage_of(message: BaseMessage) -> Usage | None:
    """The same as guardrail counts it."""
    tokens = tokens_of(message)
    return Usage(tokens["input_tokens"], tokens["output_tokens"]) if tokens else None


def spent(messages: Iterable[BaseMessage]) -> UsageMetadata | None:
    """The tokens of all ``messages``; None where no provider said any."""
    total: UsageMetadata | None = None
    for message in messages:
        if (tokens := tokens_of(message)) is not None:
            total = add_usage(total, tokens) if total else tokens
    return total


def total_output(output: Mapping[str, Any] | None, results: Iterable[ChatResult]) -> dict[str, Any] | None:
    """``output``, what a provider said of one result, with the tokens of all ``results``."""
    if not output or "token_usage" not in output:
        return None if output is None else dict(output)
    said = [{"usage": (result.llm_output or {}).get("token_usage")} for result in results]
    return {**output, "token_usage": exchange.add_usage(dict(said[0]), list(said[1:]))["usage"]}
