"""Evidence: what an answer can be held against, collected out of a conversation. Pure."""

from __future__ import annotations

from guardrail.evidence.collect import collect, missing_note
from guardrail.evidence.documents import as_evidence

__all__ = ["as_evidence", "collect", "missing_note"]
