# The contributor's guide: each target makes what it needs. Python 3.11+, make and git are enough; uv is used when it is there.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: demo test servers backends runtimes soak lint bench clean

demo: $(VENV)/.base                ## the main job: a recorded program, looked at in record, trace and log
	@$(BIN)/turnspan demo

test: $(VENV)/.test                ## everything that is promised
	$(BIN)/python -m pytest -q $(PYTEST)

servers:                           ## PostgreSQL, Redis and Prometheus from the system's packages; without them their tests are skipped
	tests/support/install_servers.sh

backends: $(VENV)/.test            ## against real backends; builds Jaeger and the Collector with Go, once per machine
	tests/backends/build_jaeger.sh
	tests/backends/build_collector.sh
	tests/backends/install_phoenix.sh
	CI=true $(BIN)/python -m pytest -q tests/backends $(PYTEST)

runtimes: $(VENV)/.test            ## each runtime in its own environment: the newest release and the oldest that is claimed
	$(BIN)/python -m nox -s play

soak: $(VENV)/.test                ## all pairs of faults, 1,000 killed processes: about an hour
	SOAK=1 $(BIN)/python -m pytest -q --timeout 1800 tests/faults $(PYTEST)

lint: $(VENV)/.test                ## style and strict types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.test               ## what it costs, as ratios measured in one run
	$(BIN)/python benchmarks

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@if command -v uv >/dev/null 2>&1; then uv venv -q --python $(PYTHON) $(VENV); else $(PYTHON) -m venv $(VENV); fi

$(VENV)/.base: $(VENV)/bin/python pyproject.toml
	@$(call install,-e .)
	@touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml
	@$(call install,-e '.[test$(comma)lint]')
	@touch $@ $(VENV)/.base

comma := ,
define install
if command -v uv >/dev/null 2>&1; then uv pip install -q --prerelease=if-necessary-or-explicit --python $(BIN)/python $(1); else $(BIN)/python -m pip install -q --disable-pip-version-check $(1); fi
endef
