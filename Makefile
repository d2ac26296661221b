# Sallyport. Go and make are enough for build, plugins, run and test; what else a target can use it says itself.
#
#   make build        bin/sallyport
#   make plugins      bin/plugins/*.wasm: with TinyGo if there is one, else with Go; the Rust ones if cargo has wasm32
#   make run          the gateway with gateway.toml before a sample service, and curl lines to try
#   make backend      the sample services alone: with build and plugins what examples/run.sh NAME needs
#   make cluster      two gateways behind a balancer, with one Redis (needs redis-server): examples/cluster
#   make test         every module's tests          make race   the same with the race detector (needs a C compiler)
#   make bench        side by side with other proxies (nginx-light, wrk; haproxy, h2load and Caddy if there); BENCH='-rounds 5'
#   make bench-micro  Go's own benchmarks           make fuzz   every fuzz target for FUZZTIME
#   make lint         gofmt, go vet, staticcheck    make clean  removes what was built

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
.PHONY: build plugins backend run cluster test race bench bench-micro lint fuzz clean

VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 10s
BENCH       ?=

# Folders of all Go modules and of all Rust packages in this tree.
PRUNE   := -name testdata -o -name target -o -name bin -o -name '.?*'
MODULES := $(sort $(patsubst %/,%,$(dir $(shell find . \( $(PRUNE) \) -prune -o -name go.mod -print))))
CRATES  := $(sort $(patsubst %/,%,$(dir $(shell find . \( $(PRUNE) \) -prune -o -name Cargo.toml -print))))

# Without the tag gRPC brings html/template, for which the linker keeps every method there is: docs/RATIONALE.md.
build:
	CGO_ENABLED=0 go build -trimpath -tags grpcnotrace -ldflags='-s -w -X main.version=$(VERSION)' -o bin/sallyport ./cmd/sallyport

plugins:
	plugins/build.sh bin/plugins

backend:
	go build -trimpath -o bin/ ./examples/backend ./examples/jwt/issuer

run: build plugins backend
	@exec examples/run.sh

cluster: build backend
	go build -trimpath -o bin/balancer ./examples/cluster/balancer
	@exec examples/cluster/run.sh

# The tests of the whole gateway use the built plugins.
test: plugins
	@for module in $(MODULES); do echo "== go test: $$module"; (cd $$module && go test -timeout 25m ./...); done
	@if cargo --version >/dev/null 2>&1; then \
		for crate in $(CRATES); do echo "== cargo test: $$crate"; (cd $$crate && cargo test --offline --quiet); done; \
	else echo "== cargo test: skipped, there is no cargo"; fi

race: plugins
	@for module in $(MODULES); do echo "== go test -race: $$module"; (cd $$module && go test -race -timeout 45m ./...); done

bench: build plugins
	go build -trimpath -o bin/bench ./cmd/bench
	bin/bench $(BENCH)

bench-micro:
	go test -run='^$$' -bench=. -benchmem -timeout 20m ./core/...

lint:
	@files=$$(find . \( -name target -o -name bin -o -name '.?*' \) -prune -o -name '*.go' -print | xargs gofmt -l); \
	if [ -n "$$files" ]; then echo "not gofmt'd:"; echo "$$files"; exit 1; fi
	@check=$$(command -v staticcheck || ls "$$(go env GOPATH)/bin/staticcheck" 2>/dev/null || true); \
	for module in $(MODULES); do \
		echo "== vet, staticcheck: $$module"; \
		(cd $$module && go vet ./... && $${check:-go run $(STATICCHECK)} ./...); \
	done
	@if cargo fmt --version >/dev/null 2>&1; then \
		for crate in $(CRATES); do echo "== cargo fmt: $$crate"; (cd $$crate && cargo fmt --check); done; \
	else echo "== cargo fmt: skipped, there is no rustfmt"; fi

fuzz:
	@.ci/fuzz $(FUZZTIME)

clean:
	rm -rf bin .cache $(addsuffix /target,$(CRATES))
