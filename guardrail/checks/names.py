"""Names that occur nowhere in the evidence or the conversation. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property, lru_cache
from itertools import takewhile

from guardrail.checks.aside import BLANK
from guardrail.checks.case import Case, Claim
from guardrail.checks.content import STOP
from guardrail.checks.deeds import deeds, not_done
from guardrail.checks.named import Named, named
from guardrail.verdict import Finding, FindingKind

__all__ = ["names"]

_TOKEN = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W_]+(?:['’&-][^\W_]+)*")
_LINKS = frozenset("of de la le del della der den van von du da do dos bin al el y and & the for".split())
_START = re.compile(rf"(?:\A|[{BLANK}.!?:;…•*#|>\"“”‘(\[\n-]|\d[.)])[ \t*_\"“‘(]*\Z|\A[ \t]*\Z")
_QUOTED = re.compile(r"[“\"«][^“”\"»\n]{1,400}[”\"»]")
_DENIED = re.compile(r"\b(?:not|never|no|neither|nor|rather than|instead of|unlike)\b|n['’]t\b", re.IGNORECASE)
_LIKE = 0.84
"""Words that are so much alike are spellings of one name."""
_COMMON = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december mr mrs ms miss dr prof professor sir lady lord dame president senator king "
    "queen prince princess private sergeant corporal lieutenant major commander admiral bishop father sister brother mother uncle aunt coach minister chancellor mayor captain general colonel judge justice saint st mt mount lake river "
    "i i'm i've i'll i'd ok okay yes no god internet earth moon sun english note source sources step steps "
    "pdf api url html http https json xml csv sql usb cpu gpu ram id faq ceo cfo cto phd dna rna gps tv ai ml llm am pm "
    "ad bc bce ce etc vs usa us uk eu un covid covid-19 wi-fi wifi e-mail email iso north south east west northern "
    "southern eastern western bluetooth christmas easter street avenue road station city county state university "
    "company inc ltd llc gmbh corp corporation group party church river war battle world team act chapter section "
    "however unfortunately fortunately moreover furthermore additionally therefore thus meanwhile finally overall yesterday today tomorrow currently recently sorry please note yes sure certainly indeed both each all some many most few several drama fantasy comedy romance thriller sci-fi"
    " championship championships federation league cup united states kingdom town centre center museum hospital college school club association committee council ministry department office agency institute society union figure table article part volume version model level stage type class grade option key".split()
)
"""Words that are written with a capital without being a name of their own."""
_SHORT = {
    "bob": "robert", "rob": "robert", "bobby": "robert", "bill": "william", "will": "william", "billy": "william",
    "dick": "richard", "rick": "richard", "jim": "james", "jimmy": "james", "jack": "john", "johnny": "john",
    "mike": "michael", "tom": "thomas", "tommy": "thomas", "tony": "anthony", "liz": "elizabeth", "beth": "elizabeth",
    "kate": "katherine", "kathy": "katherine", "peggy": "margaret", "maggie": "margaret", "ted": "edward",
    "ned": "edward", "joe": "joseph", "sam": "samuel", "ben": "benjamin", "dan": "daniel", "dave": "david",
    "steve": "stephen", "chris": "christopher", "andy": "andrew", "alex": "alexander", "nick": "nicholas",
    "ed": "edward", "matt": "matthew", "pat": "patricia", "sue": "susan", "jen": "jennifer", "becky": "rebecca",
    "charlie": "charles", "chuck": "charles", "harry": "henry", "hank": "henry", "larry": "lawrence", "ron": "ronald",
    "don": "donald", "ken": "kenneth", "greg": "gregory", "jeff": "jeffrey", "tim": "timothy", "abe": "abraham",
}  # fmt: skip
_PEOPLES = {
    "french": "france", "spanish": "spain", "spaniard": "spain", "dutch": "netherlands holland", "greek": "greece",
    "swiss": "switzerland", "danish": "denmark", "dane": "denmark", "polish": "poland", "pole": "poland",
    "welsh": "wales", "british": "britain uk kingdom england", "english": "england britain uk", "irish": "ireland",
    "turkish": "turkey", "swede": "sweden", "swedish": "sweden", "finnish": "finland", "finn": "finland",
    "american": "america us usa states", "americans": "america us usa states", "scottish": "scotland", "scot": "scotland",
    "thai": "thailand", "german": "germany", "chinese": "china beijing", "japanese": "japan", "norwegian": "norway",
    "portuguese": "portugal", "iraqi": "iraq", "israeli": "israel", "czech": "czechia", "filipino": "philippines",
    "argentine": "argentina", "belgian": "belgium", "peruvian": "peru", "egyptian": "egypt", "russian": "russia moscow",
    "european": "europe", "african": "africa", "asian": "asia", "indian": "india", "australian": "australia",
}  # fmt: skip

_ABROAD = {
    "cologne": "koln", "munich": "munchen", "vienna": "wien", "rome": "roma", "milan": "milano", "florence": "firenze",
    "venice": "venezia", "naples": "napoli", "turin": "torino", "genoa": "genova", "geneva": "geneve genf", "prague": "praha",
    "warsaw": "warszawa", "moscow": "moskva", "lisbon": "lisboa", "seville": "sevilla", "nuremberg": "nurnberg",
    "copenhagen": "kobenhavn", "brussels": "bruxelles brussel", "antwerp": "antwerpen", "hague": "haag", "basle": "basel",
    "athens": "athina", "bucharest": "bucuresti", "belgrade": "beograd", "gothenburg": "goteborg", "bavaria": "bayern",
    "germany": "deutschland", "austria": "osterreich", "spain": "espana", "switzerland": "schweiz suisse", "peking": "beijing",
    "bombay": "mumbai", "kyiv": "kiev", "turkey": "turkiye", "tuscany": "toscana", "cracow": "krakow", "lyons": "lyon",
}  # fmt: skip
"""What places are called at home, without accents."""

_VARIANTS = {
    "center": "centre", "centre": "center", "theater": "theatre", "theatre": "theater", "harbor": "harbour", "harbour": "harbor",
    "labor": "labour", "labour": "labor", "defense": "defence", "defence": "defense", "program": "programme",
    "programme": "program", "organization": "organisation", "organisation": "organization", "color": "colour", "colour": "color",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    text: str
    capital: bool
    """Whether it is written with a capital letter that no sentence start explains."""
    first: bool
    """Whether it begins a sentence, a line or a quotation."""


def names(case: Case) -> list[Finding]:
    """Names in claims of which the evidence and the conversation know no word.

    Endings, accents, initials, abbreviations, nicknames, peoples and other spellings are allowed for.
    """
    if not case.evidence:
        return []
    known = _Known(case)
    text = _QUOTED.sub(lambda match: BLANK * len(match[0]), case.prose)
    found = (
        run
        for claim in case.claims
        if not _is_title(claim) and not _FORMULA.search(claim.text)
        for run in _runs(_tokens(text, claim))
        if not (run[0].start - claim.start < 4 and text.startswith(":", run[-1].end))  # what the line is about
        and run[0].text.lower() not in _WISHES
    )
    places = [(amount.start, amount.end) for amount in case.amounts]
    places += [(moment.start, moment.end) for moment in case.moments]
    runs = {
        (run[0].start, run[-1].end) for whole in found for run in [*known.unknown(whole), known.renamed(whole)] if run
    }
    unknown = [
        case.finding(*run, FindingKind.NAME)
        for run in sorted(runs)
        if not any(start < run[1] and run[0] < end for start, end in places)
    ]
    others = [*_misplaced(case), *_not_done(case)]
    return unknown + [f for f in others if not any(f.start < o.end and o.start < f.end for o in unknown)]


_WISHES = frozenset("happy merry enjoy good best kind warm dear congratulations thanks cheers welcome hello hi".split())
_FORMULA = re.compile(r"=.*[×*/+]|[×*/+].*=")


def _not_done(case: Case) -> Iterator[Finding]:
    """Names of whom the answer says what the evidence says of others."""
    texts = zip(case.evidence, case.names_told, strict=True)
    told = [deed for piece, names in texts for deed in deeds(piece.text, names)]
    sure = frozenset(word for names in case.names_told for name in names for word in name.text.split())
    for doer, rival in not_done(deeds(case.prose, named(case.prose, (), sure)), told) if told else ():
        if case.claim_at(doer.start) is not None and (doer.start, doer.end) not in case.misplaced:
            said = f"the evidence says so of something else; of this it says {rival.text!r}"
            yield case.finding(doer.start, doer.end, FindingKind.NAME, said)


def _misplaced(case: Case) -> Iterator[Finding]:
    """Names that the evidence gives of something else than the answer."""
    for (start, end), rival in case.misplaced.items():
        claim = case.claim_at(start)
        if isinstance(rival.value, Named) and claim is not None and not _DENIED.search(case.prose, claim.start, start):
            yield case.finding(start, end, FindingKind.NAME, rival.of_another)


def _is_title(claim: Claim) -> bool:
    """Whether a line is a heading, where every word has a capital."""
    words = [word for word in claim.text.split() if len(word) > 3 and word[0].isalpha()]
    if claim.text.startswith(("#", "**")) and len(words) < 8 and not claim.text.rstrip("*").endswith("."):
        return True
    return len(words) > 1 and not claim.text.endswith((".", "!")) and all(word[0].isupper() for word in words)


def _tokens(text: str, claim: Claim) -> list[_Token]:
    found = []
    for match in _TOKEN.finditer(text, claim.start, claim.end):
        word = match[0]
        first = bool(_START.search(text[max(claim.start, match.start() - 6) : match.start()]))
        first = first and not _INITIAL.search(text, max(claim.start, match.start() - 6), match.start())
        if (
            first
            and _VALUE.search(text, max(claim.start, match.start() - 8), match.start())
            and _ENDS.match(text, match.end(), claim.end)
        ):
            first = word.lower() in _COMMON
        upper = word[0].isupper()
        joined = match.start() > 0 and text[match.start() - 1] in f"{BLANK}/_@#."
        found.append(_Token(match.start(), match.end(), word, upper and not joined, first))
    return found


_INITIAL = re.compile(r"\b(?:[A-Z]|Dr|Mr|Mrs|Ms|Prof|St)\. \Z")
_VALUE = re.compile(r"\w\*{0,2}:\*{0,2}[ ]\*{0,2}\Z")
_ENDS = re.compile(r"\*{0,2}(?:[,.;\n]|\Z)")
"""Between a colon and the end of an item stands a value, not a sentence."""


def _runs(tokens: list[_Token]) -> Iterator[list[_Token]]:
    """Capitalised words in a row, with small links between them; a sentence's first word only before another."""
    run: list[_Token] = []
    for token in tokens:
        if (token.capital and (not token.first or not run)) or (
            run and token.text.lower() in _LINKS and not run[-1].first and token.start - run[-1].end == 1
        ):
            run.append(token)
        else:
            yield from _closed(run)
            run = [token] if token.capital else []
            continue
        if len(run) > 1 and token.start - run[-2].end > 1 and not run[-2].text.isupper():
            yield from _closed(run[:-1])
            run = [token] if token.capital else []
    yield from _closed(run)


def _closed(run: list[_Token]) -> Iterator[list[_Token]]:
    while run and not run[-1].capital:
        run = run[:-1]
    if run and not (len(run) == 1 and run[0].first):
        yield run


class _Known:
    """The words at hand."""

    def __init__(self, case: Case) -> None:
        told = [piece.text for piece in case.evidence] + [message.text for message in case.conversation]
        titles = [f"{piece.title or ''} {piece.url or ''}" for piece in case.evidence]
        self.text = "\n".join(told + titles)
        self.words = {_plain(token) for token in _TOKEN.findall(self.text)}
        self.words |= {part for word in self.words for part in re.split(r"[-'’]", word)}
        self.lower = {_plain(token) for token in _TOKEN.findall(case.prose) if token[0].islower()}

    @cached_property
    def stems(self) -> set[str]:
        return {_stem(word) for word in self.words}

    @cached_property
    def initials(self) -> str:
        """First letters of capitalised words in a row, rows apart: what abbreviations are made of."""
        rows = re.findall(r"[A-Z][\w.'’-]*(?:[ -](?:(?:of|the|and|for|de|&)[ -])*[A-Z][\w.'’-]*)+", self.text)
        shorts = ["".join(word[0] for word in re.split(r"[ -]+", row) if word[:1].isupper()) for row in rows]
        full = ["".join(word[:1] for word in re.split(r"[ -]+", row)) for row in rows]
        return " ".join(shorts + full).lower()

    @cached_property
    def names(self) -> list[str]:
        return sorted({_plain(token) for token in _TOKEN.findall(self.text) if token[0].isupper() and len(token) > 4})

    def unknown(self, run: list[_Token]) -> Iterator[list[_Token]]:
        """The parts of a name that are nowhere: from the first unknown word to the last one in a row."""
        if self._stands_for(run):
            return
        if self._given_name_only(run):
            return
        bad: list[_Token] = []
        for token in run:
            if token.text.lower() in _LINKS:
                continue
            if self.knows(token) or (token.first and not self._continues(run)):
                if bad:
                    yield bad
                bad = []
            else:
                bad.append(token)
        if bad and not (len(bad) == 1 and bad[0].first):
            yield self._widened(run, bad)

    def renamed(self, run: list[_Token]) -> list[_Token]:
        """The unknown first name of a known surname to which the sources give another first name only."""
        words = [token for token in run if token.text.lower() not in _LINKS]
        if len(words) != 2 or self.knows(words[0]) or not self.knows(words[1]) or not words[0].text[1:].islower():
            return []
        before = re.findall(rf"([A-Z][\w.]*)[ ](?:[A-Z]\. )?{re.escape(words[1].text)}\b", self.text)
        others = {name for name in before if _plain(name) not in _COMMON and len(name) > 2}
        return [words[0]] if others and all(name[1:].islower() for name in others) else []

    def _given_name_only(self, run: list[_Token]) -> bool:
        """Whether a known surname has been given first names, where the sources give it no others."""
        words = [token for token in run if token.text.lower() not in _LINKS]
        if (
            len(words) < 2
            or len(words) > 3
            or not self.knows(words[-1])
            or any(self.knows(word) for word in words[:-1])
        ):
            return False
        before = re.findall(rf"([A-Z][\w.]*)[ ](?:[A-Z]\.? )?{re.escape(words[-1].text)}\b", self.text)
        return not any(_plain(name) not in _COMMON and len(name) > 2 for name in before)

    def _widened(self, run: list[_Token], bad: list[_Token]) -> list[_Token]:
        """With "Ministry of" before an unknown "Finance": a name of one thing is unknown as a whole."""
        at = run.index(bad[0])
        if at >= 2 and run[at - 1].text.lower() == "of":
            return run[at - 2 : run.index(bad[-1]) + 1]
        return bad

    def _continues(self, run: list[_Token]) -> bool:
        return len(run) > 1 and run[1].capital and not self.knows(run[1])

    def _stands_for(self, run: list[_Token]) -> bool:
        """Whether the name spells out an abbreviation at hand."""
        words = [token.text for token in run if not (token.first and token.text.lower() in _LINKS)]
        for short in ("".join(word[0] for word in words), "".join(word[0] for word in words if word[0].isupper())):
            if len(short) > 1 and short.lower() in self.words:
                return True
        return False

    def knows(self, token: _Token) -> bool:
        """Whether a word is at hand in some form, or is no name at all."""
        word = _plain(token.text)
        if (
            len(word) < 2
            or word in STOP
            or word in _COMMON
            or word in self.words
            or word in self.lower
            or word[0].isdigit()
        ):
            return True
        if self._glued(token.text) or _VARIANTS.get(word, word) in self.words:
            return True
        parts = [part for part in re.split(r"[-&]", word) if part]
        if len(parts) > 1 and token.text.partition("-")[2].islower() and parts[0] in self.words:
            return True  # "US-backed"
        if len(parts) > 1 and all(
            part in self.words or part in self.lower or (len(part) < 3 and not part.isdigit()) for part in parts
        ):
            return True
        return self._form(word) or self._abbreviation(token.text) or self._shortened(word) or self._spelling(word)

    def _shortened(self, word: str) -> bool:
        """Whether a name at hand begins so: "the Met", "Postgres"."""
        return len(word) > 2 and any(len(known) - len(word) > 2 and known.startswith(word) for known in self.names)

    def _glued(self, text: str) -> bool:
        """Whether it is words at hand without a space between them."""
        parts = re.findall(r"[A-Z][a-z]+|[A-Z]+(?![a-z])", text)
        return len(parts) > 1 and "".join(parts) == text and all(_plain(part) in self.words for part in parts)

    def _form(self, word: str) -> bool:
        """An ending, a nickname, or the people of a country."""
        stem = _stem(word)
        if stem in self.stems or _SHORT.get(word, "") in self.words or any(_SHORT.get(w) == word for w in self.words):
            return True
        if any(place in self.words for place in _ABROAD.get(word, "").split()):
            return True
        if any(word in _ABROAD.get(place, "").split() for place in self.words):
            return True
        if any(place in self.words for place in _PEOPLES.get(word, "").split()):
            return True
        if any(word in _PEOPLES.get(known, "").split() for known in self.words):
            return True
        lands = set(_PEOPLES.get(word.removesuffix("s"), "").split())
        if lands and any(lands & set(_PEOPLES.get(known.removesuffix("s"), known).split()) for known in self.words):
            return True
        if word in _PEOPLES:  # wide words: of no other people is talked, so nothing speaks against it
            lands = {land for lands in _PEOPLES.values() for land in lands.split()}
            return not self.words & (_PEOPLES.keys() | lands)
        return len(word) >= 5 and any(_is_form(word, known) for known in self.words)

    def _abbreviation(self, text: str) -> bool:
        letters = text.replace(".", "").rstrip("s")
        return (
            letters.isupper() and 2 <= len(letters) <= 6 and (letters.lower() in self.initials or letters in self.humps)
        )

    @cached_property
    def humps(self) -> set[str]:
        """The capitals of words that have several, as JavaScript."""
        return {
            "".join(letter for letter in word if letter.isupper())
            for word in re.findall(r"\b[A-Z][a-z]+[A-Z]\w*", self.text)
        }

    def _spelling(self, word: str) -> bool:
        """Another spelling of a name at hand, as by another transliteration."""
        if len(word) < 6:
            return False
        sound = _sound(word)
        if any(_sound(known) == sound for known in self.names):
            return True
        matcher = SequenceMatcher(b=word, autojunk=False)
        for known in self.names:
            if len(word) > 6 and abs(len(known) - len(word)) == 1 and _one_more(*sorted((known, word), key=len)):
                return True
            if abs(len(known) - len(word)) <= 2 and known[-2:] == word[-2:]:
                matcher.set_seq1(known)
                if matcher.real_quick_ratio() >= _LIKE and matcher.ratio() >= _LIKE:
                    return True
        return False


@lru_cache(maxsize=10_000)
def _sound(word: str) -> str:
    """What the spellings of a name from another script have in common."""
    for pattern, sound in _SOUNDS:
        word = pattern.sub(sound, word)
    return word


_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"(?:ff|v|w)$", "f"), (r"(?:tch|tsch|tsh|cz)", "ch"), (r"sch", "sh"), (r"kh|ck|q", "k"), (r"ph", "f"), (r"dj|zh", "j"), (r"gh", "g"),
        (r"(?:ij|iy|yi|y|j|ie)", "i"), (r"(?:ou|oo)", "u"), (r"w", "v"), (r"(?:tz|ts)", "c"), (r"ks|x", "ks"), (r"(.)\1", r"\1"), (r"h$", ""),
    )
)  # fmt: skip


def _one_more(short: str, long: str) -> bool:
    """Whether one spelling has one letter more than the other, not at its end."""
    return any(long[:at] + long[at + 1 :] == short for at in range(3, len(long) - 1))


_TAILS = frozenset(
    " s es n an ian ean i ish ic ese er ers ia e en ns ans ians y ies ism ist ists land d ed ing".split(" ")
)


def _is_form(word: str, known: str) -> bool:
    """Whether two words differ only in their endings, as of a country and its people."""
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, known, strict=False)))
    return (
        shared >= max(4, min(len(word), len(known)) - 2)
        and word[shared:] in _TAILS
        and known[shared:] in _TAILS | {"a", "o", "ium"}
    )


def _plain(word: str) -> str:
    """Without accents, dots, possessive ending and case."""
    word = re.sub(r"['’]s?\Z", "", word.replace(".", ""))
    letters = unicodedata.normalize(
        "NFKD", word.replace("ß", "ss").replace("ø", "o").replace("ł", "l").replace("Ø", "O")
    )
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()


def _stem(word: str) -> str:
    for ending in ("ies", "es", "s", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
