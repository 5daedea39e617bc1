"""The embedded reliability model: offline, on the CPU."""

from guardrail.verifiers.embedded.verifier import EmbeddedVerifier

__all__ = ["EmbeddedVerifier"]
