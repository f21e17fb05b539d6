#!/bin/sh
# Guards the hot paths: counts the instructions of a request, as a ratio to those with which json-c parses and
# prints the same JSON once, in the same build. A path that takes over 10 % more than cost.txt says fails.
#
# Two event loops are asked in turn, and may take 10 % more than one in the same run.
#
# The program runs under valgrind once to get ready, and once for each path, with so many requests of it more:
# the difference is what they cost. With BENCH_COST=print it only prints the lines of cost.txt.
set -u
gateway=src/persona-gateway
json_cost=tests/bench/json_cost
expected=${srcdir:-.}/tests/bench/cost.txt
personas=300
work=$(mktemp -d)
pids=

skip() {
	echo "cost_check: $*"
	exit 77
}

# Ends what runs and removes what was written.
tidy() {
	for one in $pids; do
		kill "$one" 2>/dev/null
		wait "$one" 2>/dev/null
	done
	rm -rf "$work"
}
trap tidy EXIT
trap 'exit 1' INT TERM HUP

fail() {
	echo "cost_check: $*"
	exit 1
}

command -v valgrind >/dev/null || skip "valgrind is missing (Debian: apt-get install valgrind)"
command -v curl >/dev/null || skip "curl is missing (Debian: apt-get install curl)"
grep -q '^SAN_FLAGS = *$' Makefile || skip "instructions are not counted under a sanitizer"
grep -q '^CFLAGS = .*-O[23]' Makefile || skip "instructions are not counted without -O2"

# Starts a program that says where it listens: start NAME COMMAND...; sets $pid and $url.
start() {
	name=$1
	shift
	"$@" >"$work/$name.out" 2>"$work/$name.err" &
	pid=$!
	pids="$pids $pid"
	tries=0
	until url=$(sed -n 's/^listening on \(http:[^ ]*\).*/\1/p' "$work/$name.out" 2>/dev/null | head -n 1) && [ -n "$url" ]; do
		tries=$((tries + 1))
		kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 600 ] || fail "$name did not start: $(cat "$work/$name.err")"
		sleep 0.1
	done
}

# Ends the program that was started last, orderly.
stop() {
	kill "$pid"
	wait "$pid" 2>/dev/null
	pids=${pids% "$pid"}
}

# Asks for paths, each so often; with $change the persona of this id changes in the sandbox before each time.
# ask COUNT FIELD PATH...
ask() {
	: >"$work/curl"
	n=$1
	field=$2
	shift 2
	while [ "$n" -gt 0 ]; do
		for path in "$@"; do
			[ ! -s "$work/curl" ] || echo next >>"$work/curl"
			[ -z "$change" ] || printf 'url = %s/v1/update-customer-persona/%s\noutput = /dev/null\nfail\n%s\n%s\n%s\nnext\n' \
				"$sandbox" "$change" 'request = PUT' 'header = "X-API-Key: sandbox"' \
				"json = {\"description\":\"$n\"}" >>"$work/curl"
			printf 'url = %s%s\noutput = /dev/null\nfail\nheader = "%s"\n' "$url" "$path" "$field" >>"$work/curl"
		done
		n=$((n - 1))
	done
	curl -sS -g -K "$work/curl" 2>"$work/curl.err" || fail "curl: $(tail -n 1 "$work/curl.err")"
}
change=

# Counts the instructions of a command: count COMMAND...; sets $counted.
count_of() {
	counted=$(sed -n 's/.*I *refs: *\([0-9,]*\).*/\1/p' "$1" | tail -n 1 | tr -d ,)
	[ -n "$counted" ] || skip "valgrind does not run here: $(tail -n 1 "$1")"
}
counting="valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null"

# Instructions of one run of json-c over a file: json_of FILE RUNS; sets $json.
json_of() {
	$counting "$json_cost" "$1" 1 >/dev/null 2>"$work/json.err"
	count_of "$work/json.err"
	json=$counted
	$counting "$json_cost" "$1" "$(($2 + 1))" >/dev/null 2>"$work/json.err"
	count_of "$work/json.err"
	json=$(((counted - json) / $2))
}

# Serves under valgrind with as many event loops as $loops says: each of them ready for reads, and then what is
# to be measured, on a connection to each; sets $counted.
# run NAME [COUNT FIELD PATH...]
run() {
	rm -rf "$work/data"
	cp -r "$work/ready" "$work/data"
	sed "s/^workers: .*/workers: $loops/; s/fresh: 1h/fresh: $age/" "$work/gateway.yaml" >"$work/loops.yaml"
	# shellcheck disable=SC2086
	start "$1" $counting "$gateway" serve --config "$work/loops.yaml"
	name=$1
	shift
	for loop in $(seq "$loops"); do
		change='' ask 1 "$fresh" "$list" $paths
	done
	[ $# -eq 0 ] || for loop in $(seq "$loops"); do
		ask "$@"
	done
	stop
	count_of "$work/$name.err"
}

# A simulated Bluejay with personas, and a store that knows them.
start sandbox "$gateway" sandbox
sandbox=$url
awk -v n=$personas -v url="$sandbox" 'BEGIN {
	for (i = 0; i < n; i++) {
		if (i > 0)
			print "next"
		printf "url = %s/v1/create-customer-persona\noutput = /dev/null\n", url
		print "header = \"X-API-Key: sandbox\"\nheader = \"Content-Type: application/json\""
		printf "data = {\\\"agent_id\\\":7,\\\"name\\\":\\\"impatient-user-%d\\\",", i
		print "\\\"description\\\":\\\"A user who wants quick answers\\\",\\\"goal\\\":\\\"You are an impatient user who values brevity and expects quick, concise responses.\\\"}"
	}
}' | sed 's/^data = \(.*\)$/data = "\1"/' >"$work/create"
curl -sS -f -K "$work/create" || fail "the sandbox takes no personas"
cat >"$work/gateway.yaml" <<EOF
listen: 127.0.0.1:0
admin_listen: "off"
data_dir: $work/data
workers: 1
log: {level: warn, access: false}
bluejay: {url: "$sandbox", api_key: sandbox, cache: {fresh: 1h}}
projects: {demo: {agent_id: 7}}
EOF
list=/api/projects/demo/personas
fresh="Cache-Control: no-cache"
start ready "$gateway" serve --config "$work/gateway.yaml"
ids=$(curl -sS -f "$url$list" | grep -o '"id":"[^"]*"' | cut -d'"' -f4 | head -n 100)
paths=$(printf '%s\n' "$ids" | sed "s|^|$list/|")
stop
mv "$work/data" "$work/ready"
id=$(printf '%s\n' "$ids" | head -n 1)
curl -sS -f -H "X-API-Key: sandbox" -o "$work/one.json" "$sandbox/v1/customer-persona/$id" &&
	curl -sS -f -H "X-API-Key: sandbox" -o "$work/all.json" "$sandbox/v1/customer-personas-by-agent/7" ||
	fail "the sandbox does not answer"
json_of "$work/one.json" 1000
json_one=$json
json_of "$work/all.json" 10
json_all=$json

# One path: path NAME COUNT FIELD WHAT-JSON-C-NEEDS PATH...
path() {
	key=$1
	often=$2
	unit=$4
	requests=$(($2 * ($# - 4) * loops))
	field=$3
	shift 4
	run "$key" "$often" "$field" "$@"
	echo "$key $(((counted - base) / requests)) $unit" >>"$work/results"
}
age=1h
loops=1
run base
base=$counted
# shellcheck disable=SC2086
path cached 10 "Accept: */*" "$json_one" $paths
# shellcheck disable=SC2086
path through 5 "$fresh" "$json_one" $paths
path list-compared 10 "$fresh" "$json_all" "$list"
change=$id
age=0s
path list-changed 10 "Accept: */*" "$json_all" "$list"
change=
age=1h
loops=2
run base
base=$counted
# shellcheck disable=SC2086
path cached-two 5 "Accept: */*" "$json_one" $paths
# shellcheck disable=SC2086
path through-two 3 "$fresh" "$json_one" $paths

awk -v print_only="${BENCH_COST:-}" '
	FNR == NR { if ($1 !~ /^#/ && NF == 2) want[$1] = $2; next }
	{
		ratio = $2 / $3
		took[$1] = ratio
		two = $1
		if (sub(/-two$/, "", two)) {
			if (print_only == "print")
				next
			printf "%-14s %9d instructions, %6.3f times those of one loop\n", $1, $2, ratio / took[two]
			bad = bad || ratio > took[two] * 1.1
			next
		}
		if (print_only == "print") {
			printf "%s %.3f\n", $1, ratio
			next
		}
		grown = (ratio / want[$1] - 1) * 100
		printf "%-14s %9d instructions, %6.3f times json-c, expected %6.3f (%+.1f %%)\n", $1, $2, ratio, want[$1], grown
		if (!($1 in want) || grown > 10)
			bad = 1
	}
	END { exit bad }' "$expected" "$work/results" || fail "a hot path has grown by more than 10 %; see docs/performance.md"
