"""Progress of a training: on a terminal and in a log file."""

from __future__ import annotations

import signal

import pytest

from guardrail.cli.interrupt import put_off
from guardrail.cli.steps import Steps, in_words, shown
from guardrail.train.fit import Progress


def test_a_step_in_words() -> None:
    assert (
        shown(Progress(1600, 4200, 0.5234, 8.0)) == "1,600 of 4,200 rows seen, loss 0.523, 8.0 rows/s, 5 min 25 s left"
    )
    assert shown(Progress(4200, 4200, 0.5234, 8.0)) == "4,200 of 4,200 rows seen, loss 0.523, 8.0 rows/s"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_a_log_gets_the_first_step_the_last_one_and_one_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    with Steps(clock=lambda: now) as steps:
        steps("fine-tuning")
        for seen in range(1, 101):
            now += 0.5
            steps(Progress(seen, 100, 0.5, 2.0))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0].split(" rows")[0] for line in lines] == [
        "fine-tuning",
        "1 of 100",
        "41 of 100",
        "81 of 100",
        "100 of 100",
    ]


def test_the_first_interrupt_is_noticed_and_the_second_one_interrupts() -> None:
    told: list[str] = []
    # A shell has what it runs in the background ignore interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with put_off(lambda: told.append("stopping")) as stop:
            assert not stop()
            signal.raise_signal(signal.SIGINT)
            assert stop()
            assert told == ["stopping"]
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_ignored_interrupts_stay_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with put_off(lambda: None) as stop:
            signal.raise_signal(signal.SIGINT)
            assert not stop()
    finally:
        signal.signal(signal.SIGINT, before)
