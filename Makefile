# make journal   run every chapter's quick experiment and write runs/report.html
# make test      everything CI checks
# make lab       JupyterLab on the notebooks
# make refresh   re-execute every notebook in place (recorded outputs, README)
# Each makes .venv first if it is missing. PYTHON=python3.12 picks another interpreter.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
NOTEBOOKS := $(sort $(shell find nbs -name '*.ipynb' -not -path '*/.*'))
AS_PYTHON := import json; nb = json.load(open("nbs/index.ipynb")); nb["metadata"]["language_info"] = {"name": "python"}; print(json.dumps(nb))
TO_README := $(BIN)/python -c '$(AS_PYTHON)' | $(BIN)/jupyter nbconvert --log-level ERROR --CoalesceStreamsPreprocessor.enabled=True --stdin --to markdown --stdout \
	--TagRemovePreprocessor.enabled=True --TagRemovePreprocessor.remove_input_tags=remove-input | sed 's\#](\.\./\#](\#g'
EXECUTE := $(BIN)/jupyter nbconvert --log-level ERROR --to notebook --execute --inplace
export PYTHONDONTWRITEBYTECODE=1 TOKENIZERS_PARALLELISM=false PIP_DISABLE_PIP_VERSION_CHECK=1

.PHONY: journal test lab refresh readme
.DELETE_ON_ERROR:

journal: $(READY)
	$(BIN)/textdiff run all

$(READY): settings.ini setup.py constraints.txt  # not pyproject.toml: nbdev_export rewrites it as it is
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "textdiff needs Python 3.11 or newer; try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

test: $(READY)
	@echo "== the package is what the notebooks export, and the notebooks are clean"
	@rm -rf .venv/before && mkdir .venv/before && cp -r nbs textdiff .venv/before && $(BIN)/nbdev_export && $(BIN)/nbdev_clean
	@for d in nbs textdiff; do diff -r -x __pycache__ -x .ipynb_checkpoints .venv/before/$$d $$d || exit 1; done
	@echo "== ruff"
	@$(BIN)/ruff check --no-cache --quiet textdiff setup.py
	@echo "== every module imports by itself"
	@$(BIN)/python -c 'import pkgutil, textdiff; print(*(m.name for m in pkgutil.walk_packages(textdiff.__path__, "textdiff.")), sep="\n")' \
		| xargs -P 2 -I{} $(BIN)/python -c 'import {}'
	@echo "== README is current"
	@$(TO_README) | diff README.md -
	@echo "== the notebooks' tests"
	@OMP_NUM_THREADS=1 $(BIN)/nbdev_test --n_workers 2 --timing

lab: $(READY)
	$(BIN)/jupyter lab --notebook-dir nbs

readme: $(READY)
	$(EXECUTE) nbs/index.ipynb && $(BIN)/nbdev_clean --fname nbs/index.ipynb
	$(TO_README) > README.md

refresh: $(READY)
	$(BIN)/nbdev_export
	for nb in $(filter-out nbs/index.ipynb,$(NOTEBOOKS)); do $(EXECUTE) $$nb || exit 1; done
	$(BIN)/nbdev_clean
	$(MAKE) readme
