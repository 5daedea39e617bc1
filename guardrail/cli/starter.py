"""The policy file that ``guardrail policy init`` writes. Pure."""

from __future__ import annotations

__all__ = ["starter"]

_STARTER = """\
# A policy of guardrail: how answers are checked, and what is done about them.
#   guardrail policy validate FILE   says whether this file can be used
#   guardrail policy show FILE       shows it with every setting
version: 1

# What to build on:
#   observe    flags what is not known to be reliable, changes nothing
#   balanced   asks the LLM once more about an unreliable answer, then flags
#   strict     asks twice more, then blocks; blocks what cannot be verified
extends: {preset}

# How to check. Without this, the verifier in the box: offline, no key.
#: verifiers:
#:   main:
#:     kind: chat
#:     dialect: kluster                 # the hosted reliability model
#:     api_key: ${{KLUSTER_API_KEY}}      # always a reference, never the key itself
#:     timeout: 8s
#:     fallback: local                  # asked when main gives no verdict
#:   local:
#:     kind: embedded

# What to do. Steps are taken in order for as long as the answer stays bad.
#: policies:
#:   default:
#:     on_unreliable:
#:       - do: regenerate
#:         stop: {{after_attempt: 3}}     # the first answer counts as an attempt
#:       - flag
#:     on_unknown: flag
#:     on_error:
#:       timeout: flag
#:       default: flag
#:     budget:
#:       added: 20s                     # what guarding may add to the first answer
#:     messages:
#:       blocked: "I could not verify an answer to this."
#:   careful:
#:     on_unreliable: block
#:     on_unknown: block

# Where. The first route that fits counts; what fits none goes by `default`.
#: routes:
#:   - match: {{model: "gpt-*"}}
#:     policy: careful

# What must come of it. `guardrail policy test FILE` tries these offline, with the answers and verdicts written here.
#: tests:
#:   - name: a wrong answer is asked for again
#:     question: How long can I ask for a refund?
#:     context: Refunds are possible within 30 days of delivery.
#:     answers: [Within 60 days., Within 30 days.]
#:     verdicts: [unreliable, reliable]
#:     expect: {{action: regenerate, text: Within 30 days., attempts: 2}}
"""


def starter(preset: str) -> str:
    """A policy file that builds on ``preset``, with the rest of what can be set in comments."""
    return _STARTER.format(preset=preset).replace("#:", "#")
