# `make` lists the targets. Everything below works on a fresh clone: the first use makes .venv by itself.
PYTHON ?= python3
MANAGE = $(PYTHON) manage.py
BIN = .venv/bin
# For the checks alone: they look at code, and need no secret of yours.
CHECKED = DEBUG=on RESTARTIX_ENV_FILE=

COMPILE = $(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 -q --no-header

.DEFAULT_GOAL := help
.PHONY: help setup run test check fix bench promises storm mutants pictures lock clean

help: ## list the targets
	@echo 'RestartiX. Two commands are enough: make run, make test.'
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make the environment (.venv) and install the locked packages
	@$(PYTHON) -m restartix.bootstrap

run: setup ## start everything on http://localhost:9000; ARGS="--port 9001 --no-demo ..."
	@exec env DEBUG=$${DEBUG:-on} $(MANAGE) up $(ARGS)

test: setup ## run the whole test suite on servers of its own; ARGS="tests/runtime -x ..."
	@exec $(MANAGE) test $(ARGS)

check: setup ## static checks: style, types, layers, migrations, settings, contract, documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(CHECKED) $(BIN)/mypy restartix apps manage.py
	$(CHECKED) $(BIN)/lint-imports
	$(CHECKED) $(MANAGE) check --fail-level WARNING
	$(CHECKED) $(MANAGE) makemigrations --check --dry-run
	$(CHECKED) $(MANAGE) environment_docs --check
	$(CHECKED) $(MANAGE) lifecycles --check
	$(CHECKED) $(MANAGE) catalogues --check
	@if $(CHECKED) $(MANAGE) help openapi >/dev/null 2>&1; then $(CHECKED) $(MANAGE) openapi --check; fi

fix: setup ## let the tools mend what they can, and write generated documentation
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(CHECKED) $(MANAGE) environment_docs
	$(CHECKED) $(MANAGE) lifecycles
	$(CHECKED) $(MANAGE) catalogues

bench: setup ## run the benchmarks and write docs/benchmarks.md; ARGS="slots" prints one
	@$(BIN)/python tests/benchmarks/run.py $(ARGS)

promises: setup ## run what the documentation promises about failure: races, kills, restarts
	@exec $(MANAGE) test $(wildcard tests/races tests/isolation tests/promises tests/runtime) $(ARGS)

storm: setup ## try webhooks under 3,000 events, 20 kills and 2 wipes of Redis; takes four minutes
	@exec $(MANAGE) test tests/races/webhooks_in_full.py $(ARGS)

mutants: setup ## break the program on purpose, one way at a time, and see that a test notices; ARGS="quota" tries some
	@$(BIN)/python tests/mutants/run.py $(ARGS)

pictures: setup ## take the pictures of the documentation anew, of the demo clinics in a browser
	@exec $(MANAGE) test tests/browser/test_pictures.py --pictures $(ARGS)

lock: setup ## choose package versions anew from pyproject.toml: requirements.lock, and its part for production
	$(COMPILE) --extra embedded --group dev --upgrade -o requirements.lock
	$(COMPILE) -c requirements.lock -o requirements.production.lock

clean: ## remove the environment and the caches; data in .data stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -not -path './.data/*' -prune -exec rm -rf {} +
