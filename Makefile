# fundmatch: `make help` lists what there is. Tools are pinned in scripts/tools.sh and live in .tools/bin.

GO       ?= go
TOOLS    := .tools/bin
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 10s
# What to bench, test or fuzz: make test PKG=./matcher/score
PKG      ?= ./...
# Which benchmarks: make bench BENCH=Match
BENCH    ?= .

PROTOS   := $(wildcard proto/fundmatch/v1/*.proto)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run build test e2e property property-nightly bench bench-swap bench-evaluate fuzz mutate generate lint lint-proto lint-go lint-chart breaking tools clean

# One set of flags for everything but tests: lint, build and generate then share one compilation of each dependency.
build lint-go lint-proto generate bench bench-swap bench-evaluate property property-nightly: export CGO_ENABLED := 0
build lint-go lint-proto generate bench bench-swap bench-evaluate property property-nightly: export GOFLAGS := $(strip $(GOFLAGS) -trimpath)

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## Build, then serve the demo bank on 127.0.0.1:8080 (store: fundmatch.db)
	bin/fundmatch serve --demo

build: ## Build the static binary bin/fundmatch
	$(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/fundmatch ./cmd/fundmatch

test: ## Run every test, under the race detector where a C compiler is there
	@scripts/test.sh $(PKG)

e2e: ## Run only the end-to-end tests: the binary itself, killed, drained, replayed
	@scripts/test.sh -count=1 -run E2E -v ./cmd/fundmatch

property: ## Ask for ANSWERS (default 200000) random answers by every path, replay a load of 10,000: nothing unsuitable, private, unfounded; 2,000 sequences on each store beside the oracle
	FUNDMATCH_PROPERTY_ANSWERS=$(or $(ANSWERS),200000) $(GO) test -count=1 -timeout 30m ./matcher ./services/order
	FUNDMATCH_PROPERTY_ANSWERS=$(or $(ANSWERS),100000) $(GO) test -count=1 -timeout 30m ./services/recommendation
	$(GO) test -count=1 ./matcher/eligibility -rapid.checks=$(or $(CHECKS),400)
	$(GO) test -count=1 -run RESTLoad ./services/server
	FUNDMATCH_PROPERTY_SEQUENCES=$(or $(SEQUENCES),2000) $(GO) test -count=1 -timeout 20m -run Sequences ./features/memory ./features/sqlstore

property-nightly: ## The same with 1,000,000 answers, at night
	FUNDMATCH_PROPERTY_ANSWERS=1000000 $(GO) test -count=1 -timeout 3h ./matcher ./services/order ./services/recommendation
	$(GO) test -count=1 -timeout 1h ./matcher/eligibility -rapid.checks=20000
	FUNDMATCH_PROPERTY_SEQUENCES=100000 $(GO) test -count=1 -timeout 3h -run Sequences ./features/memory
	FUNDMATCH_NIGHTLY=1 $(GO) test -count=1 -timeout 1h -run 'Restor|Backup|Archive' ./features/sqlstore
	$(GO) test -count=1 -run RESTLoad ./services/server

bench: ## Run the benchmarks (BENCH=pattern PKG=./package)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem $(PKG)

bench-swap: ## Swap the model SWAPS (default 1000) times while the program answers as fast as it can, beside an A/A control; then a shadow
	FUNDMATCH_BENCH_SWAPS=$(or $(SWAPS),1000) $(GO) test -run '^$$' -bench Swap -benchtime 1x -timeout 1h ./services/pathbench

bench-evaluate: ## Judge a policy by a log of ROWS (default 10000000) rows and by ten times that, in each format, by one worker and by two; needs 30 GB of disk for a while
	FUNDMATCH_BENCH_EVALUATE_ROWS=$(or $(ROWS),10000000) $(GO) test -run '^$$' -bench Evaluate -benchtime 1x -timeout 2h ./services/pathbench

fuzz: ## Run each fuzz target for FUZZTIME (default 10s)
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh $(PKG)

mutate: ## Break every condition of the rules, one at a time: each has to fail a test (ONLY=S12, SAMPLE=30 SEED=7)
	$(GO) run ./scripts/mutate $(if $(ONLY),--only $(ONLY)) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

generate: tools ## Generate Go and OpenAPI from proto/, and whatever //go:generate asks for
ifneq ($(PROTOS),)
	$(TOOLS)/buf format --write
	$(TOOLS)/buf generate
endif
	$(GO) generate ./...

lint: lint-proto lint-go lint-chart ## Check style, correctness, generated code and the chart

lint-proto: tools
ifneq ($(PROTOS),)
	$(TOOLS)/buf lint
	$(TOOLS)/buf format --diff --exit-code
	scripts/generated.sh
endif

lint-go: tools
	@unformatted=$$($(TOOLS)/gofumpt -l .) || exit 1; \
	  [ -z "$$unformatted" ] || { echo "not formatted, run $(TOOLS)/gofumpt -w on:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	$(TOOLS)/golangci-lint run ./...

# helm takes minutes to build, so the chart is checked where it is there: in PATH, or by `scripts/tools.sh helm`.
lint-chart:
	@scripts/chart.sh

breaking: tools ## Check that the API breaks no promise (AGAINST=commit; default: the commit before)
	scripts/breaking.sh $(AGAINST)

tools: ## Install the pinned tools into .tools/bin
	@scripts/tools.sh

clean: ## Remove what was built; stores and tools stay
	rm -rf bin dist
