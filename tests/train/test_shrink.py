"""A tokenizer with fewer words still spells everything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from guardrail.errors import InputError
from guardrail.train.shrink import _fewer

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = ["tower", "museum", "open", "##ed", "clos", "##er"]
MARKS = ["<s>", "<pad>", "</s>", "<unk>"]


def tokenizer() -> dict[str, Any]:
    pieces = [*MARKS, *WORDS, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    made = Tokenizer(models.WordPiece({piece: place for place, piece in enumerate(pieces)}, unk_token="<unk>"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    made.add_special_tokens(MARKS)
    read: dict[str, Any] = json.loads(made.to_str())
    return read


def fewer(words: int, *texts: str) -> tuple[list[int], Tokenizer]:
    kept, made = _fewer(tokenizer(), Path("folder"), words, texts)
    return kept, Tokenizer.from_str(json.dumps(made))


def test_the_words_that_are_met_most_often_stay() -> None:
    letters = len(MARKS) + 2 * len(LETTERS)
    kept, made = fewer(letters + 2, "tower tower museum", "tower museum opens")
    assert len(kept) == made.get_vocab_size() == letters + 2
    assert set(WORDS) & set(made.get_vocab()) == {"tower", "museum"}
    assert made.encode("tower").tokens == ["<s>", "tower", "</s>"]
    assert made.encode("open").tokens == ["<s>", "o", "##p", "##e", "##n", "</s>"]


def test_pieces_keep_their_order_so_that_a_table_is_cut_by_their_old_places() -> None:
    kept, made = fewer(60, "museum")
    assert kept == sorted(kept)
    old = {place: piece for piece, place in tokenizer()["model"]["vocab"].items()}
    assert [old[place] for place in kept] == sorted(made.get_vocab(), key=made.get_vocab().__getitem__)


def test_marks_stay_and_know_their_new_places() -> None:
    _, made = fewer(1, "tower")
    tokens = made.encode("a", "b")
    assert tokens.tokens == ["<s>", "a", "</s>", "</s>", "b", "</s>"]
    assert tokens.ids == [made.token_to_id(token) for token in tokens.tokens]


@given(st.text(alphabet=LETTERS + " ", max_size=40), st.integers(1, 80))
def test_no_word_becomes_unknown(text: str, words: int) -> None:
    _, made = fewer(words, "tower museum")
    encoded = made.encode(text, add_special_tokens=False)
    assert "<unk>" not in encoded.tokens
    assert "".join(token.removeprefix("##") for token in encoded.tokens) == text.replace(" ", "")


def test_a_tokenizer_of_another_kind_is_refused() -> None:
    with pytest.raises(InputError, match="WordPiece"):
        _fewer({"model": {"type": "Unigram"}}, Path("folder"), 10, [])
