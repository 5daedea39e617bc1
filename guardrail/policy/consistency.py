"""Further answers of the application's own LLM to hold an answer against, as a policy names them. Pure."""

from __future__ import annotations

from typing import Literal

from guardrail.policy.durations import SomeSeconds
from guardrail.policy.judges import BOX, Name
from guardrail.policy.part import Count, Few, Maybe, Part, Share, Temperature

__all__ = ["ConsistencySpec"]


class ConsistencySpec(Part):
    """Further answers of the application's own LLM, for when there is no evidence."""

    kind: Literal["consistency"] = "consistency"
    samples: Few = 5
    """How many further answers are drawn."""
    verifier: Name = BOX
    """The name of the verifier that holds the answer against one of them; ``embedded`` is always there."""
    temperature: Temperature = 1.0
    """That they are drawn at."""
    max_tokens: Maybe[Count] = None
    """Of each at most; none: as many as the answer has, and a few."""
    concurrency: Maybe[Count] = None
    """How many are drawn at once; none: all."""
    timeout: SomeSeconds = 15.0
    """For drawing them; what has not come by then is left out."""
    logprobs: Share = 0.0
    """The weight in the risk of the probabilities of the answer's own tokens, where it carries them."""
    fallback: Maybe[Name] = None
    """The name of the verifier that is asked when this one gives no verdict."""
