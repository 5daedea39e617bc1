"""What guardrail costs and how well it judges, measured beside others: ``python -m benchmarks``."""
