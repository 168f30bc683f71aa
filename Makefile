# The commands a newcomer needs: `make generate PROMPT="..."`, `make page` and `make test`; `make check` is the quick part. None needs root.
PYTHON ?= python3
VENV := .venv

COMMANDS := generate page test check types quick lint install judges clean
.PHONY: $(COMMANDS)

# What `make generate` takes, each from make's own command line alone: a KEY in the environment is somebody else's. What is
# misspelt, or was left without quotes, is refused before anything is made. `value` keeps a dollar sign in a prompt.
CONTROLS := PROMPT CHORDS TEMPO KEY METER DURATION SEED STEPS GUIDANCE COUNT NEGATIVE_PROMPT MODEL OUT
is_given = $(findstring command line,$(origin $1))
$(foreach name,$(CONTROLS),$(eval override $(name) := $(if $(call is_given,$(name)),$$(value $(name)))))
UNKNOWN := $(filter-out $(CONTROLS) PYTHON VENV ARGS,$(foreach name,$(.VARIABLES),$(if $(call is_given,$(name)),$(name))))
$(if $(UNKNOWN),$(error unknown: $(UNKNOWN); give $(CONTROLS), or use .venv/bin/mustango for all options))
$(if $(filter-out $(COMMANDS) $(VENV)%,$(MAKECMDGOALS)),$(error unknown: $(filter-out $(COMMANDS),$(MAKECMDGOALS)); put a prompt in quotes, as in PROMPT="calm piano", or give one of $(COMMANDS)))

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
export $(CONTROLS)
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

# Two processes test.
PYTEST := $(VENV)/bin/python -m pytest -n 2

test: $(VENV)/.dev types
	$(PYTEST) --dist loadfile $(ARGS)

# What is quick: types and tests side by side.
check: $(VENV)/.dev
	@$(MAKE) --no-print-directory -j2 --output-sync=target types quick

quick: $(VENV)/.dev
	$(PYTEST) --dist worksteal -m "not slow and not model and not browser" $(ARGS)

types: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/basedpyright

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info
