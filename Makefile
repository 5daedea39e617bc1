# Everything runs in .venv, which is made on first use; all it takes is Python 3.11 or later, with venv, and make.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# Changing pyproject.toml sets up anew; otherwise these files make repeated runs instant.
USE := $(VENV)/.use
DEV := $(VENV)/.dev

SDKS := langchain-openai instructor litellm llama-index-llms-openai openai-agents pydantic-ai-slim

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-httpx test-openai2 test-lowest test-langchain test-sdks test-train lint format types docs schema bench bench-embedded bench-peers clean

help: ## Show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup: $(DEV) ## Make .venv, with everything that the other targets need

demo: $(USE) ## See guardrail at work: no key, no network
	@$(BIN)/guardrail demo $(ARGS)

test: $(DEV) ## Run all tests with branch coverage; ARGS="-k name --no-cov" for some
	$(BIN)/python -m pytest --cov $(ARGS)

# pytest fails where nothing is left to run, so this cannot pass by running nothing.
test-httpx: $(DEV) ## Run the tests of the OpenAI seam with clients of httpx, which openai 3 takes beside its own httpx2
	$(BIN)/python -m pytest tests/integrations/openai -k "on and httpx" $(ARGS)

test-openai2: $(VENV)-openai2/.use ## Run the tests of the OpenAI seam against the SDK's previous major
	$(VENV)-openai2/bin/python -m pytest tests/integrations/openai tests/test_public_api.py $(ARGS)

test-lowest: $(VENV)-lowest/.use ## Run the tests with the oldest releases that pyproject.toml admits
	$(VENV)-lowest/bin/python -m pytest $(ARGS)

test-langchain: $(VENV)-langchain/.use ## Run LangChain's own standard tests on guarded models, and all of the LangChain tests
	$(VENV)-langchain/bin/python -m pytest -q -p no:cacheprovider tests/integrations/langchain $(ARGS)

test-sdks: $(SDKS:%=test-sdk-%) ## Run guarded clients inside other SDKs, each in an environment of its own

# Apart, and no part of .ci/run: the extra brings PyTorch, which on Linux is gigabytes of code for GPUs, unless pip is told
# of another build (PIP_CONSTRAINT, PIP_EXTRA_INDEX_URL).
test-train: $(VENV)-train/.use ## Train a tiny model with the extra `train`, which is large, and run the tests of training
	$(VENV)-train/bin/python -m pytest -q -p no:cacheprovider tests/train tests/cli/test_cli_steps.py tests/cli/test_cli_train.py $(ARGS)

test-sdk-%: $(VENV)-sdks/%/.use
	@$(VENV)-sdks/$*/bin/python -m pip list 2>/dev/null | grep -E "^(openai|$*) " | tr -s ' ' | tr '\n' ' '; echo
	@SDK=$* LITELLM_LOCAL_MODEL_COST_MAP=True $(VENV)-sdks/$*/bin/python -m pytest -q -W default -W ignore::ResourceWarning \
		-p no:cacheprovider tests/sdks/test_$(subst -,_,$*).py $(ARGS)

lint: $(DEV) ## Ruff, and the layers of the architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

format: $(DEV) ## Let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(DEV) ## mypy, strict
	$(BIN)/mypy

docs: $(DEV) ## Build the site into docs/_build/html; broken links fail
	$(BIN)/sphinx-build --fail-on-warning --keep-going --nitpicky --quiet --no-color docs docs/_build/html
	@echo "docs/_build/html/index.html"

schema: $(DEV) ## Write the JSON Schema of policy files anew; a test holds it against the model
	$(BIN)/python -m guardrail.policy.schema > guardrail/policy/schema.json.new
	@mv guardrail/policy/schema.json.new guardrail/policy/schema.json

bench: $(DEV) ## Measure what guarding costs, beside bare calls (two minutes)
	$(BIN)/python -m benchmarks $(ARGS)

bench-embedded: $(DEV) ## Measure the embedded judge: latency, rows a second, long texts (three minutes)
	$(BIN)/python -m benchmarks.embedded $(ARGS)

bench-peers: $(DEV) $(VENV)-bench/.use ## The same with a harness for other guards: HARNESS=folder (benchmarks/peers/README.md)
	@test -f "$(HARNESS)/mock_server.py" || { echo "Say where the harness is: make bench-peers HARNESS=folder" >&2; exit 1; }
	@PYTHON=$(abspath $(BIN)/python) MOCK=$(abspath $(VENV)-bench/bin/python) sh benchmarks/peers/run.sh "$(HARNESS)"

# Apart, for langchain-tests brings plugins of pytest.
$(VENV)-langchain/.use: pyproject.toml
	$(call new_venv,$(VENV)-langchain)
	@$(VENV)-langchain/bin/python -m pip install --quiet --editable . --group langchain
	@touch $@

$(VENV)-train/.use: pyproject.toml
	$(call new_venv,$(VENV)-train)
	@$(VENV)-train/bin/python -m pip install --quiet --editable ".[train]" --group test
	@touch $@

.PRECIOUS: $(VENV)-sdks/%/.use
$(VENV)-bench/.use:
	$(call new_venv,$(VENV)-bench)
	@$(VENV)-bench/bin/python -m pip install --quiet httptools uvloop orjson
	@touch $@

$(VENV)-sdks/%/.use: pyproject.toml
	$(call new_venv,$(VENV)-sdks/$*)
	@$(VENV)-sdks/$*/bin/python -m pip install --quiet --editable . $* pytest pytest-asyncio hypothesis
	@touch $@

clean: ## Remove all that make has made
	rm -rf $(VENV) $(VENV)-bench $(VENV)-openai2 $(VENV)-langchain $(VENV)-lowest $(VENV)-train $(VENV)-sdks build dist docs/_build .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(USE): pyproject.toml
	$(call new_venv,$(VENV))
	@$(PIP) install --quiet --editable .
	@touch $@

$(DEV): $(USE)
	@echo "Installing the development tools into $(VENV)"
	@$(PIP) install --quiet --group dev
	@touch $@

$(VENV)-openai2/.use: pyproject.toml
	$(call new_venv,$(VENV)-openai2)
	@$(VENV)-openai2/bin/python -m pip install --quiet --editable . "openai<3" --group test
	@touch $@

$(VENV)-lowest/.use: pyproject.toml
	$(call new_venv,$(VENV)-lowest)
	@$(PYTHON) -c 'import tomllib; d = tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]; \
		print(*(x.replace(">=", "==") + ".*" for x in d), sep="\n")' > $(VENV)-lowest/lowest.txt
	@$(VENV)-lowest/bin/python -m pip install --quiet --editable . --group test \
		--constraint $(VENV)-lowest/lowest.txt --only-binary onnxruntime,sentencex,tokenizers
	@touch $@

# An environment that works is kept and brought up to date. pip 25.1 is the first that knows dependency groups.
define new_venv
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "guardrail needs Python 3.11 or later, and $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
	echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
@$(1)/bin/python -m pip --version >/dev/null 2>&1 || { \
	echo "Making $(1) (once; about a minute)"; \
	$(PYTHON) -m venv --clear $(1); } || { \
	echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
@$(1)/bin/python -m pip --disable-pip-version-check install --quiet --upgrade "pip>=25.1"
endef
