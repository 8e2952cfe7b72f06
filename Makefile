# Every target is one command line; the programs it runs have --help.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
RUNS ?= 20
SEEDS ?= 50
# Two more than there are cores, because some tests wait for time to pass, and many for processes to start.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

mock: .venv/mock ## serve the mock on http://127.0.0.1:8080 (ARGS="--port 9000")
	@$(BIN)/feedback-mock $(ARGS)

verify: .venv/verify ## verify an implementation (URL=http://…, by default a mock; ARGS="--control …")
	@$(BIN)/feedback-verify $(URL) $(ARGS)

docs: .venv/mock ## build the reference into build/docs
	@$(BIN)/feedback-docs build --out build/docs $(ARGS)

test: check clients ## run everything that CI runs: the checks, then the tests
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: .venv/installed ## check format, lint, types, import directions, documents and generated text
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo --no-cache
	@$(BIN)/feedback-docs check
	@$(BIN)/feedback-docs clients --out clients --check
	@$(BIN)/cog -I . --check README.md docs/broken.md docs/clients.md docs/profiles.md docs/supply.md

examples: .venv/installed ## run the examples whose toolchains are installed
	@$(BIN)/pytest -q -rs tests/clients/test_examples.py $(ARGS)

clients: tests/clients/.venv/installed tests/clients/.sentry-sdk-1/installed tests/clients/.sentry-sdk-2/installed tests/clients/node_modules/.package-lock.json ## install the SDKs and generators that the tests use

test-all: .venv/installed ## run the tests on every installed Python from 3.11 to 3.13
	@$(BIN)/tox $(ARGS)

format: .venv/installed ## format the code and update generated text
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(BIN)/feedback-docs reference
	@$(BIN)/feedback-docs clients --out clients
	@$(BIN)/python -m tests.verifier.coverings
	@$(BIN)/cog -I . -r README.md docs/broken.md docs/clients.md docs/profiles.md docs/supply.md

lint-documents: node_modules/.package-lock.json .venv/installed ## lint the documents with Redocly and Spectral (needs npm)
	@npm run --silent lint

picture: .venv/installed ## redraw the pictures of the mock's page and of a report (needs Chromium)
	@$(BIN)/python -m tests.page.picture docs/page.png
	@$(BIN)/python -m tests.reports.picture docs/report.png

broken: .venv/installed ## test every broken server, seed and profile, not only this commit's sample
	@BROKEN=all $(BIN)/pytest -n auto tests/verifier/test_mutants.py tests/verifier/test_mutants_real_time.py tests/verifier/test_conformance.py tests/verifier/test_other_windows.py tests/verifier/test_profiles.py $(ARGS)

broken-clients: .venv/installed clients ## test every broken client, not only this commit's sample (minutes)
	@BROKEN=all $(BIN)/pytest -n 2 tests/broken_clients $(ARGS)

sound-clients: .venv/installed clients ## test that correct clients break no rule, with many seeds (half an hour; SEEDS=5)
	@SEEDS=$(SEEDS) $(BIN)/pytest -n 2 tests/clients/test_client_verdicts.py $(ARGS)

mutation: .venv/installed ## run the verifier on every mutated server, resuming where it stopped (hours; ARGS="--write")
	@$(BIN)/python -m tests.mutation $(ARGS)

mutation-units: .venv/installed ## run the tests of some modules on every change of those, resuming where it stopped (a quarter of an hour; ARGS="--write")
	@$(BIN)/python -m tests.mutation.unit_campaign $(ARGS)

fuzz: .venv/installed ## feed random input to everything that reads input (5 minutes; ARGS="--seconds 3600 --seed 7")
	@$(BIN)/python -m tests.fuzz $(ARGS)

soak: .venv/installed ## load a mock for half an hour, and check every response (ARGS="--minutes 5")
	@$(BIN)/python -m tests.soak $(ARGS)

flaky: .venv/installed ## run all tests 20 times with twice the usual workers, until one fails (hours; RUNS=5)
	@for run in $$(seq $(RUNS)); do echo "run $$run of $(RUNS)"; $(BIN)/pytest -q -n $$((2 * $(WORKERS))) $(ARGS) || exit; done

fronts: .venv/installed ## verify a correct server behind nginx and other proxies, and on coarse clocks (minutes)
	@FRONTS=all $(BIN)/pytest -q -rs tests/fronts $(ARGS)

crash-redis: .venv/installed ## kill mocks that share a Redis, and Redis, thousands of times while clients write (minutes)
	@$(BIN)/python -m tests.mock.crashing run $(ARGS)

compare-profiles: .venv/installed ## update docs/compared.md, which compares the three Sentrys with the page (minutes)
	@$(BIN)/python -m benchmarks.compared_profiles

verify-sentry: .venv/installed ## check the verifier and the mock against a real Sentry 9.1 (SENTRY_SEED=seed.json, ARGS="--wait 31m")
	@$(BIN)/python -m tests.real_sentry $(ARGS)

verify-container: .venv/installed ## build the image, run it and verify it from outside (needs Docker; ARGS="--engine podman")
	@$(BIN)/python -m tests.container $(ARGS)

sbom: .venv/installed ## write build/sbom.json, the bill of materials (CycloneDX) of an installation with [verify]
	@$(BIN)/python -m tests.supply.contents build/sbom.json

audit: .venv/installed ## look up known vulnerabilities of the locked and of the lowest allowed versions (needs the network)
	@for each in mock verify dev; do $(BIN)/pip-audit --require-hashes --disable-pip -r requirements/$$each.lock || exit; done
	@mkdir -p build && $(BIN)/uv pip compile --quiet --resolution lowest-direct --no-header pyproject.toml --extra verify -o build/lowest.txt
	@$(BIN)/pip-audit --no-deps --disable-pip -r build/lowest.txt

lock: .venv/installed ## update the lock files
	@$(LOCK) pyproject.toml --extra redis --extra verify --group dev -o requirements/dev.lock
	@$(LOCK) pyproject.toml --group build -c requirements/dev.lock -o requirements/mock.lock
	@$(LOCK) pyproject.toml --extra redis --group build -c requirements/dev.lock -o requirements/redis.lock
	@$(LOCK) pyproject.toml --extra verify --group build -c requirements/dev.lock -o requirements/verify.lock
	@cd tests/clients && for each in generators sentry-sdk-1 sentry-sdk-2; do ../../$(LOCK) requirements-$$each.in -o requirements-$$each.lock; done

clean: ## remove everything built or installed here
	rm -rf .venv build dist node_modules tests/clients/.venv tests/clients/.sentry-sdk-* tests/clients/node_modules .tox .*_cache .import_linter_cache .hypothesis

.venv/mock: requirements/mock.lock pyproject.toml
	@echo "Setting up .venv (once; less than a minute)"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "This needs Python 3.11 or newer; choose one with make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv .venv
	@$(PIP) --require-hashes -r requirements/mock.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/verify: requirements/verify.lock .venv/mock
	@echo "Adding what the verifier needs (once)"
	@$(PIP) --require-hashes -r requirements/verify.lock
	@touch $@

.venv/installed: requirements/dev.lock .venv/mock
	@echo "Adding what the verifier, the checks and the tests need (once)"
	@$(PIP) --require-hashes -r requirements/dev.lock
	@touch .venv/verify $@

node_modules/.package-lock.json: package-lock.json
	@npm ci --silent --ignore-scripts

tests/clients/.venv/installed: tests/clients/requirements-generators.lock
	@$(PYTHON) -m venv tests/clients/.venv && tests/clients/.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $< && touch $@ || echo "The SDK generators for Python could not be installed; their tests are skipped."

tests/clients/.sentry-sdk-%/installed: tests/clients/requirements-sentry-sdk-%.lock .venv/installed
	@rm -rf $(@D) && $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --target $(@D) -r $< && touch $@ || echo "Sentry's SDK $* for Python could not be installed; its tests are skipped."

tests/clients/node_modules/.package-lock.json: tests/clients/package-lock.json
	@cd tests/clients && npm ci --silent --ignore-scripts || echo "The SDK generators for JavaScript could not be installed; their tests are skipped."

.DEFAULT_GOAL := help
.PHONY: help mock verify docs test check examples clients picture broken broken-clients sound-clients mutation fuzz soak fronts crash-redis compare-profiles verify-sentry verify-container test-all format lint-documents sbom audit lock clean flaky
