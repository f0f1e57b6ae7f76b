# Every environment is made when it is first needed, from hashed locks; a stamp file remembers it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
SAM_VENV := .venv-sam
BENCH_VENV := .venv-bench
CLIENT_VENV := .venv-client
CHECKOV_VENV := .venv-checkov
DOCS_VENV := .venv-docs
SBOM_VENV := .venv-sbom
MUTANTS_VENV := .venv-mutants
SPARK_VENV := .venv-spark
BIN := $(VENV)/bin
# What the compiled libraries of an environment are made from.
COMPILED := local/compile.sh layers/compile.sh layers/compiler.txt $(wildcard layers/reader/*.[ch] layers/numpy/kmeans/*.[ch])
SAM := $(SAM_VENV)/bin/sam
# Of the functions on AWS, and so of the layers that are built: x86_64 or arm64.
ARCHITECTURE ?= x86_64

# Tests on all cores, each process with an AWS of its own; PYTEST_ARGS='-n 0' is one after the other.
AT_ONCE := -n auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder
# Whatever the shell says: every process would compile all tests anew, of its 11 s of CPU time 5.
WITH_BYTECODE := PYTHONDONTWRITEBYTECODE=

# What a run may be told: make run PORT=9090
export ENGINE PORT EMULATOR_PORT LOCAL_HOME FIT_CONCURRENCY CONCURRENCY QUEUE_LIMIT WORKER_TIMEOUT ACCESS PARAMETERS

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {gsub(/\$$\$$/, "$$", $$2); printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- the service ----------------------------------------------------------------

.PHONY: run
run: $(VENV)/.run-installed $(if $(ENGINE),$(SPARK_VENV)/classes.jsa) ## the whole service on http://localhost:8080/kmeans (PORT=…, ACCESS=TOKEN closes it, ENGINE=spark has fits on Spark)
	@exec $(BIN)/python -m local run

.PHONY: env
env: ## shell exports for the running service: eval "$$(make -s env)"
	@[ -x $(BIN)/python ] || { echo 'The service is not running; start it with `make run`.' >&2; exit 1; }
	@exec $(BIN)/python -m local env

.PHONY: recover
recover: $(VENV)/.run-installed ## takes a damaged state of the service aside and goes on with its copy
	@exec $(BIN)/python -m local recover

.PHONY: token
token: ## API tokens (ARGS='create --owner alice', 'list', 'revoke ID'; on AWS with --stack NAME)
	@$(MAKE) $(VENV)/.run-installed >&2 # standard output is the token's alone
	@PYTHONPATH=functions exec $(BIN)/python -m local.tokens $(ARGS)

# --- tests ----------------------------------------------------------------------

.PHONY: test
test: $(VENV)/.test-installed $(SAM_VENV)/.installed $(CHECKOV_VENV)/.installed $(DOCS_VENV)/.installed $(BENCH_VENV)/.installed $(SBOM_VENV)/.installed $(CLIENT_VENV)/.installed $(if $(shell command -v java),$(SPARK_VENV)/classes.jsa) ## everything: style, types, templates, packages and all tests (PYTEST_ARGS='-k upload')
	@$(MAKE) -j2 style types templates build # each on one core
	@$(WITH_BYTECODE) $(BIN)/pytest tests $(AT_ONCE) $(PYTEST_ARGS)
	@$(MAKE) client

.PHONY: unit
unit: $(VENV)/.test-installed ## the tests that need no AWS, no service and no build, in a minute: what to run after every change
	@$(WITH_BYTECODE) $(BIN)/pytest tests -m "unit and not thorough and not soak" $(AT_ONCE) -n logical $(PYTEST_ARGS)

.PHONY: short
short: $(VENV)/.test-installed ## those of unit, and those on an AWS of their own (moto): what to run before a commit
	@$(WITH_BYTECODE) $(BIN)/pytest tests -m "(unit or aws) and not thorough and not soak" $(AT_ONCE) $(PYTEST_ARGS)

.PHONY: client
client: $(VENV)/.run-installed $(CLIENT_VENV)/.installed ## the Python package of client/: its types, and its tests against a service of their own
	@cd client && ../$(CLIENT_VENV)/bin/mypy src
	@cd client && ../$(CLIENT_VENV)/bin/python -m pytest $(CLIENT_ARGS)

.PHONY: pythons
pythons: ## the client's tests with its wheel on every Python from 3.10 on that is here
	@$(MAKE) client CLIENT_ARGS='-m pythons -s'

.PHONY: soak
soak: $(VENV)/.test-installed $(CLIENT_VENV)/.installed ## minutes of what the gate tries in seconds
	@$(BIN)/pytest tests -m soak $(PYTEST_ARGS)
	@$(MAKE) client CLIENT_ARGS='-m soak'

.PHONY: bench
bench: $(VENV)/.test-installed $(BENCH_VENV)/.installed $(CLIENT_VENV)/.installed ## measures beside the original, writes docs/benchmarks.md (BENCH=small)
	@PYTHONPATH=functions $(BIN)/python -m bench $(or $(BENCH),full) $(REPORT)

.PHONY: load
load: $(VENV)/.test-installed ## good and bad requests at a fixed rate on the running service (RATE=500 SECONDS=60 TOKEN=km_…)
	@$(BIN)/python -m bench.mixed_load $(or $(RATE),500) $(or $(SECONDS),60)

.PHONY: fuzz
fuzz: $(VENV)/.test-installed ## mutates CSV, multipart and JSON and looks for what the parsers do wrong (SECONDS=600)
	@PYTHONPATH=functions $(BIN)/python -m fuzz $(or $(SECONDS),600)

.PHONY: mutants
mutants: $(VENV)/.test-installed $(MUTANTS_VENV)/.installed ## mistakes put into the code: which does no test notice? Hours (SAMPLE=300 SEED=1)
	@$(MUTANTS_VENV)/bin/python -m mutants $(if $(SAMPLE),--sample $(SAMPLE)) --seed $(or $(SEED),1) $(ARGS)

.PHONY: lint
lint: style types templates ## style, types and templates only

.PHONY: style
style: $(VENV)/.test-installed
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

.PHONY: types
types: $(VENV)/.test-installed
	@$(BIN)/mypy functions local harness bench fuzz layers distributed docs_site

.PHONY: templates
templates: $(VENV)/.test-installed $(CHECKOV_VENV)/.installed
	@$(BIN)/cfn-lint template.yaml
	@ci/checkov.sh

.PHONY: format
format: $(VENV)/.test-installed ## puts the code into its form
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

.PHONY: openapi
openapi: $(VENV)/.test-installed ## makes what API Gateway imports and what the service publishes anew from openapi.yaml
	@$(BIN)/python -m local.contract
	@$(MAKE) reference

.PHONY: vendored
vendored: $(VENV)/.test-installed ## takes Swagger UI and lit-html from npm anew, in the versions that ci/vendored.py pins
	@$(BIN)/python ci/vendored.py

.PHONY: reference
reference: $(VENV)/.test-installed ## the pages of docs/reference/ that are made of openapi.yaml, of the command and of the package
	@PYTHONPATH=client/src $(BIN)/python -m docs_site

.PHONY: docs
docs: $(DOCS_VENV)/.installed reference ## the documentation as a site, in .site/
	@NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs build --quiet --clean --config-file docs_site/mkdocs.yml
	@echo 'The site is .site/index.html'

.PHONY: pictures
pictures: $(VENV)/.test-installed ## the documentation's pictures anew, from a service of its own and Chromium
	@$(BIN)/python -m harness.pictures

# --- AWS ------------------------------------------------------------------------

.PHONY: build
build: $(SAM_VENV)/.installed ## sam build into .aws-sam/build
	@$(SAM_VENV)/bin/python layers/build.py collect
	@PATH="$(abspath $(SAM_VENV)/bin):$$PATH" ARCHITECTURE=$(ARCHITECTURE) $(SAM) build \
		--parameter-overrides Architecture=$(ARCHITECTURE)
	@$(SAM_VENV)/bin/python layers/build.py compile

.PHONY: deploy
deploy: build $(VENV)/.run-installed ## sam build, then sam deploy to your AWS account (PARAMETERS='MaxJobs=500')
	@ARCHITECTURE=$(ARCHITECTURE) exec $(BIN)/python -m local.deploy $(SAM) $(SAM_ARGS)

.PHONY: empty
empty: $(VENV)/.run-installed ## removes all objects of a deployed stack's bucket; asks twice (ARGS='--stack kmeans')
	@exec $(BIN)/python -m local.empty $(ARGS)

.PHONY: sam-local
sam-local: build ## sam local start-api on the data of the running service (SAM_ARGS='--port 3001')
	@exec $(BIN)/python -m local.sam_local $(SAM_ARGS)

# --- the environments -----------------------------------------------------------

$(VENV)/.run-installed: requirements/local.txt $(COMPILED)
	@local/install.sh $(VENV) $< "the service's packages, 400 MB on disk, one to two minutes"
	@local/compile.sh $(VENV)
	@touch $@

# Everything a run needs is in it as well, so one after the other never removes or changes anything.
$(VENV)/.test-installed: requirements/dev.txt $(COMPILED)
	@local/install.sh $(VENV) $< "the packages of service and tests, 1 GB on disk, two to four minutes"
	@local/compile.sh $(VENV)
	@touch $@ $(VENV)/.run-installed

$(SAM_VENV)/.installed: requirements/sam.txt
	@local/install.sh $(SAM_VENV) $< "the SAM CLI, one to three minutes"
	@touch $@

$(BENCH_VENV)/.installed: requirements/bench.txt
	@local/install.sh $(BENCH_VENV) $< "the original's server, half a minute"
	@touch $@

$(CLIENT_VENV)/.installed: requirements/client.txt
	@local/install.sh $(CLIENT_VENV) $< "what the client is tested with, 700 MB on disk, one to two minutes"
	@touch $@

$(CHECKOV_VENV)/.installed: requirements/checkov.txt
	@local/install.sh $(CHECKOV_VENV) $< "the judge of the template, 190 MB on disk, half a minute"
	@touch $@

$(DOCS_VENV)/.installed: requirements/docs.txt
	@local/install.sh $(DOCS_VENV) $< "what makes the site, 150 MB on disk, a few seconds"
	@touch $@

$(SBOM_VENV)/.installed: requirements/sbom.txt
	@local/install.sh $(SBOM_VENV) $< "the tool for the SBOM, a few seconds"
	@touch $@

# Of the tests alone, and only where node is: what IAM says to a call, whom a page shuts out.
harness/%/node_modules/.installed: harness/%/package-lock.json
	@cd $(dir $<) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# Spark needs Java, 17 or newer, which is the machine's: Debian has it as default-jre-headless.
$(SPARK_VENV)/.installed: requirements/spark.txt $(COMPILED)
	@local/install.sh $(SPARK_VENV) $< "Spark, 600 MB on disk, one to two minutes"
	@local/compile.sh $(SPARK_VENV)
	@touch $@

$(SPARK_VENV)/classes.jsa: requirements/spark.txt local/spark/classes.sh local/spark/classes.py | $(SPARK_VENV)/.installed
	@local/spark/classes.sh $(SPARK_VENV) $@

$(MUTANTS_VENV)/.installed: requirements/mutants.txt
	@local/install.sh $(MUTANTS_VENV) $< "the tool that makes the mistakes, a few seconds"
	@touch $@

.PHONY: lock
lock: $(VENV)/.test-installed ## resolves requirements anew, all or none of them
	@PATH="$(abspath $(BIN)):$$PATH" UPGRADE="$(UPGRADE)" requirements/lock.sh

.PHONY: update
update: ## newer versions of all packages, then everything that `make test` does
	@$(MAKE) lock UPGRADE=--upgrade
	@$(MAKE) test

.PHONY: sbom
sbom: $(VENV)/.test-installed $(SBOM_VENV)/.installed ## what is deployed, as CycloneDX (SBOM=sbom.cdx.json)
	@$(SBOM_VENV)/bin/python ci/sbom.py $(BIN)/python $(or $(SBOM),sbom.cdx.json)

.PHONY: clean
clean: ## removes environments, builds and caches; the data in .local stays
	@rm -rf $(VENV) $(SAM_VENV) $(BENCH_VENV) $(CLIENT_VENV) $(CHECKOV_VENV) $(DOCS_VENV) $(SBOM_VENV) .site harness/*/node_modules $(MUTANTS_VENV) $(SPARK_VENV) .mutants .aws-sam .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	@find functions layers local harness tests client -name __pycache__ -prune -exec rm -rf {} +
