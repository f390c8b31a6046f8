# Everything from an empty machine: Python 3.11 or newer and make are all that is needed.
#   make table1   the environment, then the whole chain on the default configuration
#   make test     the environment, then all checks and tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= all
# An environment made from these pins is used as it is; other pins are installed over it.
WANTED := $(shell cksum < requirements.lock | cut -d ' ' -f 1)-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
STAMP := $(VENV)/made-from-$(WANTED)

.PHONY: table1 env test lint unit clean-env

table1: env
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES) results/table1.csv

env: $(STAMP)

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "s2v needs Python 3.11 or newer; name one with make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	rm -f $(VENV)/made-from-*
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e ".[dev]"
	touch $@

test: lint unit

lint: env
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile rules
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --lint

unit: env
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m pytest

clean-env:
	rm -rf $(VENV)
