"""Asking a model again for answers that nobody sees, to hold its first one against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.language_models import BaseChatModel

from guardrail.sampling import Sample
from guardrail_langchain.tools import without_tools
from guardrail_langchain.views import with_fields

__all__ = ["aside"]

_BOUNDS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict")
"""What providers' packages call the longest answer."""
_THE_SAME = ("seed", "logprobs", "top_logprobs")
"""What makes further answers the same as the first, or dearer."""


def aside(
    model: BaseChatModel, options: Mapping[str, Any], wish: Sample, spent: int
) -> tuple[BaseChatModel, dict[str, Any]]:
    """``model`` and ``options`` as ``wish`` has it, where the model has fields for that.

    ``spent``: the tokens that the first answer took; an LLM that thinks first needs room for that too.
    """
    known = type(model).model_fields
    fields: dict[str, Any] = {name: None for name in _THE_SAME if getattr(model, name, None)}
    if "temperature" in known:
        fields["temperature"] = wish.temperature
    bound = next((name for name in _BOUNDS if name in known), None)
    if bound is not None:
        own = getattr(model, bound)
        longest = max(wish.max_tokens, 2 * spent)
        fields[bound] = min(own, longest) if isinstance(own, int) and own > 0 else longest
    left = {key: value for key, value in options.items() if key not in (*_THE_SAME, *_BOUNDS, "temperature")}
    return with_fields(model, **fields), without_tools(model, left)
