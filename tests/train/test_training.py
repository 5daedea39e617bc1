"""A whole training with a tiny encoder, in one command. Needs the extra train: `make test-train`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import guardrail
from guardrail.cli.group import cli
from guardrail.errors import ConfigError
from guardrail.train.fit import Plan, Progress, fit
from guardrail.verdict import Status
from tests.train import tiny

for package in ("torch", "transformers", "onnx", "sklearn"):
    pytest.importorskip(package, reason=f"{package} is of the extra train: make test-train")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # the libraries warn of themselves
PLAN = Plan(pairs=120, batch=8, rate=1e-3, warmup=2, save_every=4)
TEXTS = [(str(row["context"]), str(row["answer"])) for row in tiny.rows(40)]
LABELS = [int(str(row["label"])) for row in tiny.rows(40)]
ARGUMENTS = ("--epochs", "20", "--rate", "3e-3", "--base", "encoder", "--licence", "rows.jsonl=CC0")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.encoder(tmp_path_factory.mktemp("tiny") / "encoder")


@pytest.fixture
def here(encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("encoder").symlink_to(encoder)
    tiny.write(Path("rows.jsonl"), 160)
    return tmp_path


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["train", "rows.jsonl", *args])


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.mark.usefixtures("here")
def test_rows_become_a_model_that_a_policy_can_name() -> None:
    result = run("--out", "model", *ARGUMENTS)
    assert result.exit_code == 0, result.output
    assert not Path("model/unfinished").exists()
    record = json.loads(Path("model/training.json").read_text())
    assert record["arguments"]["epochs"] == 20
    assert record["result"]["scores"]["auroc"]["value"] == 1.0
    assert record["result"]["scores"]["balanced_accuracy"]["value"] == 1.0  # so the threshold lies where it should
    card = Path("model/CARD.md").read_text()
    assert "| rows.jsonl | 160 | 80 (50%) | CC0 |" in card
    assert "the model that guardrail ships" in card

    policy = result.stdout[result.stdout.index("verifiers:") :]
    Path("guardrail.yaml").write_text(f"version: 1\n{policy}")
    with guardrail.Guard("guardrail.yaml") as guard:
        context = "The gate number 3 opens at noon and dawn by the sea and closes at dusk and night."
        for answer, status in (("noon", Status.RELIABLE), ("dusk", Status.UNRELIABLE)):
            asked = {"role": "user", "content": "When does it open?"}
            said = {"role": "assistant", "content": f"The gate opens at {answer}."}
            verdict = guard.check([asked, said], evidence=[context]).verdict
            assert verdict is not None
            assert verdict.status is status

    again = run("--out", "model", *ARGUMENTS)
    assert (again.exit_code, "is finished" in again.stdout) == (0, True)
    other = run("--out", "model", *ARGUMENTS, "--seed", "2")
    assert (other.exit_code, "--seed was 1, and is 2 now" in other.stderr) == (2, True)


@pytest.mark.usefixtures("here")
def test_a_base_that_cannot_be_had_leaves_the_folder_free(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("broken").mkdir()
    Path("broken/config.json").write_text('{"model_type": "bert", "num_hidden_layers": 1}')
    Path("broken/model.safetensors").write_bytes(b"nothing")
    result = run("--out", "model", "--base", "broken")
    assert (result.exit_code, "broken: cannot be loaded as an encoder" in result.stderr) == (2, True)
    assert run("--out", "model", "--base", "encoder", "--epochs", "1").exit_code == 0


@pytest.mark.usefixtures("here")
def test_an_interrupted_training_goes_on_where_it_was() -> None:
    command = [sys.executable, "-m", "guardrail.cli", "train", "rows.jsonl", "--out", "model", *ARGUMENTS]
    first = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert first.stderr is not None
    for line in first.stderr:
        if "rows seen" in line:
            first.send_signal(signal.SIGINT)
            break
    rest = first.stderr.read()
    assert first.wait() == 130, rest
    first.stderr.close()
    assert "stopping after this step; Ctrl-C again to leave at once" in rest
    assert "The same command goes on from there" in rest
    assert not Path("model/config.json").exists()
    seen = json.loads(Path("model/unfinished/checkpoint/state.json").read_text())["step"]

    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    assert "going on with what was begun" in second.stderr
    line = next(line for line in second.stderr.splitlines() if "rows seen" in line)
    assert int(line.split(" of ")[0].replace(",", "")) == (seen + 1) * 16

    assert run("--out", "straight", *ARGUMENTS).exit_code == 0
    assert Path("straight/model.onnx").read_bytes() == Path("model/model.onnx").read_bytes()
    assert Path("straight/config.json").read_bytes() == Path("model/config.json").read_bytes()


def test_steps_in_two_runs_are_those_of_one(encoder: Path, tmp_path: Path) -> None:
    told: list[Progress] = []
    assert fit(encoder, tmp_path / "one", TEXTS, LABELS, PLAN)
    stopped = fit(encoder, tmp_path / "two", TEXTS, LABELS, PLAN, tell=told.append, stop=lambda: len(told) == 6)
    assert not stopped
    assert weights(tmp_path / "one") != weights(tmp_path / "two")
    assert fit(encoder, tmp_path / "two", TEXTS, LABELS, PLAN, tell=told.append)
    assert weights(tmp_path / "one") == weights(tmp_path / "two")
    assert [step.seen for step in told] == [8 * n for n in range(1, 16)]


def test_a_save_that_was_cut_short_leaves_the_one_before_it(encoder: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert fit(encoder, out, TEXTS, LABELS, PLAN)
    whole = weights(out)
    out.rename(tmp_path / "run.old")  # as it is between the two renamings of a save
    (tmp_path / "run.new").mkdir()
    assert fit(encoder, out, TEXTS, LABELS, PLAN)
    assert weights(out) == whole


def test_the_lowest_quarter_of_layers_and_the_embeddings_stay_as_they_are(tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification as Model

    encoder = tiny.encoder(tmp_path / "encoder", layers=4)
    assert fit(encoder, tmp_path / "run", TEXTS, LABELS, replace(PLAN, frozen=2))
    before, after = (
        Model.from_pretrained(place, num_labels=1, ignore_mismatched_sizes=True).state_dict()
        for place in (encoder, tmp_path / "run")
    )
    changed = {name for name in before if not before[name].equal(after[name])}
    assert not any("layer.0." in name or "embeddings" in name for name in changed)
    assert any("layer.1." in name for name in changed)


def test_an_encoder_that_could_not_be_exported_is_refused_before_it_is_trained(encoder: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer, DebertaV2Config, DebertaV2ForSequenceClassification

    config = DebertaV2Config(
        vocab_size=60, hidden_size=64, num_hidden_layers=1, num_attention_heads=2, position_biased_input=False
    )
    DebertaV2ForSequenceClassification(config).save_pretrained(tmp_path / "deberta")
    AutoTokenizer.from_pretrained(encoder).save_pretrained(tmp_path / "deberta")
    with pytest.raises(ConfigError, match="is not built like BERT or MPNet, which is what can be exported"):
        fit(tmp_path / "deberta", tmp_path / "run", TEXTS, LABELS, PLAN)


def test_an_encoder_that_reads_too_little_is_refused(encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="reads 256 tokens at most, and it takes 402"):
        fit(encoder, tmp_path / "run", TEXTS, LABELS, replace(PLAN, max_tokens=400))
