"""guardrail: a reliability layer between an application's LLM and its user.

    import guardrail
    from openai import OpenAI

    client = guardrail.wrap(OpenAI())
    answer = client.chat.completions.create(model=..., messages=...)
    guardrail.report(answer)

Names are imported when they are first used, so that ``import guardrail`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardrail.action import Action as Action
    from guardrail.conversation import Evidence as Evidence
    from guardrail.conversation import Message as Message
    from guardrail.conversation import ToolCall as ToolCall
    from guardrail.conversation import Turn as Turn
    from guardrail.errors import BlockedError as BlockedError
    from guardrail.errors import ConfigError as ConfigError
    from guardrail.errors import GuardrailError as GuardrailError
    from guardrail.errors import InputError as InputError
    from guardrail.errors import MissingExtra as MissingExtra
    from guardrail.errors import NoReport as NoReport
    from guardrail.errors import PolicyError as PolicyError
    from guardrail.errors import VerifierError as VerifierError
    from guardrail.events import Listener as Listener
    from guardrail.flow import Draft as Draft
    from guardrail.flow import Generated as Generated
    from guardrail.given import evidence as evidence
    from guardrail.guard import First as First
    from guardrail.guard import Guard as Guard
    from guardrail.outcome import Attempt as Attempt
    from guardrail.outcome import Outcome as Outcome
    from guardrail.policy.loading import load as load_policy
    from guardrail.policy.model import Policy as Policy
    from guardrail.policy.model import Rules as Rules
    from guardrail.policy.model import Step as Step
    from guardrail.policy.routing import RequestInfo as RequestInfo
    from guardrail.reports import report as report
    from guardrail.verdict import Cause as Cause
    from guardrail.verdict import Finding as Finding
    from guardrail.verdict import FindingKind as FindingKind
    from guardrail.verdict import Status as Status
    from guardrail.verdict import Usage as Usage
    from guardrail.verdict import Verdict as Verdict
    from guardrail.verifiers.plugins import verifier as verifier
    from guardrail.verifiers.protocol import Check as Check
    from guardrail.verifiers.protocol import Verifier as Verifier
    from guardrail.wrapping import wrap as wrap

__version__ = "0.1.0"

_HOMES = {
    "guardrail.action": ("Action",),
    "guardrail.conversation": ("Evidence", "Message", "ToolCall", "Turn"),
    "guardrail.errors": (
        "BlockedError",
        "ConfigError",
        "GuardrailError",
        "InputError",
        "MissingExtra",
        "NoReport",
        "PolicyError",
        "VerifierError",
    ),
    "guardrail.events": ("Listener",),
    "guardrail.flow": ("Draft", "Generated"),
    "guardrail.given": ("evidence",),
    "guardrail.guard": ("First", "Guard"),
    "guardrail.outcome": ("Attempt", "Outcome"),
    "guardrail.policy.loading": ("load_policy",),
    "guardrail.policy.model": ("Policy", "Rules", "Step"),
    "guardrail.policy.routing": ("RequestInfo",),
    "guardrail.reports": ("report",),
    "guardrail.verdict": ("Cause", "Finding", "FindingKind", "Status", "Usage", "Verdict"),
    "guardrail.verifiers.plugins": ("verifier",),
    "guardrail.verifiers.protocol": ("Check", "Verifier"),
    "guardrail.wrapping": ("wrap",),
}
"""Which module each public name is taken from; a test holds it against the imports above."""

_ALIASES = {"load_policy": "load"}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

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
    "verifier",
    "wrap",
]


if not TYPE_CHECKING:  # a type checker that saw it would take any name for a public one

    def __getattr__(name: str) -> object:
        """Import a public name when it is first asked for (PEP 562), and keep it."""
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value: object = getattr(import_module(_HOME[name]), _ALIASES.get(name, name))
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
