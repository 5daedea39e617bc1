"""Training the embedded reliability model: ``python -m guardrail.train``. Needs the extra ``train``."""
