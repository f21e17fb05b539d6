#!/bin/sh
# Measures what a database that gateways share costs; `make bench-cluster` runs it.
#
# The same requests come at the same steady rate to one gateway with its own store (SQLite), to one with
# PostgreSQL, and to two that share PostgreSQL, half to each. Each kind takes its turn within a round, ratios
# are taken within a round, and the table gives medians, with the least and the greatest. CPU time is that of
# all threads of the gateways, and beside it that of all processes of the database, which writes to the disk
# as a real one does. The upstream keeps nothing (tests/bench/swift_upstream).
#
#   cluster.sh GATEWAY TOOLS     the program, the folder of the built tools
#
# In the environment: ROUNDS, BENCH_SECONDS (of one run), TMPDIR.
set -u
here=$(cd "$(dirname "$0")" && pwd)
gateway=$1
tools=$2
rounds=${ROUNDS:-5}
seconds=${BENCH_SECONDS:-3}
port=19600
ids=1021
work=$(mktemp -d)
serve_cpu=
load_cpu=
database=
. "$here/bench_servers.sh"
trap 'stop_database; stop_all' EXIT
trap 'exit 1' INT TERM HUP

say() {
	printf '%s\n' "$*" >&2
}

# Runs a program of the database, never as root.
unprivileged() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
	else
		"$@"
	fi
}

stop_database() {
	[ -z "$database" ] || unprivileged "$programs/pg_ctl" -D "$work/database/data" -m fast -w stop >/dev/null
	database=
}

# Starts an empty database; sets $database, the first process, and $database_port.
start_database() {
	mkdir "$work/database"
	chmod 755 "$work"
	[ "$(id -u)" != 0 ] || chown nobody:nogroup "$work/database"
	next_port
	database_port=$port
	unprivileged "$programs/initdb" -D "$work/database/data" -U gateway -A trust -E UTF8 --locale=C \
		>"$work/database.out" 2>&1 &&
		unprivileged "$programs/pg_ctl" -D "$work/database/data" -l "$work/database/log" -w \
			-o "-p $database_port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$work/database" \
			start >>"$work/database.out" 2>&1 || {
		say "bench: the database does not start: $(tail -n 3 "$work/database.out")"
		exit 1
	}
	database=$(head -n 1 "$work/database/data/postmaster.pid")
}

# Starts a gateway: serve NAME FRESH [DATABASE]; adds it to $ports and $processes.
serve() {
	next_port
	fill "$here/gateway.yaml" "$work/$1.yaml" "NAME=$1" "PORT=$port" "ACCESS=false" "FRESH=$2"
	[ $# -lt 3 ] || echo "store: {kind: postgresql, url: \"postgresql://gateway@127.0.0.1:$database_port/$3\"}" \
		>>"$work/$1.yaml"
	"$gateway" serve --config "$work/$1.yaml" >"$work/$1.err" 2>&1 &
	pid=$!
	pids="$pids $pid"
	wait_for "$pid" "http://127.0.0.1:$port/" || {
		say "bench: the gateway does not start: $(cat "$work/$1.err")"
		exit 1
	}
	curl -s -o /dev/null "http://127.0.0.1:$port/api/projects/many/personas"
	ports=${ports:+$ports,}$port
	processes=${processes:+$processes,}$pid
}

# Notes the gateways that were started as one kind, and has them learn the ids.
kind() {
	"$tools/rate_load" "$ports" 1000 5 "$work/paths" >/dev/null
	echo "$1 $ports $processes" >>"$work/servers"
	ports= processes=
}

# Starts what is compared: all FRESH
all() {
	: >"$work/servers"
	serve "sqlite$1" "$1"
	kind sqlite
	serve "one$1" "$1" one
	kind one
	serve "two$1" "$1" two
	serve "other$1" "$1" two
	kind two
}

# Ends the gateways of all().
none() {
	for one in $(cut -d' ' -f3 "$work/servers" | tr , ' '); do
		kill "$one"
		wait "$one"
	done
}

# CPU time so far of all threads of processes and of the children of one, in nanoseconds: cpu PIDS [PARENT]
cpu() {
	of=$1
	[ $# -lt 2 ] || of="$2 $(cat "/proc/$2/task/$2/children")"
	for p in $of; do
		cat /proc/"$p"/task/*/schedstat 2>/dev/null
	done | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

# One run: run ROUND PART KIND PORTS PIDS RATE WHAT...; a line of raw results is: round, part, kind, requests,
# failures, three percentiles, CPU time of the gateways and of the database. RATE 0: nothing is asked.
run() {
	head="$1 $2 $3"
	ports=$4 processes=$5 at=$6
	shift 6
	mine=$(cpu "$processes") its=$(cpu "" "$database")
	if [ "$at" = 0 ]; then
		sleep "$seconds"
		line="$seconds 0 0 0 0"
	else
		line=$("$tools/rate_load" "$ports" "$at" "$seconds" "$@") || line="0 0 0 0 0"
	fi
	echo "$head $line $(($(cpu "$processes") - mine)) $(($(cpu "" "$database") - its))" >>"$work/raw"
}

# All rounds of one part: part NAME RATE WHAT...
part() {
	name=$1 rate=$2
	shift 2
	round=1
	while [ "$round" -le "$rounds" ]; do
		say "bench: $name, round $round of $rounds"
		while read -r which where whose; do
			run "$round" "$name" "$which" "$where" "$(echo "$whose" | tr , ' ')" "$rate" "$@"
		done <"$work/servers"
		round=$((round + 1))
	done
	ports= processes=
}

# Paths to read, and listings of the projects.
make_data() {
	mkdir "$work/lists"
	awk -v dir="$work" -v ids=$ids 'BEGIN {
		for (n = 1; n <= ids; n++) {
			id = sprintf("%08x-0000-4000-8000-%012x", n * 2654435, n)
			print "/api/projects/many/personas/" id >(dir "/paths")
			all = all (n > 1 ? "," : "") sprintf("{\"id\":\"%s\",\"created_at\":\"2023-11-07T05:31:56Z\",\"name\":\"impatient-user-%s\",\"description\":\"A user who wants quick answers\",\"goal\":\"You are an impatient user who values brevity and expects quick, concise responses.\",\"org_id\":\"3c90c3cc-0d44-4b50-8888-8dd25736052a\"}", id, substr(id, 1, 8))
		}
		printf "[%s]", all >(dir "/lists/4096")
		printf "[]" >(dir "/lists/1")
	}'
}

programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -x "$programs/initdb" ] || {
	say "bench: PostgreSQL's server is missing (Debian: apt-get install postgresql)"
	exit 1
}
modules=
make_data
"$tools/swift_upstream" "$work/lists" >"$work/swift.out" 2>&1 &
pids="$pids $!"
until upstream_port=$(sed -n 's/^listening on .*://p' "$work/swift.out") && [ -n "$upstream_port" ]; do
	kill -0 "$!" 2>/dev/null || {
		say "bench: the upstream did not start"
		exit 1
	}
	sleep 0.1
done
start_database
for name in one two; do
	unprivileged "$programs/createdb" -h "$work/database" -p "$database_port" -U gateway "$name" || exit 1
done
ports= processes=
all 1h
part idle 0
part memory 4000 "$work/paths"
part no-cache 600 "$work/paths" "Cache-Control: no-cache"
part create 100 create made
none
all 0s
part through 1500 "$work/paths"
awk -v seconds="$seconds" -f "$here/cluster_table.awk" "$work/raw"
