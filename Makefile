# `make` alone lists what there is to do; .ci/run uses the same targets.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup run test soak lint types bench bench-scale clean

help:  ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: .venv/ready  ## create .venv and install everything into it, pinned by requirements.lock

.venv/ready: requirements.lock setup.cfg pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo 'Missing. Install it with: sudo apt-get install -y python3 python3-venv libcurl4'; exit 1; }
	@$(PYTHON) .ci/preflight.py
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable '.[embedded]'
	@touch $@

run: setup  ## start the demonstration: server, feeds, trial database, a synthetic region (Ctrl-C stops it)
	$(BIN)/kakehashi serve --demo --open

test: setup  ## all tests, against a real mongod that they start themselves
	$(BIN)/python -m pytest

soak: setup  ## the long kill, fuzz and scale runs
	$(BIN)/python -m tests.soak --date $$(date +%F)

lint: setup  ## flake8
	$(BIN)/flake8

types: setup  ## mypy, strict
	$(BIN)/mypy

bench: setup  ## the benchmarks: a table beside the budgets
	$(BIN)/python -m benchmarks

bench-scale: setup  ## thirty kinds of request while the region grows to 16,000 patients
	$(BIN)/python -m benchmarks.scale

clean:  ## remove .venv and caches (never data)
	rm -rf .venv .mypy_cache .pytest_cache .hypothesis build dist *.egg-info
