"""More rows out of labelled ones: right answers edited into wrong ones, claims said as people say them in dialogues,
evidence among sentences that do not matter, evidence without the sentence that mattered."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from guardrail.claims.segment import sentences
from guardrail.claims.words import content_words, words
from guardrail.train.data import Row

__all__ = ["augmented", "chatty", "distracted", "edited", "unsupported"]

_EDITED = {
    "fever_nli_binary": 0.5,
    "fever_symmetric": 0.3,
    "foolmetwice": 0.5,
    "wiki_swap_synth": 0.15,
    "begin": 0.9,
    "faithdial_audit": 0.9,
    "alexa_dialog_fact": 0.7,
    "expertqa_claims": 0.5,
    "factcheckgpt_stance": 0.7,
    "defacto": 0.6,
    "halueval_summarization": 1.0,
}
"""The share of a set's right answers that are edited into a wrong one besides."""
_CHATTY = {"fever_nli_binary": 0.45, "fever_symmetric": 0.4, "foolmetwice": 0.4, "wiki_swap_synth": 0.4}
_DISTRACTED = {"fever_nli_binary": 0.3, "foolmetwice": 0.3, "begin": 0.25, "faithdial_audit": 0.2, "cad_nli": 0.1}
_UNSUPPORTED = {"wiki_swap_synth": 0.35, "fever_nli_binary": 0.25}

_OPENERS = (
    "Yes, {}",
    "Yeah, {}",
    "Oh yes, {}",
    "Well, {}",
    "I think {}",
    "I believe {}",
    "I heard that {}",
    "Actually, {}",
    "Oh, {}",
    "I know that {}",
    "I'm pretty sure {}",
    "As far as I know, {}",
    "That's cool, {}",
    "No, but {}",
    "Not sure, but {}",
    "I love that {}",
    "Did you know that {}",
)
_CLOSERS = (", right?", ", I think.", "!", ", which is pretty cool.", ", so that's great!", ", you know.", " .", "")
_SMALL = re.compile(r"(?:The|A|An|It|He|She|They|There|In|This|These|Its|His|Her|Their|One|Some|On|At) ")
_NUMBER = re.compile(r"\b\d[\d,]*(?:\.\d+)?\b")
_NO_NAME = frozenset(
    "January February March April May June July August September October November December Monday Tuesday Wednesday "
    "Thursday Friday Saturday Sunday I I'm I’m I've Yes No Well Oh Yeah If When Not But And So Not That As For".split()
)
_NAME = re.compile(r"\b[A-Z][\w'’-]+(?: (?:of |the |de )?[A-Z][\w'’-]+)*")
_VERB = re.compile(r"\b(is|are|was|were|has been|have been|can|could|will|would|did|does)\b(?! not\b)")
_OPPOSITES = (
    "first last|before after|more less|most least|largest smallest|larger smaller|north south|northern southern|"
    "east west|eastern western|won lost|increase decrease|increased decreased|older younger|oldest youngest|father "
    "mother|brother sister|son daughter|husband wife|early late|earlier later|high low|higher lower|highest lowest|"
    "above below|all none|always never|born died|began ended|starts ends|rose fell|man woman|men women|boy girl|he "
    "she|his her|male female|American British|French German|Spanish Italian|January July|March October|June "
    "December|Monday Friday|good bad|best worst|many few|old new|same different|true false|major minor|public "
    "private|inside outside|with without|found lost|bought sold|success failure|two three|five six|million billion|"
    "include exclude|popular unpopular|common rare|legal illegal|song film|actor singer|writer director|book "
    "song|city country|team player|only also|every no|accepted rejected|guilty innocent|arrested released|win lose|"
    "hot cold|fast slow|left right|day year|week month|up down|over under|start stop|former current|dead alive"
)
_OPPOSITE = {a: b for pair in _OPPOSITES.split("|") for a, b in (pair.split(), reversed(pair.split()))}
_OPPOSED = re.compile(rf"\b(?:{'|'.join(map(re.escape, _OPPOSITE))})\b")


def augmented(rows: Sequence[Row], *, seed: int) -> list[Row]:
    """``rows`` and more made of them, shuffled."""
    chance = random.Random(seed)
    made: list[Row] = []
    others = {source: [row for row in rows if row.source == source] for source in {row.source for row in rows}}
    for row in rows:
        share = chance.random
        if row.label == 0 and share() < _UNSUPPORTED.get(row.source, 0):
            made += filter(None, [unsupported(row)])
        if row.label == 0 and share() < _EDITED.get(row.source, 0):
            made += filter(None, [edited(row, chance)])
        made.append(row)
    made = [_varied(row, others[row.source], chance) for row in made]
    chance.shuffle(made)
    return made


def _varied(row: Row, others: Sequence[Row], chance: random.Random) -> Row:
    if chance.random() < _DISTRACTED.get(row.source, 0):
        row = distracted(row, chance.choice(others), chance)
    return chatty(row, chance) if chance.random() < _CHATTY.get(row.source, 0) else row


def chatty(row: Row, chance: random.Random) -> Row:
    """The row with its answer said as in a dialogue; what it states stays."""
    said = _by_pronoun(row) if chance.random() < 0.3 else row.answer
    said = said.rstrip(" .")
    if chance.random() < 0.75:
        said = chance.choice(_OPENERS).format(said[0].lower() + said[1:] if _SMALL.match(said) else said)
    said += chance.choice(_CLOSERS) if chance.random() < 0.4 else "."
    return replace(row, answer=said.lower() if chance.random() < 0.2 else said)


def _by_pronoun(row: Row) -> str:
    """The answer with the name that it begins with as a pronoun, where the evidence has that name too."""
    name = _NAME.match(row.answer)
    if name is None or name.group() not in row.context or _SMALL.match(row.answer):
        return row.answer
    told = set(words(row.context))
    pronoun = "She" if {"she", "her"} & told else "He" if {"he", "his"} & told else "It"
    return f"{pronoun}{row.answer[name.end() :]}"


def distracted(row: Row, other: Row, chance: random.Random) -> Row:
    """The row with a sentence or two of another row's evidence before or behind its own."""
    strange = " ".join(sentence.text for sentence in sentences(other.context)[: chance.choice((1, 2))])
    both = [row.context, strange]
    chance.shuffle(both)
    return replace(row, context=" ".join(both))


def unsupported(row: Row) -> Row | None:
    """The right answer without the sentence of the evidence that has most in common with it: a wrong one; None where
    the rest has its words too (a pronoun in place of a name can hide that)."""
    told = sentences(row.context)
    wanted = set(content_words(words(row.answer)))
    shares = [len(wanted & set(words(sentence.text))) / max(1, len(wanted)) for sentence in told]
    best = max(range(len(told)), key=shares.__getitem__, default=0)
    rest = [sentence.text for place, sentence in enumerate(told) if place != best]
    left = len(wanted & set(words(" ".join(rest)))) / max(1, len(wanted))
    if len(told) < 3 or shares[best] < 0.6 or left > 0.7:
        return None
    return replace(row, context=" ".join(rest), label=1)


def edited(row: Row, chance: random.Random) -> Row | None:
    """The right answer with one thing changed to a wrong one; None where nothing can be changed."""
    ways: list[tuple[float, Callable[[Row, random.Random], str | None]]] = [
        (3, _other_number),
        (4, _other_name),
        (1.5, _swapped_names),
        (1, _negated),
        (2.5, _opposite),
    ]
    while ways:
        place = chance.choices(range(len(ways)), [weight for weight, _ in ways])[0]
        said = ways.pop(place)[1](row, chance)
        if said is not None and said != row.answer:
            return replace(row, answer=said, label=1)
    return None


def _other_number(row: Row, chance: random.Random) -> str | None:
    found = list(_NUMBER.finditer(row.answer))
    if not found:
        return None
    hit = chance.choice(found)
    like = [n for n in _NUMBER.findall(row.context) if len(n) == len(hit.group()) and n not in row.answer]
    new = chance.choice(like) if like and chance.random() < 0.5 else _near(hit.group(), chance)
    return row.answer[: hit.start()] + new + row.answer[hit.end() :]


def _near(number: str, chance: random.Random) -> str:
    """Another number of the same form: one of its last two digits is changed."""
    digits = [place for place, letter in enumerate(number) if letter.isdigit()]
    place = chance.choice(digits[-2:])
    new = chance.choice([digit for digit in "123456789" if digit != number[place]])
    return number[:place] + new + number[place + 1 :]


def _names(text: str) -> list[re.Match[str]]:
    found = _NAME.finditer(text)
    return [name for name in found if name.group() not in _NO_NAME and not _SMALL.match(f"{name.group()} ")]


def _other_name(row: Row, chance: random.Random) -> str | None:
    """A name of the answer that the evidence has too, replaced by another name of the evidence."""
    here = [match for match in _names(row.answer) if match.group() in row.context]
    there = {match.group() for match in _names(row.context) if match.group() not in row.answer}
    pool = sorted(name for name in there if not set(words(name)) & set(words(row.answer)))
    if not here or not pool:
        return None
    hit = chance.choice(here[1:] or here)
    return row.answer[: hit.start()] + chance.choice(pool) + row.answer[hit.end() :]


def _swapped_names(row: Row, chance: random.Random) -> str | None:
    """Two names of the answer in each other's place."""
    found = _names(row.answer)
    if len(found) < 2 or found[0].group() == found[1].group():
        return None
    one, two = found[0], found[1]
    text = row.answer
    if re.search(r"^\W*(?:and|or|,)\W*$", text[one.end() : two.start()]):
        return None
    return text[: one.start()] + two.group() + text[one.end() : two.start()] + one.group() + text[two.end() :]


def _negated(row: Row, chance: random.Random) -> str | None:
    hits = list(_VERB.finditer(row.answer))
    if not hits:
        return None
    hit = chance.choice(hits)
    return f"{row.answer[: hit.end()]} not{row.answer[hit.end() :]}"


def _opposite(row: Row, chance: random.Random) -> str | None:
    hits = [hit for hit in _OPPOSED.finditer(row.answer) if _OPPOSITE[hit.group()] not in row.answer]
    if not hits:
        return None
    hit = chance.choice(hits)
    return row.answer[: hit.start()] + _OPPOSITE[hit.group()] + row.answer[hit.end() :]
