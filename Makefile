# Custody. `make` alone lists what there is.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION   ?= v0.1.0-dev
FUZZTIME  ?= 30s
COUNT     ?= 1
BENCH     ?= .
BENCHTIME ?= 1s
PKGS      ?= ./...
KILLS     ?= 200
SOAK      ?= 1h
BULK      ?= 3

# The same sources give the same bytes, whoever builds them and where.
export CGO_ENABLED = 0
BUILD = go build -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=$(VERSION)"

TOOLS := $(CURDIR)/.tools/bin
STAMP := .tools/stamp
# With CUSTODY_SERVERS=DIR tests use the servers there, and nothing is installed.
SERVERS := $(if $(CUSTODY_SERVERS),,.tools/servers/stamp)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## build, make a key on first start, run the quickstart
	@scripts/run

.PHONY: build
build: ## bin/otelcol-custody (the collector) and bin/custody (the auditor's command)
	@mkdir -p bin
	$(BUILD) -o bin/custody ./cmd/custody
	$(BUILD) -o bin/otelcol-custody .

.PHONY: test
test: build $(STAMP) $(SERVERS) ## every test: Go, both readers, foreign verifiers, end to end
	scripts/require --install
	go test -timeout 20m $(PKGS)
	cd tools && go test ./...
	scripts/e2e

.PHONY: torture
torture: build $(SERVERS) ## every fault at every file call, KILLS=200 kills under load, all tables (half an hour)
	scripts/require --install
	scripts/torture $(KILLS)

.PHONY: soak
soak: build $(SERVERS) ## gateway and judge for SOAK=1h among failing stores, restarts and clock jumps: no false alarm
	scripts/require --install
	CUSTODY_SOAK=$(SOAK) go test -count=1 -v -timeout 24h -run '^TestNobodyIsAccused$$' ./test/e2e

.PHONY: bulk
bulk: ## 1,000,000 CloudTrail events through a queue, BULK=3 times at four settings, and a file of 1 GiB
	CUSTODY_BULK=$(BULK) go test -count=1 -v -timeout 24h -run '^TestTrail(Bulk|LargeFile)$$' ./test/e2e

.PHONY: race
race: $(SERVERS) ## the concurrent packages under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -short -timeout 20m $$(scripts/packages race $(PKGS))

.PHONY: lint
lint: $(STAMP) ## gofmt, go vet, staticcheck, tidy modules, clean shell
	scripts/lint "$(TOOLS)"

.PHONY: generate
generate: $(STAMP) ## components.go, component metadata, vectors
	scripts/generate "$(TOOLS)"

.PHONY: bench
bench: $(SERVERS) ## Go benchmarks; BENCH=regexp BENCHTIME=1s COUNT=n PKGS=./...
	go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME) -count $(COUNT) -timeout 60m $$(scripts/packages bench $(PKGS)) | tee bench.txt

.PHONY: fuzz
fuzz: ## every fuzz target in turn, FUZZTIME each
	scripts/fuzz $(FUZZTIME)

.PHONY: tools
tools: $(STAMP) ## the tools that tools/go.mod pins, into .tools/bin

$(STAMP): tools/go.mod tools/go.sum $(wildcard tools/*/*.go)
	@mkdir -p $(TOOLS)
	cd tools && GOBIN="$(TOOLS)" go install tool ./...
	@touch $@

.PHONY: servers
servers: $(SERVERS) ## the object stores that tests talk to, into .tools/servers (needs npm)

.tools/servers/stamp: scripts/servers
	scripts/servers
	@touch $@

.PHONY: conformance
conformance: $(SERVERS) ## run every store against every server, write docs/conformance.md
	go run ./test/conformance

.PHONY: attacks
attacks: ## every attack that we know of against every judge; writes docs/attacks/README.md
	scripts/require
	scripts/attacks

.PHONY: reproducible
reproducible: build ## build again in another folder and compare
	scripts/reproducible $(VERSION)

.PHONY: clean
clean: ## remove what was built; keys and evidence stay
	rm -rf bin .tools .generate bench.txt
