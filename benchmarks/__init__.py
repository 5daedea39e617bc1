"""What guardrail costs, measured beside doing without it: ``python -m benchmarks``."""
