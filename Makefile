# `make demo` and `make test` are all that a fresh machine needs, besides Python 3.11 to 3.14 with pip.
# Running needs requirements.lock; tests and checks need requirements-dev.lock, which holds all of it and more.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/.installed
TOOLS := .venv/.tools
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check
RESOLVE := $(BIN)/uv pip compile pyproject.toml --quiet --upgrade --group build --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help demo test mutants eyes pictures check fix docs bench lock

help: ## say what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-8s %s\n", $$1, $$2 }'

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

test: $(TOOLS) ## install, then run the tests
	$(BIN)/python -m pytest -n auto

mutants: $(TOOLS) ## change one thing at a time in the SQL, and list what its cases do not notice (some minutes)
	$(BIN)/python -m tests.mutants

eyes: $(TOOLS) ## look at pages and workbook with Chromium and LibreOffice, which must be there
	$(BIN)/python -m pytest tests/eye

pictures: $(TOOLS) ## draw docs/img anew, with Chromium and LibreOffice
	$(BIN)/python -m tests.eye.pictures

check: $(TOOLS) ## format, lint, types, SQL lint, generated documents
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqruff lint sql
	$(BIN)/python -m sij_audit.transforms.documents --check

fix: $(TOOLS) ## put into order what check can put into order by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/sqruff fix sql

docs: $(TOOLS) ## write anew what documents show of headers, code and output
	$(BIN)/python -m sij_audit.transforms.documents

bench: $(TOOLS) ## measure the audit and its peers on the same files
	$(BIN)/python benchmarks/bench.py

lock: $(TOOLS) ## resolve both locks anew from pyproject.toml, the second under the first
	$(RESOLVE) --output-file requirements.lock
	$(RESOLVE) --all-extras --constraint requirements.lock --output-file requirements-dev.lock
