"""Train the embedded model: ``python -m guardrail.train DATA ENCODER OUT``."""

from __future__ import annotations

from pathlib import Path

import click

from guardrail.train.augment import augmented
from guardrail.train.combine import combine
from guardrail.train.data import digest, held_answers, read, split
from guardrail.train.export import export
from guardrail.train.fit import Plan, Progress, fit
from guardrail.train.pairs import pairs
from guardrail.train.restore import restore
from guardrail.train.shrink import shrink
from guardrail.train.written import by_sentence, written


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("encoder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--pairs", "count", type=int, help="How many pairs to see; by default every row once.")
@click.option("--rate", default=5e-5, show_default=True, help="Learning rate at its highest.")
@click.option("--layers", default=8, show_default=True, help="How many of a Hugging Face encoder's layers are kept.")
@click.option("--words", default=24_000, show_default=True, help="How many of its word pieces are kept.")
@click.option("--permissive-only", is_flag=True, help="Leave out sets under a share-alike licence.")
@click.option("--seed", default=1, show_default=True)
def main(
    data: Path,
    encoder: Path,
    out: Path,
    count: int | None,
    rate: float,
    layers: int,
    words: int,
    permissive_only: bool,
    seed: int,
) -> None:
    """Fine-tune ENCODER (a Hugging Face folder, or a model folder) on the sets in DATA; the model folder is OUT/model.

    Run again with the same OUT it goes on where it was stopped.
    """
    own = written()
    rows = [*read(data, permissive_only=permissive_only, seed=seed), *own]
    train, held = split(rows)
    click.echo(f"{len(train)} rows to train on, {len(held)} held out, data digest {digest(rows)}, seed {seed}")
    made = augmented([*train, *by_sentence(split(own)[0])], seed=seed)
    base = out / "base"
    if not base.exists():
        part = out / "base.part"  # what is written in part is begun anew
        if (encoder / "model.onnx").is_file():
            restore(encoder, part)
        else:
            said = (text for row in train for text in (row.context, row.answer))
            shrink(encoder, part, layers=layers, words=words, texts=said)
        part.rename(base)
    plan = Plan(pairs=count or len(made), seed=seed, rate=rate)
    texts = pairs(made, with_question=0.35, seed=seed)
    fit(base, out / "checkpoint", texts, [row.label for row in made], plan, tell=_tell)
    changed = export(out / "checkpoint", out / "model", texts)
    click.echo(f"difference of logits after quantisation (root of the mean square): {changed:.3f}")
    answers = [*held_answers(data, permissive_only=permissive_only, seed=seed), *split(own)[1]]
    scores = combine(out / "model", answers, version=f"4.{digest(rows)}", max_tokens=plan.max_tokens)
    for name, value in scores.items():
        click.echo(f"{name}: {value:.4f}")


def _tell(progress: Progress) -> None:
    """A line every 50 batches of 32."""
    if progress.seen % 1600 == 0:
        click.echo(f"{progress.seen} of {progress.of} pairs, loss {progress.loss:.4f}, {progress.speed:.1f} pairs/s")


if __name__ == "__main__":
    main()
