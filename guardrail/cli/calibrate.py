"""``guardrail calibrate``: a threshold with a guarantee, from labelled answers into the policy."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import click

from guardrail.action import Action
from guardrail.cli.calibrated import Found, found_object, found_shown, setting
from guardrail.cli.errors import visible
from guardrail.cli.jsonout import dump
from guardrail.cli.judging import Result, guard_with, judged
from guardrail.cli.labelled import Bad, labelled_rows, refuse_twice, size
from guardrail.cli.policyfile import change, create, to_paste
from guardrail.cli.screen import Bar
from guardrail.cli.source import Place
from guardrail.cli.tally import CLEAN, NO_VERDICT
from guardrail.errors import ConfigError, InputError
from guardrail.evaluate.bounds import upper_bound
from guardrail.evaluate.calibration import Rate, choose
from guardrail.evaluate.fingerprint import data_digest, row_digest
from guardrail.evaluate.judgement import Judgement
from guardrail.evaluate.judging import for_all
from guardrail.policy.loading import load
from guardrail.policy.model import Policy, Threshold
from guardrail.policy.presets import PRESETS
from guardrail.policy.problems import did_you_mean
from guardrail.verdict import Status
from guardrail.verifiers.protocol import Verifier

__all__ = ["calibrate"]

_HELP = """Choose a threshold with a guarantee, and write it into the policy.

Each FILE (- is stdin; gzip is unpacked) holds labelled rows, as `guardrail eval` reads them. The policy's verifier
judges them, and the threshold is chosen so that, with the confidence given, a rate stays within the target on new
answers like these: false_block, of reliable answers that are called unreliable; or missed, of unreliable answers that
are not. It refuses where there are too few rows, and says how many it takes.

\b
Exit codes, of which the highest applies:
  0  a threshold was found
  2  some row, a file, an option or the policy is bad, or no threshold will do; nothing is written
  3  some row got no verdict, only an error; it is counted against the rate

\b
Examples:
  guardrail calibrate labelled.jsonl --target false_block=0.02 --policy guardrail.yaml
  guardrail calibrate labelled.jsonl --target missed=0.1 --confidence 0.9 --dry-run
  guardrail calibrate labelled.jsonl --target false_block=0.05 --output guardrail.yaml
"""


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, read."""

    files: tuple[str, ...]
    rate: Rate
    target: float
    confidence: float
    policy: str | None
    rules: str
    output: Path | None
    dry_run: bool
    json: bool
    jobs: int | None

    @property
    def path(self) -> tuple[str, ...]:
        """Where the threshold stands in a policy."""
        return "policies", self.rules, "verify", "threshold"


_SMALLEST = 1e-6
"""Of targets: three million rows."""


def _target(_: click.Context, __: click.Parameter, value: str) -> tuple[Rate, float]:
    name, _is, number = value.partition("=")
    try:
        share = float(number)
    except ValueError:
        share = -1.0
    if name not in ("false_block", "missed") or not 0 < share < 1:
        raise click.BadParameter(f"{value!r}: expected false_block=0.02 or missed=0.1, a number between 0 and 1")
    if share < _SMALLEST:
        raise click.BadParameter(f"{value!r}: no one has so many rows; ask for {_SMALLEST:f} or more")
    return ("missed" if name == "missed" else "false_block"), share


def _confidence(_: click.Context, __: click.Parameter, value: float) -> float:
    if math.isnan(value):  # which is beyond no bound
        raise click.BadParameter(f"{value} is not in the range 0<x<1.")
    return value


@click.command(help=_HELP)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--target", callback=_target, required=True, metavar="RATE=N", help="false_block=0.02 or missed=0.1, say."
)
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    callback=_confidence,
    default=0.95,
    show_default=True,
    help="The chance that the rate is within the target.",
)
@click.option("--policy", metavar="POLICY", help="The policy file to calibrate, or a preset. Default: balanced.")
@click.option("--rules", default="default", show_default=True, metavar="NAME", help="Which of the policy's `policies`.")
@click.option("--output", "-o", metavar="FILE", help="Write a new policy file, where --policy names none.")
@click.option("--dry-run", is_flag=True, help="Write nothing; print what would be written.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, for machines.")
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="Rows at a time. Default: one a core, or 16 if remote.")
@click.pass_context
def calibrate(
    ctx: click.Context,
    files: tuple[str, ...],
    target: tuple[Rate, float],
    confidence: float,
    policy: str | None,
    rules: str,
    output: str | None,
    dry_run: bool,
    as_json: bool,
    jobs: int | None,
) -> None:
    """Read the command line and calibrate; see `_HELP`."""
    where = None if output is None else Path(output)
    ctx.exit(_run(Options(files, *target, confidence, policy, rules, where, dry_run, as_json, jobs), verifiers=ctx.obj))


def _run(options: Options, *, verifiers: Mapping[str, Verifier] | None = None) -> int:
    """Judge all rows, choose, write and tell; the exit code."""
    refuse_twice(options.files)
    policy, progress = load(options.policy), Place(size(options.files))
    _check_options(options, policy)
    _check_extras(options)
    asked = _asked(policy, options.rules)
    with ExitStack() as stack:
        guard = stack.enter_context(guard_with(asked, verifiers))
        bar = stack.enter_context(Bar(progress, wanted=True))
        gathered = _Gathered()
        rows = labelled_rows(options.files, progress)
        for result in stack.enter_context(closing(judged(guard, rows, jobs=options.jobs))):
            gathered.add(result)
            if isinstance(result, Bad):
                bar.say(visible(result.problem))
            bar.tell(f"{len(gathered.judgements)} rows")
        found = gathered.found(options, asked, guard.verifiers[asked.policies["default"].verify.with_])
    _check_fit(policy, options.rules, found.threshold)
    _show(found, options, _write(found, options))
    return NO_VERDICT if found.errors else CLEAN


@dataclass(slots=True)
class _Gathered:
    """What is kept until all rows are judged."""

    judgements: list[Judgement] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    bad: int = 0
    stopped: int = 0
    """Reliable rows of which nothing is known, and that the policy does not let through."""

    def add(self, result: Result) -> None:
        """Count one row."""
        if isinstance(result, Bad):
            self.bad += 1
            return
        one, action = result.judgement, result.outcome.action
        self.judgements.append(one)
        self.digests.append(row_digest(result.labelled.case.check, one.unreliable))
        if not one.unreliable and one.status is Status.UNKNOWN and action not in (Action.PASS, Action.FLAG):
            self.stopped += 1

    def found(self, options: Options, policy: Policy, verifier: Verifier) -> Found:
        """What all rows together amount to."""
        if self.bad:
            raise InputError(f"bad rows or files: {self.bad}, see above; mend or remove them, nothing was written")
        return Found(
            choose(self.judgements, options.rate, options.target, options.confidence),
            data=data_digest(self.digests),
            verifier=verifier.id,
            version=verifier.version,
            repeated=len(self.digests) - len(set(self.digests)),
            errors=sum(one.status is Status.ERROR for one in self.judgements),
            stopped=self.stopped,
            judges=self._judges(verifier) if any(spec.fallback for spec in policy.verifiers.values()) else (),
        )

    def _judges(self, verifier: Verifier) -> tuple[tuple[str, int], ...]:
        """Who judged, and how many rows; nothing where the first of ``verifier`` judged all."""
        rows = Counter(one.verifier for one in self.judgements if one.status is not Status.ERROR)
        first = next(iter(rows), "")
        alone = len(rows) == 1 and f"{verifier.id} {verifier.version}".startswith(first)
        return () if alone else tuple(rows.items())


def _check_options(options: Options, policy: Policy) -> None:
    """Say what cannot be done before anything is judged."""
    if options.rules not in policy.policies:
        near = did_you_mean(options.rules, policy.policies) or f"; there are {', '.join(policy.policies)}"
        raise ConfigError(f"--rules: the policy has no policy {options.rules!r}{near}")
    if options.output is None:
        return
    if _file(options) is not None:
        raise ConfigError(f"--output: {options.policy} is written to itself; leave --output out")
    if options.output.suffix not in (".yaml", ".yml"):
        raise ConfigError(f"--output: {options.output}: a new policy file is YAML; let its name end in .yaml")
    if options.output.exists():
        raise ConfigError(f"--output: {options.output}: is there already; to have it changed name it by --policy")
    if not options.output.parent.is_dir():
        folder = options.output.parent
        raise ConfigError(f"--output: {options.output}: the directory {folder} does not exist; make it first")


def _check_extras(options: Options) -> None:
    """Raise `MissingExtra` now, and not after an hour."""
    upper_bound(0, 1, options.confidence)
    to_paste(_file(options), options.path, {})


def _file(options: Options) -> Path | None:
    """The policy's file, where it is none of the presets."""
    return None if options.policy is None or options.policy in PRESETS else Path(options.policy)


def _asked(policy: Policy, name: str) -> Policy:
    """``policy`` with the rules of ``name`` for every row, at the threshold 0.

    Where a verifier says unreliable from the threshold on and unknown below, as without evidence, that shows the risk.
    """
    rules = policy.policies[name]
    verify = rules.verify.model_copy(update={"threshold": Threshold(risk=0.0)})
    every = {"default": rules.model_copy(update={"verify": verify})}
    return for_all(policy.model_copy(update={"policies": every, "routes": ()}))


def _check_fit(policy: Policy, name: str, threshold: Threshold) -> None:
    """Raise what makes ``policy`` refuse the threshold: it lies outside of a cascade's ``between``, for one."""
    dumped = policy.dump()
    dumped["policies"][name]["verify"]["threshold"] = {"risk": threshold.risk}
    load(dumped)


def _write(found: Found, options: Options) -> Path | None:
    """Write the threshold where it belongs; the file, None where nothing is to be written."""
    file = _file(options)
    if options.dry_run:
        return None
    if file is not None:
        change(file, options.path, setting(found))
    elif options.output is not None:
        create(options.output, options.policy or "balanced", options.path, setting(found))
    return file or options.output


def _show(found: Found, options: Options, written: Path | None) -> None:
    if options.json:
        name = None if written is None else str(written)
        return click.echo(dump(found_object(found, rules=options.rules, written=name), ascii_only=True))
    click.echo(visible(found_shown(found)))
    if written is not None:
        return click.echo(f"wrote {'.'.join(options.path)} into {written}")
    pasted = to_paste(_file(options), options.path, setting(found))
    click.echo(f"nothing was written; in a policy file this is\n\n{visible(pasted)}")
