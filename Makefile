# `make demo` and `make test` each work as the very first command in a fresh clone: they make .venv, install into it
# what they need, and go. A second run installs nothing unless pyproject.toml has changed.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
SAY_NOT_INSTALLED := { echo "Error: not everything could be installed; pip says why above, and 'make' tries again." >&2; exit 4; }
TORCH := 2.13.0
PROMPT := A dog playing in a park

# Half of the time tests wait, for a film or for a process: two workers share them, a file at a time, since the tests of a
# file may share a server.
SHARED := --numprocesses 2 --dist loadfile --no-loadscope-reorder

# The tests start processes by the hundred: what Python has compiled is kept, whatever the machine says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-all coverage lint chaos gallery clean machine

help:
	@echo "make demo      make out/demo.mp4 from a sentence"
	@echo "make test      check style, types and floors, and run the tests"
	@echo "make test-all  the same, and run the measurements in benchmarks/"
	@echo "make coverage  run the tests, and tell what they do not reach; takes half as long again"
	@echo "make lint      check style, types and floors only"
	@echo "make chaos     300 rounds of kills and freezes; on PostgreSQL too, where FILMGATE_TEST_POSTGRES_URL names one"
	@echo "make gallery   make the contact sheets in docs/gallery again"
	@echo "make clean     remove everything that the others made, .venv too"
	@echo "PYTHON=...     the Python to start from, 3.11 or newer (now: $(PYTHON))"

demo: machine .venv/.installed
	@echo "demo: making a film of \"$(PROMPT)\""
	@$(BIN)/filmgate generate "$(PROMPT)" -o out/demo.mp4 >/dev/null
	@$(BIN)/python scripts/describe.py "demo: out/demo.mp4 is ready:" out/demo.mp4

test: machine lint
	@echo "test: running the tests"
	@$(BIN)/pytest $(SHARED)
	@echo "test: style, types, floors and tests all passed."

test-all: .venv/.installed-torch test
	@for each in benchmarks/*.py; do \
		[ -e "$$each" ] || continue; \
		echo "test-all: $$each"; $(BIN)/python "$$each" || exit 1; \
	done
	@echo "test-all: the tests passed and every measurement ran."

coverage: machine .venv/.installed-test
	@$(BIN)/pytest $(SHARED) --cov --cov-report=term

lint: .venv/.installed-test
	@echo "lint: ruff, mypy, import-linter"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

chaos: machine .venv/.installed-test
	@cd benchmarks && ../$(BIN)/python -m chaos --rounds 300
	@if [ -n "$$FILMGATE_TEST_POSTGRES_URL" ]; then \
		cd benchmarks && ../$(BIN)/python -m chaos --rounds 300 --postgres "$$FILMGATE_TEST_POSTGRES_URL"; \
	else echo "chaos: FILMGATE_TEST_POSTGRES_URL is not set, so nothing was tried on PostgreSQL"; fi

gallery: machine .venv/.installed
	@$(BIN)/python scripts/gallery.py

clean:
	rm -rf .venv out dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .ci/node
	find src tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- what the targets above stand on -------------------------------------------------------------------------------

machine:
	@command -v $(PYTHON) >/dev/null || { echo "Error: there is no $(PYTHON) here; name a Python 3.11 or newer:" \
		"make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 4; }
	@$(PYTHON) -I src/filmgate/cli/machine.py

.venv/.made:
	@echo "install: making .venv"
	@$(PYTHON) -m venv .venv || { echo "Error: $(PYTHON) cannot make a virtual environment;" \
		"on Debian and Ubuntu: apt-get install python3-venv" >&2; rm -rf .venv; exit 4; }
	@touch $@

.venv/.installed: .venv/.made pyproject.toml
	@echo "install: installing Filmgate into .venv (once; about 100 MB to fetch)"
	@$(PIP) --editable . || $(SAY_NOT_INSTALLED)
	@touch $@

.venv/.installed-test: .venv/.made pyproject.toml
	@echo "install: installing Filmgate and the tools of its tests into .venv (once)"
	@$(PIP) --editable '.[test]' || $(SAY_NOT_INSTALLED)
	@touch $@ .venv/.installed

.venv/.installed-torch: .venv/.installed-test
	@echo "install: installing torch and diffusers into .venv, for the tests of the diffusers engine (once)"
	@$(PIP) --editable '.[diffusers]' torch==$(TORCH) || $(SAY_NOT_INSTALLED)
	@touch $@
