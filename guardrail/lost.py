"""What becomes of an error inside of a verifier."""

from __future__ import annotations

from guardrail.errors import VerifierError
from guardrail.verdict import Cause

__all__ = ["no_verdict"]


def no_verdict(verifier: str, error: BaseException) -> VerifierError | None:
    """The failure of ``verifier`` as a flow may know it; None for what is no failure of it, such as an interrupt."""
    # A failure inside a library written in Rust, such as a tokenizer: PyO3 makes it no `Exception`.
    panic = type(error).__name__ == "PanicException"
    if not isinstance(error, Exception) and not panic:
        return None
    if isinstance(error, TimeoutError):
        return VerifierError(Cause.TIMEOUT, "the verifier took longer than the time that was left")
    if isinstance(error, VerifierError):
        return error
    # A verifier of the user's own may raise anything, and the answer must not be lost to it.
    lost = VerifierError(Cause.SERVER, f"the verifier {verifier!r} raised {error!r}")
    lost.__cause__ = error
    return lost
