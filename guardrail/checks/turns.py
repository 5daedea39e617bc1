"""Whether what the user says last goes back to what was said before, or on to something else. Pure, and English."""

from __future__ import annotations

import re
from collections.abc import Sequence

from guardrail.checks.alike import key
from guardrail.checks.content import STOP, WORD
from guardrail.conversation import Message
from guardrail.grounding.statements import sentences

__all__ = ["Turns", "keys"]

_SAY = (
    r"(?:sa(?:y|id)|suggest\w*|recommend\w*|propos\w+|pick\w*|cho[os]s\w*|book\w*|reserv\w*|put|gave?|tell|told|mention\w*|mean|meant|"
    r"advis\w+|order\w*|sen[dt]|drop\w*|remov\w+|add\w*|schedul\w+|assign\w*|estimat\w+|predict\w*|quot\w+|draw|drew|draft\w*|"
    r"report\w*|set|recorded?|enter\w*|reckon\w*|calculat\w+|found|find|wr[io]te|plan\w*|promis\w+|preferred|favou?red|favou?r|count\w*|measur\w+|sell|sold|install\w*|deliver\w*|pa(?:y|id)|chang\w+)"
)
_OWN = (
    r"(?:suggestion|recommendation|pick|choice|plan|proposal|prediction|tip|advice|version|estimate|thesis|opinion|answer|draft|"
    r"summary|line|view|guess|forecast|favou?rite|verdict|result|figure|word|preference|conclusion|diagnosis|ranking|top)"
)
_ASKS_BACK = re.compile(
    rf"\b(?:remind|repeat|recap|restate|confirm|double-check|stick\w*|(?:did|have|had) you (?:just )?{_SAY}|do you (?:mean|recommend|suggest)|"
    rf"(?<!would )(?<!can )(?<!could )(?<!do )you(?:['’]ve| have| had| just)? {_SAY}|your (?:\w+ ){{0,2}}{_OWN})\b|"
    rf"\b(?:again|right|correct|isn['’]t it|doesn['’]t it|don['’]t you)\?\s*\Z",
    re.IGNORECASE,
)
_SAYS_BACK = re.compile(
    rf"\b(?:as (?:I )?(?:said|mentioned|stated|noted|discussed|promised)|like I said|I(?:['’]ve| have| had| just)? {_SAY}|"
    rf"my (?:\w+ ){{0,2}}(?!favou?rite){_OWN})\b",
    re.IGNORECASE,
)
_MOVES = re.compile(
    r"\b(?:instead|second thoughts?|chang(?:e|ed|ing)|(?:what|how) about|what if|other(?:s|wise)?|another|alternativ\w+|else|switch|"
    r"cancel|updated?|though|suppose|supposing|assuming|and if|sorry,? (?:I|we|my)|rather|different|next(?! to)|latest|upgrade|anything|something|any ?more|more (?:of|options?|suggestions?|choices|ideas|than one)|(?:one|some|two) more|more(?=\?)|additional|further|options|find|recommend (?:a|any|some)|move (?:it|me|my)|make (?:it|that)|"
    r"earlier one|later one|(?<!you )(?<!you['’]ve )(?<!you just )(?<!I )(?:says?|said))\b",
    re.IGNORECASE,
)
"""What asks for something else than before."""
_TELLS = re.compile(
    r"(?:\A|[.!;:,]\s+)(?:(?:but|and|so|well|oh|hm+|also|no|yes|actually|now),?\s+)*(?:I|we|it|he|she|they|(?:my|our|the)(?: \w+){1,2})"
    r"(?:['’](?:m|re|ve|d|s)\b| (?:also |just |only |still |now )?(?:am|are|is|was|were|have|has|had|did|do|would|will|want|need|got|did ?n[o'’]t|do ?n[o'’]t|[a-z]+ed)\b)",
    re.IGNORECASE,
)
"""What tells something rather than asks."""
_NAME = re.compile(r"(?<=[\w,] )[A-Z][\w'’-]+")
_FOR = re.compile(r"\b(?:for|with|at|in|on|after|from|until|by|size|version|of) (?:a |the )?\d[\w.,:]*", re.IGNORECASE)
_WHOLE = re.compile(
    r"\b(?:how (?!about)|what(?! about)|who|when|where|why|which|say|repeat|again|more)\b", re.IGNORECASE
)
_FORGETS = re.compile(
    r"\b(?:forg[eo]t\w*|remember|recall|lost|missed|sure|confus\w+|want to know|need to know|didn['’]t (?:catch|get|see|hear)|you (?:said|told)|"
    r"writing|note|down)\b", re.IGNORECASE,
)  # fmt: skip
_VERB = re.compile(
    r"\b(?:is|are|was|were|am|do|does|did|can|could|will|would|should|may|must|has|have|had|remind|tell|give|repeat|show|['’]s|['’]re)\b",
    re.I,
)


def keys(text: str) -> frozenset[str]:
    """What the words of content and the figures of a text are compared by."""
    words = (re.split(r"['’]", word.lower())[0] for word in WORD.findall(text))
    return frozenset(key(word) for word in words if word not in STOP and word not in _CUT_OFF)


_CUT_OFF = frozenset("isn doesn don didn won wouldn can couldn shouldn hasn haven aren wasn weren ain let ll".split())
"""What "isn't" leaves of a word where it is cut."""


class Turns:
    """The last message of the user, and what was said before it. ``known``: the words of the evidence."""

    def __init__(self, conversation: Sequence[Message], answer: str, known: frozenset[str] = frozenset()) -> None:
        at = max((at for at, m in enumerate(conversation) if m.role == "user"), default=len(conversation))
        self.question = conversation[at].text if at < len(conversation) else ""
        self.before = keys(" ".join(m.text for m in conversation[:at]))
        self.asked = keys(self.question)
        self._known = known | keys(answer)
        self.asks_back = bool(_ASKS_BACK.search(self.question))
        """Whether the question speaks of what was said before."""
        self.recalls = self.asks_back or bool(_SAYS_BACK.search(answer))
        """Whether the question or the answer speaks of what was said before."""

    @property
    def asks(self) -> bool:
        """Whether the last message asks something."""
        return "?" in self.question or self.recalls or _WHOLE.search(self.question) is not None

    @property
    def new(self) -> frozenset[str]:
        """The words of the last message that are new in the conversation."""
        return self.asked - self.before

    @property
    def moves(self) -> bool:
        """Whether the user tells something new, or asks for something else."""
        return self.turns_away or self._tells

    @property
    def turns_away(self) -> bool:
        """Whether the user asks for something else, or of another thing."""
        if _MOVES.search(self.question):
            return True
        if any(keys(match[0]) & self.new for match in _FOR.finditer(self.question)):
            return True
        names = (match[0].lower() for match in _NAME.finditer(self.question))
        return any(word not in STOP and key(word) in self.new & self._known for word in names)

    @property
    def _tells(self) -> bool:
        told = [span.text for span in sentences(self.question) if not span.text.rstrip(" \"'”)").endswith("?")]
        return any(_TELLS.search(text) and not _FORGETS.search(text) for text in told)

    @property
    def turns_to(self) -> frozenset[str]:
        """Of a last message that only names something new, "And the blue one?", what it names."""
        short = len(self.question.split()) <= 8 and not _VERB.search(self.question) and not _WHOLE.search(self.question)
        return self.new if short else frozenset()
