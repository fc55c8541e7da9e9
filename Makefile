# Needs Python 3.11 or newer (with venv) and make; everything else goes into .venv.
#
#   make run      the whole product on this machine, until Ctrl-C (PORT, DATA_DIR, DATABASE_URL, REDIS_URL steer it)
#   make test     style, types and all tests, on SQLite and on PostgreSQL; ARGS="-k word" passes arguments to pytest
#   make screenshots   the pictures in the README, by the browser tests (Chromium)
#   make bench    the product beside the bare database, RECORDS=100000; ARGS="--only undo --only pages" and the like
#   make lint     style and types only        make format   put the style right        make clean   undo all of it

SHELL := /bin/sh
.DEFAULT_GOAL := run
.PHONY: run test test-sqlite test-postgres bench screenshots lint format clean clients
.DELETE_ON_ERROR:

BIN := .venv/bin
ARGS ?=
# How many contacts the benchmark has.
RECORDS ?= 100000
# How many pytest processes work side by side.
JOBS ?= 2
PYTEST = $(BIN)/python -m pytest -n $(JOBS) $(ARGS)

# The first Python that is new enough; PYTHON=... names another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

run: .venv/run.stamp
	@exec $(BIN)/python manage.py serve

test: lint test-sqlite test-postgres

# Without the addresses of an installation: tests bring their own servers.
test-sqlite: .venv/test.stamp clients
	@echo "== Tests on SQLite"
	@env -u DATABASE_URL -u REDIS_URL $(PYTEST)

test-postgres: .venv/test.stamp
	@echo "== Tests on PostgreSQL"
	@env -u REDIS_URL $(BIN)/python -m tests.servers postgres -- $(PYTEST)

# HubSpot's clients for Node, where npm is on the machine; without it their tests are skipped.
clients:
	@command -v npm >/dev/null || exit 0; $(MAKE) --no-print-directory tests/clients/node_modules

tests/clients/node_modules: tests/clients/package.json
	@echo "Installing the clients for Node ..."
	@cd tests/clients && npm install --silent --no-audit --no-fund --no-package-lock
	@touch $@

screenshots: .venv/test.stamp
	@env -u DATABASE_URL -u REDIS_URL SCREENSHOTS=docs/screenshots $(BIN)/python -m pytest -q tests/browser/test_screenshots.py
	@ls -l docs/screenshots

bench: .venv/test.stamp
	@env SECRET_KEY=none $(BIN)/python manage.py benchmark --records $(RECORDS) $(ARGS)

lint: .venv/test.stamp
	@echo "== Style and types"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Some files are not in the house's style: make format"; exit 1; }
	@$(BIN)/mypy
	@SECRET_KEY=none DATABASE_URL=sqlite:///:memory: $(BIN)/python manage.py makemigrations --check --dry-run

format: .venv/test.stamp
	@$(BIN)/ruff check --fix --exit-zero --quiet . >/dev/null
	@$(BIN)/ruff format --quiet .

clean:
	rm -rf .venv tests/clients/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are younger than the requirements that they were made from.
.venv/run.stamp: requirements.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found; PYTHON=/path/to/python names one." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is not Python 3.11 or newer; PYTHON=/path/to/python names another." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) lacks its module venv: install it (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@echo "Setting up .venv (this once; about a minute) ..."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/test.stamp: requirements-dev.txt .venv/run.stamp
	@echo "Adding the tools for the tests ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
