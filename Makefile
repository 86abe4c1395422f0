# Two commands do everything: `make study` and `make test`. Nothing needs to be installed by hand.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STUDY ?= configs/exporter/study.yaml
# two files of tests at a time: most tests use one core
TWO_AT_ONCE := -n 2 --dist loadfile
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: study test slow lint reports bench gate lock warmup clean

study: $(VENV)/.installed  ## run the shipped exporter study: comparison table and report
	$(BIN)/simulator run $(STUDY)

test: $(VENV)/.installed-dev  ## run the test suite, but for what takes long
	$(BIN)/python -m pytest $(TWO_AT_ONCE)

slow: $(VENV)/.installed-dev  ## run the long statistical and exhaustive tests that `make test` leaves out
	$(BIN)/python -m pytest $(TWO_AT_ONCE) -m slow

lint: $(VENV)/.installed-dev  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

reports: $(VENV)/.installed  ## render the report of every shipped study again
	mkdir -p build
	for study in sme_domestic exporter multinational; do \
	  $(BIN)/simulator run configs/$$study/study.yaml --out build/reports/$$study > build/$$study.txt || exit 1; \
	  mkdir -p reports/$$study; \
	  cp build/reports/$$study/report.html build/reports/$$study/summary.json reports/$$study/ || exit 1; \
	  cp build/reports/$$study/figures/exceedance.svg reports/$$study/; \
	done

bench: $(VENV)/.installed-dev  ## measure speed beside plain NumPy
	$(BIN)/python -m benchmarks

gate: $(VENV)/.installed-dev  ## fail where the engine has become slower than a reference loop says
	$(BIN)/python -m benchmarks --gate

warmup: $(VENV)/.installed  ## compile all kernels once
	$(BIN)/simulator warmup

lock:  ## pin the newest allowed dependencies (needs uv)
	sh requirements.sh

clean:
	rm -rf $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade 'pip>=24'
	$(PIP) -r requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(PIP) -r requirements-dev.lock
	touch $@
