# livemuse: `make play` to play, `make test` before you send a change. `make help` lists the rest.
# Needs Python 3.11 or 3.12 and make (3.81 or later); fetches everything else.  PYTHON=/path/to/python3.12 names a Python.

.DEFAULT_GOAL := help
.PHONY: help play install test check format docs lock clean
export PYTHON

UV := .tools/bin/uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links $(UPGRADE)

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' Makefile

play: .venv/.installed ## set up if need be, then open the console with its engine
	@.venv/bin/livemuse

install: .venv/.installed ## the live install alone, in .venv: .venv/bin/livemuse is the program

test: .venv-dev/.installed ## set up if need be, then run everything that CI runs
	@sh scripts/test.sh

check: .venv-dev/.installed ## the quick part of `make test`: lint, types, import contracts, tests without live and pipeline
	@sh scripts/test.sh quick

format: .venv-dev/.installed ## put the code into its one form
	@.venv-dev/bin/ruff check --fix --quiet livemuse training tests scripts || true
	@.venv-dev/bin/ruff format --quiet livemuse training tests scripts

docs: .venv-dev/.installed ## write the tables of docs/controls.md anew from the code
	@.venv-dev/bin/python scripts/control_tables.py

lock: .venv-dev/.installed ## write requirements/*.lock anew from pyproject.toml (UPGRADE=--upgrade for newer versions)
	$(COMPILE) pyproject.toml --extra sound -o requirements/live.lock
	$(COMPILE) pyproject.toml --extra sound --extra train --extra dev -o requirements/dev.lock
	echo 'hatchling>=1.27,<2' | $(COMPILE) - -o requirements/build.lock
	echo 'uv>=0.13,<0.14' | $(COMPILE) - -o requirements/tools.lock
	@! grep -nE 'https?://|file:' requirements/*.lock

clean: ## remove the environments and what tools left behind
	rm -rf .venv .venv-dev .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find livemuse training tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.installed: requirements/live.lock requirements/build.lock requirements/tools.lock pyproject.toml scripts/setup.sh
	@sh scripts/setup.sh live

.venv-dev/.installed: requirements/dev.lock requirements/build.lock requirements/tools.lock pyproject.toml scripts/setup.sh
	@sh scripts/setup.sh dev
