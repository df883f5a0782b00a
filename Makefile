# Two commands are enough on a fresh Debian machine with Python, Node and make:
#   make demo    the main job, end to end, on a real model
#   make test    everything that is checked and tested
# Each sets up what it needs: a virtual environment, packages, and (as root) Debian packages.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
MODEL := qwen2.5-coder-0.5b
JUPYTERHUB_5 := 5.5.4
PROXY_OF_HUB := 5.3.0

# The versions of all packages, which `make lock` writes. Without it, the newest ones that pyproject.toml allows.
CONSTRAINTS ?= constraints.txt
PIP_INSTALL := $(BIN)/python -m pip install --quiet \
  $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS) --build-constraint $(CONSTRAINTS),--upgrade --upgrade-strategy eager)

# On all processors: these tests share nothing.
UNIT = $(BIN)/python -m pytest --numprocesses logical --dist loadfile tests/unit

# llama.cpp is compiled on this machine, for this machine. CMAKE_ARGS chooses a GPU; see docs/gpus.md.
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)

.DEFAULT_GOAL := help
.PHONY: help demo lab test newest lowest matrix versions check unit hub browser bench soak fuzz mutants audit generate \
  lock format docs package release clean

help: ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: $(VENV)/.installed ## Fetch the 0.5B model and run the quickstart notebook on a real server
	$(BIN)/jupyter localcoder models pull $(MODEL) --accept-license
	$(BIN)/python notebooks/run.py notebooks/quickstart.ipynb --model $(MODEL)

lab: $(VENV)/.installed ## Open JupyterLab on the quickstart
	$(BIN)/jupyter localcoder models pull $(MODEL) --accept-license
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/quickstart.ipynb

test: versions check ## Run every check and every test
	npm --prefix labextension test
	$(UNIT)
	$(BIN)/python -m pytest tests/engine tests/server tests/faults tests/e2e
	$(MAKE) hub
	$(MAKE) browser

newest: ## The same with the newest packages that pyproject.toml allows, in .venv-newest
	rm -f .venv-newest/.installed .venv-newest/.developing
	$(MAKE) test VENV=.venv-newest CONSTRAINTS=

lowest: $(VENV)/.packaging ## Install the oldest packages that pyproject.toml allows, in .venv-lowest, and use them
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-lowest
	$(BIN)/uv pip install --quiet --python .venv-lowest/bin/python --resolution lowest-direct '.[widgets,keys]'
	.venv-lowest/bin/python tests/smoke.py

PYTHONS ?= 3.10 3.11 3.12 3.13

matrix: $(VENV)/.developing ## Run the tests that need no browser on each Python that is found (PYTHONS="3.10 3.13"), in .venv-3.x
	$(BIN)/python -m tests.matrix $(PYTHONS) $(if $(CONSTRAINTS),--constraints $(CONSTRAINTS))

versions: $(VENV)/.developing
	@$(BIN)/python -m tests.versions $(CONSTRAINTS)

unit: $(VENV)/.developing ## Run the fast tests alone
	$(UNIT)

browser: $(VENV)/.developing .chromium $(VENV)/vim $(VENV)/voila ## Run the tests in a real browser (a process of their own: the event loops conflict)
	PYTHONPATH=$(VENV)/vim $(BIN)/python -m pytest tests/browser/test_ghost_places.py -k vim
	PYTHONPATH=$(VENV)/voila $(BIN)/python -m pytest tests/browser/test_voila.py
	$(BIN)/python -m pytest tests/browser

hub: $(VENV)/.developing $(VENV)/hub $(VENV)/hub5 $(VENV)/proxy ## Run the tests under a real JupyterHub, of two versions
	$(BIN)/python -m pytest tests/hub

check: $(VENV)/.developing labextension/node_modules/.package-lock.json ## Formats, lints, types, import layers, contract drift, wording
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m jupyter_localcoder.contract.typescript --check labextension/src/contract.ts
	$(BIN)/python -m jupyter_localcoder.server.openapi --check docs/openapi.json
	$(BIN)/python -m tests.settings_page --check docs/settings.md
	$(BIN)/python -m tests.reference_pages --check
	$(BIN)/python -m tests.faults.table --check
	$(BIN)/python -m tests.words --check
	$(BIN)/python -m tests.private --check
	npm --prefix labextension run lint:check
	npm --prefix labextension run typecheck

generate: $(VENV)/.developing ## Write what is made from the contract again
	$(BIN)/python -m jupyter_localcoder.contract.typescript labextension/src/contract.ts
	$(BIN)/python -m jupyter_localcoder.server.openapi docs/openapi.json
	$(BIN)/python tests/unit/cli/helptexts.py
	$(BIN)/python -m tests.settings_page docs/settings.md
	$(BIN)/python -m tests.reference_pages

docs: $(VENV)/.docs ## Build the documentation into docs/_build/html; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going --quiet -b html docs docs/_build/html

package: $(VENV)/.packaging ## Build the wheel and the sdist into dist/, check them, and install the wheel without Node
	rm -rf dist
	$(BIN)/python -m build --quiet
	$(BIN)/python -m tests.package dist --install

release: $(VENV)/.packaging ## Check that this version can be released, and build it (TAG=1 also creates the tag)
	$(BIN)/python -m tests.release
	$(MAKE) check package
	$(if $(TAG),$(BIN)/python -m tests.release --tag)

lock: $(VENV)/.developing ## Write constraints.txt again, with the newest versions for Python 3.10 and later
	$(BIN)/python -m pip install --quiet --upgrade uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 --all-extras --group build --group beside \
	  --no-annotate --custom-compile-command "make lock" --output-file constraints.txt pyproject.toml

format: $(VENV)/.developing ## Format the sources
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	npm --prefix labextension run lint

bench: $(VENV)/.developing ## Measure, beside the bindings (TRACES=folder of notebooks, PEER_URL=a llama-server, MODEL=id or file)
	$(if $(wildcard $(MODEL)),,$(BIN)/jupyter localcoder models pull $(MODEL) --accept-license --quiet)
	$(BIN)/python -m tests.benchmarks --model $(MODEL) $(if $(TRACES),--traces $(TRACES)) $(if $(PEER_URL),--peer-url $(PEER_URL))

soak: $(VENV)/.developing ## Let 50 clients work at one server on a tiny model (MINUTES=10)
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),10)

fuzz: $(VENV)/.developing ## Put hostile model headers through the reader, led by coverage where that can be (SECONDS=60)
	@$(BIN)/pip install --quiet --only-binary :all: "atheris>=3" || echo "There is no atheris for this Python and system."
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60)

mutants: $(VENV)/.developing ## Change the rooms that guard, place by place, and see whether a test fails (ROOMS="storage queueing")
	nice -n 10 $(BIN)/python -m tests.mutants --write $(ROOMS)

audit: $(VENV)/.developing ## Ask the advisory services about the packages that the product brings (needs a network)
	$(BIN)/python -m tests.audit

clean: ## Remove what was built (models and the virtual environment stay)
	rm -rf build dist docs/_build jupyter_localcoder/labextension labextension/lib labextension/node_modules
	rm -rf labextension/*.tsbuildinfo .chromium

# The virtual environment

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# Rebuilt when what an install is made of changes; the Python sources are used where they lie. Not by the lock
# file: npm touches it at each build.
BUILT_FROM := pyproject.toml $(CONSTRAINTS) labextension/package.json $(shell find labextension/src labextension/style labextension/schema -type f 2>/dev/null)

$(VENV)/.installed: $(BIN)/python $(BUILT_FROM)
	@echo "Installing. The first time llama.cpp is compiled for this machine: about 4 minutes on 2 cores."
	rm -rf jupyter_localcoder/labextension
	@# An older pip does not know --build-constraint.
	$(BIN)/python -m pip install --quiet --upgrade $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) pip
	$(PIP_INSTALL) --editable '.[local,widgets]'
	touch $@

$(VENV)/.developing: $(VENV)/.installed
	$(PIP_INSTALL) --editable '.[test,check]'
	touch $@

$(VENV)/.packaging: $(VENV)/.developing
	$(PIP_INSTALL) --editable '.[package]'
	touch $@

$(VENV)/.docs: $(VENV)/.developing
	$(PIP_INSTALL) --editable '.[docs]'
	touch $@

labextension/node_modules/.package-lock.json: labextension/package.json
	npm --prefix labextension ci --no-fund --no-audit

# The vim key map is installed apart from the environment's packages: among them, every JupyterLab would have it.
$(VENV)/vim: $(VENV)/.developing
	$(PIP_INSTALL) --no-deps --upgrade --target $@ jupyterlab-vim
	touch $@

# So is Voilà, which adds a button to every JupyterLab and a second to the start of every server.
$(VENV)/voila: $(VENV)/.developing
	$(PIP_INSTALL) --no-deps --upgrade --target $@ voila websockets
	touch $@

# And JupyterHub, which has packages of its own and of which there are two. The older one uses what the newer one
# has brought.
$(VENV)/hub: $(VENV)/.developing
	$(PIP_INSTALL) --upgrade --target $@ 'jupyterhub>=6,<7'
	touch $@

$(VENV)/hub5: $(VENV)/.developing
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target $@ 'jupyterhub==$(JUPYTERHUB_5)'
	touch $@

$(VENV)/proxy: $(VENV)/.developing
	npm install --prefix $@ --no-fund --no-audit --loglevel=error 'configurable-http-proxy@$(PROXY_OF_HUB)'
	touch $@

# The browser tests need Debian's Chromium, or any other that is called `chromium` or `google-chrome`.
.chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get update --quiet=2 && apt-get install --quiet=2 --no-install-recommends --yes chromium fonts-dejavu-core; } || { \
	  echo "The browser tests need Chromium; as root: apt-get install chromium" >&2; exit 1; }
	touch $@
