# `make lab` and `make test` are all one needs: each first sets up what is missing.
#
#   make lab             JupyterLab on the first notebook   (ARGS=--no-browser is passed on)
#   make test            every test, docstring examples and notebooks included (ARGS="-k lens")
#   make lint            ruff on code and notebooks; import-linter and mypy on the library
#   make notebooks       run and store the notebooks        (NB=01_cross_correlation: that one)
#   make export          write each notebook as one web page into export/   (NB=... as below)
#   make test-notebooks  every check of what is stored       (NB=01_cross_correlation: that one)
#   make test-matrix     the pins on each Python and system (ARGS=pins), then the notebooks' text
#                        with the oldest and newest numpy and matplotlib (ARGS=notebooks)
#   make docs            write docs/api.md from the docstrings
#   make mutation        mutation testing                   (ARGS is passed on)
#   make bench           measure what docs/benchmarks.md states
#   make screenshots     record the README's animations in a real JupyterLab

SHELL := /bin/bash
VENV ?= .venv
ifneq ($(words $(VENV)),1)
$(error VENV="$(VENV)" must be one path without blanks, such as VENV=.venv)
endif
BIN := $(VENV)/bin
NOTEBOOKS := $(sort $(wildcard notebooks/*.ipynb))
START := notebooks/00_start_here.ipynb
SETTINGS := $(shell find tools/settings -type f)
NB ?=
ARGS ?=

# NB=01_topic, NB=01_topic.ipynb and NB=notebooks/01_topic.ipynb all mean the same.
NB_STEM := $(basename $(notdir $(NB)))
NB_PATHS := $(if $(NB),notebooks/$(NB_STEM).ipynb,$(NOTEBOOKS))

# In a container one is often root, and Jupyter then wants to be told that this is meant.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

# d2l comes without its own, years old, pins; the line `#no-deps: d2l==...` names its version.
NO_DEPS := $(shell sed -n 's/^\#no-deps: *//p' requirements.txt)

.PHONY: lab test install trust lint notebooks export test-notebooks test-matrix docs mutation bench screenshots

lab: install trust
	$(BIN)/jupyter lab $(AS_ROOT) $(ARGS) $(START)

test: install trust
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder --nbval $(ARGS) convkit tests $(NOTEBOOKS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

notebooks: install
	$(BIN)/python -m tools.notebooks $(NB_PATHS)

export: install
	$(BIN)/python -m tools.export $(NB_PATHS)

test-notebooks: install trust
	$(BIN)/python -m pytest $(if $(NB),,-n 2 --dist loadscope) --nbval $(ARGS) $(NB_PATHS)

test-matrix: install
	$(BIN)/python -m tools.matrix $(ARGS)

docs: install
	$(BIN)/python -m tools.api_docs

mutation: install
	$(BIN)/python -m pip install --quiet cosmic-ray==8.7.0
	$(BIN)/python -m tools.mutation $(ARGS)

bench: install trust
	$(BIN)/python -m benchmarks.run $(ARGS)

screenshots: install trust
	$(BIN)/python -m tools.screenshots $(ARGS)

install: $(VENV)/.installed

# JupyterLab shows the stored panels of trusted notebooks only.
trust: install
	$(BIN)/python -m tools.trust

$(BIN)/pip:
	@python=; \
	for candidate in $(PYTHON) python3.11 python3 python3.12 python3.13 python3.14; do \
	    if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	    then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "convkit needs Python 3.11 or newer, and found none: python3 is" \
	        "$$(python3 --version 2>&1 || true)." >&2; \
	    echo "Install Python 3.11, or name one: make lab PYTHON=/path/to/python3.11" >&2; \
	    exit 1; \
	fi; \
	"$$python" -m venv --clear $(VENV)

$(VENV)/.installed: requirements.txt pyproject.toml $(SETTINGS) | $(BIN)/pip
	@echo "Installing into $(VENV): this takes a few minutes, once."
	$(BIN)/python -m pip install --quiet -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps $(NO_DEPS)
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	$(BIN)/python -m tools.install_settings
	@touch $@
