"""A judge of the user's own, as a verifier: what it lacks is filled in, and what it raises gets a cause."""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from numbers import Real
from typing import Any, Protocol, TypeAlias

from guardrail.errors import ConfigError, VerifierError
from guardrail.logs import logger
from guardrail.verdict import Cause, Status, Verdict
from guardrail.verifiers.protocol import Check, Verifier
from guardrail.verifiers.threads import begun

__all__ = ["Judge", "OwnVerifier", "Verifies", "as_verifier", "lost"]


class Verifies(Protocol):
    """The least that an object must have to be a judge."""

    def verify(self, check: Check) -> Verdict:
        """Verify in the calling thread."""
        ...


Judge: TypeAlias = Verifier | Verifies | Callable[[Check], Verdict]
"""What can be made a verifier: a whole one, an object with ``verify`` only, or a function of the `Check`."""


def as_verifier(judge: Judge) -> Verifier:
    """``judge`` with all that a verifier has. Raises `ConfigError` when it is no judge."""
    verify = getattr(judge, "verify", None) or (judge if callable(judge) else None)
    if isinstance(judge, type):
        raise ConfigError(f"{judge.__name__} is a class: hand over a judge that is made from it, {judge.__name__}()")
    if not callable(verify):
        raise ConfigError(f"{judge!r} is no judge: it has no verify(check), and is no function of a Check")
    if inspect.iscoroutinefunction(verify):
        raise ConfigError(
            f"verify of {_name(judge)} is asynchronous: write a plain verify(check), and averify(check) beside it"
        )
    return OwnVerifier(judge, verify)


class OwnVerifier:
    """A judge that may have no more than ``verify``.

    Without ``averify`` the event loop asks in a thread. Whatever the judge raises becomes a
    `VerifierError`: ``timeout`` for a `TimeoutError`, ``server`` for the rest, whose traceback is logged;
    ``unparsable`` where it returns no `Verdict`, or one whose risk is no number from 0 to 1; ``cancelled`` where it
    cancels itself. A verdict without a name is given the judge's.
    """

    def __init__(self, judge: Any, verify: Callable[[Check], Verdict]) -> None:
        self._judge, self._verify = judge, verify

    def __repr__(self) -> str:
        return f"OwnVerifier({self._judge!r})"

    @property
    def id(self) -> str:
        """The judge's, or the name of its function or class."""
        return str(getattr(self._judge, "id", "") or _name(self._judge))

    @property
    def version(self) -> str:
        """The judge's, where it has one."""
        return str(getattr(self._judge, "version", ""))

    def verify(self, check: Check) -> Verdict:
        """Raises `VerifierError`, and nothing else that is an error."""
        try:
            return self._signed(self._verify(check))
        except Exception as error:
            raise lost(error, self.id) from error

    async def averify(self, check: Check) -> Verdict:
        """The same."""
        averify = getattr(self._judge, "averify", None)
        try:
            return self._signed(await (averify(check) if averify else self._in_thread(check)))
        except asyncio.CancelledError as error:
            if _cancelling():
                raise
            raise VerifierError(Cause.CANCELLED, f"the verifier {self.id!r} cancelled itself") from error
        except Exception as error:
            raise lost(error, self.id) from error

    def _in_thread(self, check: Check) -> Awaitable[Verdict]:
        return asyncio.wrap_future(begun(partial(self._verify, check), name="guardrail-judge"))

    def _signed(self, verdict: object) -> Verdict:
        if not isinstance(verdict, Verdict):
            kind = type(verdict).__name__
            raise VerifierError(Cause.UNPARSABLE, f"the verifier {self.id!r} returned a {kind} instead of a Verdict")
        if not isinstance(verdict.status, Status):
            raise VerifierError(Cause.UNPARSABLE, f"the verifier {self.id!r} gave a status that is no guardrail.Status")
        # NaN is below every threshold, and would let all pass.
        if verdict.risk is not None and not _is_risk(verdict.risk):
            raise VerifierError(Cause.UNPARSABLE, f"the verifier {self.id!r} gave a risk that is no number from 0 to 1")
        if verdict.risk is not None and type(verdict.risk) is not float:  # numpy's, say, which no JSON can hold
            verdict = replace(verdict, risk=float(verdict.risk))
        if verdict.verifier:
            return verdict
        return replace(verdict, verifier=self.id, version=verdict.version or self.version)

    def close(self) -> None:
        """Close the judge, where it can be."""
        if close := getattr(self._judge, "close", None):
            close()

    async def aclose(self) -> None:
        """Close the judge, where it can be."""
        if aclose := getattr(self._judge, "aclose", None):
            await aclose()
        else:
            self.close()


def lost(error: Exception, who: str) -> VerifierError:
    """The error of a verifier called ``who`` as one with a cause; what no verifier should raise is logged."""
    if isinstance(error, VerifierError):
        return error
    if isinstance(error, TimeoutError):
        return VerifierError(Cause.TIMEOUT, f"the verifier {who!r} took too long: {error!r}")
    # Without the error's own words, which may hold what was judged.
    trace = "".join(traceback.format_tb(error.__traceback__))
    logger.error("the verifier %r raised %s\n%s", who, type(error).__name__, trace)
    return VerifierError(Cause.SERVER, f"the verifier {who!r} raised {error!r}")


def _is_risk(value: object) -> bool:
    return isinstance(value, Real) and 0 <= float(value) <= 1


def _cancelling() -> bool:
    """Whether somebody cancels the running task, as opposed to what it waits for."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _name(judge: object) -> str:
    return str(getattr(judge, "__name__", type(judge).__name__))
