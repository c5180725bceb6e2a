# Everything a contributor does with the project. Each section belongs to one folder.

.DEFAULT_GOAL := help
.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

# --- e2e/cluster: a real Kubernetes node on this machine ---
# Standard output is for the shell: eval "$$(make -s cluster)"
# The cluster command ends when make is killed, instead of going on without anyone watching.

.PHONY: cluster cluster-info cluster-down
cluster: ## a real Kubernetes with Sluice in it: eval "$$(make -s cluster)"
	@setpriv --pdeathsig TERM e2e/cluster/up.sh

cluster-info: ## the shell lines that use the running cluster
	@e2e/cluster/info.sh

cluster-down: ## remove every trace of the cluster
	@e2e/cluster/down.sh

# --- the demo and the benchmark: programs that install.sh has built for the cluster ---

IN_CLUSTER = lines=$$(setpriv --pdeathsig TERM e2e/cluster/up.sh) && eval "$$lines" &&
PROGRAMS = "$${CARGO_TARGET_DIR:-target}/$$(rustc -vV | sed -n 's/^host: //p')/release"

.PHONY: demo bench
demo: ## the story of the README on this terminal (KEEP=1 keeps the cluster)
	@code=0; { $(IN_CLUSTER) $(PROGRAMS)/demo; } || code=$$?; \
	if [ -n "$(KEEP)" ]; then echo 'Use the cluster: eval "$$(make -s cluster)"'; \
	else e2e/cluster/down.sh; fi; exit $$code

bench: ## figures beside a native rollout's and the targets; also in target/bench.json
	@$(IN_CLUSTER) e2e/cluster/kwok.sh 6 && $(PROGRAMS)/bench

# --- the rings of tests, inner first; the budgets are for 2 cores, warm ---
# Always the whole workspace, so that every ring uses the same build. Tests that need a cluster run
# only where they are named.

TEST = cargo test --workspace --locked
ON_CLUSTER = --test cluster --test admission --test cloneset --test conformance --test traffic --test behaviour

.PHONY: test lint unit models real
test: lint unit real ## every check there is (warm: 35 minutes; cold: 70)

lint: ## format, and clippy as errors (2 minutes)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets $(ON_CLUSTER) --locked -- -D warnings

unit: ## unit, script, simulation and property tests (12 minutes)
	$(TEST)

models: ## certificates, policy, traffic, models and the CloneSet double on the real cluster (4 minutes)
	@$(IN_CLUSTER) $(TEST) --test cluster --test admission --test conformance --test traffic --test cloneset

real: models ## behaviours on the real cluster: side by side, under load, then those that break parts
	@$(IN_CLUSTER) e2e/cluster/kwok.sh 1
	@$(IN_CLUSTER) e2e/tests/behaviour.sh --skip serial --skip gates:: --skip ingress:: --skip traffic:: --test-threads 6
	@$(IN_CLUSTER) e2e/tests/behaviour.sh gates:: ingress:: traffic:: --skip serial --test-threads 3
	@$(IN_CLUSTER) e2e/tests/behaviour.sh serial --test-threads 1
