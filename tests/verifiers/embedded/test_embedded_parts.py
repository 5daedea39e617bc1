"""Sentences, claims, novelty and selection: pure, so without a model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrail.claims.checkworthy import claims
from guardrail.claims.segment import sentences
from guardrail.claims.words import Lexicon, novelty, words
from guardrail.conversation import Evidence
from guardrail.verifiers.embedded.select import WORDS, Sources

PIECES = st.sampled_from(
    [
        "Dr. Smith left.",
        " He ran! ",
        "\n",
        "\r\n",
        "- item",
        "| a | b |",
        "naïve é.",
        "“Q.” ",
        "。",
        "\x85",
        "3.5 kg",
        " ",
        "𝒳. ",
        "plan A",
        "\xa0.",
        "\u3000. ",
        "\u2028",
    ]
)
TEXT = st.text(max_size=80) | st.lists(PIECES, max_size=14).map("".join)


@given(TEXT)
def test_sentences_stand_where_they_say(text: str) -> None:
    found = sentences(text)
    assert all(text[s.start : s.end] == s.text == s.text.strip() != "" for s in found)
    assert [s.start for s in found] == sorted({s.start for s in found})


@given(TEXT)
def test_sentences_leave_nothing_out_but_white_space(text: str) -> None:
    covered = {at for s in sentences(text) for at in range(s.start, s.end)}
    assert all(letter.isspace() for at, letter in enumerate(text) if at not in covered)


@pytest.mark.parametrize("space", ["\xa0", "\u2009", "\u202f", "\u3000", "\u2028", "\x85"])
def test_no_white_space_before_a_full_stop_breaks_the_library(space: str) -> None:
    text = f"It is plan A{space}. So it goes."
    assert "".join(s.text for s in sentences(text)).replace(space, "") == "It is plan A.So it goes."


def test_list_items_and_headings_are_sentences_of_their_own() -> None:
    assert [s.text for s in sentences("Prices\n- tea: 3 euros\n- milk: 2 euros")] == [
        "Prices",
        "- tea: 3 euros",
        "- milk: 2 euros",
    ]


NO_CLAIMS = [
    "Hello! How can I help you today?",
    "Thank you very much!",
    "Would you like to know more?",
    "I'm sorry, but I cannot help with that.",
    "The context does not mention the price.",
    "The date is not given in the text.",
    "I think that is lovely.",
    "I would recommend trying it.",
    "```python\nprint('Paris is in Spain')\n```",
    "   ",
    "",
]


@pytest.mark.parametrize("answer", NO_CLAIMS)
def test_talk_is_no_claim(answer: str) -> None:
    assert claims(answer) == []


CLAIMS = [
    "Paris is the capital of France.",
    "The package does not contain batteries.",
    "No data is stored on the server.",
    "I think it was founded in 1990.",
    "I like how it turns sunlight, water and carbon dioxide into sugar.",
    "Hello! The tower is 300 metres tall.",
    "- Price: 20 euros",
]


@pytest.mark.parametrize("answer", CLAIMS)
def test_what_evidence_could_bear_out_is_a_claim(answer: str) -> None:
    assert len(claims(answer)) == 1


def test_a_bare_yes_states_something_only_after_a_question() -> None:
    assert claims("Yes.") == []
    assert [claim.text for claim in claims("Yes.", asked=True)] == ["Yes."]


def test_the_head_of_a_table_and_a_line_that_introduces_are_no_claims() -> None:
    answer = "Here is the code:\n\n| Item | Price |\n| :--- | ---: |\n| Tea | 3 euros |\n\n| Milk | 2 euros |"
    assert [claim.text for claim in claims(answer)] == ["| Tea | 3 euros |", "| Milk | 2 euros |"]
    assert [claim.text for claim in claims("It has 3 rooms:\n- a hall")] == ["It has 3 rooms:", "- a hall"]


def test_text_around_code_is_still_judged() -> None:
    answer = "It prints 5.\n```\nx = 4\n```\nThe loop runs twice."
    assert [claim.text for claim in claims(answer)] == ["It prints 5.", "The loop runs twice."]


def test_every_chinese_or_japanese_character_is_a_word() -> None:
    assert words("東京tower、333m。주") == ["東", "京", "tower", "333", "m", "주"]
    passage = Sources([Evidence("图书馆周一闭馆，周二开门。", "caller")]).passage("周一闭馆。")
    assert passage.overlap == 1


@given(TEXT, TEXT)
def test_novelty_is_a_share(claim: str, evidence: str) -> None:
    found = novelty(claim, Lexicon.of(words(evidence)))
    assert all(0 <= share <= 1 for share in (found.word, found.pair, found.number))


@given(TEXT)
def test_a_text_says_nothing_new_about_itself(text: str) -> None:
    found = novelty(text, Lexicon.of(words(text)))
    assert (found.word, found.pair, found.number) == (0, 0, 0)


def test_novelty_tells_what_is_new() -> None:
    found = novelty("In 1999 the old tower fell on Anna Berg.", Lexicon.of(words("The old tower fell in 1989.")))
    assert found.number == 1
    assert 0 < found.word < 1


def test_the_title_tells_which_of_many_documents_speaks_of_the_claim() -> None:
    documents = [
        Evidence("It opened in 1889. " * 9, "tool", title=f"Mill {name}") for name in ("Anna", "Berta", "Carla")
    ]
    passage = Sources(documents).passage("Mill Berta opened in 1889.")
    assert passage.best is not None
    assert passage.best.evidence == documents[1]
    assert "Mill Berta. It opened in 1889." in passage.text


def test_the_sentence_that_speaks_of_the_claim_is_selected() -> None:
    filler = " ".join(
        f"Sentence number {n} speaks of quite other things, such as rivers and hills." for n in range(200)
    )
    passage = Sources([Evidence(f"{filler} The bridge was opened by Ada King in 1901. {filler}", "caller")]).passage(
        "Ada King opened the bridge."
    )
    assert "opened by Ada King in 1901" in passage.text
    assert passage.best is not None
    assert "Ada King" in passage.best.text
    assert len(words(passage.text)) <= WORDS


@given(st.lists(st.lists(st.sampled_from("tea milk . \n 5 Paris flows of the".split(" ")), max_size=400), max_size=4))
def test_a_passage_is_bounded_and_made_of_the_evidence(parts: list[list[str]]) -> None:
    evidence = [Evidence(" ".join(part), "caller") for part in parts]
    sources = Sources(evidence)
    passage = sources.passage("The tea flows in Paris.")
    assert sum(len(source.tokens) for source in passage.sources) <= WORDS
    assert all(source.evidence in evidence for source in passage.sources)
    assert all(" ".join(source.text.split()) in " ".join(source.evidence.text.split()) for source in passage.sources)


def test_without_evidence_there_is_an_empty_passage() -> None:
    passage = Sources([]).passage("The tea flows.")
    assert (passage.text, passage.sources, passage.best, passage.overlap) == ("", (), None, 0.0)
