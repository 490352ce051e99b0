# `make help` lists the targets. Each sets up what it needs and nothing else; a second run does no set-up work.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Pythons that can make a virtual environment, newest first, one per minor version.
FIND_PYTHONS = for version in 3.13 3.12 3.11; do \
	for python in $$(command -v python$$version python3 || true) $$(ls -d "$$HOME"/.pyenv/versions/$$version.*/bin/python3 2>/dev/null || true); do \
	"$$python" -c "import ensurepip, ssl, sys, venv; assert '%d.%d' % sys.version_info[:2] == '$$version'" 2>/dev/null || continue; \
	echo "$$python"; break; done; done
PYTHONS := $(shell $(FIND_PYTHONS))
PYTHON ?= $(firstword $(PYTHONS))
PYTHON_VERSION := $(if $(PYTHON),$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'))

CACHE := $(CURDIR)/.cache
RUNTIME := $(CURDIR)/.venv
DEV := $(CACHE)/dev-$(PYTHON_VERSION)
export SCHEDULERS := $(CACHE)/schedulers-$(PYTHON_VERSION)
WORKSPACE := $(CACHE)/workspace
COLLECTION := $(WORKSPACE)/ansible_collections/kubeops/webhook_doctor

# The collection runs as kubeops.webhook_doctor from this checkout, whatever else is installed on the machine.
export ANSIBLE_COLLECTIONS_PATH := $(WORKSPACE)
export ANSIBLE_HOME := $(CACHE)/ansible
export ANSIBLE_NOCOWS := 1
export ANSIBLE_LOCALHOST_WARNING := false
export ANSIBLE_INVENTORY_UNPARSED_WARNING := false
export ANSIBLE_DEPRECATION_WARNINGS ?= true
export PYTHONPATH := $(WORKSPACE)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

RUN = PATH="$(RUNTIME)/bin:$$PATH"
RUN_DEV = PATH="$(DEV)/bin:$$PATH"

##@ Using it

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

KUBECONFIG_ARGUMENT := $(if $(filter command line,$(origin KUBECONFIG)),-e webhook_doctor_kubeconfig='$(KUBECONFIG)')
CONTEXT_ARGUMENT := $(if $(CONTEXT),-e webhook_doctor_context='$(CONTEXT)')
SOURCE_ARGUMENT := $(if $(KUBECONFIG_ARGUMENT)$(CONTEXT_ARGUMENT)$(findstring webhook_doctor_source,$(EXTRA)),,-e webhook_doctor_source=$(CURDIR)/examples/broken-cluster/bundle.json)

.PHONY: diagnose
diagnose: $(RUNTIME)/.ready $(COLLECTION) ## Diagnose the example; KUBECONFIG=~/.kube/config (and CONTEXT=, EXTRA='-e ...') your cluster
	@$(RUN) ansible-playbook kubeops.webhook_doctor.diagnose $(KUBECONFIG_ARGUMENT) $(CONTEXT_ARGUMENT) $(SOURCE_ARGUMENT) $(EXTRA)

.PHONY: explain
explain: export webhook_doctor_error_text = $(value ERROR)
explain: $(RUNTIME)/.ready $(COLLECTION) ## Explain a pasted error text: make explain ERROR='...'
	@test -n "$$webhook_doctor_error_text" || { echo "make explain: give the text: make explain ERROR='Internal error occurred: failed calling webhook ...'" >&2; exit 2; }
	@$(RUN) ansible-playbook kubeops.webhook_doctor.diagnose -e "$$($(RUNTIME)/bin/python -c 'import json, os; print(json.dumps({"webhook_doctor_error": os.environ["webhook_doctor_error_text"]}))')" $(EXTRA)

.PHONY: remediate
remediate: $(RUNTIME)/.remedies $(COLLECTION) ## Preview what would mend your cluster: KUBECONFIG=~/.kube/config (and CONTEXT=, EXTRA='-e ...'); APPLY=1 does it
	@$(RUN) ansible-playbook kubeops.webhook_doctor.remediate $(KUBECONFIG_ARGUMENT) $(CONTEXT_ARGUMENT) $(if $(APPLY),,--check --diff) $(EXTRA)

.PHONY: rollback
rollback: $(RUNTIME)/.remedies $(COLLECTION) ## Preview taking it back: KUBECONFIG=..., CONTEXT=, EXTRA=; APPLY=1 does it
	@$(RUN) ansible-playbook kubeops.webhook_doctor.rollback $(KUBECONFIG_ARGUMENT) $(CONTEXT_ARGUMENT) $(if $(APPLY),,--check) $(EXTRA)

.PHONY: rotate
rotate: $(RUNTIME)/.ready $(COLLECTION) ## Preview renewing loopback certificates: INVENTORY=, KUBECONFIG=..., CONTEXT=, EXTRA=; APPLY=1 does it
	@test -n "$(INVENTORY)" || { echo "make rotate: name the control-plane hosts, a group kube_control_plane: make rotate INVENTORY=inventory.ini (docs/rotating.md)" >&2; exit 2; }
	@$(RUN) ansible-playbook -i '$(INVENTORY)' kubeops.webhook_doctor.rotate_apiserver_loopback $(KUBECONFIG_ARGUMENT) $(CONTEXT_ARGUMENT) $(if $(APPLY),,--check) $(EXTRA)

##@ Developing it

.PHONY: test
test: lint unit unit-lowest sanity molecule integration ## Everything: lint, unit (newest and lowest libraries), sanity, hosts in containers, the lab and the integration tests

.PHONY: test-matrix
test-matrix: ## make test with every Python found, then the tables with the lower bounds of requirements.txt
	@for python in $(PYTHONS); do echo "== $$python"; $(MAKE) test PYTHON=$$python; done
	@$(MAKE) unit-lowest PYTHON=$(lastword $(PYTHONS))

.PHONY: lint
lint: $(DEV)/.ready $(COLLECTION) ## ruff, mypy, yamllint, ansible-lint (production), the documentation and the changelog
	$(RUN_DEV) ruff check .
	$(RUN_DEV) ruff format --check .
	$(RUN_DEV) yamllint --strict .
	cd $(WORKSPACE) && $(RUN_DEV) MYPYPATH=$(WORKSPACE) mypy --config-file $(CURDIR)/pyproject.toml --cache-dir $(CACHE)/mypy -p ansible_collections.kubeops.webhook_doctor.plugins
	$(RUN_DEV) ansible-lint --offline --profile production
	$(RUN_DEV) antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self .
	$(RUN_DEV) antsibull-changelog lint
	$(RUN_DEV) python tests/tools/finding_pages.py --check
	$(RUN_DEV) python tests/tools/coverage_table.py --check
	$(RUN_DEV) python tests/tools/no_proxy_table.py --check

.PHONY: unit
unit: $(DEV)/.ready $(COLLECTION) ## The tables: no network, no cluster
	$(RUN_DEV) python -m pytest -q -n auto --dist loadfile tests/unit $(PYTEST)

.PHONY: fuzz
fuzz: $(DEV)/.ready $(COLLECTION) ## Ask cabundle_verify and Go, every version, generated questions until Ctrl-C; FUZZ='SEED COUNT --go 1.22' bounds it
	@$(RUN_DEV) python -m ansible_collections.kubeops.webhook_doctor.tests.unit.trust.fuzz $(FUZZ)

.PHONY: unit-lowest
unit-lowest: $(CACHE)/lowest-$(PYTHON_VERSION)/.ready $(COLLECTION) ## The tables with the lower bounds of requirements.txt
	PATH="$(CACHE)/lowest-$(PYTHON_VERSION)/bin:$$PATH" python -m pytest -q -n auto --dist loadfile tests/unit $(PYTEST)

.PHONY: sanity
sanity: $(DEV)/.ready ## ansible-test sanity, in a copy of the tree
	$(RUN_DEV) python tests/tools/sanity.py --cache $(CACHE)/sanity --python $(PYTHON_VERSION)

.PHONY: molecule
molecule: $(DEV)/.ready $(COLLECTION) ## The roles for hosts, on containers with systemd; SCENARIO=name one of them; skipped where podman cannot run
	$(RUN_DEV) python tests/molecule/run.py test $(if $(SCENARIO),-s $(SCENARIO),--all)

# What diagnoses the faults measures time, and goes alone. Applications take long to come up, so two at a time are no slower; where changes are waited for, three.
# The long ones begin.
TESTS = $(addsuffix .py,$(addprefix tests/integration/test_,$(1)))
APPLICATIONS = $(call TESTS,cert_manager many_nodes istio etcd_quota gatekeeper acme)
LONG = $(call TESTS,rotation_killed no_proxy_hosts rotation_stops remediate_faults rotation rotation_scheduled)
WAITING = $(LONG) $(filter-out $(LONG),$(sort $(wildcard $(call TESTS,remediate* rotation* bypass control_plane_nodes durable_patches gate many_clusters node))))
IN_ORDER = --dist loadfile --no-loadscope-reorder
PYTEST_LAB = $(RUN_DEV) python -m pytest -q -rA --no-header --show-capture=no
# With PYTEST='-k ...' one of these runs may have nothing to do.
NONE_CHOSEN = $(if $(PYTEST),|| test $$? -eq 5)

.PHONY: integration
integration: $(DEV)/.ready $(SCHEDULERS)/.ready $(COLLECTION) ## The playbooks against the lab: every fault, both routings
	$(RUN_DEV) python tests/lab/lab.py build --all
	$(PYTEST_LAB) tests/integration $(addprefix --ignore=,$(APPLICATIONS) $(WAITING)) $(PYTEST) $(NONE_CHOSEN)
	$(PYTEST_LAB) -n 2 $(IN_ORDER) $(APPLICATIONS) $(PYTEST) $(NONE_CHOSEN)
	$(PYTEST_LAB) -n 3 $(IN_ORDER) $(WAITING) $(PYTEST) $(NONE_CHOSEN)

.PHONY: bench
bench: $(DEV)/.ready $(COLLECTION) ## Measure, print ratios, write benchmarks/results.json; CASES='trust-thousand ...' some
	$(if $(filter-out trust-%,$(or $(CASES),all)),$(RUN_DEV) python tests/lab/lab.py build)
	$(RUN_DEV) python benchmarks/bench.py $(CASES)

.PHONY: docs
docs: $(DEV)/.ready $(COLLECTION) ## Generate the page of each finding code, the table of what is covered, and those of no_proxy as measured
	$(RUN_DEV) python tests/tools/finding_pages.py
	$(RUN_DEV) python tests/tools/coverage_table.py
	$(RUN_DEV) python tests/tools/no_proxy_table.py

.PHONY: build
build: $(RUNTIME)/.ready ## The tarball for Galaxy
	$(RUN) ansible-galaxy collection build --force

##@ The lab: a real control plane with real faults

KUBERNETES ?= 1.36.3
ROUTING ?= endpoint

.PHONY: lab-up
lab-up: $(DEV)/.ready ## Start it: KUBERNETES=1.30.14, ROUTING=cluster_ip, FAULTS=none|all|name,..., NODE=1 for a real kubelet, CONTROL_PLANE=3 for such nodes
	@$(RUN_DEV) python tests/lab/lab.py up --kubernetes $(KUBERNETES) --routing $(ROUTING) $(if $(FAULTS),--faults $(FAULTS)) $(if $(NODE),--node) $(if $(CONTROL_PLANE),--control-plane $(CONTROL_PLANE))

.PHONY: lab-down
lab-down: $(DEV)/.ready ## Stop it; leaves nothing behind
	@$(RUN_DEV) python tests/lab/lab.py down

.PHONY: lab-kubeconfig
lab-kubeconfig: $(DEV)/.ready ## Print the path of its kubeconfig
	@$(RUN_DEV) python tests/lab/lab.py kubeconfig

.PHONY: clean
clean: ## Remove what these targets made (virtual environments, caches, reports, tarballs)
	@if [ -d .lab ] && [ -x $(DEV)/bin/python ]; then $(MAKE) lab-down; fi
	@if [ -d $(CACHE)/molecule/steps ] && [ -x $(DEV)/bin/python ]; then $(RUN_DEV) python tests/molecule/run.py destroy; fi
	rm -rf .venv .cache .lab .ansible webhook-doctor tests/output kubeops-webhook_doctor-*.tar.gz

# Set-up

define NO_PYTHON
No Python 3.11, 3.12 or 3.13 that can make a virtual environment was found.
On Debian and Ubuntu: apt-get install python3 python3-venv
endef

.PHONY: python-found
python-found:
	@test -n "$(PYTHON)" || { echo "$${NO_PYTHON}" >&2; exit 2; }
export NO_PYTHON

$(RUNTIME)/.ready: requirements.txt | python-found
	@echo "Setting up $(notdir $(RUNTIME)) with $(PYTHON) (once; about 20 s)"
	@$(PYTHON) -m venv $(RUNTIME)
	@$(RUNTIME)/bin/pip install --quiet -r requirements.txt
	@touch $@

# kubernetes.core sends the changes; the Python package brings it along.
$(RUNTIME)/.remedies: $(RUNTIME)/.ready
	@echo "Setting up what sends changes (the collection kubernetes.core, in the Python package ansible; once)"
	@$(RUNTIME)/bin/pip install --quiet 'ansible>=12.0.0'
	@touch $@

$(DEV)/.ready: requirements-dev.lock | python-found
	@echo "Setting up the development tools with $(PYTHON) (once; about a minute)"
	@$(PYTHON) -m venv $(DEV)
	@$(DEV)/bin/pip install --quiet -r requirements-dev.lock
	@touch $@

# ansible-runner and ansible-rulebook, which start playbooks by schedule and by event.
$(SCHEDULERS)/.ready: tests/integration/requirements-schedulers.txt | python-found
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip install --quiet -r $<
	@touch $@

$(CACHE)/lowest-$(PYTHON_VERSION)/.ready: requirements.txt | python-found
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip install --quiet pytest pytest-xdist $$(sed -n 's/>=/==/p' requirements.txt)
	@touch $@

$(COLLECTION):
	@mkdir -p $(dir $@)
	@ln -sfn $(CURDIR) $@

.PHONY: lock
lock: $(RUNTIME)/.ready ## Pin the development tools anew for every supported Python
	@$(RUNTIME)/bin/pip install --quiet uv
	$(RUNTIME)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-header --no-emit-index-url --no-emit-find-links requirements-dev.txt -o requirements-dev.lock
