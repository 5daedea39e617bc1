"""Train the embedded model: ``python -m guardrail.train DATA ENCODER OUT``."""

from __future__ import annotations

from pathlib import Path

import click

from guardrail.train.combine import combine
from guardrail.train.data import digest, read, split
from guardrail.train.export import export
from guardrail.train.fit import Plan, fit
from guardrail.train.pairs import pairs
from guardrail.train.restore import restore


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("encoder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--pairs", "count", type=int, help="How many pairs to see; by default every row once.")
@click.option("--permissive-only", is_flag=True, help="Leave out sets under a share-alike licence.")
@click.option("--seed", default=1, show_default=True)
def main(data: Path, encoder: Path, out: Path, count: int | None, permissive_only: bool, seed: int) -> None:
    """Fine-tune ENCODER (a Hugging Face folder, or a model folder) on the sets in DATA; the model folder is OUT/model.

    Run again with the same OUT it goes on where it was stopped.
    """
    rows = read(data, permissive_only=permissive_only, seed=seed)
    train, held = split(rows)
    click.echo(f"{len(train)} rows to train on, {len(held)} held out, data digest {digest(rows)}, seed {seed}")
    if (encoder / "model.onnx").is_file():
        restore(encoder, out / "restored")
        encoder = out / "restored"
    plan = Plan(pairs=count or len(train), seed=seed)
    texts = pairs(train, with_question=0.35, seed=seed)
    fit(encoder, out / "checkpoint", texts, [row.label for row in train], plan)
    changed = export(out / "checkpoint", out / "model", texts)
    click.echo(f"difference of logits after quantisation (root of the mean square): {changed:.3f}")
    scores = combine(out / "model", held, version=f"1.{digest(rows)}", max_tokens=plan.max_tokens)
    for name, value in scores.items():
        click.echo(f"{name}: {value:.4f}")


if __name__ == "__main__":
    main()
