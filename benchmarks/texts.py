"""Texts to judge: about 500 words on a museum, and answers; for another number, other names and figures."""

from __future__ import annotations

import random

__all__ = ["answer", "context", "long_text"]

_CONTEXT = """The {place} Maritime Museum stands on the eastern quay of {place}, in a warehouse that {founder}
had built in {built} for the trade in timber and tar. It has four floors of brick and cast iron, and for more
than sixty years it held nothing but planks, rope and barrels. When the harbour moved down the river after the
floods of {flood}, the building stood empty. Pigeons lived in the attic, and the city council twice voted to
pull it down; both times the money for the demolition was missing.

The museum was opened by {founder2} in {opened} with a collection of {models} ship models, most of them given by
the families of captains. The largest of them, the frigate Constance, is {length} metres long and took its
maker, the retired carpenter {maker}, eleven winters. It hangs in the stairwell, where visitors can look at its
rigging from every floor. Beside the models the museum keeps charts, letters, figureheads and a pilot boat of
{boat}, which is taken out on the water once a year, on the first Sunday in June.

The permanent exhibition begins on the ground floor with the trade in timber. A table shows how much of it left
the port in each year, and a film of twelve minutes explains how logs were floated down the river. The first
floor is about the people: pilots, rope makers, customs officers, and the women who mended sails in a hall that
is now the café. On the second floor children may tie knots, load a wooden crane and steer a ship through a
storm on a screen. The top floor is for special exhibitions, of which there are two every year.

The museum is open from Tuesday to Sunday, from ten in the morning to six in the evening, and until nine on
Thursdays. It is closed on Mondays, on Christmas Eve and on New Year's Day. A ticket costs {price} euros;
students and pensioners pay half, and children below the age of twelve come in free. Tours in English start at
eleven and at three and last about an hour; they cost four euros more. Dogs are not allowed, except guide dogs.
The lift reaches all floors but the attic.

Last year {visitors} people visited the museum, more than ever before. About a third of them came from abroad,
and every fifth was a child. The city pays forty per cent of its costs; the rest comes from tickets, the shop
and a society of friends, which has {friends} members and is led by the historian {historian}. The society has
also paid for the restoration of the roof, which was finished in {roof}, and for the new catalogue, which
describes all models with photographs and costs twenty euros. A plan to add a glass hall on the side of the
river was given up when the foundations turned out to be too weak. In its place the museum has rented the old
customs house next door, where the library, the workshop and the offices will move within two years. The archive
of the shipyards stays where it is, since nobody wants to carry it twice.
"""
_CLAIMS = (
    "The museum was opened by {founder2} in {opened}.",
    "It stands in a warehouse that was built in {built}, on the western quay of {place}.",
    "The frigate Constance was made by {maker} and is {length} metres long.",
    "It is open from Tuesday to Sunday, and until nine on Thursdays.",
    "A ticket costs {price} euros, and children below twelve pay half.",
    "Last year it had {visitors} visitors, of whom half came from abroad.",
    "The society of friends has {friends} members and is led by {historian}.",
    "The restoration of the roof was finished in {roof} and was paid for by the city.",
    "The pilot boat of {boat} is taken out on the water every first Sunday in June.",
    "The collection began with {models} ship models, which families of captains had given.",
)
_FIRST = "Anna Carl Ella Georg Ida Karl Maria Otto Rosa Tom Ulla Viktor".split()
_LAST = "Berg Dahl Frost Hahn Jansen Lund Nagel Paulsen Stein Ulrich Vogel Winter".split()
_PLACES = "Aldham Brenford Carwick Dunmere Eastholm Farley Ilford Kelmscott Lowick Marston Norwell Oakham".split()
_SYLLABLES = "ba co du fe gri ho ja kel lo mu na or pra qui ro sa te ul va wen".split()


def context(number: int) -> str:
    """About 500 words; other names and numbers for another ``number``."""
    return _CONTEXT.format(**_facts(number))


def answer(number: int, *, first: int = 0, count: int = 5) -> str:
    """``count`` sentences on `context` with that number, from the one at ``first`` on; some are wrong."""
    facts = _facts(number)
    return " ".join(_CLAIMS[place % len(_CLAIMS)].format(**facts) for place in range(first, first + count))


def long_text(words: int, number: int) -> str:
    """About so many words: one context after the other, with a made-up name in every paragraph."""
    chance = random.Random(number)
    parts: list[str] = []
    while words > 0:
        name = "".join(chance.choices(_SYLLABLES, k=3)).capitalize()
        part = f"{name} is another town. {context(chance.randrange(1_000_000))}"
        parts.append(" ".join(part.split()[:words]))
        words -= len(part.split())
    return "\n\n".join(parts)


def _facts(number: int) -> dict[str, object]:
    chance = random.Random(number)
    people = ("founder", "founder2", "maker", "historian")
    years = {
        "built": (1780, 1840),
        "flood": (1900, 1930),
        "opened": (1950, 1990),
        "boat": (1880, 1930),
        "roof": (2000, 2020),
    }
    sizes = {
        "models": (120, 900),
        "length": (2, 9),
        "price": (6, 19),
        "visitors": (40_000, 180_000),
        "friends": (300, 2500),
    }
    named = {role: f"{chance.choice(_FIRST)} {chance.choice(_LAST)}" for role in people}
    return {
        "place": chance.choice(_PLACES),
        **named,
        **{k: chance.randint(*span) for k, span in (years | sizes).items()},
    }
