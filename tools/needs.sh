# What the tests need besides Go, installed through apt where it is missing. Sourced by test.sh.
# Afterwards PYTHON is an interpreter that has requests, and CHROMIUM a browser.

fail_with() {
	printf '%s\n' "$@" >&2
	exit 1
}

postgres_bin() {
	local dir
	for dir in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -Vr) "$(dirname "$(command -v initdb || echo /none/x)")"; do
		[ -x "$dir/initdb" ] && [ -x "$dir/postgres" ] && { echo "$dir"; return 0; }
	done
	return 1
}

chromium_path() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

python_path() {
	local p
	for p in python3 /usr/bin/python3; do
		"$p" -c 'import requests' 2>/dev/null && { command -v "$p"; return 0; }
	done
	return 1
}

missing_packages() {
	postgres_bin >/dev/null || [ -n "${TEST_POSTGRES_URL:-}" ] || echo postgresql
	chromium_path >/dev/null || echo chromium
	python_path >/dev/null || echo python3 python3-requests
	command -v git >/dev/null || echo git
	command -v curl >/dev/null || echo curl
	command -v gh >/dev/null || echo gh
	command -v node >/dev/null || echo nodejs
	command -v npm >/dev/null || echo npm
	command -v openssl >/dev/null || echo openssl
	# The race detector needs a C compiler.
	command -v gcc >/dev/null || echo gcc libc6-dev
	[ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
}

install_needs() {
	local packages as_root=
	packages=$(missing_packages | tr '\n' ' ')
	if [ -n "${packages// /}" ]; then
		command -v apt-get >/dev/null ||
			fail_with "The tests need these Debian packages: $packages" "There is no apt-get here: install what they hold, then run this again."
		if [ "$(id -u)" != 0 ]; then
			sudo -n true 2>/dev/null ||
				fail_with "The tests need these packages:" "  sudo apt-get install $packages" "Run that, then this again."
			as_root="sudo -n"
		fi
		echo "Installing $packages" >&2
		# shellcheck disable=SC2086 # two lists of words
		{ $as_root apt-get update -q &&
			$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $packages; } >&2 ||
			fail_with "apt-get could not install: $packages"
	fi
	[ -z "$(missing_packages)" ] || fail_with "Still missing after installing: $(missing_packages | tr '\n' ' ')"
	PYTHON=$(python_path)
	CHROMIUM=$(chromium_path)
	export PYTHON CHROMIUM
}
