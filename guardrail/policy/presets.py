"""The presets: what to do, for those who have nothing to add. Pure."""

from __future__ import annotations

from guardrail.action import Action
from guardrail.errors import PolicyError
from guardrail.policy.model import Policy, Rules, Step, Stop
from guardrail.policy.problems import did_you_mean

__all__ = ["PRESETS", "preset", "rules"]

PRESETS = ("observe", "balanced", "strict")
"""Their names, from the mildest to the most severe."""


def rules(name: str) -> Rules:
    """The rules of the preset ``name``; `PolicyError` when there is none of that name.

    observe: everything is released, and flagged. balanced: an unreliable answer is regenerated
    once, then the least risky attempt is flagged; the rest is flagged. strict: an unreliable answer is
    regenerated twice, then blocked; so is what cannot be verified.
    """
    flag, block = (Step(do=Action.FLAG),), (Step(do=Action.BLOCK),)
    if name == "observe":
        return Rules(on_unreliable=flag, on_unknown=flag, on_error={"default": flag})
    if name == "balanced":
        again = Step(do=Action.REGENERATE, stop=Stop(after_attempt=2))
        return Rules(on_unreliable=(again, *flag), on_unknown=flag, on_error={"default": flag})
    if name == "strict":
        again = Step(do=Action.REGENERATE, stop=Stop(after_attempt=3))
        return Rules(on_unreliable=(again, *block), on_unknown=block, on_error={"default": block})
    near = did_you_mean(name, PRESETS) or f"; there are {', '.join(PRESETS)}"
    raise PolicyError(f"there is no preset {name!r}{near}")


def preset(name: str) -> Policy:
    """The preset ``name`` as a policy, with the embedded verifier; `PolicyError` when there is none."""
    return Policy(policies={"default": rules(name)})
