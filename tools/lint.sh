#!/usr/bin/env bash
# Runs golangci-lint, built once from the version that tools/lint.mod pins.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! cmp -s tools/lint.mod .tools/lint.mod; then
	echo "Building golangci-lint, once." >&2
	mkdir -p .tools
	go build -modfile=tools/lint.mod -trimpath -ldflags='-s -w' -o .tools/golangci-lint \
		github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	cp tools/lint.mod .tools/lint.mod
fi
export GOLANGCI_LINT_CACHE=${GOLANGCI_LINT_CACHE:-$PWD/.tools/lint-cache}
exec .tools/golangci-lint run --concurrency 2 "${@:-./...}"
