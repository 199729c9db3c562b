# `make TASK` is `python tasks.py TASK`, which says what each task does; make only finds a Python for it.
# make PYTHON=/path/to/python3.11 ... chooses one; make test JOBS=2 runs two files of tests side by side.
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do $$p -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null && echo $$p && break; done)
TASKS := setup tools demo test test-processors check bench reliability lists docs dist sample screenshots clean

.PHONY: $(TASKS)
$(TASKS):
	@"$(or $(PYTHON),python3)" tasks.py $@
