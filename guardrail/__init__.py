"""guardrail: verify what an LLM says before its user sees it.

    import guardrail
    from openai import OpenAI

    client = guardrail.wrap(OpenAI())
    answer = client.chat.completions.create(model="gpt-4.1-mini", messages=[...])
    guardrail.report(answer)

Names are imported when they are first used, so that ``import guardrail`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardrail.action import Action
    from guardrail.conversation import Evidence, Message, ToolCall, Turn
    from guardrail.errors import (
        BlockedError,
        ConfigError,
        GuardrailError,
        InputError,
        MissingExtra,
        NoReport,
        PolicyError,
        VerifierError,
    )
    from guardrail.events import Listener
    from guardrail.flow import Draft, Generated
    from guardrail.given import evidence
    from guardrail.guard import First, Guard
    from guardrail.outcome import Attempt, Outcome
    from guardrail.policy.loading import load as load_policy
    from guardrail.policy.model import Policy, Rules, Step
    from guardrail.policy.routing import RequestInfo
    from guardrail.reports import report
    from guardrail.verdict import Cause, Finding, FindingKind, Status, Usage, Verdict
    from guardrail.verifiers.protocol import Check, Verifier
    from guardrail.wrapping import wrap

__version__ = "0.1.0"

_HOMES = {
    "action": ("Action",),
    "conversation": ("Evidence", "Message", "ToolCall", "Turn"),
    "errors": (
        "BlockedError",
        "ConfigError",
        "GuardrailError",
        "InputError",
        "MissingExtra",
        "NoReport",
        "PolicyError",
        "VerifierError",
    ),
    "events": ("Listener",),
    "flow": ("Draft", "Generated"),
    "given": ("evidence",),
    "guard": ("First", "Guard"),
    "outcome": ("Attempt", "Outcome"),
    "policy.loading": ("load_policy",),
    "policy.model": ("Policy", "Rules", "Step"),
    "policy.routing": ("RequestInfo",),
    "reports": ("report",),
    "verdict": ("Cause", "Finding", "FindingKind", "Status", "Usage", "Verdict"),
    "verifiers.protocol": ("Check", "Verifier"),
    "wrapping": ("wrap",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}
_NAMED_OTHERWISE = {"load_policy": "load"}

__all__ = [
    "Action",
    "Attempt",
    "BlockedError",
    "Cause",
    "Check",
    "ConfigError",
    "Draft",
    "Evidence",
    "Finding",
    "FindingKind",
    "First",
    "Generated",
    "Guard",
    "GuardrailError",
    "InputError",
    "Listener",
    "Message",
    "MissingExtra",
    "NoReport",
    "Outcome",
    "Policy",
    "PolicyError",
    "RequestInfo",
    "Rules",
    "Status",
    "Step",
    "ToolCall",
    "Turn",
    "Usage",
    "Verdict",
    "Verifier",
    "VerifierError",
    "__version__",
    "evidence",
    "load_policy",
    "report",
    "wrap",
]


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'guardrail' has no attribute {name!r}")
    value: object = getattr(import_module(f"guardrail.{home}"), _NAMED_OTHERWISE.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
