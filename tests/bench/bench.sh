#!/bin/sh
# Measures the gateway beside its peers on this machine; `make bench` runs it.
#
# Every server has one processor to itself, load and upstream share another one. Servers take turns within
# a round, and each figure of the table is the median of all rounds with the least and the greatest beside
# it. Ratios are taken within a round. Nothing is installed; what is missing is said.
#
#   bench.sh GATEWAY TOOLS SVG     the program, the folder of the built tools, the picture to write
#
# In the environment: ROUNDS, BENCH_SECONDS (of one run), BENCH_RATE (requests/s of the open loop), BENCH_ONLY
# (a pattern of names; `beside`: reads beside creates), TMPDIR (where the gateway has its store: no memory file system, if creates are to
# reach a disk).
set -u
here=$(cd "$(dirname "$0")" && pwd)
gateway=$1
tools=$2
svg=$3
rounds=${ROUNDS:-5}
seconds=${BENCH_SECONDS:-3}
rate=${BENCH_RATE:-5000}
only=${BENCH_ONLY:-*}
port=19000
work=$(mktemp -d)
. "$here/bench_servers.sh"
. "$here/bench_beside.sh"
trap stop_all EXIT
trap 'exit 1' INT TERM HUP

say() {
	printf '%s\n' "$*" >&2
}

# What load needs; the rest may be missing.
for tool in wrk nginx curl; do
	command -v $tool >/dev/null || {
		say "bench: $tool is missing, and nothing can be measured without it (Debian: apt-get install $tool)"
		exit 1
	}
done
if command -v taskset >/dev/null && [ "$(nproc)" -gt 1 ]; then
	serve_cpu=0
	load_cpu=1
else
	say "bench: one processor for all, or no taskset: the figures mean little"
	serve_cpu=
	load_cpu=
fi

# ---- the data ----

# Paths to read, and listings of as many personas as the agent's number says.
make_data() {
	mkdir "$work/tmp" "$work/lists" "$work/cache"
	touch "$work/servers" "$work/names" "$work/raw"
	awk -v dir="$work" 'BEGIN {
		for (n = 1; n <= 4096; n++) {
			id = sprintf("%08x-0000-4000-8000-%012x", n * 2654435, n)
			print "/api/projects/many/personas/" id >(dir "/paths")
			print "/v1/customer-persona/" id >(dir "/direct")
			item = sprintf("{\"id\":\"%s\",\"created_at\":\"2023-11-07T05:31:56Z\",\"name\":\"impatient-user-%s\",\"description\":\"A user who wants quick answers\",\"goal\":\"You are an impatient user who values brevity and expects quick, concise responses.\",\"org_id\":\"3c90c3cc-0d44-4b50-8888-8dd25736052a\"}", id, substr(id, 1, 8))
			all = all (n > 1 ? "," : "") item
			if (n == 1000)
				printf "[%s]", all >(dir "/lists/thousand")
		}
		printf "[%s]", all >(dir "/lists/many")
		print "/api/projects/thousand/personas" >(dir "/list")
	}'
	ln "$work/lists/many" "$work/lists/4096"
	ln "$work/lists/thousand" "$work/lists/1000"
	printf '[]' >"$work/lists/1"
}

# ---- what takes part ----

# Adds a server that answers: take KEY PORT DOES SAYS (DOES: the parts of the bench it is in)
take() {
	if ! wait_for "$pid" "http://127.0.0.1:$2/"; then
		absent "$4" "it did not start: $(tail -n 1 "$work/$1.err" 2>/dev/null)"
		return
	fi
	printf '%s %s %s %s\n' "$1" "$pid" "$2" "$3" >>"$work/servers"
	printf '%s\t%s\n' "$1" "$4" >>"$work/names"
}

# Says what cannot take part.
absent() {
	say "bench: without $1 ($2)"
}

# Starts one of nginx's peers: nginx_peer KEY DOES SAYS PACKAGE
nginx_peer() {
	next_port
	if start_nginx "$1" "$serve_cpu" "$port"; then
		take "$1" "$port" "$2" "$3"
	else
		absent "$3" "$4"
	fi
}

# Starts everything that is here.
start_all() {
	find_modules
	next_port
	upstream_port=$port
	start_nginx upstream "$load_cpu" 0 && wait_for "$pid" "http://127.0.0.1:$upstream_port/__served" || {
		say "bench: the upstream did not start: $(tail -n 1 "$work/upstream.err")"
		exit 1
	}
	take upstream "$upstream_port" direct "the upstream itself"
	nginx_peer nginx-proxy "through list rate" "nginx, proxy_pass" nginx
	if command -v haproxy >/dev/null; then
		next_port
		start_haproxy "$port"
		take haproxy "$port" "through rate" "haproxy"
	else
		absent haproxy "Debian: haproxy"
	fi
	nginx_peer nginx-lua "through list" "nginx with Lua, translated" \
		"Debian: libnginx-mod-http-lua lua-cjson"
	nginx_peer nginx-njs through "nginx with njs, translated" "Debian: libnginx-mod-http-js"
	if command -v node >/dev/null; then
		next_port
		start_node "$port"
		take node "$port" through "Node.js, translated"
	else
		absent Node.js "Debian: nodejs"
	fi
	nginx_peer nginx-cache cached "nginx, proxy_cache hit" nginx
	start_gateways
}

# Starts the gateway in one of the ways in which it is measured: gateway KEY ACCESS FRESH DOES SAYS
gateway_as() {
	next_port
	start_gateway "$1" "$port" "$2" "$3" || {
		say "bench: the gateway does not start: $(cat "$work/$1.err")"
		exit 1
	}
	take "$1" "$port" "$4" "$5"
}

# Starts the gateway once for each way.
start_gateways() {
	gateway_as gateway false 0s "through list rate" "the gateway, translated"
	gateway_as gateway-log true 0s through "the gateway, with its access log"
	gateway_as gateway-cache false 1h cached "the gateway, cached"
}

# ---- measuring ----

# CPU time of a process and its threads so far, in ticks.
ticks() {
	sed 's/.*) //' "/proc/$1/stat" | awk '{print $12 + $13}'
}

# Requests that the upstream has served, this one included.
served() {
	curl -s "http://127.0.0.1:$upstream_port/__served" | awk 'NR == 3 {print $3}'
}

# Runs the load against one server for a time: load PORT PATHS CONNECTIONS SECONDS
load() {
	(pinned "$load_cpu" wrk -t1 -c"$3" -d"$4" -s "$here/load.lua" "http://127.0.0.1:$1" -- "$2") 2>/dev/null |
		grep '^bench '
}

# Measures one server: measure PART KEY PID PORT PATHS CONNECTIONS. A line of raw results is: part, key,
# requests, microseconds, errors, p99, ticks, calls of the upstream.
measure() {
	calls=$(served)
	before=$(ticks "$3")
	line=$(load "$4" "$5" "$6" "$seconds")
	after=$(ticks "$3")
	calls=$(($(served) - calls - 1))
	echo "$round $1 $2 ${line#bench } $((after - before)) $calls" >>"$work/raw"
}

# One turn of everybody who is in a part: turn PART PATHS CONNECTIONS
turn() {
	while read -r key id at does; do
		wanted "$key" || continue
		case " $does " in *" $1 "*) measure "$1" "$key" "$id" "$at" "$2" "$3" ;; esac
	done <"$work/servers"
}

# Measures times at a steady rate; a line of raw results is: rate, key, the results of rate_load.
steady() {
	result=$(pinned "$load_cpu" "$tools/rate_load" "$2" "$rate" "$seconds" "$3") &&
		echo "$round rate $1 $result" >>"$work/raw"
}

# One turn of everybody at the steady rate.
steady_turn() {
	while read -r key id at does; do
		wanted "$key" || continue
		case "$does" in
		direct) steady "$key" "$at" "$work/direct" ;;
		*rate*) steady "$key" "$at" "$work/paths" ;;
		esac
	done <"$work/servers"
}

# Lets the gateways learn the ids, and everybody get warm. What answers from memory is asked for every path
# by one client, so that nothing is missing.
warm_up() {
	while read -r key id at does; do
		case "$key" in
		gateway*) curl -s -o /dev/null "http://127.0.0.1:$at/api/projects/many/personas" ;;
		upstream) continue ;;
		esac
		case "$does" in
		*cached*)
			sed "s|^|url = http://127.0.0.1:$at|" "$work/paths" |
				(pinned "$load_cpu" curl -s -K - >/dev/null 2>&1)
			;;
		*) load "$at" "$work/paths" 32 1 >/dev/null ;;
		esac
	done <"$work/servers"
}

# Whether a name is to be measured.
wanted() {
	# shellcheck disable=SC2254
	case "$1" in $only) return 0 ;; *) return 1 ;; esac
}

make_data
if [ "$only" != beside ]; then
	start_all
	warm_up
fi
if wanted beside; then
	beside_start
fi
round=1
while [ "$round" -le "$rounds" ]; do
	say "bench: round $round of $rounds"
	if [ "$only" != beside ]; then
		turn through "$work/paths" 32
		turn cached "$work/paths" 32
		turn list "$work/list" 1
		steady_turn
		(pinned "$serve_cpu" "$tools/json_cost" "$work/lists/thousand") | sed "s/^/$round json json-c /" >>"$work/raw"
	fi
	if wanted beside; then
		beside_turn
	fi
	round=$((round + 1))
done
tick=$(getconf CLK_TCK)
awk -v tick="$tick" -v open_rate="$rate" -v svg="$svg" -f "$here/bench_table.awk" "$work/names" "$work/raw"
