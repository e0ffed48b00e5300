# Thin: each target is one line, and each line can be typed by hand.
PYTHON ?= python3
# Without .pyc files each of the many processes that tests start would compile all of its imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo stop test check bench mutants lock docs verify-account fuzz faults

demo:
	$(PYTHON) bootstrap.py demo

stop:
	$(PYTHON) bootstrap.py stop

test:
	$(PYTHON) bootstrap.py setup --dev && .venv/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

check:
	$(PYTHON) bootstrap.py setup --dev && .venv/bin/python -m installer.check

bench:
	$(PYTHON) bootstrap.py setup --dev && .venv/bin/python -m bench

mutants:
	$(PYTHON) bootstrap.py setup --dev && .venv/bin/python -m installer.dev.mutants

docs:
	$(PYTHON) bootstrap.py setup --dev && NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build --strict && echo ".local/site/index.html"

lock:
	$(PYTHON) bootstrap.py setup && .venv/bin/python -m installer.dev.lock

verify-account:
	$(PYTHON) bootstrap.py setup && .venv/bin/python -m installer.verify $(ARGS)

fuzz:
	$(PYTHON) bootstrap.py setup --dev && .venv/bin/python -m tests.fuzz && PYTHONPATH=.:controlplane .venv/bin/python -m tests.fuzz.api

faults:
	$(PYTHON) bootstrap.py setup --dev && PYTHONPATH=.:controlplane .venv/bin/python -m tests.faults
