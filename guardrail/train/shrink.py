"""An encoder with fewer layers and fewer words, to be trained on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from guardrail.errors import InputError, MissingExtra

__all__ = ["shrink"]

_TOKENIZER = "tokenizer.json"


def shrink(encoder: Path, out: Path, *, layers: int, words: int, texts: Iterable[str]) -> None:
    """Write ``encoder`` (a Hugging Face folder) to ``out`` with its first ``layers`` layers, and with the ``words``
    pieces that ``texts`` have most often: every one that is longer than a Latin letter or mark may go, as what remains
    spells it.

    Source of dropping the upper layers: Sajjad et al. 2023, "On the effect of dropping layers of pre-trained
    transformer models", arXiv 2004.03844. Raises `MissingExtra` without torch, and `InputError` when the tokenizer is
    no WordPiece, whose words can be taken out one by one.
    """
    try:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerFast
    except ImportError as error:
        raise MissingExtra("training needs torch and transformers: pip install 'guardrail-llm[train]'") from error
    model = AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=1)
    body = getattr(model, model.base_model_prefix)
    body.encoder.layer = body.encoder.layer[:layers]
    model.config.num_hidden_layers = len(body.encoder.layer)
    kept, tokenizer = _fewer(json.loads((encoder / _TOKENIZER).read_text("utf-8")), encoder, words, texts)
    table = model.get_input_embeddings()
    table.weight = torch.nn.Parameter(table.weight.detach()[kept].clone())
    table.num_embeddings = model.config.vocab_size = len(kept)
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out)
    (out / _TOKENIZER).write_text(json.dumps(tokenizer, ensure_ascii=False), "utf-8")
    marks = AutoTokenizer.from_pretrained(encoder).special_tokens_map
    PreTrainedTokenizerFast(tokenizer_file=str(out / _TOKENIZER), model_max_length=512, **marks).save_pretrained(out)


def _fewer(tokenizer: dict[str, Any], encoder: Path, words: int, texts: Iterable[str]) -> tuple[list[int], Any]:
    """The places in the old table of the pieces that are kept, in their old order; and the tokenizer of those."""
    from tokenizers import Tokenizer

    if tokenizer["model"]["type"] != "WordPiece":
        raise InputError(f"{encoder / _TOKENIZER} is no WordPiece tokenizer: its words cannot be taken out one by one")
    full = Tokenizer.from_str(json.dumps(tokenizer))
    full.no_truncation()
    counts = Counter(place for text in texts for place in full.encode(text, add_special_tokens=False).ids)
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
    fixed = {added["content"] for added in tokenizer["added_tokens"]} | {w for w in vocabulary if _is_letter(w)}
    often = sorted(vocabulary, key=lambda word: (word not in fixed, -counts[vocabulary[word]], word))
    chosen = sorted(often[: max(words, len(fixed))], key=vocabulary.__getitem__)
    places = {word: place for place, word in enumerate(chosen)}
    for added in tokenizer["added_tokens"]:
        added["id"] = places[added["content"]]
    for mark in (tokenizer.get("post_processor") or {}).get("special_tokens", {}).values():
        mark["ids"] = [places[word] for word in mark["tokens"]]
    for mark in ("sep", "cls"):
        if isinstance(pair := (tokenizer.get("post_processor") or {}).get(mark), list):
            pair[1] = places[pair[0]]
    return [vocabulary[word] for word in chosen], tokenizer | {"model": tokenizer["model"] | {"vocab": places}}


def _is_letter(word: str) -> bool:
    """Whether ``word`` is a single letter or mark of a Latin script, alone or inside a word."""
    plain = word.removeprefix("##")
    return len(plain) == 1 and ord(plain) < 0x250
