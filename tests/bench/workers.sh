#!/bin/sh
# Measures what several event loops cost; `make bench-workers` runs it.
#
# The same requests come at the same steady rate to a gateway with one loop, to one with two, and to two
# gateways with one loop each, which share nothing: what those two cost more than one is the price of two
# processors with a cache each, woken for fewer requests at a time, and what the two loops cost more than they
# do is what sharing costs. nginx passes the same on with one and with two workers. Each takes its turn within
# a round, ratios are taken within a round, and the table gives medians, with the least and the greatest. CPU
# time is that of all threads, user and system, in nanoseconds, from /proc/PID/task.
#
#   workers.sh GATEWAY TOOLS     the program, the folder of the built tools
#
# In the environment: ROUNDS, BENCH_SECONDS (of one run), MEMORY_RATE and THROUGH_RATE (requests/s), TMPDIR.
set -u
here=$(cd "$(dirname "$0")" && pwd)
gateway=$1
tools=$2
rounds=${ROUNDS:-7}
seconds=${BENCH_SECONDS:-3}
memory_rate=${MEMORY_RATE:-9000}
through_rate=${THROUGH_RATE:-4000}
port=19400
ids=1021 # no multiple of the connections, so that each id comes to every loop
work=$(mktemp -d)
serve_cpu=
load_cpu=
. "$here/bench_servers.sh"
trap stop_all EXIT
trap 'exit 1' INT TERM HUP

say() {
	printf '%s\n' "$*" >&2
}

# Paths to read, and a listing that has them.
make_data() {
	mkdir "$work/tmp" "$work/lists"
	awk -v dir="$work" -v ids=$ids 'BEGIN {
		for (n = 1; n <= ids; n++) {
			id = sprintf("%08x-0000-4000-8000-%012x", n * 2654435, n)
			print "/api/projects/many/personas/" id >(dir "/paths")
			all = all (n > 1 ? "," : "") sprintf("{\"id\":\"%s\",\"created_at\":\"2023-11-07T05:31:56Z\",\"name\":\"impatient-user-%s\",\"description\":\"A user who wants quick answers\",\"goal\":\"You are an impatient user who values brevity and expects quick, concise responses.\",\"org_id\":\"3c90c3cc-0d44-4b50-8888-8dd25736052a\"}", id, substr(id, 1, 8))
		}
		printf "[%s]", all >(dir "/lists/4096")
	}'
}

# Starts a gateway with as many loops: loops NAME FRESH WORKERS; sets $pid and $port.
loops() {
	next_port
	fill "$here/gateway.yaml" "$work/$1.yaml" "NAME=$1" "PORT=$port" "ACCESS=false" "FRESH=$2"
	sed -i "s/^workers: .*/workers: $3/" "$work/$1.yaml"
	"$gateway" serve --config "$work/$1.yaml" >"$work/$1.err" 2>&1 &
	pid=$!
	pids="$pids $pid"
	wait_for "$pid" "http://127.0.0.1:$port/" || {
		say "bench: the gateway does not start: $(cat "$work/$1.err")"
		exit 1
	}
	curl -s -o /dev/null "http://127.0.0.1:$port/api/projects/many/personas"
}

# Starts what is compared: all FRESH; a line of $work/servers is: kind, ports, processes.
all() {
	: >"$work/servers"
	loops "one$1" "$1" 1
	echo "one $port $pid" >>"$work/servers"
	loops "two$1" "$1" 2
	echo "two $port $pid" >>"$work/servers"
	loops "left$1" "$1" 1
	left_port=$port
	left=$pid
	loops "right$1" "$1" 1
	echo "apart $left_port,$port $left,$pid" >>"$work/servers"
}

# Starts nginx with as many workers, which passes everything on: proxy NAME WORKERS; adds a line to
# $work/servers.
proxy() {
	next_port
	fill "$here/peers/nginx-proxy.nginx.conf" "$work/$1.conf" "PORT=$port"
	sed -i "s/master_process off;/worker_processes $2;/; s/nginx-proxy[.]pid/$1.pid/
		s/backlog=4096/backlog=4096 reuseport/" "$work/$1.conf"
	nginx -p "$work" -e "$work/$1.err" -c "$work/$1.conf" >/dev/null 2>&1 &
	pid=$!
	pids="$pids $pid"
	wait_for "$pid" "http://127.0.0.1:$port/" &&
		echo "$1 $port $(tr -s ' ' , <"/proc/$pid/task/$pid/children" | sed 's/,$//')" >>"$work/servers"
}

# CPU time of each thread so far, in nanoseconds: threads PID,PID...
threads() {
	for of in $(echo "$1" | tr , ' '); do
		for task in "/proc/$of/task"/*; do
			echo "${task##*/} $(cat "$task/comm") $(cut -d' ' -f1 "$task/schedstat")"
		done
	done
}

# One run: run ROUND PART KIND PORTS PIDS RATE. A line of raw results is: round, part, kind, requests,
# failures, 99th percentile, CPU time of all, and that of the busiest and of the second loop.
run() {
	threads "$5" >"$work/before"
	line=$("$tools/rate_load" "$4" "$6" "$seconds" "$work/paths") || line="0 0 0 0 0"
	threads "$5" >"$work/after"
	awk -v head="$1 $2 $3" -v line="$line" '
		FNR == NR { was[$1] = $NF; next }
		{ took = $NF - was[$1]; sum += took; if (took > first) { second = first; first = took } else if (took > second) second = took }
		END { split(line, l, " "); print head, l[1], l[2], l[4], sum, first, second }' "$work/before" "$work/after" >>"$work/raw"
}

# All rounds of one part: part NAME FRESH RATE
part() {
	all "$2"
	if [ "$1" = through ]; then
		proxy nginx-one 1
		proxy nginx-two 2
	fi
	while read -r kind ports processes; do # every loop learns every id
		"$tools/rate_load" "$ports" 1000 3 "$work/paths" >/dev/null
		"$tools/rate_load" "$ports" "$3" 1 "$work/paths" >/dev/null
	done <"$work/servers"
	round=1
	while [ "$round" -le "$rounds" ]; do
		say "bench: $1, round $round of $rounds"
		while read -r kind ports processes; do
			run "$round" "$1" "$kind" "$ports" "$processes" "$3"
		done <"$work/servers"
		round=$((round + 1))
	done
}

for tool in nginx curl; do
	command -v $tool >/dev/null || {
		say "bench: $tool is missing (Debian: apt-get install $tool)"
		exit 1
	}
done
find_modules
make_data
next_port
upstream_port=$port
start_nginx upstream "" 0 && wait_for "$pid" "http://127.0.0.1:$upstream_port/__served" || {
	say "bench: the upstream did not start: $(tail -n 1 "$work/upstream.err")"
	exit 1
}
part memory 1h "$memory_rate"
part through 0s "$through_rate"
awk -v memory_rate="$memory_rate" -v through_rate="$through_rate" -f "$here/workers_table.awk" "$work/raw"
