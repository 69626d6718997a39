# `make help` lists the targets. `make demo` and `make test` set up what they need by themselves.

# Both may be given: an environment of its own, and a version (3.12), a command or a path.
export VENV ?= .venv
export PYTHON ?=
BIN := $(VENV)/bin
TINYML := $(BIN)/tinyml
STAMP := $(VENV)/.setup-complete$(subst /,-,$(PYTHON))
CORES := $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

DEMO := build/demo
BOARD := mps2-an386

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test conformance oracles lock fuzz soak check bench figures clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(STAMP) ## Install what is missing: compiler, emulator, Python packages into .venv

$(STAMP): pyproject.toml $(wildcard locks/*) scripts/setup.sh
	@scripts/setup.sh
	@touch $@

demo: $(STAMP) ## Train, quantize, export, build, then prove the digits model on an emulated Cortex-M4F
	$(TINYML) train digits -o $(DEMO) --seed 1
	$(TINYML) quantize $(DEMO)/digits.keras --data $(DEMO)/digits.calibration.npz -o $(DEMO)/digits.tflite
	$(TINYML) export $(DEMO)/digits.tflite --format onnx -o $(DEMO)/digits.onnx
	$(TINYML) export $(DEMO)/digits.tflite --format c -o $(DEMO)/c
	$(TINYML) build $(DEMO)/digits.tflite --board $(BOARD) -o $(DEMO)/firmware
	$(TINYML) compare $(DEMO)/digits.tflite --data $(DEMO)/digits.test.npz --board $(BOARD) \
	    --reference $(DEMO)/digits.keras --max-accuracy-drop 0.5 --json $(DEMO)/compare.json

test: $(STAMP) ## Run the whole test suite on all cores
	$(BIN)/pytest -n $(CORES) --dist loadgroup tests

conformance: $(STAMP) ## Hold every kernel to the reference's bytes, with the CMSIS-NN at CMSIS_NN_DIR if set
	$(BIN)/pytest -n $(CORES) --dist loadgroup tests/conformance tests/codegen tests/firmware

oracles: $(STAMP) ## Hold the TFLite runtimes to what operators say of them, and the main job to both
	TINYML_EVERY_CASE=1 $(BIN)/pytest -n $(CORES) --dist loadgroup tests/runtime tests/evaluate tests/test_main_job.py \
	    tests/conformance/test_oracles.py tests/conformance/test_exports.py

lock: ## Write the lock of each supported Python from what pip resolves today
	scripts/lock.sh 3.11 3.12 3.13

fuzz: $(STAMP) ## Damage model files 20,000 times: each converts or is refused with a sentence
	$(BIN)/python tests/fuzz/fuzz.py

soak: fuzz ## Run what takes longer than the test suite may: the fuzzer, networks, Keras' layers, every case
	$(BIN)/python tests/conformance/random_networks.py
	$(BIN)/python tests/conformance/keras_networks.py
	TINYML_EVERY_CASE=1 $(MAKE) conformance

check: $(STAMP) ## Lint, formatting, types and the import rule
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_imports.py

bench: demo ## Print the tables that the documentation quotes; NEWER=DIR adds another CMSIS-NN
	$(BIN)/python benchmarks/boards.py $(DEMO)/digits.tflite --data $(DEMO)/digits.test.npz
	$(BIN)/python benchmarks/conversion_time.py
	$(BIN)/python benchmarks/multipliers.py
	$(BIN)/python benchmarks/functions.py
	$(BIN)/python benchmarks/runtimes.py
	$(BIN)/python benchmarks/oracles.py $(DEMO)/digits.tflite $(DEMO)/digits.test.npz
	$(BIN)/python benchmarks/onnx_node_tests.py
	$(BIN)/python benchmarks/quantization.py
	$(BIN)/python benchmarks/mlperf_tiny.py --untrained $(if $(NEWER),--newer $(NEWER))

figures: $(STAMP) ## Write the digits model's figures of today into README.md and docs
	$(BIN)/python scripts/update_figures.py

clean: ## Remove what was built; .venv stays
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find tinyml tests models benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
