"""The log-probabilities of an answer's tokens, in each API's words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TokenLogprobs", "listed", "parallel"]


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """Tokens and their natural-log probabilities, one for each."""

    tokens: tuple[str, ...]
    values: tuple[float, ...]


def listed(items: object) -> TokenLogprobs | None:
    """From a list of objects with ``token`` and ``logprob``, as chat completions and responses have them."""
    if not isinstance(items, list):
        return None
    known = [item for item in items if isinstance(item, dict)]
    return _paired([item.get("token") for item in known], [item.get("logprob") for item in known])


def parallel(tokens: object, values: object) -> TokenLogprobs | None:
    """From two lists, as the legacy completions have them. The first token of an echoed prompt has no value."""
    if not isinstance(values, list):
        return None
    names = tokens if isinstance(tokens, list) and len(tokens) == len(values) else [None] * len(values)
    return _paired(names, values)


def _paired(tokens: list[object], values: list[object]) -> TokenLogprobs:
    pairs = [
        (token if isinstance(token, str) else "", float(value))
        for token, value in zip(tokens, values, strict=True)
        if isinstance(value, int | float)
    ]
    return TokenLogprobs(tuple(token for token, _ in pairs), tuple(value for _, value in pairs))
