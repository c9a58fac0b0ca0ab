# A PostgreSQL for one run of the tests: own directory, own port, gone afterwards. Sourced by test.sh.
# Sets and exports TEST_POSTGRES_URL.

postgres_dir=
postgres_user=

# PostgreSQL refuses to run as root.
as_postgres() {
	if [ -n "$postgres_user" ]; then
		(cd / && runuser -u "$postgres_user" -- "$@")
	else
		"$@"
	fi
}

start_postgres() {
	local bin port try
	bin=$(postgres_bin)
	if [ "$(id -u)" = 0 ]; then
		postgres_user=postgres
		id postgres >/dev/null 2>&1 || postgres_user=nobody
	fi
	# Not under TMPDIR, which may be closed to another user.
	postgres_dir=$(mktemp -d /tmp/tameflare-postgres.XXXXXX)
	[ -z "$postgres_user" ] || chown "$postgres_user" "$postgres_dir"

	as_postgres "$bin/initdb" -D "$postgres_dir/data" -U tameflare -A trust -E UTF8 --locale=C.UTF-8 --no-sync \
		>"$postgres_dir.log" 2>&1 || { cat "$postgres_dir.log" >&2; fail_with "initdb failed."; }
	# It holds nothing worth keeping, so it need not wait for the disk.
	as_postgres tee -a "$postgres_dir/data/postgresql.conf" >/dev/null <<-CONF
		listen_addresses = '127.0.0.1'
		unix_socket_directories = '$postgres_dir'
		fsync = off
		synchronous_commit = off
		full_page_writes = off
		max_connections = 300
		shared_buffers = 128MB
	CONF
	for try in 1 2 3 4 5 6; do
		port=$((20000 + RANDOM % 12000))
		if as_postgres "$bin/pg_ctl" -D "$postgres_dir/data" -o "-p $port" -l "$postgres_dir/server.log" -w -t 60 start \
			>>"$postgres_dir.log" 2>&1; then
			export TEST_POSTGRES_URL="postgres://tameflare@127.0.0.1:$port/postgres?sslmode=disable"
			echo "PostgreSQL $("$bin/postgres" --version | awk '{ print $3 }') on port $port for this run." >&2
			return 0
		fi
		echo "PostgreSQL did not start on port $port, try $try." >&2
	done
	cat "$postgres_dir.log" "$postgres_dir/server.log" >&2 || true
	fail_with "PostgreSQL could not be started."
}

stop_postgres() {
	[ -n "$postgres_dir" ] || return 0
	as_postgres "$(postgres_bin)/pg_ctl" -D "$postgres_dir/data" -m immediate stop >/dev/null 2>&1 || true
	rm -rf "$postgres_dir" "$postgres_dir.log"
}
