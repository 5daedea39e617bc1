"""The former home of `guardrail.grounding`.

Loading a module of this name hides the public ``guardrail.evidence(docs)``, so nothing in the library
should import it; it goes once nothing does.
"""

from __future__ import annotations

from guardrail.grounding import as_evidence, collect, missing_note

__all__ = ["as_evidence", "collect", "missing_note"]
