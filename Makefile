# Every target does its own set-up. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
# Node 24 is a devDependency: npm scripts and these recipes use it whatever the machine has.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export NODE_OPTIONS := --disable-warning=ExperimentalWarning

CLUSTER ?= embedded

.PHONY: help demo demo-down test unit integration e2e chaos bench generate check build image chart preflight

help: ## Lists the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: node_modules ## Runs the main job on an embedded cluster and Temporal (CLUSTER=current: on that of your KUBECONFIG)
	@node test/demo/main.ts up --cluster $(CLUSTER)

demo-down: node_modules ## Ends what `make demo` left running
	@node test/demo/main.ts down --cluster $(CLUSTER)

test: node_modules ## Everything CI runs; ends with one line: N passed, N failed
	@node test/run.ts check unit integration e2e chaos

unit: node_modules ## Pure functions and generated artefacts, no servers
	@node test/run.ts unit

integration: node_modules ## Against a real API server and a real Temporal on this machine
	@node test/run.ts integration

e2e: node_modules ## On a real node: images, Helm, worker pods (root)
	@node test/run.ts e2e

chaos: node_modules ## Kills and restarts under load
	@node test/run.ts chaos

bench: node_modules ## Performance figures, with their ceilings measured in the same run
	@node test/bench/main.ts

generate: node_modules ## CRDs, reference pages, chart templates and plain manifests from their sources
	@node src/api/generate.ts
	node tools/charts.ts

check: node_modules ## Types, lint, format, generated files clean
	@node test/check.ts

build: node_modules ## Bundles the operator into dist/
	@node tools/build.ts

image: build ## Builds the operator's image over this machine's own Node, as dist/operator-image.tar (TAG)
	@node test/cluster/main.ts image --dockerfile deploy/Dockerfile --context . --base node \
	  --tag $(or $(TAG),localhost/aiworkflow/operator:0.1.0) --output dist/operator-image.tar

chart: generate ## Packages both charts into dist/
	@node tools/charts.ts package

preflight:
	@command -v node >/dev/null && command -v npm >/dev/null || { echo 'Node.js (20 or newer) with npm is needed and was not found.'; exit 1; }

node_modules: package.json package-lock.json | preflight
	@npm ci --no-audit --loglevel=error
	touch node_modules
