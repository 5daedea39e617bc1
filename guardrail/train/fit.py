"""Fine-tuning a cross-encoder on the CPU: the same seed and rows give the same steps, and a stopped run goes on."""

from __future__ import annotations

import dataclasses
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from guardrail.errors import InputError, MissingExtra

__all__ = ["Plan", "fit"]

_STATE = "state.json"
_OPTIMIZER = "optimizer.pt"


@dataclass(frozen=True, slots=True)
class Plan:
    """How to fine-tune."""

    pairs: int
    """How many pairs to see, repetitions counted; the learning rate falls to zero over them."""
    seed: int = 1
    rate: float = 5e-5
    batch: int = 32
    max_tokens: int = 176
    warmup: int = 60
    """Steps."""
    frozen: int = 2
    """So many of the lowest layers stay as they are, like the word embeddings."""
    save_every: int = 100
    """Steps between two checkpoints."""

    @property
    def steps(self) -> int:
        """Batches in all."""
        return -(-self.pairs // self.batch)


def fit(encoder: Path, out: Path, texts: Sequence[tuple[str, str]], labels: Sequence[int], plan: Plan) -> None:
    """Fine-tune ``encoder`` on ``texts`` (evidence, claim) and write it to ``out``.

    A checkpoint in ``out`` is taken up where it was left. Raises `MissingExtra` without torch, and `InputError`
    if the checkpoint was made by another plan.
    """
    done = _done(out, plan)
    torch, model, tokenizer = _begin(out if done else encoder, plan)
    optimizer = _optimizer(torch, model, plan)
    if done:
        optimizer.load_state_dict(torch.load(out / _OPTIMIZER, weights_only=True))
    ids = _encode(tokenizer, texts, plan.max_tokens)
    started, loss_now, seen = time.monotonic(), 0.0, 0.0
    for step, batch in enumerate(islice(_batches([len(item) for item in ids], plan), done, plan.steps), start=done):
        _set_rate(optimizer, plan, min(1.0, (step + 1) / plan.warmup) * (1 - step / plan.steps))
        chosen = [ids[n] for n in batch]
        loss = _step(torch, model, optimizer, chosen, [labels[n] for n in batch], tokenizer.pad_token_id)
        loss_now, seen = 0.98 * loss_now + 0.02 * loss, 0.98 * seen + 0.02
        if (step + 1) % 50 == 0:
            speed = (step + 1 - done) * plan.batch / (time.monotonic() - started)
            print(f"step {step + 1} of {plan.steps}, loss {loss_now / seen:.4f}, {speed:.0f} pairs/s", flush=True)
        if (step + 1) % plan.save_every == 0:
            _save(torch, model, tokenizer, optimizer, out, plan, step + 1)
    _save(torch, model, tokenizer, optimizer, out, plan, plan.steps)


def _done(out: Path, plan: Plan) -> int:
    """Steps that the checkpoint in ``out`` has behind it; 0 without one."""
    path = out / _STATE
    if not path.is_file():
        return 0
    state = json.loads(path.read_text("utf-8"))
    if state["plan"] != dataclasses.asdict(plan):
        raise InputError(f"{path} is of another run ({state['plan']}): finish that one, or choose another folder")
    return int(state["step"])


def _begin(source: Path, plan: Plan) -> tuple[Any, Any, Any]:
    try:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise MissingExtra("training needs torch and transformers: pip install 'guardrail-llm[train]'") from error
    torch.manual_seed(plan.seed)
    # On CPUs the plain attention is faster to train than the fused one.
    model = AutoModelForSequenceClassification.from_pretrained(source, num_labels=1, attn_implementation="eager")
    body = getattr(model, model.base_model_prefix)
    for part in (body.embeddings, *body.encoder.layer[: plan.frozen]):
        part.requires_grad_(False)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return torch, model.train(), AutoTokenizer.from_pretrained(source)


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


def _batches(lengths: Sequence[int], plan: Plan) -> Iterator[list[int]]:
    """Endless batches of pairs of like length, in an order that the seed decides."""
    chance = random.Random(plan.seed)
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
    return float(loss.detach())


def _save(torch: Any, model: Any, tokenizer: Any, optimizer: Any, out: Path, plan: Plan, step: int) -> None:
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    torch.save(optimizer.state_dict(), out / _OPTIMIZER)
    # Last, so that a run stopped while saving is not taken for a finished save.
    (out / _STATE).write_text(json.dumps({"plan": dataclasses.asdict(plan), "step": step}) + "\n", "utf-8")
