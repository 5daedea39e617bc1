"""The errors of guardrail.

GuardrailError
├── ConfigError          what the user wrote cannot be used: a policy, a setting, an argument
│   ├── PolicyError      a policy file, with the place in it
│   └── MissingExtra     an optional dependency is not installed
├── InputError           a conversation, row or document cannot be read
├── VerifierError        the reliability model gave no verdict; ``cause`` says why
├── BlockedError         the policy withheld an answer and says to raise; carries the Outcome
└── NoReport             ``report()`` was asked about an object that no guard has seen
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrail.verdict import Cause

if TYPE_CHECKING:
    from guardrail.outcome import Outcome

__all__ = [
    "BlockedError",
    "ConfigError",
    "GuardrailError",
    "InputError",
    "MissingExtra",
    "NoReport",
    "PolicyError",
    "VerifierError",
]


class GuardrailError(Exception):
    """The root of every error that guardrail raises."""


class ConfigError(GuardrailError):
    """Something that the user configured cannot be used; the message says what and how to mend it."""


class PolicyError(ConfigError):
    """A policy cannot be used.

    ``str()`` is ``file:line:column: key: what is wrong; remedy``, with what is known of it.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        key: str | None = None,
    ) -> None:
        self.problem, self.file, self.line, self.column, self.key = problem, file, line, column, key
        place = ":".join(str(part) for part in (file, line, column) if part is not None)
        super().__init__(": ".join(part for part in (place, key, problem) if part))


class MissingExtra(ConfigError):
    """An optional dependency is missing; the message holds the exact install line."""


class InputError(GuardrailError):
    """A conversation, row or document cannot be read; the message says where and why."""


class VerifierError(GuardrailError):
    """A verifier gave no verdict. One attempt, one error: whoever catches it decides on retries."""

    def __init__(self, cause: Cause, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message or cause.value)
        self.cause = cause
        self.retry_after = retry_after
        """Seconds that the service asked to wait, as it said them; None where it said nothing."""

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.cause, str(self)), self.__dict__


class BlockedError(GuardrailError):
    """An answer was withheld by a policy with ``on_block: raise``; ``outcome`` holds everything."""

    def __init__(self, message: str, outcome: Outcome) -> None:
        super().__init__(message)
        self.outcome = outcome

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self), self.outcome), self.__dict__


class NoReport(GuardrailError, LookupError):
    """``report()`` was given an object that no guard has seen, or that was too long ago."""
