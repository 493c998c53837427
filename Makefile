# GrowPanel. `make help` lists the targets.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# A clone owned by another user must still build; the version is stamped below.
export GOFLAGS := $(filter-out -buildvcs=%,$(GOFLAGS)) -buildvcs=false
export TIMEFORMAT := == %1R s

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
BUILD    := CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)'
GO_TOOL  := go tool -modfile=tools/go.mod
GATE     := bin/testgate
FUZZTIME ?= 10s

# Packages whose tests also run under the race detector, with few companies per law.
# Recounts of the arithmetic and sweeps over every operation or argument, one at a
# time, are left to the unit stage: races do not hide there.
RACE := $(foreach dir,$(wildcard analytics cmd httpapi identity ingest internal/sqldb jobs mcp notify oauth store),./$(dir)/...)
CALM := ^TestDemo_|^TestServe_Demo_|^TestLaw_ReportsAreThoseOfTheOracle$$|^TestLaw_DaysOfAZone$$
CALM := $(CALM)|^TestEveryOperation_|^TestContract_|^TestParameters_|^TestCompare_|^TestCall_(ResultsSatisfyTheOutputSchema|ArgumentsStayInTheirPlace)$$
CALM := $(CALM)|^TestHooks_Contract$$/^a_full_queue_pauses_its_hook$$

# SQLite is C that was translated to Go. Its memory is not Go's, so the race detector
# does not watch it, and instrumenting the code makes it five times as slow for nothing.
WATCHED := -race -gcflags=modernc.org/sqlite/lib=-race=false

.PHONY: help
help: ## List the targets.
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-10s %s\n", $$1, $$2 }'

.PHONY: build
build: ## Build the shipped binaries into bin/.
	@echo "== build $(VERSION)"
	@time $(BUILD) -o bin/ ./cmd/...

.PHONY: run
run: build ## Start everything on embedded defaults with the demo company.
	@bin/growpanel serve --demo

.PHONY: test
test: ## Run everything: tools, lint, verify, build, unit, race and end-to-end tests.
	@$(MAKE) --no-print-directory --keep-going tools lint verify build unit race e2e

.PHONY: test-fast
test-fast: ## Vet and test without the end-to-end suite; installs nothing.
	@go vet ./...
	@go test -short ./...

.PHONY: ci
ci: ## Prepare a bare Debian machine, then run `make test`.
	@.ci/run

.PHONY: tools
tools: ## Check that gcc, git and the npm clients are there; as root, install them.
	@echo "== tools"
	@time .ci/tools

.PHONY: lint
lint: ## Run the linters and the format check.
	@echo "== lint"
	@time $(GO_TOOL) golangci-lint run ./...

.PHONY: format
format: ## Format the tree as lint wants it.
	@$(GO_TOOL) golangci-lint fmt ./...

.PHONY: generate
generate: ## Regenerate code and reference pages.
	@go generate ./...

.PHONY: verify
verify: ## Check that generated files and go.mod are fresh.
	@echo "== verify"
	@time .ci/verify

$(GATE): $(wildcard tools/testgate/*.go)
	@go build -C tools/testgate -o ../../$(GATE) .

.PHONY: unit
unit: $(GATE) ## Run the unit tests and laws.
	@echo "== unit"
	@go test -C tools/testgate .
	@time go list ./... | grep -v '/e2e$$' | xargs go test -json | $(GATE)

.PHONY: race
race: $(GATE) ## Run the concurrent packages under the race detector.
	@echo "== race"
	@time GROWPANEL_SOAK_COMPANIES=12 CGO_ENABLED=1 go test $(WATCHED) -json -skip '$(CALM)' $(RACE) | $(GATE)

.PHONY: e2e
e2e: $(GATE) ## Run the black-box tests against the real binary and real clients.
	@echo "== e2e"
	@time if [ -d e2e ]; then go test -json -count=1 ./e2e/... | $(GATE); fi

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (10s).
	@FUZZTIME=$(FUZZTIME) .ci/fuzz

.PHONY: soak
soak: ## Run laws over 10,000 random companies, and store models over 50,000 steps under the race detector.
	@time GROWPANEL_SOAK_COMPANIES=10000 go test -count=1 -timeout=0 ./analytics/...
	@time GROWPANEL_SOAK_COMPANIES=10000 go test -count=1 -timeout=0 -run='^TestLaw_' ./httpapi
	@time GROWPANEL_SOAK_STEPS=50000 CGO_ENABLED=1 go test $(WATCHED) -count=1 -timeout=0 -run='^TestModel$$' ./oauth/...

.PHONY: bench
bench: ## Run the benchmarks; PostgreSQL is compared with, so it must be installed.
	@go test -run '^$$' -bench . -benchmem ./...
