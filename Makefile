# Everything runs in .venv, which is made on first use. Nothing else has to be installed but Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types docs bench schema clean

help:  ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(READY)  ## make .venv with everything that tests need

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "guardrail needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[dev,docs]'
	@touch $@

demo: $(READY)  ## see it work: no key, no network
	$(BIN)/guardrail demo

test: $(READY)  ## the whole test suite
	$(BIN)/pytest --cov --cov-report=term

lint: $(READY)  ## style and import layers
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

schema: $(READY)  ## write the published JSON Schema anew
	$(BIN)/guardrail policy schema > docs/policy.schema.json

docs: $(READY)  ## build the site into docs/_build
	$(BIN)/sphinx-build --fail-on-warning --quiet -b html docs docs/_build

bench: $(READY)  ## what a guarded call costs, beside bare calls
	$(BIN)/python -m benchmarks

clean:  ## remove .venv and what was built
	rm -rf $(VENV) docs/_build dist .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
