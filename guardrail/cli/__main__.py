"""``python -m guardrail.cli``: the command line where no script is on the path."""

from __future__ import annotations

from guardrail.cli import main

if __name__ == "__main__":
    main()
