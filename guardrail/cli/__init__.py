"""The command line: ``guardrail check``, ``eval``, ``policy``, ``demo``, ``doctor``."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line on ``sys.argv`` and exit; the entry point of ``guardrail``."""
    from guardrail.cli.process import run

    run()
