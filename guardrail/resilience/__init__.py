"""Verifiers around verifiers, one idea a file: retry, deadline, fallback."""
