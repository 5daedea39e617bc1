"""The names of dialects, and the names of judges that have none. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

__all__ = ["REFUSED", "DialectName", "refusal"]

DialectName: TypeAlias = Literal[
    "kluster",
    "structured",
    "lynx",
    "minicheck",
    "granite_3.0",
    "granite_3.2",
    "granite_3.3",
    "granite_4.1",
    "selene",
    "flow_judge",
    "prometheus",
    "glider",
]
"""What policies call the dialects that there are."""

_SAFETY = (
    "judges whether text is safe, not whether evidence supports it: name a judge of reliability, "
    "such as lynx, minicheck or structured"
)
_API = "is a service with an API of its own, not a judge by chat: "
_ENCODER = "is a classifier without chat: "
_LOCAL = "name the embedded verifier (kind: embedded), which works alike"

REFUSED: Mapping[str, str] = {
    "llama_guard": _SAFETY,
    "qwen3guard": _SAFETY,
    "shieldgemma": _SAFETY,
    "wildguard": _SAFETY,
    "azure_groundedness": f"{_API}put a verifier of your own in front of it",
    "openai_guardrails": (
        "is a library that reads files which OpenAI stores, not a judge by chat: "
        "ask the LLM behind it by 'structured', with the evidence at hand"
    ),
    "hhem": _ENCODER + _LOCAL,
    "lettucedetect": _ENCODER + _LOCAL,
}
"""Names that will not become dialects: why, and what to do instead."""


def refusal(name: str) -> str | None:
    """Why there is no dialect ``name``, and the remedy; None unless it is one of `REFUSED`."""
    return f"the dialect {name!r} is refused: it {REFUSED[name]}" if name in REFUSED else None
