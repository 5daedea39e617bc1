"""One HTML file about one evaluation: plots, tables and the worst errors. Nothing in it is loaded from elsewhere."""

from guardrail.evaluate.report.errors import Mistake, Worst
from guardrail.evaluate.report.page import page

__all__ = ["Mistake", "Worst", "page"]
