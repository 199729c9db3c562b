# demo, test, check, bench ...: each sets up .venv first when it has to.
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do $$p -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
TOOLS := $(VENV)/tools
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements/constraints.txt
DEMO := demo
# Tests that draw: apart from the others, as the renderer's LLVM and that of a GPU's torch cannot share a process.
HOSTED := Testing/module Testing/host Testing/extension

# The arrays are small or the work is spread over processes: more BLAS threads only get in each other's way.
export OMP_NUM_THREADS ?= 2
export OPENBLAS_NUM_THREADS ?= 1
# Packages go into .venv, whatever the user's own pip is told.
export PIP_USER := 0
# Names of files and what is printed are UTF-8 in any locale.
export PYTHONUTF8 := 1

.PHONY: setup demo test test-processors check bench reliability lists sample screenshots clean

setup: $(READY)

# What a prediction needs: wheels only.
$(READY): requirements/runtime.txt requirements/constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed. Install one, or say where it is: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(MAKE) --no-print-directory $(VENV)
	$(PIP) -r requirements/runtime.txt setuptools wheel
	$(PIP) --no-build-isolation --no-deps --editable .
	touch $(READY)

# Made again where it is half made: without ensurepip, which Debian packs apart, venv leaves a Python without pip.
.PHONY: $(VENV)
$(VENV):
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: its ensurepip or venv is missing. On Debian and Ubuntu: apt install $(notdir $(PYTHON))-venv"; exit 1; }
	rm -rf $(VENV)
	"$(PYTHON)" -m venv $(VENV)

# What training, tests and checks need besides. pyradiomics, which judges the radiomics engine, builds on 3.11 only.
$(TOOLS): $(READY) requirements/*.txt
	$(PIP) -r requirements/train.txt -r requirements/cluster.txt -r requirements/dev.txt -r requirements/host.txt -r requirements/reference-build.txt
	@if $(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then \
	  $(PIP) --no-build-isolation -r requirements/reference.txt \
	    || { echo "pyradiomics could not be built: a C compiler and the headers of Python 3.11 are needed."; exit 1; }; \
	else echo "pyradiomics does not build on this Python: its stored values stand in for it."; fi
	touch $(TOOLS)

demo: setup
	rm -rf $(DEMO)
	$(BIN)/pdl1 phantom --n 1 --seed 2028 --out $(DEMO)/cohort
	$(BIN)/pdl1 predict --ct $(DEMO)/cohort/images/case_0001_ct.nii.gz --tumor $(DEMO)/cohort/images/case_0001_tumor.nii.gz --out $(DEMO)/result

# make test JOBS=2 runs two files of tests side by side, one thread each.
test: $(TOOLS)
	$(if $(JOBS),OMP_NUM_THREADS=1) $(BIN)/python -m pytest $(if $(JOBS),-n $(JOBS) --dist loadfile) $(addprefix --ignore=,$(HOSTED))
	$(BIN)/python -m pytest $(HOSTED)

# The whole suite on other processors and in other places, as far as this machine can play them: some hours.
test-processors: $(TOOLS)
	$(BIN)/python Testing/run_processors.py

check: $(TOOLS)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# flash-radiomics is measured beside the engine; it has no wheel for Windows. make bench BEFORE=COMMIT measures the
# whole command against an earlier commit, too.
bench: $(TOOLS)
	-$(PIP) -r requirements/bench.txt
	$(BIN)/python Testing/benchmarks/bench_radiomics.py
	$(BIN)/python Testing/benchmarks/bench_predict.py
	$(if $(BEFORE),$(BIN)/python Testing/benchmarks/bench_start.py $(BEFORE))

# What was tried with faulty inputs, damaged files and kills, into docs/reliability.md.
reliability: $(TOOLS)
	$(BIN)/python Testing/reliability/write_table.py

# The files of the extension, listed for Slicer's CMake; a test says when they are out of date.
lists:
	$(or $(PYTHON),python3) Testing/extension/list_files.py

# The bundled sample patient, byte for byte as it is.
sample: setup
	$(BIN)/python Testing/extension/make_sample.py

# Pictures of the window for docs/slicer.md, by a walk through the tutorial.
screenshots: $(TOOLS)
	$(BIN)/python Testing/extension/make_screenshots.py

clean:
	rm -rf $(VENV) $(DEMO) build *.egg-info Testing/out
