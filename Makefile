# Groundplan's workbench. `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp

.PHONY: help
help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.lock pyproject.toml runtime/pyproject.toml platforms/payments/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Groundplan needs Python 3.11 or newer; $$($(PYTHON) --version) is first on the PATH. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "This Python has no venv module. On Debian and Ubuntu: sudo apt-get install python3-venv"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e . -e runtime -e platforms/payments
	@touch $(STAMP)

.PHONY: setup
setup: $(STAMP)  ## make the virtual environment in .venv

.PHONY: up
up: $(STAMP)  ## run the payments platform (Ctrl-C stops it; its data stays)
	$(BIN)/groundplan up payments

.PHONY: test
test: $(STAMP)  ## the tests: laws, real engines, the whole platform
	$(BIN)/python -m pytest -n 2 --dist loadscope

.PHONY: test-all
test-all: $(STAMP)  ## the tests, and the slow ones too
	$(BIN)/python -m pytest -n 2 --dist loadscope -m ''

.PHONY: lint
lint: $(STAMP)  ## formatting, style, types, and which way imports point
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

.PHONY: demo
demo: $(STAMP)  ## a payment from registration to refund, on a platform of its own
	$(BIN)/groundplan demo payments

.PHONY: drill
drill: $(STAMP)  ## payments, a backup under load, everything destroyed, restored, every row compared; the times
	$(BIN)/python -m pytest -q -m slow platforms/payments/tests/platform/test_drill.py

.PHONY: bench
bench: $(STAMP)  ## the figures: start, stop, memory, payments a second; plan to YAML beside cdk8s
	$(BIN)/python platforms/payments/bench
	$(BIN)/python bench/emit

.PHONY: docs
docs: $(STAMP)  ## write docs/reference.md anew from the code, and the documents of payments from its plan
	$(BIN)/python tools/reference.py
	$(BIN)/groundplan docs payments

.PHONY: bench-proof
bench-proof: $(STAMP)  ## the proof's figures: reachability from YAML and objects, growth, one change, one explanation
	$(BIN)/python bench/proof

PROTOS := platforms/payments/proto
.PHONY: proto
proto: $(STAMP)  ## generate the gRPC code from platforms/payments/proto
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m grpc_tools.protoc -I $(PROTOS) --python_out=platforms/payments/src --grpc_python_out=platforms/payments/src --mypy_out=platforms/payments/src --mypy_grpc_out=platforms/payments/src $(PROTOS)/payments/rpc/*.proto
