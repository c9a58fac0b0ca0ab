#!/usr/bin/env bash
# Fuzzes every target in turn: fuzz.sh TIME [PACKAGES]
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s}
shift || true
found=0
while read -r package target; do
	found=$((found + 1))
	echo "== $package $target"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package"
done < <(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}' "${@:-./...}" |
	while read -r package dir; do
		{ grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go || true; } | awk -v p="$package" '{ print p, $2 }'
	done)
echo "$found targets fuzzed for $time each."
[ "$found" -gt 0 ]
