# Every environment is made when it is first needed, from hashed locks; a stamp file remembers it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
SAM_VENV := .venv-sam
BENCH_VENV := .venv-bench
BIN := $(VENV)/bin
SAM := $(SAM_VENV)/bin/sam
# Of the functions on AWS, and so of the layers that are built: x86_64 or arm64.
ARCHITECTURE ?= x86_64

# What a run may be told: make run PORT=9090
export PORT EMULATOR_PORT LOCAL_HOME FIT_CONCURRENCY CONCURRENCY QUEUE_LIMIT WORKER_TIMEOUT ACCESS

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {gsub(/\$$\$$/, "$$", $$2); printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- the service ----------------------------------------------------------------

.PHONY: run
run: $(VENV)/.run-installed ## the whole service on http://localhost:8080/kmeans (PORT=…, ACCESS=TOKEN closes it)
	@exec $(BIN)/python -m local run

.PHONY: env
env: ## shell exports for the running service: eval "$$(make -s env)"
	@[ -x $(BIN)/python ] || { echo 'The service is not running; start it with `make run`.' >&2; exit 1; }
	@exec $(BIN)/python -m local env

.PHONY: token
token: ## API tokens (ARGS='create --owner alice', 'list', 'revoke ID'; on AWS with --stack NAME)
	@$(MAKE) $(VENV)/.run-installed >&2 # standard output is the token's alone
	@PYTHONPATH=functions exec $(BIN)/python -m local.tokens $(ARGS)

# --- tests ----------------------------------------------------------------------

.PHONY: test
test: lint build ## everything: style, types, templates, packages and all tests (PYTEST_ARGS='-k upload')
	@$(BIN)/pytest tests $(PYTEST_ARGS)

.PHONY: bench
bench: $(VENV)/.test-installed $(BENCH_VENV)/.installed ## measures beside the original, writes docs/benchmarks.md (BENCH=small)
	@PYTHONPATH=functions $(BIN)/python -m bench $(or $(BENCH),full) $(REPORT)

.PHONY: lint
lint: $(VENV)/.test-installed ## style, types and templates only
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy functions local bench
	@$(BIN)/cfn-lint template.yaml

.PHONY: format
format: $(VENV)/.test-installed ## puts the code into its form
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

.PHONY: openapi
openapi: $(VENV)/.test-installed ## makes the published contract anew from openapi.yaml
	@$(BIN)/python -m local.contract

# --- AWS ------------------------------------------------------------------------

.PHONY: build
build: $(SAM_VENV)/.installed ## sam build into .aws-sam/build
	@PATH="$(abspath $(SAM_VENV)/bin):$$PATH" ARCHITECTURE=$(ARCHITECTURE) $(SAM) build \
		--parameter-overrides Architecture=$(ARCHITECTURE)

.PHONY: deploy
deploy: build ## sam build, then sam deploy to your AWS account (PARAMETERS='DataDeletionPolicy=Delete')
	@$(SAM) deploy --parameter-overrides Architecture=$(ARCHITECTURE) $(PARAMETERS)

.PHONY: sam-local
sam-local: build ## sam local start-api on the data of the running service (SAM_ARGS='--port 3001')
	@exec $(BIN)/python -m local.sam_local $(SAM_ARGS)

# --- the environments -----------------------------------------------------------

$(VENV)/.run-installed: requirements/local.txt
	@local/install.sh $(VENV) $< "the service's packages, 400 MB on disk, one to two minutes"
	@touch $@

# Everything a run needs is in it as well, so one after the other never removes or changes anything.
$(VENV)/.test-installed: requirements/dev.txt
	@local/install.sh $(VENV) $< "the packages of service and tests, 1 GB on disk, two to four minutes"
	@touch $@ $(VENV)/.run-installed

$(SAM_VENV)/.installed: requirements/sam.txt
	@local/install.sh $(SAM_VENV) $< "the SAM CLI, one to three minutes"
	@touch $@

$(BENCH_VENV)/.installed: requirements/bench.txt
	@local/install.sh $(BENCH_VENV) $< "the original's server, half a minute"
	@touch $@

.PHONY: lock
lock: $(VENV)/.test-installed ## resolves requirements anew (UPGRADE=--upgrade for newer versions)
	@PATH="$(abspath $(BIN)):$$PATH" UPGRADE="$(UPGRADE)" requirements/lock.sh

.PHONY: clean
clean: ## removes environments, builds and caches; the data in .local stays
	@rm -rf $(VENV) $(SAM_VENV) $(BENCH_VENV) .aws-sam .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	@find functions layers local tests -name __pycache__ -prune -exec rm -rf {} +
