# run, test and check make .venv and install what they need, once.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name) 2>/dev/null)))
ARGS ?=

.PHONY: help run test test-sdk bench-pool bench-siebel bench-admin soak check clean

help:
	@echo "make run    API, admin and docs on http://127.0.0.1:8000 (PORT=8001 make run for another port)"
	@echo "make test   the test suite; ARGS='tests/test_joining.py -x' for a part of it"
	@echo "make test-sdk  the SMS providers' SDKs sign as we do (installs them, under .venv/sdk)"
	@echo "make check  linters, types, import rules, migrations, deployment settings"
	@echo "make bench-siebel  a call of Siebel against a bare one, and a mute Siebel; PostgreSQL and Redis must run here"
	@echo "make bench-pool  the card pool against what this machine can do at all; PostgreSQL and Redis must run here"
	@echo "make soak   the fault tests, many long rounds: an hour or two"
	@echo "make bench-admin  how long the admin takes beside a million rows; needs a local PostgreSQL (BENCH_SERVER) and Redis"
	@echo "make clean  remove .venv; var/ with its data stays"

run: .venv/installed
	@exec .venv/bin/python -m config.embedded

test: .venv/installed-dev
	@.venv/bin/python -m pytest -n 2 --dist loadfile $(ARGS)

test-sdk: .venv/installed-dev
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --target .venv/sdk -r requirements-sdk.txt
	@PYTHONPATH=.venv/sdk .venv/bin/python -m pytest $(ARGS) tests/sdk_signatures.py

bench-siebel: .venv/installed-dev
	@.venv/bin/python -m bench.siebel

bench-pool: .venv/installed-dev
	@.venv/bin/python -m bench.pool

soak: .venv/installed-dev
	SOAK_ROUNDS=20 SOAK_SECONDS=10 .venv/bin/python -m pytest -n 1 --dist loadfile -o timeout=1200 tests/faults $(ARGS)

check: .venv/installed-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python manage.py makemigrations --check --dry-run
	.venv/bin/python bin/production_settings.py manage.py check --deploy --fail-level WARNING

bench-admin: .venv/installed
	@.venv/bin/python -m bench.admin

.venv/made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 is needed: apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than Python 3.11; name another one: make PYTHON=/path/to/python3.11 run"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) can't make virtual environments here: apt install python3-venv"; exit 1; }
	rm -rf .venv
	$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: requirements.txt | .venv/made
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
