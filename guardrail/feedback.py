"""What the LLM is told about its rejected draft. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from guardrail.conversation import Evidence
from guardrail.verdict import Finding, FindingKind, Verdict

__all__ = ["CONTINUE_TEMPLATE", "DEFAULT_TEMPLATE", "UNSURE_TEMPLATE", "write_continuation", "write_feedback"]

DEFAULT_TEMPLATE = """\
Your last answer was checked against the given material, and was not accepted:
{findings}
Now answer the question again, from the given material alone. If the material does not tell, answer that it does not. \
Write only the new answer."""

UNSURE_TEMPLATE = """\
You were asked the same several times more, and did not answer the same. Of your last answer:
{findings}
Now answer the question again. State only what you are sure of; where you are not sure, say so. Write only the new \
answer."""
"""Where the answer was held against nothing but further answers: there is no material to answer from."""

CONTINUE_TEMPLATE = """\
Your answer so far, as it stands above, was accepted and is shown to the user. What you went on with was checked \
against the given material, and was not accepted:
{findings}
Go on from exactly where the answer above ends, from the given material alone. Leave out what the material does not \
tell, or say that it does not. Do not repeat the answer above, do not comment on it, and do not begin anew. Write only \
what follows."""
_ONLY_CONTINUE = """\
The answer above is shown to the user as far as it goes. Go on from exactly where it ends, without repeating any of \
it. Write only what follows."""

_SAID = {
    FindingKind.CONTRADICTED: "is contradicted by the given material",
    FindingKind.UNSUPPORTED: "is not supported by the given material",
    FindingKind.NUMBER: "has a number that the given material does not bear out",
    FindingKind.DATE: "has a date that the given material does not bear out",
    FindingKind.QUANTITY: "has a quantity that the given material does not bear out",
    FindingKind.NAME: "has a name that the given material does not bear out",
    FindingKind.QUOTATION: "quotes words that are not in the given material",
    FindingKind.CITATION: "cites a source that does not say so",
}
_DIFFERS = "is not what you say each time"
_LONGEST = 400
"""Characters of any one quotation: the draft itself is in the prompt already."""


def write_feedback(verdict: Verdict, template: str | None = None) -> str:
    """The feedback for ``verdict``; ``{findings}`` in ``template`` stands for the list of them."""
    return _filled(template or (UNSURE_TEMPLATE if _sampled(verdict.evidence) else DEFAULT_TEMPLATE), verdict)


def write_continuation(verdict: Verdict | None, template: str | None = None) -> str:
    """The same where the answer has been shown as far as it was good: the LLM is to go on after that.

    None as a ``verdict``: another LLM goes on, which has nothing to learn from it.
    """
    if verdict is None:
        return _ONLY_CONTINUE
    if template is None:
        return _filled(CONTINUE_TEMPLATE, verdict)
    return f"{_filled(template, verdict)}\n{_ONLY_CONTINUE}"


def _filled(template: str, verdict: Verdict) -> str:
    lines = [_line(finding) for finding in verdict.findings] or [_without_findings(verdict)]
    return template.replace("{findings}", "\n".join(lines))


def _line(finding: Finding) -> str:
    sampled = _sampled(finding.evidence)
    line = f'- "{_short(finding.text)}" {_DIFFERS if sampled else _SAID[finding.kind]}'
    if finding.explanation:
        line += f" ({_short(finding.explanation)})"
    if finding.evidence and not sampled:  # what was made up once more would only be taken over
        line += f', which says: "{_short(finding.evidence[0].text)}"'
    return line


def _sampled(evidence: Sequence[Evidence]) -> bool:
    return bool(evidence) and all(piece.origin == "sample" for piece in evidence)


def _without_findings(verdict: Verdict) -> str:
    return f"- {_short(verdict.explanation)}" if verdict.explanation else "- It could not be confirmed."


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
