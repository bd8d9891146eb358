# run, test and check make .venv and install what they need, once.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name) 2>/dev/null)))
ARGS ?=

.PHONY: help run test check bench-admin clean

help:
	@echo "make run    API, admin and docs on http://127.0.0.1:8000 (PORT=8001 make run for another port)"
	@echo "make test   the test suite; ARGS='tests/test_joining.py -x' for a part of it"
	@echo "make check  linters, types, import rules, migrations, deployment settings"
	@echo "make bench-admin  how long the admin takes beside a million rows; needs a local PostgreSQL (BENCH_SERVER) and Redis"
	@echo "make clean  remove .venv; var/ with its data stays"

run: .venv/installed
	@exec .venv/bin/python -m config.embedded

test: .venv/installed-dev
	@.venv/bin/python -m pytest -n 2 --dist loadfile $(ARGS)

check: .venv/installed-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python manage.py makemigrations --check --dry-run
	.venv/bin/python bin/production_settings.py manage.py check --deploy --fail-level WARNING

bench-admin: .venv/installed
	@.venv/bin/python -m bench.admin

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 is needed: apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than Python 3.11; name another one: make PYTHON=/path/to/python3.11 run"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) can't make virtual environments here: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: requirements.txt | .venv/bin/python
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
