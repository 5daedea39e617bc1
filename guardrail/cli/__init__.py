"""The command line: ``guardrail check``, ``guardrail policy``, ``guardrail demo``."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line on ``sys.argv`` and exit; the entry point of ``guardrail``."""
    from guardrail.cli.process import run

    run()
