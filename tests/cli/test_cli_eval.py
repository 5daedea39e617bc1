"""The eval command on small files, with a scripted verifier in the place of the policy's."""

from __future__ import annotations

import gzip
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from guardrail.cli.group import cli
from guardrail.cli.labelled import labelled_rows, size
from guardrail.cli.source import Place
from guardrail.errors import VerifierError
from guardrail.policy.model import EMBEDDED_THRESHOLD
from guardrail.testing import ScriptedVerifier, unknown
from guardrail.verdict import Cause, Status, Verdict
from guardrail.verifiers.protocol import Check

QUALITY = {"auroc", "average_precision", "balanced_accuracy", "f1", "ece", "coverage", "baselines"}


def judge(check: Check) -> Verdict:
    """Reads the risk off the answer's first word."""
    word = check.turn.text.split()[0]
    if word == "error":
        raise VerifierError(Cause.TIMEOUT, "too slow")
    return unknown() if word == "unknown" else Verdict(Status.RELIABLE, risk=float(word))


def row(answer: str, label: object, **more: object) -> str:
    return json.dumps({"question": "q", "context": "c", "answer": answer, "label": label, **more})


def run(*args: str, input: str | bytes | None = None) -> Result:
    verifiers = {"main": ScriptedVerifier(judge, repeat=True)}
    return CliRunner().invoke(cli, ["eval", *args], input=input, obj=verifiers)


def found(result: Result) -> dict[str, Any]:
    object: dict[str, Any] = json.loads(result.stdout)
    return object


ROWS = [row("0.9 x", 1), row("0.2 x y", 0), row("0.7 x y", 0), row("0.6 x", 1)]


def written(path: Path, rows: list[str]) -> str:
    path.write_text("\n".join(rows))
    return str(path)


# the JSON object


def test_the_object_has_exactly_the_published_shape(tmp_path: Path) -> None:
    result = run(written(tmp_path / "qa.jsonl", ROWS), "--json")
    assert result.exit_code == 0, result.output
    object = found(result)
    [source] = object["sources"]
    digest, latency = object["digest"], source["latency_ms"]
    quality = {
        "auroc": 0.75,
        "average_precision": 0.8333,
        "balanced_accuracy": 0.75,
        "f1": 0.8,
        "ece": 0.35,
        "coverage": 1.0,
        "baselines": {"length": 1.0, "word_novelty": 0.5, "bigram_novelty": 0.5},
    }
    none = {"reliable": 0, "unreliable": 0, "unknown": 0, "error": 0}
    assert object == {
        "digest": digest,
        "verifiers": ["scripted 1"],
        "thresholds": {"default": EMBEDDED_THRESHOLD.risk},
        "rows": 4,
        "bad": 0,
        "limit": None,
        "sources": [
            {
                "source": "qa",
                "rows": 4,
                "unreliable": 2,
                **quality,
                "undefined": None,
                "confusion": {
                    "reliable": none | {"reliable": 1, "unreliable": 1},
                    "unreliable": none | {"unreliable": 2},
                },
                "causes": {},
                "latency_ms": latency,
                "reliability": [
                    {"low": 0.2, "high": 0.2667, "rows": 1, "risk": 0.2, "unreliable": 0.0},
                    {"low": 0.6, "high": 0.6667, "rows": 1, "risk": 0.6, "unreliable": 1.0},
                    {"low": 0.6667, "high": 0.7333, "rows": 1, "risk": 0.7, "unreliable": 0.0},
                    {"low": 0.8667, "high": 0.9333, "rows": 1, "risk": 0.9, "unreliable": 1.0},
                ],
            }
        ],
        "mean": quality,
        "versus": None,
        "notes": [],
    }
    assert len(digest) == 16
    assert set(latency) == {"p50", "p95"}


def test_every_form_of_row_and_of_label_is_read() -> None:
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "0.9"}]
    rows = [
        json.dumps({"messages": messages, "label": "unreliable"}),
        row("0.1", "reliable"),
        row("0.2", False),
        row("0.8", True),
    ]
    object = found(run("-", "--json", input="\n".join(rows)))
    assert (object["rows"], object["mean"]["auroc"]) == (4, 1.0)
    assert object["sources"][0]["source"] == "stdin"


def test_rows_count_for_their_source_or_else_for_their_file(tmp_path: Path) -> None:
    one = written(tmp_path / "one.v2.jsonl", [row("0.9", 1, source="b"), row("0.1", 0), row("0.1", 0, source="b")])
    (tmp_path / "two.jsonl.gz").write_bytes(gzip.compress("\n".join(ROWS).encode()))
    object = found(run(one, str(tmp_path / "two.jsonl.gz"), "--json"))
    assert [(s["source"], s["rows"]) for s in object["sources"]] == [("b", 2), ("one.v2", 1), ("two", 4)]
    assert object["mean"]["auroc"] == pytest.approx((1.0 + 0.75) / 2)


def test_a_compressed_file_gives_the_same_scores_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "packed.jsonl").write_bytes(gzip.compress("\n".join(ROWS).encode()))
    plain, packed = (
        found(run("-", "--json", input="\n".join(ROWS))),
        found(run(str(tmp_path / "packed.jsonl"), "--json")),
    )
    assert plain["mean"] == packed["mean"]
    assert found(run("-", "--json", input=gzip.compress("\n".join(ROWS).encode())))["mean"] == plain["mean"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_read_once_and_whole(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("\n".join(ROWS),), daemon=True)
    writer.start()
    result = run(str(pipe), "--json")
    writer.join(timeout=10)
    assert (result.exit_code, found(result)["rows"]) == (0, 4)


def test_a_row_without_a_verdict_stays_in_and_gives_exit_code_3() -> None:
    result = run("-", "--json", input="\n".join([*ROWS, row("error", 1), row("unknown", 0)]))
    assert result.exit_code == 3
    [source] = found(result)["sources"]
    assert source["rows"] == 6
    assert source["coverage"] == pytest.approx(4 / 6, abs=1e-4)
    assert source["confusion"]["unreliable"]["error"] == 1
    assert source["confusion"]["reliable"]["unknown"] == 1
    assert source["causes"] == {"timeout": 1, "no_evidence": 1}


def test_a_single_label_gives_null_and_the_reason() -> None:
    result = run("-", "--json", input="\n".join([row("0.9", 1), row("0.1", 1)]))
    assert result.exit_code == 0
    [source] = found(result)["sources"]
    assert source["auroc"] is None
    assert source["baselines"] == {"length": None, "word_novelty": None, "bigram_novelty": None}
    assert source["undefined"].startswith("every row is labelled unreliable")
    assert found(result)["mean"]["auroc"] is None


def test_only_the_first_rows_of_each_source_are_judged_under_a_limit() -> None:
    rows = [
        row("0.9", 1, source="a"),
        "{}",
        row("0.1", 0, source="a"),
        row("0.1", 1, source="a"),
        row("0", 0, source="b"),
    ]
    result = run("-", "--json", "--limit", "2", input="\n".join(rows))
    assert result.exit_code == 2
    object = found(result)
    assert [(s["source"], s["rows"]) for s in object["sources"]] == [("a", 2), ("b", 1)]
    assert (object["limit"], object["bad"]) == (2, 1)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_progress_is_counted_over_all_files_to_the_last_byte(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("a", "b")]
    for name in names:
        Path(name).write_bytes(pack("\n".join(ROWS).encode()))
    progress = Place(size(names))
    assert len(list(labelled_rows(names, progress))) == progress.rows == 8
    assert progress.read == progress.size == sum(Path(name).stat().st_size for name in names)


# what is bad

BAD = {
    "no label": ('{"answer": "0.5"}', '"label" is missing; expected 0 or reliable, or 1 or unreliable'),
    "a label of another kind": (row("0.5", "wrong"), "label: expected 0 or reliable, or 1 or unreliable, got 'wrong'"),
    "no answer": ('{"label": 1}', '"answer" is missing'),
    "no JSON": ("label: 1", "invalid JSON at column 1"),
    "a bare conversation": ('[{"role": "assistant", "content": "0.5"}]', '"label" is missing'),
    "a source that is no text": (row("0.5", 1, source=7), "source: expected a string, got 7"),
}


@pytest.mark.parametrize(("bad", "problem"), BAD.values(), ids=BAD)
def test_a_bad_row_is_named_and_the_rest_still_runs(bad: str, problem: str, tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", [ROWS[0], bad, *ROWS[1:]])
    result = run(path, "--json")
    assert result.exit_code == 2
    assert f"{path}:2: {problem}" in result.stderr
    assert "Traceback" not in result.stderr
    assert (found(result)["rows"], found(result)["bad"]) == (4, 1)


def test_a_bad_row_is_called_by_its_id() -> None:
    result = run("-", input="\n".join([*ROWS, row("0.5", "?", id="q7")]))
    assert "stdin:5: id 'q7': label: expected" in result.stderr


@pytest.mark.parametrize("content", [b"", b"\n\n", gzip.compress(b""), gzip.compress("\n".join(ROWS).encode())[:-20]])
def test_an_unfit_file_does_not_cost_the_others(content: bytes, tmp_path: Path) -> None:
    unfit = tmp_path / "unfit.jsonl"
    unfit.write_bytes(content)
    result = run(str(unfit), written(tmp_path / "fit.jsonl", ROWS), "--json")
    assert result.exit_code == 2
    assert f"{unfit}: " in result.stderr
    assert found(result)["sources"][-1]["rows"] == 4


def test_a_file_that_is_not_there_is_told_before_anything_is_judged(tmp_path: Path) -> None:
    verifier = ScriptedVerifier(judge, repeat=True)
    args = ["eval", "-", written(tmp_path / "rows.jsonl", ROWS), str(tmp_path / "none.jsonl")]
    result = CliRunner().invoke(cli, args, obj={"main": verifier})
    assert (result.exit_code, verifier.checks) == (2, [])
    assert f"{tmp_path / 'none.jsonl'}: no such file" in result.stderr


@pytest.mark.parametrize("as_json", [True, False])
def test_with_nothing_but_bad_rows_there_are_no_scores(as_json: bool) -> None:
    result = run("-", *(["--json"] if as_json else []), input="{}")
    assert result.exit_code == 2
    if as_json:
        assert found(result)["sources"] == []
        assert set(found(result)["mean"]) == QUALITY
    else:
        assert "no row was judged" in result.stdout


def test_no_file_is_a_mistake() -> None:
    assert run().exit_code == 2


# policy and verifier


def test_a_verifier_of_the_policy_is_asked_by_name(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "version: 1\nverifiers: {other: {kind: embedded}}\npolicies: {default: {verify: {threshold: 0.65}}}"
    )
    other = ScriptedVerifier(Verdict(Status.RELIABLE, risk=0.5), id="other", repeat=True)
    args = ["eval", "-", "--json", "--policy", str(policy), "--verifier", "other"]
    result = CliRunner().invoke(cli, args, input="\n".join(ROWS), obj={"other": other})
    assert found(result)["verifiers"] == ["other 1"]
    assert found(result)["thresholds"] == {"default": 0.65}
    assert found(result)["mean"]["auroc"] == 0.5


def test_two_verifiers_are_compared_on_the_same_rows(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nverifiers: {other: {kind: embedded}}\n")
    other = ScriptedVerifier(Verdict(Status.RELIABLE, risk=0.5), id="other", repeat=True)
    obj = {"main": ScriptedVerifier(judge, repeat=True), "other": other}
    rows = [row(f"0.{n:02d}", int(n > 50 or n % 7 == 0)) for n in range(100)]
    args = ["eval", "-", "--policy", str(policy), "--versus", "other"]
    result = CliRunner().invoke(cli, [*args, "--json"], input="\n".join(rows), obj=obj)
    assert result.exit_code == 0, result.output
    versus = found(result)["versus"]
    assert (versus["verifier"], versus["resamples"], versus["confidence"]) == ("other", 2000, 0.95)
    [source] = versus["sources"]
    assert source == {"source": "stdin", **versus["mean"]}
    assert source["auroc"] == 0.5
    assert source["difference"] == pytest.approx(found(result)["mean"]["auroc"] - 0.5, abs=1e-4)
    assert 0 < source["low"] < source["difference"] < source["high"] < 0.5
    assert "AUROC against other" in CliRunner().invoke(cli, args, input="\n".join(rows), obj=obj).stdout


def test_a_verifier_to_compare_with_must_be_there() -> None:
    result = run("-", "--versus", "mian", input=ROWS[0])
    assert (result.exit_code, "no verifier 'mian'; did you mean 'main'?" in result.stderr) == (2, True)


def test_a_verifier_that_is_not_there_is_a_mistake() -> None:
    result = run("-", "--verifier", "mian", input=ROWS[0])
    assert result.exit_code == 2
    assert "no verifier 'mian'; did you mean 'main'?" in result.stderr


def test_each_rule_is_shown_with_its_threshold(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "version: 1\npolicies: {other: {verify: {threshold: 0.8}}, own: {verify: {threshold: none}}}\n"
        "routes: [{match: {model: a}, policy: other}, {match: {model: b}, policy: own}]"
    )
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "0.7"}]
    rows = [json.dumps({"messages": messages, "model": model, "label": 1}) for model in "abc"]
    object = found(run("-", "--json", "--policy", str(policy), input="\n".join(rows)))
    assert object["thresholds"] == {"other": 0.8, "own": None, "default": EMBEDDED_THRESHOLD.risk}
    assert object["sources"][0]["confusion"]["unreliable"]["unreliable"] == 1


@pytest.mark.parametrize(("version", "told"), [("0", True), ("1", False)])
def test_a_threshold_of_another_verifier_is_told(version: str, told: bool, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    known = (
        "{target: {missed: 0.1}, confidence: 0.9, observed: 0.05, bound: 0.09, n: 100, data: abc, verifier: scripted,"
        f" version: '{version}'}}"
    )
    threshold = f"threshold: {{risk: 0.4, calibrated: {known}}}"
    policy.write_text(f"version: 1\npolicies: {{default: {{verify: {{{threshold}}}}}}}\n")
    result = run("-", "--policy", str(policy), input="\n".join(ROWS))
    assert ("calibrated for the verifier 'scripted 0', but 'scripted 1'" in " ".join(result.stdout.split())) == told
    notes = found(run("-", "--policy", str(policy), "--json", input="\n".join(ROWS)))["notes"]
    assert [note.startswith("policies.default: the threshold was calibrated for") for note in notes] == [True] * told


# --output, and the table


def test_the_output_file_holds_every_row_with_its_label(tmp_path: Path) -> None:
    path, out = written(tmp_path / "qa.jsonl", [row("0.9", "unreliable", id="x"), "{}"]), tmp_path / "out.jsonl"
    run(path, "--output", str(out))
    first, second = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    assert (first["file"], first["source"], first["label"], first["id"]) == (path, "qa", 1, "x")
    assert first["verdict"]["risk"] == 0.9
    assert (second["file"], second["line"]) == (path, 2)
    assert '"answer" is missing' in second["error"]


def test_the_report_is_one_file_with_the_worst_errors(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is of the extra eval")
    html = tmp_path / "out.html"
    result = run(written(tmp_path / "qa.jsonl", [*ROWS, row("0.95 <b>bold</b>", 0)]), "--report", str(html))
    assert result.exit_code == 0, result.output
    text = html.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert text.endswith("</html>\n")
    assert text.index("0.95 &lt;b&gt;bold&lt;/b&gt;") < text.index("0.7 x y")
    assert "qa.jsonl:5" in text
    assert "scripted 1" in text


def test_an_answer_that_was_told_right_is_no_error_in_the_report(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is of the extra eval")
    html = tmp_path / "out.html"
    rows = [
        row("0.9 right", 1),
        row("0.2 right", 0),
        row("0.1 missed", 1),
        row("unknown missed", 1),
        row("0.8 alarm", 0),
    ]
    run("-", "--report", str(html), input="\n".join(rows))
    text = html.read_text(encoding="utf-8")
    assert "right" not in text.partition("Worst false alarms")[2]
    assert "0.8 alarm" in text.partition("Worst false alarms")[2].partition("Worst misses")[0]
    missed = text.partition("Worst misses")[2]
    assert 0 < missed.index("0.1 missed") < missed.index("unknown missed")


def test_the_report_has_what_a_comparison_found(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is of the extra eval")
    policy, html = tmp_path / "policy.yaml", tmp_path / "out.html"
    policy.write_text("version: 1\nverifiers: {other: {kind: embedded}}\n")
    obj = {name: ScriptedVerifier(judge, repeat=True) for name in ("main", "other")}
    args = ["eval", "-", "--policy", str(policy), "--versus", "other", "--report", str(html)]
    result = CliRunner().invoke(cli, args, input="\n".join(ROWS), obj=obj)
    assert "AUROC against other" in html.read_text(encoding="utf-8")
    assert "stdin: 2 rows of one label: the interval is too narrow" in result.stdout


def test_the_verifier_whose_time_is_told_is_asked_first(tmp_path: Path) -> None:
    policy, asked = tmp_path / "policy.yaml", list[str]()
    policy.write_text("version: 1\nverifiers: {other: {kind: embedded}}\n")

    def noting(name: str) -> ScriptedVerifier:
        def noted(check: Check) -> Verdict:
            asked.append(name)
            return judge(check)

        return ScriptedVerifier(noted, repeat=True)

    obj = {name: noting(name) for name in ("main", "other")}
    args = ["eval", "-", "--policy", str(policy), "--versus", "other", "--jobs", "1"]
    CliRunner().invoke(cli, args, input="\n".join(ROWS[:2]), obj=obj)
    assert asked == ["main", "other"] * 2


def test_the_output_is_none_of_the_inputs(tmp_path: Path) -> None:
    paths = [written(tmp_path / name, ROWS) for name in ("a.jsonl", "b.jsonl")]
    policy = written(tmp_path / "policy.yaml", ["version: 1"])
    for args in (["--output", paths[1]], ["--policy", policy, "--output", policy], ["--report", paths[0]]):
        result = run(*paths, *args)
        assert result.exit_code == 2
        assert "is the input as well" in result.stderr
    result = run(*paths, "--output", str(tmp_path / "out"), "--report", f"{tmp_path}/./out")
    assert result.exit_code == 2
    assert "--output and --report: both name" in result.stderr


def test_people_get_tables_with_their_legend(tmp_path: Path) -> None:
    one = written(tmp_path / "one.jsonl", [*ROWS, row("error", 1)])
    two = written(tmp_path / "two.jsonl", [row("0.9", 1)])
    result = run(one, two, "--limit", "9")
    for text in (
        "one",
        "mean of",
        f"{EMBEDDED_THRESHOLD.risk:g}",
        "coverage",
        "without a verdict: 1 timeout",
        "first 9 rows of each source",
    ):
        assert text in result.stdout
    assert "two: every row is labelled unreliable" in result.stdout
    assert "-" in result.stdout


def test_sources_cannot_steer_the_terminal() -> None:
    result = run("-", input=row("0.9", 1, source="\x1b[31m[red]"))
    assert "\x1b" not in result.stdout
    assert "[red]" in result.stdout


# answers without evidence


def test_recorded_samples_let_a_policy_without_a_generator_be_measured(tmp_path: Path) -> None:
    policy = tmp_path / "guardrail.yaml"
    policy.write_text("version: 1\nverifiers: {main: {kind: consistency, samples: 2}}\n")
    heights = ["The tower is 300 metres tall.", "The tower is 90 metres tall.", "The tower is 512 metres tall."]
    rows = [
        {"question": "How tall is the tower?", "answer": heights[0], "samples": samples, "label": label}
        for samples, label in ((heights[:1] * 2, 0), (heights[1:], 1))
    ]
    file = written(tmp_path / "rows.jsonl", [json.dumps(one) for one in rows])
    result = CliRunner().invoke(cli, ["eval", file, "--policy", str(policy), "--json"])
    assert result.exit_code == 0, result.output
    assert found(result)["mean"]["auroc"] == 1.0
