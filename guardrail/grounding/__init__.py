"""Evidence: what an answer can be held against, collected out of a conversation. Pure."""

from __future__ import annotations

from guardrail.grounding.collect import collect, missing_note
from guardrail.grounding.documents import as_evidence

__all__ = ["as_evidence", "collect", "missing_note"]
