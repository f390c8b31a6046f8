# Everything from an empty machine: Python 3.11 or newer and make are all that is needed.
#   make table1   the environment, then the whole chain on the default configuration
#   make test     the environment, then all checks and tests; make test-fast: those that take no time
#   make slurm    the environment with what a SLURM cluster wants (docs/cluster.md)
#   make study-deps    what the page of a human study is made with (docs/study.md); takes npm
#   make slurm-deps, make browser-deps    programs that some tests need; without them these are skipped
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= all
# An environment made from these pins is used as it is; other pins are installed over it.
WANTED := $(shell cksum < requirements.lock | cut -d ' ' -f 1)-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
STAMP := $(VENV)/made-from-$(WANTED)

.PHONY: table1 env slurm slurm-deps browser-deps study-deps test test-fast test-full-size lint unit clean-env

table1: env
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES) results/table1.csv

env: $(STAMP)

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "s2v needs Python 3.11 or newer; name one with make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	rm -f $(VENV)/made-from-*
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e ".[all,dev]"
	touch $@

slurm: env
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e ".[slurm]"

# A SLURM on this machine, for tests/test_slurm.py: Debian or Ubuntu, as root.
slurm-deps: slurm
	apt-get -o Acquire::Retries=0 -o Acquire::http::Timeout=10 update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends slurmctld slurmd slurm-client munge

# jsPsych, for `s2v study make`; each file that is copied from it is a whole program, so what it depends on runs nowhere.
study-deps:
	mkdir -p .study
	cp s2v/shipped/study/package.json .study/
	npm install --prefix .study --silent --ignore-scripts --no-package-lock --no-audit --no-fund

# A browser, for tests/test_studio.py: Debian or Ubuntu, as root.
browser-deps:
	apt-get -o Acquire::Retries=0 -o Acquire::http::Timeout=10 update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium

# Side by side: most of the checks take one core.
test: env
	$(MAKE) -j 2 lint unit

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check Snakefile rules
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --lint

# Under two minutes: everything but the tests that run Snakemake or take long.
test-fast: env
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m pytest -m "not chain and not slow" -n auto --dist loadfile

unit: env
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# Trainings at full size, two steps of each: no part of `make test`.
test-full-size: env
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m pytest -m full_size tests/test_full_size.py

clean-env:
	rm -rf $(VENV)
