"""Words that say the same: irregular forms, nouns of verbs, and the plainest synonyms. Pure, and English.

Own data rather than a library's: lexicons such as WordNet have many senses a word, most of which are not meant.
"""

from __future__ import annotations

from functools import lru_cache

from guardrail.checks.content import stem

__all__ = ["key", "known"]

_GROUPS = """
buy bought buys purchase purchased purchases acquire acquired acquires acquisition
bring brought brings
break broke broken breaks
catch caught catches
fight fought fights
fly flew flown flies
forbid forbade forbidden forbids
hang hung hangs
hide hid hidden hides
ride rode ridden rides
see saw seen sees
sing sang sung sings
sink sank sunk sinks
sleep slept sleeps
stand stood stands
steal stole stolen steals
strike struck strikes
throw threw thrown throws
wear wore worn wears
withdraw withdrew withdrawn withdraws withdrawal
begin began begun begins start starts started starting commence commences commenced
end ends ended finish finishes finished
come came coming
rise rose risen rises
fall fell fallen falls
grow grew grown growth
hold held holds
build built builds construct constructed construction
sell sold sells sale
win won wins winner winning
pay paid pays payment payable
cost costs price prices priced charge charges charged fee fees
leave left leaves depart departs departed departure
arrive arrives arrived arrival
run ran runs
write wrote written writes writer
make made makes
take took taken takes
give gave given gives
lead led leads
lose lost loses loss
become became becomes
draw drew drawn
drive drove driven
send sent sends
spend spent spends spending
keep kept keeps
meet met meets
say said says
tell told tells
close closes closed shut shuts
speak spoke spoken
teach taught teaches
find found finds
know knew known knows
choose chose chosen choice
die died dies death dead
born birth
abstain abstained abstains abstention abstentions
high height tall
long length
wide width breadth
deep depth
thick thickness
weigh weighs weighed weight heavy
remove removed removes removal delete deleted deletes deletion
employ employs employed employee employees staff worker workers workforce
revenue revenues turnover
population inhabitants inhabitant residents
film films movie movies
company companies firm firms
shop shops store stores
lawyer lawyers counsel attorney attorneys
doctor doctors physician physicians
car cars vehicle vehicles automobile
child children kid kids
person people persons
show shows showed shown display displays displayed
receive receives received get gets got
refund refunds refunded refundable reimburse reimbursed reimbursement
"""
_IRREGULAR = {word: stem(words.split()[0]) for words in _GROUPS.strip().splitlines() for word in words.split()}


@lru_cache(maxsize=20_000)
def key(word: str) -> str:
    """What a word in lower case is compared by: the stem of it, or of the first word of its group."""
    return _IRREGULAR.get(word) or stem(word)


def known(word: str) -> bool:
    """Whether a word in lower case is in one of the groups."""
    return word in _IRREGULAR
