#!/usr/bin/env bash
# Fuzzes every target in turn: fuzz.sh TIME [PACKAGES]. It ends with the first
# crash. Where the connectors are among the packages, it also writes a million
# requests in other ways; SPELLINGS is another number of them. Where the policies
# are, it also judges a million random requests by both evaluators; CASES is
# another number of them.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-60s}
shift || true
found=0
while read -r package target; do
	found=$((found + 1))
	echo "== $package $target"
	# Else it spends most of the time on making what it keeps smaller.
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x "$package"
done < <(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}' "${@:-./...}" |
	while read -r package dir; do
		{ grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go || true; } | awk -v p="$package" '{ print p, $2 }'
	done)
echo "$found targets fuzzed for $time each."
[ "$found" -gt 0 ]
if go list "${@:-./...}" | grep -q '/connectors$'; then
	echo "== other spellings"
	SPELLINGS=${SPELLINGS:-1000000} go test -count=1 -timeout 60m -run '^TestNoSpellingIsLooser$' -v ./connectors
fi
if go list "${@:-./...}" | grep -q '/domain/policy$'; then
	echo "== two evaluators"
	CASES=${CASES:-1000000} go test -count=1 -timeout 60m -run '^TestPoliciesAnswerAs' -v ./domain/policy
fi
