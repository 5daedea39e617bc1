"""How often the LLM is asked again: tenacity's loop, with a clock and a sleep that are the caller's. Pure."""

from __future__ import annotations

from tenacity import AttemptManager, RetryCallState
from tenacity import Retrying as TenacityRetrying
from tenacity.retry import retry_if_result

from guardrail.policy.model import Step

__all__ = ["Again", "loop", "settle"]


def loop(step: Step, pauses: list[float]) -> TenacityRetrying:
    """tenacity's loop for ``step``; the first attempt is the answer at hand. It puts its waits into ``pauses``."""
    # Made anew each time: a shared object shares its state between calls.
    return TenacityRetrying(
        stop=step.stop_rule.build(),
        wait=step.wait_rule.build(),
        retry=retry_if_result(lambda settled: not settled),
        sleep=pauses.append,
        retry_error_callback=lambda state: None,
    )


def settle(attempt: AttemptManager, settled: bool, seconds: float) -> None:
    """Tell tenacity how the attempt went, ``seconds`` after the first; its clock is the driver's."""
    state = attempt.retry_state
    state.set_result(settled)
    state.start_time, state.outcome_timestamp = 0.0, seconds  # from 0: a difference of large numbers is not exact


class Again:
    """The same, one step at a time, for those that cannot wait inside of a loop.

    tenacity's own loop keeps its state by thread, and a stream is served by several: this asks the stop and the wait
    in the order in which the loop does.
    """

    def __init__(self, step: Step) -> None:
        self._stop, self._wait = step.stop_rule.build(), step.wait_rule.build()
        self._state = RetryCallState(TenacityRetrying(), None, (), {})

    def next(self, seconds: float) -> float | None:
        """The seconds to wait before the LLM is asked once more; None where it is not to be.

        ``seconds``: since the first attempt was found wanting.
        """
        state = self._state
        state.set_result(False)
        state.start_time, state.outcome_timestamp = 0.0, seconds
        state.upcoming_sleep = self._wait(state)
        if self._stop(state):
            return None
        state.idle_for += state.upcoming_sleep
        state.prepare_for_next_attempt()
        return state.upcoming_sleep
