#!/usr/bin/env bash
# Rebuilds what is committed but made: views/*_templ.go, connectors/tables/*.tsv, docs/actions and static/files.
#   generate.sh           rebuild
#   generate.sh --check   fail when a committed file is not what its source makes
# templ comes through the Go module proxy. The stylesheet needs Node 20 and npm;
# where they are missing --check says so and leaves it to the next machine.
set -euo pipefail
cd "$(dirname "$0")/.."
check=${1:-}

templ() { go tool -modfile=tools/tools.mod templ "$@"; }

if [ -d views ]; then
	if [ "$check" = --check ]; then
		templ generate -path views -check ||
			{ echo "Components are older than their source. Run make generate." >&2; exit 1; }
	else
		templ generate -path views
	fi
fi

if [ "$check" = --check ]; then
	go run ./connectors/tables/gen -dir connectors/tables -docs docs/actions -check
else
	go run ./connectors/tables/gen -dir connectors/tables -docs docs/actions
fi

node_is_new_enough() {
	command -v npm >/dev/null && command -v node >/dev/null &&
		[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ]
}

if ! node_is_new_enough; then
	[ "$check" = --check ] || { echo "The stylesheet needs Node 20 and npm." >&2; exit 1; }
	echo "Not compared: static/files (needs Node 20 and npm)." >&2
	exit 0
fi

# node_modules is kept as long as the lock file is the one that it was made from.
build=static/build
if ! cmp -s $build/package-lock.json $build/node_modules/.made-from; then
	# Not npm ci: it refuses a lock file without the builds for other systems, which not every registry has.
	(cd $build && npm install --no-save --loglevel=error) ||
		{ echo "The packages of static/build could not be fetched. Is the npm registry within reach?" >&2; exit 1; }
	cp $build/package-lock.json $build/node_modules/.made-from
fi

if [ "$check" != --check ]; then
	node $build/build.mjs
	exit 0
fi
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
node $build/build.mjs "$fresh"
for made in "$fresh"/*; do
	cmp "$made" "static/files/$(basename "$made")" ||
		{ echo "static/files/$(basename "$made") is older than its source. Run make generate." >&2; exit 1; }
done
