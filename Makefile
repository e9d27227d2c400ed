# All that a user or a developer types; `make` alone lists it.
# Needs only Python and make: .venv is made here and filled from the lock files, with hashes.
# The stamps in .venv say which lock is installed. A stamp is written last, so a set-up that was
# interrupted starts again; a new lock or pyproject.toml is newer than its stamp and is installed.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

STUDY ?= .
WAVE ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1

PYTHON := .venv/bin/python
MITTELWELLE := .venv/bin/mittelwelle --study "$(STUDY)"
PIP := $(PYTHON) -m pip install --quiet --no-input
# Wheels only: building a package would fetch its build tools without hashes.
INSTALL := $(PIP) --require-hashes --only-binary :all: --requirement
LOCK := uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 \
	--generate-hashes --no-emit-index-url --custom-compile-command "make lock"

# In environments of their own: packages of rivals, and of a cluster, that no user needs.
PEERS := .venv/peers
SPARK := .venv/spark

JTRAIN := examples/jtrain
JTRAIN_DATA := $(addprefix $(JTRAIN)/data/raw/, \
	1987/jtrain_1987.csv 1988/jtrain_1988.csv 1989/jtrain_1989.xlsx \
	register/1987.csv register/1988.csv register/1989.csv)
STUDY_DATA := $(if $(filter $(JTRAIN),$(patsubst ./%,%,$(STUDY:/=))),$(JTRAIN_DATA))

# A .venv that is unfinished, was moved with its checkout, or has lost its Python is made anew.
VENV_FITS := $(shell test -x $(PYTHON) && test "$$(cat .venv/.place 2>/dev/null)" = "$$(pwd -P)" && echo yes)

.PHONY: help wave example example-data population test test-spark bench lint format browser lock flow doctor clean venv

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

wave: .venv/.run $(STUDY_DATA) ## Make the reports of a wave: make wave [STUDY=folder] [WAVE=year]; the newest if none is named
	@$(MITTELWELLE) wave $(WAVE)

example: .venv/.run $(JTRAIN_DATA) ## Make the reports of the example study, all waves
	@.venv/bin/mittelwelle --study $(JTRAIN) wave

example-data: $(JTRAIN_DATA) ## Write the example study's exports

population: .venv/.run ## Make the reference study's exports, registers and truth anew (made-up, seeded)
	@$(PYTHON) tests/population/make.py

flow: .venv/.run ## Show the stages of a wave, with the tables that pass between them
	@$(MITTELWELLE) flow

doctor: .venv/.run ## Check that this machine and the study are fit for a run
	@$(MITTELWELLE) doctor

clean: ## Delete what a run derived: data/processed and reports of the study
	@test -f "$(STUDY)/schemas/study.toml" || { echo "STUDY=$(STUDY) is not a study: it has no schemas/study.toml." >&2; exit 2; }
	@rm -rf "$(STUDY)/data/processed" "$(STUDY)/reports"

test: .venv/.dev .venv/.browser $(JTRAIN_DATA) lint ## Check style and types, run all tests
	@$(PYTHON) -m pytest --cov=pipeline --cov-report=term-missing:skip-covered --cov-fail-under=90

test-spark: .venv/.spark ## Check that Spark (local, needs Java 17) finds what DuckDB finds
	@$(SPARK)/bin/python -m pytest tests/survey/test_survey_spark.py tests/test_engines.py

bench: .venv/.peers .venv/.spark ## Measure speed side by side with other packages (R, Java where they are)
	@$(PYTHON) bench/survey.py --peers $(PEERS)/bin/python --spark $(SPARK)/bin/python
	@$(PYTHON) bench/survey_page.py

lint: .venv/.dev ## Check style and types only
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy --strict

format: .venv/.dev ## Sort imports and format the code
	@.venv/bin/ruff check --quiet --select I --fix .
	@.venv/bin/ruff format .

browser: ## Install Chromium and poppler for the browser tests, where possible
	@bin/browser

lock: ## Compile the lock files after a change in pyproject.toml; delete them first for newest versions
	@command -v uv >/dev/null || { echo "make lock needs uv: install it (pipx install uv), then repeat the command." >&2; exit 2; }
	@$(LOCK) pyproject.toml --group build --output-file requirements.lock
	@$(LOCK) --group example --constraint requirements.lock --output-file requirements-example.lock
	@$(LOCK) pyproject.toml --group build --extra spark --constraint requirements.lock --output-file requirements-spark.lock
	@$(LOCK) --group peers --output-file requirements-peers.lock
	@$(LOCK) pyproject.toml --group dev --constraint requirements.lock --output-file requirements-dev.lock

venv:
	@bin/bootstrap

.venv/.run: requirements.lock pyproject.toml $(if $(VENV_FITS),,venv)
	@echo "Setting up .venv from requirements.lock (once, about a minute) ..."
	@$(INSTALL) requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.example: requirements-example.lock .venv/.run
	@$(INSTALL) requirements-example.lock
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.run
	@echo "Adding the developers' tools from requirements-dev.lock (once) ..."
	@$(INSTALL) requirements-dev.lock
	@touch $@

.venv/.peers: requirements-peers.lock .venv/.run
	@echo "Setting up .venv/peers from requirements-peers.lock (once) ..."
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --no-input --require-hashes --only-binary :all: --requirement requirements-peers.lock
	@touch $@

.venv/.spark: requirements-spark.lock requirements-dev.lock .venv/.run
	@echo "Setting up .venv/spark from requirements-spark.lock (once, about 500 MB) ..."
	@$(PYTHON) -m venv $(SPARK)
	@$(SPARK)/bin/python -m pip install --quiet --no-input --require-hashes --requirement requirements-spark.lock --requirement requirements-dev.lock
	@$(SPARK)/bin/python -m pip install --quiet --no-input --no-deps --no-build-isolation --editable .
	@touch $@

# Tried once; the tests say themselves that they were skipped.
.venv/.browser: .venv/.run
	@bin/browser || true
	@touch $@

$(JTRAIN_DATA): $(JTRAIN)/make_exports.py .venv/.example
	@$(PYTHON) $(JTRAIN)/make_exports.py
