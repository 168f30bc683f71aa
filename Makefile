# The commands a newcomer needs: `make generate PROMPT="..."`, `make page` and `make test`; `make check` is the quick part. None needs root.
PYTHON ?= python3
VENV := .venv

.PHONY: generate page test check types quick lint install judges clean

install: $(VENV)/.core

$(VENV)/.core: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Python 3.11 to 3.13 is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.core requirements-dev.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

judges: $(VENV)/.core
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements-eval.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps chord-extractor==0.1.3 musicnn==0.1.0
	$(VENV)/bin/python benchmarks/convert_musicnn.py

# The controls travel through the environment, so that no quoting in a prompt can break the command.
export PROMPT CHORDS TEMPO KEY METER DURATION SEED STEPS GUIDANCE COUNT NEGATIVE_PROMPT MODEL OUT
generate: $(VENV)/.core
	@$(VENV)/bin/mustango generate $${OUT:+-o "$$OUT"} \
	  $${CHORDS:+--chords "$$CHORDS"} $${TEMPO:+--tempo "$$TEMPO"} $${KEY:+--key "$$KEY"} $${METER:+--meter "$$METER"} \
	  $${DURATION:+--duration "$$DURATION"} $${SEED:+--seed "$$SEED"} $${STEPS:+--steps "$$STEPS"} \
	  $${GUIDANCE:+--guidance "$$GUIDANCE"} $${COUNT:+--count "$$COUNT"} \
	  $${NEGATIVE_PROMPT:+--negative-prompt "$$NEGATIVE_PROMPT"} $${MODEL:+--model "$$MODEL"} -- "$$PROMPT"

# Without madmom (which needs a C compiler to install) the page plays all the same, but does not say what it hears.
page: $(VENV)/.core
	-@test -e $(VENV)/.madmom || { $(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements-madmom.txt && touch $(VENV)/.madmom; }
	$(VENV)/bin/mustango page $(ARGS)

test: $(VENV)/.dev types
	$(VENV)/bin/python -m pytest $(ARGS)

# What is quick: the types on one core, the tests on another.
check: $(VENV)/.dev
	@$(MAKE) --no-print-directory -j2 --output-sync=target types quick

quick: $(VENV)/.dev
	$(VENV)/bin/python -m pytest -m "not slow and not model and not browser" $(ARGS)

types: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/basedpyright

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info
