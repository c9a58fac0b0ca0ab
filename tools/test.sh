#!/usr/bin/env bash
# Runs the tests on a throw-away PostgreSQL, with whatever they need installed.
#   test.sh                     everything: generated files, lint, all tests with the race detector
#   test.sh --fast [PACKAGES]   the tests alone, without the race detector
#   test.sh --screenshots       only the browser tests, which then save pictures to docs/images
# TEST_POSTGRES_URL, when set, names a PostgreSQL to use instead.
set -euo pipefail
cd "$(dirname "$0")/.."
# Some runners start with no home, and Go keeps its caches there.
export HOME=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}

mode=all
case ${1:-} in
--fast | --screenshots)
	mode=${1#--}
	shift
	;;
esac

. tools/needs.sh
. tools/postgres.sh

install_needs
if [ -z "${TEST_POSTGRES_URL:-}" ]; then
	trap stop_postgres EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	start_postgres
fi

case $mode in
fast)
	go test -shuffle=on -p 2 -timeout 20m "${@:-./...}"
	;;
screenshots)
	mkdir -p docs/images
	SCREENSHOTS_DIR=$PWD/docs/images go test -count=1 -timeout 10m -run Browser ./integration/...
	;;
all)
	tools/generate.sh --check
	tools/lint.sh ./...
	go test -race -shuffle=on -p 2 -timeout 40m ./...
	;;
esac
