"""Fine-tuning a cross-encoder on the CPU, resumable."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guardrail.errors import MissingExtra

__all__ = ["Plan", "fit"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to fine-tune."""

    minutes: float = 35.0
    """Wall time; the learning rate falls to zero over it."""
    seed: int = 1
    rate: float = 1e-4
    batch: int = 32
    max_tokens: int = 176
    warmup: int = 150
    """Steps."""
    save_every: int = 300
    """Steps between two checkpoints."""


def fit(encoder: Path, out: Path, texts: Sequence[tuple[str, str]], labels: Sequence[int], plan: Plan) -> None:
    """Fine-tune ``encoder`` on ``texts`` (evidence, claim) and write it to ``out``.

    A checkpoint in ``out`` is taken up where it was left. Raises `MissingExtra` without torch.
    """
    torch, model, tokenizer, spent = _begin(encoder, out, plan)
    ids = _encode(tokenizer, texts, plan.max_tokens)
    optimizer = _optimizer(torch, model, plan)
    started, step, loss_now = time.monotonic() - spent, 0, 0.0
    for batch in _batches([len(item) for item in ids], plan, spent):
        share = (time.monotonic() - started) / (60 * plan.minutes)
        if share >= 1:
            break
        _set_rate(optimizer, plan, min(1.0, step / plan.warmup) * max(0.02, 1 - share))
        loss = _step(
            torch,
            model,
            optimizer,
            [ids[n] for n in batch],
            [labels[n] for n in batch],
            tokenizer.pad_token_id,
        )
        step, loss_now = step + 1, 0.98 * loss_now + 0.02 * loss
        if step % 100 == 0:
            print(
                f"step {step}, {step * plan.batch} pairs, loss {loss_now / (1 - 0.98**step):.4f}, {share:.0%}",
                flush=True,
            )
        if step % plan.save_every == 0:
            _save(model, tokenizer, out, time.monotonic() - started)
    _save(model, tokenizer, out, 60 * plan.minutes)


def _begin(encoder: Path, out: Path, plan: Plan) -> tuple[Any, Any, Any, float]:
    try:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise MissingExtra("training needs torch and transformers: pip install 'guardrail-llm[train]'") from error
    torch.manual_seed(plan.seed)
    clock = out / "seconds"
    source = out if clock.is_file() else encoder
    # On CPUs the plain attention is faster to train than the fused one.
    model = AutoModelForSequenceClassification.from_pretrained(source, num_labels=1, attn_implementation="eager")
    model.get_input_embeddings().weight.requires_grad = False
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return (
        torch,
        model.train(),
        AutoTokenizer.from_pretrained(source),
        float(clock.read_text()) if clock.is_file() else 0.0,
    )


def _encode(tokenizer: Any, texts: Sequence[tuple[str, str]], max_tokens: int) -> list[list[int]]:
    evidence, claims = [a for a, _ in texts], [b for _, b in texts]
    encoded = tokenizer(evidence, claims, truncation="longest_first", max_length=max_tokens, padding=False)
    ids: list[list[int]] = encoded["input_ids"]
    return ids


def _optimizer(torch: Any, model: Any, plan: Plan) -> Any:
    named = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    head = [weight for name, weight in named if "classifier" in name]
    body = [weight for name, weight in named if "classifier" not in name]
    groups = [{"params": body, "scale": 1.0}, {"params": head, "scale": 3.0}]
    return torch.optim.AdamW(groups, lr=plan.rate, weight_decay=0.01, fused=True)


def _set_rate(optimizer: Any, plan: Plan, share: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = plan.rate * group["scale"] * share


def _batches(lengths: Sequence[int], plan: Plan, spent: float) -> Iterator[list[int]]:
    """Endless batches of pairs of like length, in random order; another order after each resumption."""
    chance = random.Random(f"{plan.seed} {spent:.0f}")
    while True:
        order = list(range(len(lengths)))
        chance.shuffle(order)
        for at in range(0, len(order), plan.batch * 50):
            block = sorted(order[at : at + plan.batch * 50], key=lambda n: lengths[n])
            cut = [block[k : k + plan.batch] for k in range(0, len(block), plan.batch)]
            chance.shuffle(cut)
            yield from cut


def _step(torch: Any, model: Any, optimizer: Any, ids: list[list[int]], labels: list[int], pad: int) -> float:
    # Lengths in steps of 16: a new shape costs a new kernel.
    longest = -(-max(map(len, ids)) // 16) * 16
    tokens = torch.tensor([item + [pad] * (longest - len(item)) for item in ids])
    mask = torch.tensor([[1] * len(item) + [0] * (longest - len(item)) for item in ids])
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(input_ids=tokens, attention_mask=mask).logits[:, 0]
    target = torch.tensor([float(label) for label in labels])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), target)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return float(loss)


def _save(model: Any, tokenizer: Any, out: Path, seconds: float) -> None:
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    (out / "seconds").write_text(str(seconds))
