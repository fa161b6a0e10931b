# The contributor's guide: each target makes what it needs. Python 3.11+ with its own pip, make and git are enough.

PYTHON ?= python3
VENV   ?= .venv
# uv, which the lock and nox use, trusts the certificates that pip trusts
export UV_SYSTEM_CERTS ?= 1
BIN    := $(VENV)/bin
JOBS   ?= 2
RUN     = $(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal

.PHONY: help demo test test-all servers backends runtimes fresh pythons installs soak lint docs lock changelog bench profile peers clean

help:                              ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(VENV)/.base                ## the main job: a recorded program, looked at in record, trace and log
	@$(BIN)/turnspan demo

test: $(VENV)/.test                ## what is promised, but for the slow tests; some minutes on two cores
	$(RUN) -m "not slow" --ignore tests/backends $(PYTEST)

test-all: $(VENV)/.test            ## everything that is promised, as CI runs it
	$(RUN) --ignore tests/backends $(PYTEST)

servers:                           ## PostgreSQL, MariaDB, Redis, Prometheus, Chromium, Node.js and shells from the system's packages; without them their tests are skipped
	tests/support/install_servers.sh

backends: $(VENV)/.test            ## against real backends; builds Jaeger and the Collector with Go, once per machine
	tests/backends/build_jaeger.sh
	tests/backends/build_collector.sh
	tests/backends/install_phoenix.sh
	CI=true $(BIN)/python -m pytest -q tests/backends $(PYTEST)

runtimes: $(VENV)/.test            ## each runtime in its own environment: the newest release and the oldest that is claimed
	tests/support/play_runtimes.sh $(JOBS)

fresh:                             ## README's first commands in a fresh clone, with nothing but Python, make and git
	tests/support/fresh_machine.sh $(PYTHON)

# what a Python's version can break: threads, contexts, names, the journal and the stores; the runtimes are not ours
EVERY_PYTHON = tests/instrumentation/test_thread_context.py tests/test_packaging.py tests/api tests/model tests/journal \
  tests/recording tests/telemetry tests/stores/test_conformance.py tests/cli

pythons: $(VENV)/.test             ## the same with each other Python, and the tests that a version can break
	@for version in 3.11 3.12 3.13 3.14; do \
	  python="$$(tests/support/find_python.sh $$version)"; \
	  if [ -z "$$python" ]; then echo "Python $$version is not on this machine: passed over"; continue; fi; \
	  echo "Python $$version"; tests/support/fresh_machine.sh "$$python" "$(EVERY_PYTHON)" || exit 1; \
	done

installs: $(VENV)/.test            ## the built wheel with each extra: by the oldest pip of each Python, and by uv
	tests/support/install_wheel.sh

soak: $(VENV)/.test                ## all pairs of faults, 1,000 killed processes, full disks, ends and odd values, 10,000 edits of a store: about an hour
	SOAK=1 $(BIN)/python -m pytest -q --timeout 1800 tests/faults $(PYTEST)
	SOAK_REQUESTS=300000 $(BIN)/python -m pytest -q --timeout 7200 tests/receiver/test_any_request.py $(PYTEST)
	SOAK_EDITS=10000 $(BIN)/python -m pytest -q --timeout 7200 tests/verification/test_any_edit.py tests/verification/test_anchors.py tests/verification/test_odd_rows.py $(PYTEST)

lint: $(VENV)/.test                ## style and strict types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.test                ## the documentation as a site in docs/_build, strictly; its generated pages are written anew
	$(BIN)/python scripts/generate_cli_reference.py
	$(BIN)/python scripts/generate_json_reference.py
	$(BIN)/python scripts/generate_settings_reference.py
	$(BIN)/python scripts/generate_events_reference.py
	$(BIN)/python scripts/generate_content_reference.py
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build

lock: $(VENV)/.test                ## renew requirements/dev.txt: the newest versions that go together on every Python
	@echo '-e .[all]' | $(BIN)/uv pip compile -q - --group dev --universal --python-version 3.11 --upgrade --generate-hashes \
	  --prerelease if-necessary-or-explicit --no-emit-package turnspan --no-emit-index-url --no-annotate --no-header -o requirements/dev.txt

changelog:                         ## gather changelog.d into CHANGELOG.md: make changelog VERSION=0.2.0
	$(PYTHON) scripts/collect_changelog.py $(VERSION)

bench: $(VENV)/.test               ## what it costs, as ratios measured in one run
	$(BIN)/python benchmarks

profile: $(VENV)/.test             ## where a turn's time goes, by package and thread: make profile WORKLOAD="OpenAI Agents"
	$(BIN)/python benchmarks/where.py "$(or $(WORKLOAD),by hand)"

peers: $(VENV)/.test               ## what others add to a turn, each in an environment of its own (installed from the network)
	$(BIN)/python benchmarks/peers.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("turnspan needs Python 3.11 or newer: make PYTHON=python3.12")'
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m ensurepip --default-pip >/dev/null; else $(PYTHON) -m venv $(VENV); fi

PIP = $(BIN)/python -m pip install -q --disable-pip-version-check

$(VENV)/.base: pyproject.toml | $(BIN)/pip
	@$(PIP) -e .
	@touch $@

# What CI tests with is what a contributor gets: exact versions and hashes, and nothing left to resolve.
$(VENV)/.test: pyproject.toml requirements/dev.txt | $(BIN)/pip
	@$(PIP) --no-compile --require-hashes --no-deps -r requirements/dev.txt
	@$(PIP) --no-build-isolation --no-deps -e .
	@touch $@ $(VENV)/.base
