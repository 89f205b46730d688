# What a developer types. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
BUF := github.com/bufbuild/buf/cmd/buf@v1.75.0
FUZZTIME ?= 20s
SOAK ?= 10m
KILLS ?= 20
TASKS ?= 100000
FOR ?= 2m
QUEUED ?= 1000000
BENCH ?= full
# Only groups with a row that matches this.
ONLY ?=
# Pure Go: the binaries run on any machine of their kind.
GOBUILD := CGO_ENABLED=0 go build

.PHONY: help build run bench test e2e lint fmt vet staticcheck tidy-check race proto fuzz soak kills cluster million cover clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/brood and bin/plugins/*
	@mkdir -p bin/plugins
	$(GOBUILD) -o bin/brood ./cmd/brood
	$(GOBUILD) -o bin/plugins/ ./plugins/...

run: build ## make thumbnails of real and hostile images under out/, and check the results
	@go mod download golang.org/x/image
	@.ci/thumbnails

bench: build ## what brood can do, beside the machine's limit and others; BENCH=quick takes under two minutes
	@mkdir -p bin/bench
	$(GOBUILD) -o bin/bench/ ./cmd/internal/bench/table ./cmd/internal/bench/bare
	@bin/bench/table -mode $(BENCH) -bin bin -only '$(ONLY)'

test: lint race ## everything: vet, formatting, lint, all tests with the race detector

lint: fmt vet staticcheck tidy-check ## formatting, vet (linux and darwin), staticcheck, go.mod

fmt: ## fail if a file is not formatted
	@unformatted=$$(gofmt -l .); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run gofmt -w:"; echo "$$unformatted"; exit 1; fi

vet: ## go vet for this system and for darwin
	go vet ./...
	GOOS=darwin go vet ./...

staticcheck: ## the linter, at a pinned version
	go run $(STATICCHECK) ./...

tidy-check: ## fail if go.mod or go.sum is not tidy
	go mod tidy -diff

race: ## all tests with the race detector, end-to-end tests through the built binary included
	go test -race -count 1 -timeout 20m ./... # what programs the tests build and run is unknown to the test cache

e2e: ## only the tests that run the built binary
	go test -race -run '^TestE2E' ./cmd/...

proto: ## generate code from the schemas of the API and of what is stored
	cd supervisor/api/v1 && go run $(BUF) generate . --template buf.gen.yaml
	cd supervisor/broker/jetstream/storepb && go run $(BUF) generate . --template buf.gen.yaml

fuzz: ## run each fuzz test for FUZZTIME (default 20s)
	@for pkg in $$(go list ./...); do \
	  for name in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$name"; go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; \
	done

soak: ## load with every misbehaviour for SOAK (default 10m): descriptors, goroutines, processes and memory stay flat
	SOAK=$(SOAK) go test -run '^TestSoak$$' -timeout 0 -count 1 -v ./supervisor

kills: ## submit TASKS (default 100000) tasks to a server that is killed KILLS (default 20) times: none is lost, none runs too often
	KILLS=$(KILLS) TASKS=$(TASKS) go test -run '^TestKills$$' -timeout 0 -count 1 -v ./cmd/internal/outlast

cluster: ## kill three NATS nodes and three servers in turn for FOR (default 2m): nothing is lost, each result is stored once
	FOR=$(FOR) go test -run '^TestCluster$$' -timeout 0 -count 1 -v ./cmd/internal/outlast

million: ## restart a server with QUEUED (default 1000000) tasks waiting: time to start, memory, latency
	QUEUED=$(QUEUED) go test -run '^TestMillion$$' -timeout 0 -count 1 -v ./cmd/internal/outlast

cover: ## test coverage by package, details in out/cover.html
	@mkdir -p out
	go test -coverpkg ./... -coverprofile out/cover.out ./...
	go tool cover -html out/cover.out -o out/cover.html
	go tool cover -func out/cover.out | tail -1

clean: ## remove what was built
	rm -rf bin out
