# `make help` prints the comments behind the two hashes.
.DEFAULT_GOAL := help
.PHONY: run demo test check format bench chaos manage lock clean help runtime development services

python := .venv/bin/python
export PYTHONDONTWRITEBYTECODE := 1

run: runtime ## Start everything on this machine with demo people, and print the addresses (Ctrl-C stops; EMPTY=1: no demo drafts)
	@exec $(python) -m portal.stack run

demo: runtime ## Do the main job once, without a browser, and prove it: exit 0 only if every claim holds
	@exec $(python) -m portal.stack demo

test: development services ## Run the whole suite: SQLite, PostgreSQL, Redis, a browser (ARGS="-k name" narrows it)
	@exec $(python) -m tests $(ARGS)

check: development ## Format, lint, types, templates, migrations, import contracts, deployment settings
	@exec $(python) scripts/check.py

format: development ## Rewrite code and templates the way the check wants them
	@.venv/bin/ruff format --quiet .
	@.venv/bin/ruff check --fix-only --quiet .
	@git ls-files -z 'templates/*.html' '*/templates/*.html' | xargs -0 -r .venv/bin/djade

bench: development services ## Measure the figures of docs/performance.md: one JSON line each
	@exec $(python) -m bench $(ARGS)

chaos: development services ## Kill, cut and slow things down, and let the oracle judge: one JSON line each
	@exec $(python) -m bench.chaos $(ARGS)

manage: runtime ## Run a management command on the data of `make run` (ARGS="audit_verify")
	@exec $(python) -m portal.stack manage $(ARGS)

lock: ## Resolve the dependencies again and write both requirements files (needs uv)
	@scripts/lock.sh $(ARGS)

clean: ## Remove the environment and the caches (the data of `make run` stays, in data/)
	@rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache .hypothesis .cache test-results staticfiles

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

runtime:
	@scripts/environment.sh requirements.txt

development:
	@scripts/environment.sh requirements-dev.txt

services:
	@scripts/services.sh
