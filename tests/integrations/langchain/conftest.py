"""Where the extra ``langchain`` is not installed, what needs it is not collected; `make test` installs it."""

from __future__ import annotations

from importlib.util import find_spec

NEED_IT = ("test_examples.py", "test_graph.py", "test_leaks.py", "test_middleware.py")
collect_ignore = [] if find_spec("langgraph") else [*NEED_IT]
