# `make demo` and `make test` are all that a fresh machine needs, besides Python 3.11 to 3.14 with pip.
# Running needs requirements.lock; tests and checks need requirements-dev.lock, which holds all of it and more.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
RESOLUTION ?= highest
WITH ?= sij-audit
# one more than there are processors: the chain of real schedules mostly waits
WORKERS ?= $(shell expr $$(nproc) + 1)
FAST := tests/stages tests/ingest/test_csv_records.py tests/store/test_durable.py tests/store/test_folder.py tests/store/test_numbered.py tests/pages/test_charts.py tests/test_text.py tests/test_house.py
BIN := .venv/bin
INSTALLED := .venv/.installed
TOOLS := .venv/.tools
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check
RESOLVE := $(BIN)/uv pip compile pyproject.toml --quiet --upgrade --group build --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-unlocked coverage mutants eyes pictures check fix docs bench lock image
.SILENT:

help: ## list what can be made
	grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-14s %s\n", $$1, $$2 }'

$(INSTALLED): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP_INSTALL) --require-hashes --no-deps -r requirements.lock
	$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	$(BIN)/python -m pip check
	touch $@

$(TOOLS): $(INSTALLED) requirements-dev.lock
	$(PIP_INSTALL) --require-hashes --no-deps -r requirements-dev.lock
	$(BIN)/python -m pip check
	touch $@

demo: $(INSTALLED) ## install, then audit the sample extracts into out/demo
	$(BIN)/sij-audit run data/sample --out out/demo --as-of 2024-06-30

# images of containers often forbid it, and then each process that a test starts compiles the program anew
test test-fast coverage: export PYTHONDONTWRITEBYTECODE :=

test: $(TOOLS) ## install, then run the tests
	$(BIN)/python -m pytest -n $(WORKERS)

test-fast: $(TOOLS) ## run the tests that need no whole run and no Prefect server, in at most two minutes
	$(BIN)/python -m pytest -n $(WORKERS) $(FAST)

# RESOLUTION is lowest-direct or highest; WITH narrows a package, such as "duckdb>=2", which the bound of the locks would not allow: --no-config.
test-unlocked: $(TOOLS) ## run the tests with other releases of what they need: RESOLUTION=highest WITH="duckdb<2"
	rm -rf .venv-unlocked
	$(PYTHON) -m venv .venv-unlocked
	$(BIN)/uv pip install --quiet --no-config --python .venv-unlocked --resolution $(RESOLUTION) --editable ".[dev]" --group build "$(WITH)"
	.venv-unlocked/bin/python -m pytest -n $(WORKERS)

coverage: $(TOOLS) ## run the tests, list the lines that none of them reaches, and fail below the floor in pyproject.toml
	$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term:skip-covered

mutants: $(TOOLS) ## change one thing at a time in the SQL, and list what its cases do not notice (some minutes)
	$(BIN)/python -m tests.mutants

eyes: $(TOOLS) ## look at pages and workbook with Chromium and LibreOffice, which must be there
	$(BIN)/python -m pytest tests/eye

pictures: $(TOOLS) ## draw docs/img anew, with Chromium and LibreOffice
	$(BIN)/python -m tests.eye.pictures

check: $(TOOLS) ## check format, lint, types, layers, SQL lint, spelling and generated documents
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqruff lint sql
	$(BIN)/codespell
	$(BIN)/python -m docs.generator --check

fix: $(TOOLS) ## fix what can be fixed automatically of what check finds
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/sqruff fix sql

docs: $(TOOLS) ## write the documents anew from docs/templates, headers, code and the output of commands
	$(BIN)/python -m docs.generator

bench: $(TOOLS) ## measure the audit and its peers on the same files
	$(BIN)/python benchmarks/bench.py

lock: $(TOOLS) ## resolve both locks anew from pyproject.toml, the second under the first
	$(RESOLVE) --output-file requirements.lock
	$(RESOLVE) --all-extras --constraint requirements.lock --output-file requirements-dev.lock

image: ## build the container image with Docker, and audit the sample in it
	docker build --build-arg VERSION="$$(git describe --tags --match 'v[0-9]*' | sed -E 's/^v//; s/-([0-9]+)-g/.post\1+g/')" --tag sij-audit .
	docker run --rm --volume "$(CURDIR)/data/sample:/sample:ro" sij-audit run /sample --out /data/out --as-of 2024-06-30
