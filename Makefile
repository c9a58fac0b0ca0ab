# Everything goes through here. `make` lists what there is; the README needs only `make demo` and `make test`.
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
PROGRAMS := ./app/tameflare-server ./gateway/tameflare-gateway ./cli/tameflare
FUZZTIME ?= 60s
PKG ?= ./...
ARGS ?=

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Show the main job on embedded defaults; ARGS=--auto approves by itself
	@CGO_ENABLED=0 go build -trimpath -o bin/demo-agent ./integration/demo/agent
	@go run ./integration/demo -bin bin $(ARGS)

.PHONY: run
run: build ## Start the server with no configuration
	@bin/tameflare-server $(ARGS)

.PHONY: build
build: ## Build the three programs into bin/
	@mkdir -p bin
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ $(PROGRAMS)

.PHONY: generate
generate: ## Rebuild what is committed but made: templ components, stylesheet, icons
	@tools/generate.sh

.PHONY: lint
lint: ## Check style, mistakes, and that generated files are current
	@tools/generate.sh --check
	@tools/lint.sh $(PKG)

.PHONY: test
test: ## Run everything: lint, all tests with the race detector, PostgreSQL and browser included
	@tools/test.sh

.PHONY: test-fast
test-fast: ## Run the tests without lint and race detector; PKG=./app/... for a part
	@tools/test.sh --fast $(PKG)

.PHONY: fuzz
fuzz: ## Fuzz every target for FUZZTIME (60s), spell a million requests otherwise, and judge a million by two evaluators
	@tools/fuzz.sh $(FUZZTIME) $(PKG)

.PHONY: bench
bench: build ## Measure naming, the gateway against a direct connection and a plain tunnel, and policies against cel-go, OPA and Cedar
	@go run ./integration/bench $(ARGS)
	@cd integration/bench/policies && go run .
	@REPLAY_ROWS=1000000 tools/test.sh --fast ./app/replay -run Million -v

.PHONY: screenshots
screenshots: ## Take the pictures of docs/images from the real pages
	@tools/test.sh --screenshots

.PHONY: image
image: ## Build the container images: server, gateway, cli
	docker build --build-arg VERSION=$(VERSION) --target server -t tameflare-server:$(VERSION) .
	docker build --build-arg VERSION=$(VERSION) --target gateway -t tameflare-gateway:$(VERSION) .
	docker build --build-arg VERSION=$(VERSION) --target cli -t tameflare:$(VERSION) .

.PHONY: clean
clean: ## Remove what was built here
	rm -rf bin .tools static/build/node_modules
