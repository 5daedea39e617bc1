"""From labelled rows to a model folder with its scores: parts, base, fine-tuning, export, choosing, scoring, card."""

from __future__ import annotations

import functools
import importlib.util
import json
import logging
import math
import shutil
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from guardrail.errors import MissingExtra
from guardrail.evaluate.judgement import Judgement
from guardrail.evaluate.judging import Case, for_all, judge
from guardrail.guard import Guard
from guardrail.ordered import in_order
from guardrail.policy.loading import load
from guardrail.train.arguments import Arguments
from guardrail.train.base import Base, encoder_of
from guardrail.train.card import card
from guardrail.train.combine import combine
from guardrail.train.data import Row
from guardrail.train.example import Example, Usable
from guardrail.train.export import export
from guardrail.train.extent import DataFile, extent, labels
from guardrail.train.fit import Plan, Progress, fit
from guardrail.train.measured import Measured, measured
from guardrail.train.pairs import pairs
from guardrail.train.parts import Parts, Scored
from guardrail.train.record import UNFINISHED, Record, software, under_way, write
from guardrail.train.trained import Trained, doubts
from guardrail.verifiers.embedded.model import SHIPPED

__all__ = ["Stopped", "Task", "Tell", "check_extra", "train"]

Tell: TypeAlias = Callable[[str | Progress], object]
"""Is told each new phase in words, and after each step of the fine-tuning how far it is."""

_NEEDED = ("torch", "transformers", "onnx", "sklearn")
_WITH_QUESTION = 0.35
"""The share of pairs whose claim stands behind its question, whether the claim needs it or not."""
_SAVE_EVERY = 100


class Stopped(Exception):
    """The run was asked to stop; what is done so far is kept."""


@dataclass(frozen=True, slots=True)
class Task:
    """What to train."""

    out: Path
    arguments: Arguments
    base: Base
    files: tuple[DataFile, ...]
    rows: Usable
    parts: Parts

    @property
    def unfinished(self) -> Path:
        """Where everything is, until it is finished."""
        return self.out / UNFINISHED

    @property
    def plan(self) -> Plan:
        """How to fine-tune: a tenth of the steps, at most 150, warm up."""
        asked, pairs = self.arguments, len(self.parts.trained) * self.arguments.epochs
        steps = math.ceil(pairs / asked.batch)
        return Plan(
            pairs=pairs,
            seed=asked.seed,
            rate=asked.rate,
            batch=asked.batch,
            max_tokens=asked.max_tokens,
            warmup=min(150, steps // 10),
            save_every=_SAVE_EVERY,
        )


def check_extra() -> None:
    """Raises `MissingExtra` where something is missing that a training needs at its end at the latest."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtra(f"training needs {', '.join(missing)}: pip install 'guardrail-llm[train]'")


def train(task: Task, *, tell: Tell, stop: Callable[[], bool]) -> Trained:
    """Do all of ``task`` that is not done yet, and write the model into its folder.

    ``stop`` is asked after each step of the fine-tuning. Raises `Stopped` where it says so, `MissingExtra` without
    torch, and `ConfigError` where the base will not do.
    """
    started = time.monotonic()
    write(task.out, Record(task.arguments, software()))
    if not under_way(task.out):  # what is there was made for another base, perhaps
        shutil.rmtree(task.unfinished, ignore_errors=True)
    task.unfinished.mkdir(exist_ok=True)
    with _quiet():
        rounding = _model(task, tell, stop)
    folder = task.unfinished / "model"
    scores, by_source = _scored(task, folder, tell)
    made = _trained(task, folder, scores, by_source, rounding=rounding, seconds=time.monotonic() - started)
    (folder / "CARD.md").write_text(card(made), "utf-8")
    _finish(task, made)
    return made


def _model(task: Task, tell: Tell, stop: Callable[[], bool]) -> float:
    """Fine-tune, export and choose; how much the rounding changes logits."""
    tell(f"preparing {task.base.name}")
    encoder = encoder_of(task.base, task.unfinished / "base")
    rows = [_row(example) for example in task.parts.trained]
    texts = pairs(rows, with_question=_WITH_QUESTION, seed=task.arguments.seed)
    tell("fine-tuning")
    checkpoint = task.unfinished / "checkpoint"
    if not fit(encoder, checkpoint, texts, [row.label for row in rows], task.plan, tell=tell, stop=stop):
        raise Stopped
    tell("exporting")
    # Apart from where it is scored: a folder is read once a process, and here its settings still change.
    chosen = task.unfinished / "choosing"
    shutil.rmtree(chosen, ignore_errors=True)
    rounding = export(checkpoint, chosen, texts, in_four_bits=False)
    tell("choosing the combination and the threshold")
    _choose(task, chosen)
    shutil.rmtree(task.unfinished / "model", ignore_errors=True)
    chosen.rename(task.unfinished / "model")
    return rounding


def _row(example: Example) -> Row:
    return Row(example.source, example.context, example.question, example.answer, int(example.unreliable))


def _choose(task: Task, folder: Path) -> None:
    held = [_row(example) for example in task.parts.choosing]
    version = f"own.{task.arguments.data}"
    longest = task.arguments.max_tokens
    combine(folder, held, version=version, max_tokens=longest, answers=None, of="of its owner's rows")


def _scored(task: Task, folder: Path, tell: Tell) -> tuple[Measured, tuple[Measured, ...]]:
    """The scores of the model in ``folder`` beside its base's: of all rows to score, and of each source."""
    rows, rival = task.parts.scoring, task.base if task.base.judges else None
    name = f"its base, {rival.name}" if rival else "the model that guardrail ships"
    tell(f"scoring, beside {name}")
    own = _judged(folder, rows)
    others = _judged((rival and rival.folder) or SHIPPED, rows)
    whole = _measured("", rows, own, {name: others})
    sources = dict.fromkeys(one.source for one in own)
    return whole, tuple(_of_sources(sources, rows, own, {name: others})) if len(sources) > 1 else ()


def _of_sources(
    sources: Iterable[str],
    rows: Sequence[Scored],
    own: Sequence[Judgement],
    others: Mapping[str, Sequence[Judgement]],
) -> Iterator[Measured]:
    for source in sources:
        places = [place for place, one in enumerate(own) if one.source == source]
        if len({own[place].unreliable for place in places}) == 2:
            of = {name: [judged[place] for place in places] for name, judged in others.items()}
            yield _measured(source, [rows[place] for place in places], [own[place] for place in places], of)


def _measured(
    source: str, rows: Sequence[Scored], own: Sequence[Judgement], others: Mapping[str, Sequence[Judgement]]
) -> Measured:
    return measured(source, own, [row.context for row in rows], others)


def _judged(folder: Path, rows: Sequence[Scored]) -> list[Judgement]:
    """What a guard with the model in ``folder``, at that model's own threshold, makes of ``rows``."""
    embedded = {"kind": "embedded", "path": str(folder.resolve())}
    rules = {"verify": {"threshold": "none"}, "budget": {"added": "none"}}
    asked = {"version": 1, "verifiers": {"main": embedded}, "policies": {"default": rules}}
    with Guard(for_all(load(asked))) as guard:
        both = in_order(functools.partial(_judge, guard), [row.example for row in rows], concurrency=guard.concurrency)
        return list(both)


def _judge(guard: Guard, example: Example) -> Judgement:
    return judge(guard, Case(example.source, example.unreliable, example.check))[1]


def _trained(
    task: Task,
    folder: Path,
    scores: Measured,
    by_source: tuple[Measured, ...],
    *,
    rounding: float,
    seconds: float,
) -> Trained:
    rows, parts = task.rows, task.parts
    return Trained(
        arguments=task.arguments,
        software=software(),
        base=task.base.name,
        files=task.files,
        left_out=rows.left_out,
        contradictory=rows.contradictory,
        training=labels(parts.trained),
        choosing=labels(parts.choosing),
        scoring=labels(row.example for row in parts.scoring),
        contexts=parts.contexts,
        pieces_shared=parts.pieces_shared,
        extent=extent(rows.examples),
        threshold=json.loads((folder / "config.json").read_text("utf-8"))["threshold"],
        rounding=rounding,
        scores=scores,
        by_source=by_source,
        seconds=seconds,
    )


def _finish(task: Task, made: Trained) -> None:
    """Move the model to where it is used, and drop what it took to make it."""
    made_files = sorted((task.unfinished / "model").iterdir(), key=lambda path: path.name == "config.json")
    for path in made_files:  # the configuration comes last: without it the folder is no model
        path.replace(task.out / path.name)
    result: dict[str, Any] = {**asdict(made), "doubts": doubts(made)}
    for known in ("arguments", "software"):
        del result[known]
    write(task.out, Record(task.arguments, made.software, result))
    shutil.rmtree(task.unfinished)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the remarks of the libraries that load, train and export: they are to whoever programs with them."""
    import transformers

    before = logging.root.manager.disable
    transformers.utils.logging.disable_progress_bar()
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        transformers.utils.logging.enable_progress_bar()
