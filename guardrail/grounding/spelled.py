"""Documents spelled as Python spells them: a chain that puts its retriever's list into a prompt as it is.

``[Document(metadata={'source': 'refunds.md'}, page_content='...')]``, or ``page_content='...' metadata={...}``.
"""

from __future__ import annotations

import ast
import re

from guardrail.conversation import Evidence, Origin
from guardrail.grounding.documents import as_evidence

__all__ = ["spelled_out"]

_STRING = r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
_METADATA = r"(?P<{}>\{{[^{{}}]{{0,2000}}\}})"
_DOCUMENT = re.compile(
    rf"(?:\bDocument\((?:id={_STRING}, )?)?(?:metadata={_METADATA.format('before')},? )?"
    rf"page_content=(?P<text>{_STRING})(?:,? metadata={_METADATA.format('after')})?\)?",
    re.DOTALL,
)


def spelled_out(text: str, origin: Origin) -> tuple[tuple[Evidence, ...], str]:
    """The documents that stand in ``text`` in this form, and the text without them."""
    if "page_content=" not in text:
        return (), text
    found = [(match.span(), _document(match, origin)) for match in _DOCUMENT.finditer(text)]
    kept, done = [], 0
    for (start, end), document in found:
        if document is not None:
            kept.append(text[done:start])
            done = end
    return tuple(piece for _, piece in found if piece is not None), "".join([*kept, text[done:]])


def _document(match: re.Match[str], origin: Origin) -> Evidence | None:
    content = _value(match["text"])
    if not isinstance(content, str) or not content.strip():
        return None
    metadata = _value(match["before"] or match["after"] or "{}")
    return as_evidence({"text": content, "metadata": metadata if isinstance(metadata, dict) else {}}, origin)


def _value(spelled: str) -> object:
    """The literal, or None where it holds more than literals, such as a date."""
    try:
        return ast.literal_eval(spelled)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
