# Every target bootstraps what it needs on a machine with Python 3.11, make and git.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST_ARGS ?=
ARGS ?=

.PHONY: help install demo test lint format bench lock clean

help:  ## List the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "%-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

install: $(STAMP)  ## Install the project and its tools, locked, into .venv

demo: install  ## The whole product on emulated parts; ARGS=--check runs its story headless
	$(BIN)/batchaccess demo $(ARGS)

test: install  ## Unit, property, contract and end-to-end tests on the emulators
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --dist worksteal $(PYTEST_ARGS)

lint: install  ## ruff, mypy --strict, yamllint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy operator tests benchmarks
	$(BIN)/yamllint --strict crds deploy

format: install  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: install  ## Re-resolve the locked dependencies
	$(BIN)/uv pip compile $(LOCK) --group build -o requirements/build.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --extra demo --group dev -o requirements/dev.txt

LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

clean:  ## Remove what the targets made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
