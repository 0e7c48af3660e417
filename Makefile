# Every target is short: what it runs is a Python program or a script that says what it does.
SHELL := /bin/bash
PY := .venv/bin/python
.DEFAULT_GOAL := help
ALL_CORES := -n auto --maxprocesses 8 --dist worksteal
# Without bytecode every import of transformers costs seven seconds more.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help env check lint types unit test e2e e2e-karpenter nightly demo demo-down golden fix bench gpu lock model

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: .venv/.synced ## the Python environment of this clone, .venv, with the command .venv/bin/plainsail

.venv/.synced: pyproject.toml requirements/dev.txt scripts/uv scripts/environment
	@scripts/environment

demo: env ## set everything up on this machine, and have a model answer a question
	@$(PY) -m deploy.local demo

demo-down: env ## remove every trace of the demo
	@$(PY) -m deploy.local down --name demo

check: lint types unit ## before every commit: lint, types, fast tests

lint: env ## ruff and the import contracts
	@.venv/bin/ruff format --check --quiet . && .venv/bin/ruff check --quiet .
	@.venv/bin/lint-imports --no-logo > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }

types: env ## mypy, strict
	@.venv/bin/mypy --no-error-summary .

unit: env ## the fast tests: no network, no root, no GPU
	@$(PY) -m pytest -q $(ALL_CORES) --find-unused-goldens -m "not e2e and not karpenter and not controlplane and not gpu and not slow"

test: check ## checks, then slow, control-plane and end-to-end tests; not e2e-karpenter, nightly, gpu
	@$(PY) -m pytest -q $(ALL_CORES) -m "slow and not controlplane and not e2e and not karpenter and not gpu"
	@$(PY) -m pytest -q -m "controlplane and not gpu"
	@$(MAKE) --no-print-directory e2e

e2e: env ## the end-to-end tests on a real local cluster (root, Linux)
	@$(PY) -m pytest -q -m e2e

e2e-karpenter: env ## the planner beside the real Karpenter, which is built once (Linux)
	@$(PY) -m deploy.local karpenter
	@scripts/own-network $(PY) -m pytest -q -m karpenter

nightly: env ## the planner against 20,000 random seeds of a simulated cluster (minutes)
	@SEEDS=$${SEEDS:-20000} $(PY) -m pytest -q $(ALL_CORES) tests/simulation

gpu: env ## the tests that need a CUDA device
	@$(PY) -m pytest -q -m gpu

golden: env ## rewrite the golden files and show what changed
	@$(PY) -m pytest -q tests -m "not e2e and not karpenter and not controlplane and not gpu" --update-golden; git status --short tests

fix: env ## format, and mend what ruff can mend
	@.venv/bin/ruff format --quiet . && .venv/bin/ruff check --fix --quiet .

bench: env ## every benchmark; goals are printed, never enforced
	@$(PY) -m bench all

model: env ## train tiny-chat and its Phi-3 twin again (minutes)
	@$(PY) -m models.training

lock: ## resolve requirements/*.txt anew
	@scripts/lock
