# `make lab` and `make test` are all one needs: each first sets up what is missing.
#
#   make lab             JupyterLab on the first notebook   (ARGS=--no-browser is passed on)
#   make test            every test, docstring examples and notebooks included (ARGS="-k lens")
#   make lint            ruff on code and notebooks; import-linter and mypy on the library
#   make new-notebook    a notebook and all that belongs to it       (NB=05_topic: its name)
#   make notebooks       run and store the notebooks        (NB=01_cross_correlation: that one)
#   make export          write each notebook as one web page into export/   (NB=... as above)
#   make test-notebooks  every check of what is stored       (NB=01_cross_correlation: that one)
#   make pins            write requirements.txt: the newest versions that fit; torch stays
#   make test-matrix     the tests without a browser, on the newest and the lowest versions
#   make docs            write docs/api.md from the docstrings
#   make mutation        mutation testing                   (ARGS="convkit.ops*": that module)
#   make bench           measure what docs/benchmarks.md states
#   make screenshots     record the README's animations in a real JupyterLab
#
# TORCH=cpu, with any of them, takes PyTorch's build without CUDA: on Linux 2 GB in all, and not 5.8.
# VENV=folder keeps the environment there instead of in .venv, PYTHON=/path/to/python makes it.
# These are set here alone, and not by the shell's variables of the same names.

SHELL := /bin/bash
VENV := .venv
PYTHON :=
TORCH :=
NB :=
ARGS :=

ifneq ($(words $(VENV)),1)
$(error VENV="$(VENV)" must be one path without blanks, such as VENV=.venv)
endif
# An environment has a pyvenv.cfg. In another folder that holds something, nothing may be changed.
ifneq ($(shell test -e '$(VENV)/pyvenv.cfg' || ls -A '$(VENV)' 2>/dev/null | head -n 1),)
$(error VENV="$(VENV)" is no Python environment and not empty: name a new folder)
endif
ifeq ($(filter $(TORCH),cpu),$(TORCH))
else
$(error TORCH="$(TORCH)" is not known: write TORCH=cpu, or leave it out)
endif

BIN := $(VENV)/bin
START := notebooks/00_start_here.ipynb
SETTINGS := $(shell find tools/settings -type f)
D2L := d2l==1.0.3
CPU_WHEELS := --extra-index-url https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip install --quiet $(if $(TORCH),$(CPU_WHEELS))

# NB=01_topic, NB=01_topic.ipynb and NB=notebooks/01_topic.ipynb all mean the same.
NB_STEM := $(basename $(notdir $(NB)))
NB_PATHS := $(if $(NB),'notebooks/$(NB_STEM).ipynb',notebooks/*.ipynb)
ifeq ($(if $(NB),$(filter-out new-notebook,$(or $(MAKECMDGOALS),lab))),)
else ifneq ($(shell test -f 'notebooks/$(NB_STEM).ipynb' && echo found),found)
$(error NB="$(NB)" is none of the notebooks: $(notdir $(basename $(wildcard notebooks/*.ipynb))))
endif

# In a container one is often root, and Jupyter then wants to be told that this is meant.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: lab test install trust lint new-notebook notebooks export test-notebooks pins test-matrix \
	docs mutation bench screenshots

lab: install trust
	$(BIN)/jupyter lab $(AS_ROOT) $(ARGS) $(START)

test: install trust
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder --nbval $(ARGS) convkit tests notebooks

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

new-notebook: install
	@$(BIN)/python -m tools.new_notebook "$$NB"

notebooks: install
	$(BIN)/python -m tools.series
	$(BIN)/python -m tools.notebooks $(NB_PATHS)

export: install
	$(BIN)/python -m tools.export $(NB_PATHS)

test-notebooks: install trust
	$(BIN)/python -m pytest $(if $(NB),,-n 2 --dist loadscope) --nbval $(ARGS) $(NB_PATHS)

# torch and torchvision stay as they are: each torchvision is built for one torch, and what a
# notebook stores may differ with them. The loop asks for a wheel for each system and Python.
pins: install
	$(PIP) uv==0.13.9
	$(BIN)/uv --config-file tools/pins.toml pip compile pyproject.toml --all-extras --quiet \
		--universal --fork-strategy fewest --python-version 3.11 --upgrade --no-annotate \
		--constraints <(grep -E '^torch(vision)?==' requirements.txt) \
		--custom-compile-command 'make pins' --output-file requirements.txt
	@for system in linux aarch64-unknown-linux-gnu macos windows; do \
	    for python in 3.11 3.14; do \
	        MACOSX_DEPLOYMENT_TARGET=14.0 $(BIN)/uv --no-config pip compile requirements.txt \
	            --no-deps --only-binary :all: --quiet --output-file /dev/null \
	            --python-platform $$system --python-version $$python || exit 1; \
	    done; \
	done

test-matrix: install
	$(PIP) 'nox[uv]==2026.10.20'
	$(if $(TORCH),UV_TORCH_BACKEND=$(TORCH)) $(BIN)/nox $(ARGS)

docs: install
	$(BIN)/python -m tools.api_docs

mutation: install
	$(PIP) --constraint requirements.txt mutmut==3.8.1
	OMP_NUM_THREADS=1 $(BIN)/mutmut run $(ARGS)
	$(BIN)/mutmut results

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
	"$$python" -m venv $(VENV)

# d2l comes without its own, years old, pins: what it imports is pinned at today's releases.
$(VENV)/.installed: requirements.txt pyproject.toml $(SETTINGS) | $(BIN)/pip
	@echo "Installing into $(VENV): this takes a few minutes, once."
	$(PIP) -r requirements.txt
	$(PIP) --no-deps $(D2L)
	$(PIP) --no-deps --editable .
	$(BIN)/python -m tools.install_settings
	@touch $@
