# The commands of this project: `make` lists them. Each makes .venv first if it is missing.
PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
BIN := .venv/bin
READY := .venv/.ready
EXPORT := .venv/export
NOTEBOOKS := $(sort $(shell find nbs -name '*.ipynb' -not -path '*/.*'))
EXECUTE := $(BIN)/jupyter nbconvert --log-level ERROR --to notebook --execute --inplace
export PYTHONDONTWRITEBYTECODE=1 TOKENIZERS_PARALLELISM=false PIP_DISABLE_PIP_VERSION_CHECK=1

.PHONY: help journal test test-faults book lab refresh readme mutants hooks nbdev3
.DELETE_ON_ERROR:

help:  ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1	/p' Makefile | while IFS='	' read -r name what; do printf 'make %-11s %s\n' "$$name" "$$what"; done
	@echo "PYTHON=python3.12 picks another interpreter for .venv; CONTRIBUTING.md says what each command is for."

journal: $(READY)  ## run every chapter's quick experiment and write runs/report.html
	$(BIN)/textdiff run all --jobs 2

$(READY): settings.ini setup.py constraints.txt  # not pyproject.toml: nbdev_export rewrites it as it is
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "textdiff needs Python 3.11 or newer; try: make PYTHON=python3.12 test"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable '.[dev]'
	@touch $@

# The notebooks are exported beside the package, never over it: an edit made in a module is not lost.
test: $(READY)  ## package, style, README and every notebook's tests
	@echo "== the package is what the notebooks export, and the notebooks are clean"
	@rm -rf $(EXPORT) && mkdir -p $(EXPORT) && cp -r nbs settings.ini pyproject.toml $(EXPORT)
	@cd $(EXPORT) && $(abspath $(BIN))/nbdev_export && $(abspath $(BIN))/nbdev_clean
	@names() { sed -e 's|^Files .* and \(.*\) differ$$|\1|' -e 's|^Only in \(.*\): \(.*\)$$|\1/\2|' -e 's|^$(EXPORT)/||'; }; \
	off=$$(diff -rq -x __pycache__ -x py.typed $(EXPORT)/textdiff textdiff | names | tr '\n' ' '); \
	[ -z "$$off" ] || { echo "$${off}is not what the notebooks export: run nbdev_export if you edited the notebook, or nbdev_update, which syncs an edit of the module back into it."; exit 1; }; \
	off=$$(diff -rq -x .ipynb_checkpoints -x __pycache__ $(EXPORT)/nbs nbs | names | tr '\n' ' '); \
	[ -z "$$off" ] || { echo "$${off}is not clean (execution counts or metadata are in it): run nbdev_clean."; exit 1; }
	@echo "== ruff"
	@$(BIN)/ruff check --no-cache --quiet textdiff setup.py
	@$(BIN)/ruff check --no-cache --quiet --isolated --select F401,F821 nbs
	@echo "== every module imports by itself"
	@$(BIN)/python -c 'import pkgutil, textdiff; print(*(m.name for m in pkgutil.walk_packages(textdiff.__path__, "textdiff.")), sep="\n")' \
		| xargs -P 2 -I{} $(BIN)/python -c 'import {}'
	@echo "== README is current"
	@$(TO_README) && diff README.md .venv/README.md
	@echo "== the notebooks' tests"
	@OMP_NUM_THREADS=1 $(BIN)/nbdev_test --n_workers 2 --timing

book: $(READY)  ## the notebooks as a site, book/_build/html/index.html; no network once it is installed
	@$(BIN)/python -c 'import myst_nb, sphinx_book_theme, jupyter_server_mathjax' 2>/dev/null \
		|| $(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable '.[book]'
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env -c book nbs book/_build/html && echo "book/_build/html/index.html is written"

lab: $(READY)  ## JupyterLab on the notebooks
	$(BIN)/jupyter lab --notebook-dir nbs

# Step by step through files: of a pipe only the last command's failure would be seen, and README.md be left empty.
AS_PYTHON := import json; nb = json.load(open("nbs/index.ipynb")); nb["metadata"]["language_info"] = {"name": "python"}; json.dump(nb, open(".venv/README.ipynb", "w"))
TO_README := $(BIN)/python -c '$(AS_PYTHON)' \
	&& $(BIN)/jupyter nbconvert --log-level ERROR --CoalesceStreamsPreprocessor.enabled=True --to markdown --stdout .venv/README.ipynb \
		--TagRemovePreprocessor.enabled=True --TagRemovePreprocessor.remove_input_tags=remove-input > .venv/README.raw \
	&& sed 's\#](\.\./\#](\#g' .venv/README.raw > .venv/README.md && test -s .venv/README.md

readme: $(READY)  ## README.md from nbs/index.ipynb
	$(EXECUTE) nbs/index.ipynb && $(BIN)/nbdev_clean --fname nbs/index.ipynb
	@$(TO_README) && cp .venv/README.md README.md && echo "README.md is written"

refresh: $(READY)  ## execute every notebook in place (recorded outputs, README)
	$(BIN)/nbdev_export
	for nb in $(filter-out nbs/index.ipynb,$(NOTEBOOKS)); do $(EXECUTE) $$nb || exit 1; done
	$(BIN)/nbdev_clean
	$(MAKE) readme

test-faults: $(READY)  ## wrong input of every kind, runs killed at random moments, a hostile report in a browser
	@$(BIN)/python nbs/faults/kills.py > .venv/kills.log 2>&1 & kills=$$!; failed=0; \
	echo "== mistakes and their sentences"; $(BIN)/python nbs/faults/table.py || failed=1; \
	echo "== the edge of what is declared"; $(BIN)/python nbs/faults/inside.py || failed=1; \
	echo "== kills, which have gone on beside these"; wait $$kills || failed=1; cat .venv/kills.log; \
	echo "== a full disk"; $(BIN)/python nbs/faults/disk.py || failed=1; \
	echo "== a hostile report"; $(BIN)/python nbs/faults/browser.py || failed=1; \
	exit $$failed

mutants: $(READY)  ## write small faults into the code and see whether the tests notice (NOTEBOOK=05_processes for one)
	$(BIN)/python nbs/mutants/run.py $(NOTEBOOK)

hooks:  ## let git merge notebooks cell by cell in this clone
	git config --local merge.nbdev-merge.name "merge notebooks cell by cell"
	git config --local merge.nbdev-merge.driver "$(BIN)/nbdev_merge %O %A %B %P"

nbdev3:  ## export with nbdev 3 and compare (needs the package index once)
	@test -x .venv/nbdev3/bin/nbdev-export || { $(PYTHON) -m venv .venv/nbdev3 && .venv/nbdev3/bin/python -m pip install --quiet 'nbdev>=3,<4'; }
	@rm -rf $(EXPORT)3 && mkdir -p $(EXPORT)3/textdiff && cp -r nbs pyproject.toml $(EXPORT)3
	@cp textdiff/__init__.py $(EXPORT)3/textdiff  # nbdev 3 keeps the version there
	@cd $(EXPORT)3 && ../nbdev3/bin/nbdev-export
	@diff -r -x __pycache__ -x py.typed -x _modidx.py $(EXPORT)3/textdiff textdiff && echo "nbdev 3 exports the same modules"
