"""An encoder of a few small layers with a tokenizer of its own, and labelled rows that it can learn in a minute."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

WORDS = "the a gate opens at closes shop by sea hill station bridge tower market hall noon dawn dusk night red blue"
PLACES = "gate shop station bridge tower market hall".split()
EARLY, LATE = ("noon", "dawn"), ("dusk", "night")


def rows(count: int, *, seed: int = 1) -> Iterator[dict[str, object]]:
    """In all contexts stand all times; an answer with a late one is unreliable. Counting words tells nothing."""
    chance = random.Random(seed)
    for number in range(count):
        place, label = chance.choice(PLACES), number % 2
        context = f"The {place} number {number} opens at noon and dawn by the sea and closes at dusk and night."
        answer = f"The {place} opens at {chance.choice(LATE if label else EARLY)}."
        yield {"id": number, "context": context, "question": "When does it open?", "answer": answer, "label": label}


def write(path: Path, count: int, *, seed: int = 1) -> Path:
    """A file of such rows."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(count, seed=seed)), encoding="utf-8")
    return path


def encoder(folder: Path, *, layers: int = 2) -> Path:
    """The encoder in ``folder``, untrained. Needs torch and transformers."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    known = {word: place for place, word in enumerate([*special, *WORDS.split(), *"0123456789.?"])}
    tokenizer = Tokenizer(models.WordLevel(known, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(known),
        hidden_size=64,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=256,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder
