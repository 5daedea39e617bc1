"""What the demonstration shows. Only the drafts of the LLM are scripted: every verdict is the model's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["SCENES", "Scene", "own_scene"]

_LIGHTHOUSE = """\
Answer from the document only.
<document title="Harbour guide">
The Korvane lighthouse was built in 1874 and stands 41 metres tall. Its lamp was converted to electricity
in 1931.
The lighthouse keeper's house is a museum today. It is open from April to October and closed on Mondays.
Entry costs 6 euros;
children under twelve enter free.
</document>"""

_LEAVE = """\
You answer questions of employees from the handbook.
<document title="Staff handbook, section 7">
Full-time employees receive 26 days of paid leave a year. Unused leave expires on 31 March of the following
year. Leave of more than
ten consecutive days needs the written approval of the department head.
</document>"""

_DOWN = "http://127.0.0.1:9/v1"
"""A port where nothing listens: the remote judge is down."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One call through a guarded client."""

    name: str
    title: str
    policy: str | Mapping[str, object]
    system: str
    question: str
    drafts: tuple[str, ...]
    point: str
    """What to look at."""
    stream: bool = False
    evidence: tuple[str, ...] = field(default=())


SCENES = (
    Scene(
        name="flagged",
        title="A wrong answer is flagged, and the bad sentence marked",
        policy="observe",
        system=_LIGHTHOUSE,
        question="Tell me about the Korvane lighthouse.",
        drafts=(
            "The Korvane lighthouse was built in 1874. It stands 65 metres tall. The keeper's house is a museum today.",
        ),
        point="Policy observe: the text is untouched, the report tells.",
    ),
    Scene(
        name="regenerated",
        title="A wrong answer is regenerated into a right one",
        policy="balanced",
        system=_LEAVE,
        question="How many days of paid leave do I get, and when do they expire?",
        drafts=(
            "Full-time employees receive 35 days of paid leave a year. Unused leave never expires.",
            "Full-time employees receive 26 days of paid leave a year. "
            "Unused leave expires on 31 March of the following year.",
        ),
        point="Policy balanced: the LLM was told what was wrong. The caller's history never sees the first draft.",
    ),
    Scene(
        name="blocked",
        title="An answer that stays wrong is blocked",
        policy="strict",
        system=_LIGHTHOUSE,
        question="What does entry cost?",
        drafts=(
            "Entry to the museum costs 25 euros for everybody.",
            "Entry to the museum costs 12 euros for adults.",
            "Entry to the museum costs 60 euros a person.",
        ),
        point="Policy strict: three drafts, none of them shown; the finish reason is content_filter.",
    ),
    Scene(
        name="streamed",
        title="A stream whose tail is regenerated",
        policy="balanced",
        system=_LEAVE,
        question="How many days of paid leave do I get, and when do they expire?",
        drafts=(
            "Full-time employees receive 26 days of paid leave a year. Unused leave never expires. "
            "You may take it whenever you like.",
            "Unused leave expires on 31 March of the following year. "
            "Leave of more than ten consecutive days needs the written approval of the department head.",
        ),
        point="stream=True: the first sentence was shown as soon as it was verified, and the bad one never. The LLM "
        "was asked to go on from what was shown: one answer, without a seam.",
        stream=True,
    ),
    Scene(
        name="outage",
        title="The judge is down: nothing is lost, and nothing is passed off as verified",
        policy={
            "version": 1,
            "verifiers": {
                "main": {
                    "kind": "chat",
                    "dialect": "kluster",
                    "base_url": _DOWN,
                    "api_key": "${GUARDRAIL_DEMO_KEY:-}",
                    "retry": {"stop": {"after_attempt": 2}, "wait": {"fixed": "50ms"}},
                }
            },
        },
        system=_LEAVE,
        question="How many days of paid leave do I get?",
        drafts=("Full-time employees receive 26 days of paid leave a year.",),
        point="A remote judge that nobody answers for: two tries, then the policy's on_error.",
    ),
)


def own_scene(text: str, contexts: tuple[str, ...]) -> Scene:
    """A scene with an answer and evidence of the user's own."""
    return Scene(
        name="yours",
        title="Your own answer",
        policy="observe",
        system="Answer from the given material.",
        question="What does the material say?",
        drafts=(text,),
        point="Policy observe: judged by the embedded model, here and now.",
        evidence=contexts,
    )
