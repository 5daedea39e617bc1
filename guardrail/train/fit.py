"""Fine-tuning a cross-encoder on the CPU: the same seed and rows give the same steps, and a stopped run goes on."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from guardrail.errors import ConfigError, InputError, MissingExtra

__all__ = ["Plan", "Progress", "fit"]

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
    save_every: int = 100
    """Steps between two checkpoints."""
    frozen: int = 2
    """So many of the lowest layers stay as they are, like the embeddings, but no more than a quarter of all."""

    @property
    def steps(self) -> int:
        """Batches in all."""
        return -(-self.pairs // self.batch)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has got."""

    seen: int
    """Pairs, those of earlier runs too."""
    of: int
    loss: float
    """Binary cross-entropy, averaged over about the last 50 batches."""
    speed: float
    """Pairs a second in this run."""

    @property
    def left(self) -> float:
        """Seconds until the end at this speed."""
        return (self.of - self.seen) / self.speed


def fit(
    encoder: Path,
    out: Path,
    texts: Sequence[tuple[str, str]],
    labels: Sequence[int],
    plan: Plan,
    *,
    tell: Callable[[Progress], object] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Fine-tune ``encoder`` on ``texts`` (evidence, claim) and write it to ``out``. Whether that was done to the end.

    A checkpoint in ``out`` is taken up where it was left. ``tell`` and ``stop`` are called after each step; where the
    latter says so a checkpoint is written and the run ends. Raises `MissingExtra` without torch, `ConfigError` if the
    encoder will not do, and `InputError` if the checkpoint was made by another plan.
    """
    done = _done(out, plan)
    if done == plan.steps:
        return True
    run = _begin(out if done else encoder, out, plan)
    if done:
        run.take_up()
    ids = _encode(run.tokenizer, texts, plan.max_tokens)
    batches = islice(_batches([len(item) for item in ids], plan), done, plan.steps)
    started = time.monotonic()
    for step, batch in enumerate(batches, start=done):
        run.step(step, [ids[n] for n in batch], [labels[n] for n in batch])
        speed = (step + 1 - done) * plan.batch / (time.monotonic() - started)
        tell(Progress(min((step + 1) * plan.batch, plan.pairs), plan.pairs, run.loss, speed))
        stopped = stop() and step + 1 < plan.steps
        if stopped or (step + 1) % plan.save_every == 0:
            run.save(step + 1)
        if stopped:
            return False
    run.save(plan.steps)
    return True


def _done(out: Path, plan: Plan) -> int:
    """Steps that the checkpoint in ``out`` has behind it; 0 without one."""
    older = _beside(out, "old")
    if not out.exists() and older.exists():  # stopped between the two renamings of a save
        older.rename(out)
    path = out / _STATE
    if not path.is_file():
        return 0
    state = json.loads(path.read_text("utf-8"))
    if state["plan"] != dataclasses.asdict(plan):
        raise InputError(f"{path} is of another run ({state['plan']}): finish that one, or choose another folder")
    return int(state["step"])


def _beside(out: Path, what: str) -> Path:
    return out.with_name(f"{out.name}.{what}")


@dataclass(slots=True)
class _Run:
    """A run under way."""

    torch: Any
    model: Any
    tokenizer: Any
    optimizer: Any
    out: Path
    plan: Plan
    _weight: float = field(default=0.0)
    _losses: float = field(default=0.0)

    @property
    def loss(self) -> float:
        return self._losses / self._weight

    def take_up(self) -> None:
        state = self.torch.load(self.out / _OPTIMIZER, weights_only=True)
        self.optimizer.load_state_dict(state)

    def step(self, step: int, ids: list[list[int]], labels: list[int]) -> None:
        plan = self.plan
        warm = min(1.0, (step + 1) / plan.warmup) if plan.warmup else 1.0
        for group in self.optimizer.param_groups:
            group["lr"] = plan.rate * group["scale"] * warm * (1 - step / plan.steps)
        loss = _step(self.torch, self.model, self.optimizer, ids, labels, self.tokenizer.pad_token_id)
        self._losses, self._weight = 0.98 * self._losses + 0.02 * loss, 0.98 * self._weight + 0.02

    def save(self, step: int) -> None:
        """Write a checkpoint; the one before it stays until it is whole."""
        new, old = _beside(self.out, "new"), _beside(self.out, "old")
        shutil.rmtree(new, ignore_errors=True)
        self.model.save_pretrained(new)
        self.tokenizer.save_pretrained(new)
        self.torch.save(self.optimizer.state_dict(), new / _OPTIMIZER)
        state = {"plan": dataclasses.asdict(self.plan), "step": step}
        (new / _STATE).write_text(json.dumps(state) + "\n", "utf-8")
        shutil.rmtree(old, ignore_errors=True)
        if self.out.exists():
            self.out.rename(old)
        new.rename(self.out)
        shutil.rmtree(old, ignore_errors=True)


def _begin(source: Path, out: Path, plan: Plan) -> _Run:
    try:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise MissingExtra("training needs torch and transformers: pip install 'guardrail-llm[train]'") from error
    torch.manual_seed(plan.seed)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        # On CPUs the plain attention is faster to train than the fused one. A head for other labels is made anew.
        model = AutoModelForSequenceClassification.from_pretrained(
            source, num_labels=1, attn_implementation="eager", ignore_mismatched_sizes=True
        )
    except Exception as error:  # each of the libraries beneath raises classes of its own
        raise ConfigError(f"{source}: cannot be loaded as an encoder with its tokenizer: {error}") from error
    _refuse_unfit(source, model, tokenizer, plan)
    _freeze(torch, model, plan.frozen)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return _Run(torch, model.train(), tokenizer, _optimizer(torch, model, plan), out, plan)


def _refuse_unfit(source: Path, model: Any, tokenizer: Any, plan: Plan) -> None:
    embeddings = getattr(getattr(model, model.base_model_prefix), "embeddings", None)
    if getattr(embeddings, "position_embeddings", None) is None:
        raise ConfigError(
            f"{source}: is not built like BERT or MPNet, which is what can be exported; use another encoder"
        )
    places = getattr(model.config, "max_position_embeddings", None) or plan.max_tokens + 2
    if places < plan.max_tokens + 2:  # some families leave the first two places unused
        raise ConfigError(
            f"{source}: reads {places} tokens at most, and it takes {plan.max_tokens + 2}; use another encoder"
        )
    if not tokenizer.is_fast or tokenizer.pad_token_id is None:
        raise ConfigError(f"{source}: its tokenizer has no tokenizer.json, or no padding; use another encoder")


def _freeze(torch: Any, model: Any, layers: int) -> None:
    body = getattr(model, model.base_model_prefix)
    getattr(body, "embeddings", model.get_input_embeddings()).requires_grad_(False)
    lists = (module for module in model.modules() if isinstance(module, torch.nn.ModuleList))
    stack = next(found for found in lists if len(found) == model.config.num_hidden_layers)
    for layer in list(stack)[: min(layers, len(stack) // 4)]:
        layer.requires_grad_(False)


def _encode(tokenizer: Any, texts: Sequence[tuple[str, str]], max_tokens: int) -> list[list[int]]:
    evidence, claims = [a for a, _ in texts], [b for _, b in texts]
    encoded = tokenizer(evidence, claims, truncation="longest_first", max_length=max_tokens, padding=False)
    ids: list[list[int]] = encoded["input_ids"]
    return ids


def _optimizer(torch: Any, model: Any, plan: Plan) -> Any:
    named = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    inside = f"{model.base_model_prefix}."
    body = [weight for name, weight in named if name.startswith(inside)]
    head = [weight for name, weight in named if not name.startswith(inside)]
    groups = [{"params": body, "scale": 1.0}, {"params": head, "scale": 3.0}]
    return torch.optim.AdamW(groups, lr=plan.rate, weight_decay=0.01, fused=True)


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
