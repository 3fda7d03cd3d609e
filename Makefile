# Every target bootstraps what it needs on a machine with Python 3.11, make and git.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST_ARGS ?=
# One more than there are cores: many tests wait for processes and servers of their own.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
ARGS ?=
LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

# BENCH=small keeps CI short; the figures of the documentation are those of `make bench`.
BENCH ?= full
BENCH_ORACLE_full := 1000000
BENCH_ORACLE_small := 20000
BENCH_FLEET_full := --accounts 50 --pools 200 --policies 2000
BENCH_FLEET_small := --accounts 2 --pools 100 --policies 20
BENCH_AUDIT_full := 5000
BENCH_AUDIT_small := 500
BENCH_POOLS_full := 1000 10000
BENCH_POOLS_small := 1000

.PHONY: help install demo test lint format generate bench prove e2e e2e-full e2e-failover e2e-az e2e-browser e2e-prometheus image pictures lock clean

help:  ## List the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

install: $(STAMP)  ## Install the project and its tools, locked, into .venv

demo: install  ## The whole product on emulated parts; ARGS=--check runs its story headless
	$(BIN)/batchaccess demo $(ARGS)

test: install  ## Import contracts; unit, property, contract and end-to-end tests on the emulators
	$(BIN)/lint-imports
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

lint: install  ## ruff with every rule, mypy --strict, yamllint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy operator tests benchmarks scripts
	$(BIN)/yamllint --strict crds deploy operator

format: install  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

generate: install  ## Write what is generated from code: dashboards, alert rules, references, Argo CD's test files
	$(BIN)/python -m scripts.monitoring.generate
	$(BIN)/python -m scripts.write_reference
	$(BIN)/python -m scripts.draw_saga
	$(BIN)/python -m tests.gitops.argodata

bench: install  ## Figures as ratios; BENCH=small for a quick look
	$(BIN)/python -m benchmarks.reachability_oracle $(BENCH_ORACLE_$(BENCH))
	$(BIN)/python -m benchmarks.sweep_fetch $(BENCH_POOLS_$(BENCH))
	$(BIN)/python -m benchmarks.sweep $(BENCH_POOLS_$(BENCH))
	$(BIN)/python -m benchmarks.scrape $(lastword $(BENCH_POOLS_$(BENCH)))
	$(BIN)/python -m benchmarks.status_page $(lastword $(BENCH_POOLS_$(BENCH)))
	$(BIN)/python -m benchmarks.audit $(BENCH_AUDIT_$(BENCH))
	$(BIN)/python -m benchmarks.fleet $(BENCH_FLEET_$(BENCH))

prove: install  ## The long proofs of the drain in full; PROOF=small for what `make test` has no time for
ifeq ($(PROOF),small)
	$(BIN)/python -m tests.killmatrix.prove processes --sample 16
else
	$(BIN)/python -m tests.exploration.prove
	$(BIN)/python -m tests.endurance.prove_lives
	$(BIN)/python -m tests.endurance.prove_scenes
	$(BIN)/python -m tests.killmatrix.prove $(ARGS)
endif

e2e: install  ## A real kube-apiserver and etcd, built once with Go outside the repository, and the operator on them
	$(BIN)/python -m tests.controlplane $(ARGS)

e2e-full: install  ## The same with ten minutes of chaos, and a fleet of 500 policies and 2,000 pools left alone for ten
	BATCHACCESS_CHAOS_SECONDS=600 BATCHACCESS_IDLE_SECONDS=600 $(BIN)/python -m tests.controlplane $(ARGS)

e2e-failover: install  ## Two replicas and a Lease: twenty kills, or BATCHACCESS_FAILOVERS, with the times to takeover
	BATCHACCESS_FAILOVERS=$${BATCHACCESS_FAILOVERS:-20} $(BIN)/pytest -s tests/operator/test_leadership_failover.py

e2e-browser: install  ## The status page in a real Chromium, with axe-core
	BATCHACCESS_BROWSER=1 $(BIN)/pytest tests/e2e_browser $(PYTEST_ARGS)

e2e-prometheus: install  ## The demo's story before a real Prometheus: alerts fire and resolve, every panel shows data
	scripts/install-promtool.sh
	PATH="$$PATH:$$HOME/.local/bin" BATCHACCESS_PROMETHEUS_E2E=1 BATCHACCESS_REQUIRE_TOOLS=1 \
		$(BIN)/pytest -n 0 tests/e2e_prometheus $(PYTEST_ARGS)

e2e-az: install  ## The real az client, installed outside the repository, against `batchaccess emulator`
	AZ_CLI="$$(tests/e2e_az/install.sh)" $(BIN)/pytest tests/e2e_az $(PYTEST_ARGS)

pictures: install  ## Take the pictures of docs/images from the running demo, and of and from a real Prometheus
	scripts/install-promtool.sh
	PATH="$$PATH:$$HOME/.local/bin" scripts/install-prometheus-page.sh
	$(BIN)/python -m scripts.screenshots
	PATH="$$PATH:$$HOME/.local/bin" $(BIN)/python -m scripts.pictures

image: install  ## Build the Dockerfile for real and have the operator work in it; needs root and Debian
	scripts/build-image.sh

lock: install  ## Re-resolve the locked dependencies
	$(BIN)/uv pip compile $(LOCK) --group build -o requirements/build.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --extra demo --group dev -o requirements/dev.txt

clean:  ## Remove what the targets made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
