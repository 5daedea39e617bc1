"""The user's own documents, as a policy names them: an index on the disk. Pure."""

from __future__ import annotations

from typing import Literal

from guardrail.policy.judges import BOX, Name
from guardrail.policy.part import Few, Maybe, Part

__all__ = ["KnowledgeSpec"]


class KnowledgeSpec(Part):
    """Your own documents as further evidence."""

    kind: Literal["knowledge"] = "knowledge"
    index: Name
    """The file that ``guardrail index`` has made, relative to the policy file."""
    top: Few = 5
    """How many passages the question, and each claim, may bring."""
    verifier: Name = BOX
    """The name of the verifier that holds the answer against them; ``embedded`` is always there."""
    fallback: Maybe[Name] = None
    """The name of the verifier that is asked when this one says unknown, or gives no verdict."""
