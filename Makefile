# A newcomer needs two of these: `make demo` and `make test`. Both work from a fresh clone with only Python >= 3.11.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
# The first Python on the path that is new enough; `make PYTHON=/path/to/python …` chooses another.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; done)

.PHONY: help demo test test-long faults fuzz install install-test clean
.NOTPARALLEL:

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

FLOW := policies/tiktok_shop policies/tiktok_shop/scenarios/founding_flow.yaml

demo: install ## install, then dry-run a TikTok Shop claim: rejection, platform intervention, payout
	@$(BIN)/amends simulate $(FLOW) --case FF-02

test: install-test ## run everything: tests, ruff, mypy
	@$(BIN)/pytest -q -n auto --dist worksteal
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/mypy --no-error-summary --explicit-package-bases tests

test-long: install-test ## run every test, also those that take minutes, on many more random examples
	@$(BIN)/pytest -q -m "long or not long" --hypothesis-profile=long

faults: install-test ## kill, race, restart and flood for half an hour, and print the figures (docs/reliability.md)
	@$(BIN)/pytest -q -s -m "long or not long" tests/faults

SECONDS := 60
fuzz: install-test ## look for texts that break a reader, a minute for each (SECONDS=600: ten); CPython on Linux only
	@$(PIP) install ".[fuzz]"
	@$(REINSTALL)
	@$(BIN)/python tests/fuzz/fuzz.py --seconds $(SECONDS)

# The dependencies, again only when pyproject.toml changes.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "amends needs Python 3.11 or newer, and none is on the path" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	@echo "installing the dependencies into $(VENV) …"
	@rm -rf build
	@$(PIP) install "setuptools>=80" .
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	@echo "installing the dependencies into $(VENV) …"
	@rm -rf build
	@$(PIP) install ".[test]"
	@touch $@ $(VENV)/.demo

# The package itself, every time: tests and mypy read what is installed, as a host would. An old build/ would ship
# modules that are gone.
REINSTALL = rm -rf build *.egg-info && $(PIP) install --no-deps --no-index --no-build-isolation --force-reinstall . \
	&& rm -rf build *.egg-info

install: $(VENV)/.demo
	@$(REINSTALL)

install-test: $(VENV)/.test
	@$(REINSTALL)

clean: ## remove everything that was made
	@rm -rf $(VENV) .typing build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
