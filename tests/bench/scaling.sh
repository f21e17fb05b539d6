#!/bin/sh
# How one gateway on its embedded store grows: with the personas of a project, and with the
# projects. Prints two tables in Markdown. CPU is the gateway's own; the simulated Bluejay,
# the importer and curl run beside it.
# Usage: scaling.sh PROGRAM "PERSONAS…" "PROJECTS…" PERSONAS-OF-EACH-PROJECT
set -eu
program=$1 sizes=$2 projects=$3 each=$4
dir=$(mktemp -d "${TMPDIR:-/tmp}/persona-gateway-scaling-XXXXXX")
reads=500 # single personas that are read
sandbox= gateway=

stop_all() {
	[ -z "$gateway" ] || kill "$gateway" 2>/dev/null || :
	[ -z "$sandbox" ] || kill "$sandbox" 2>/dev/null || :
	wait
	sandbox= gateway=
}
trap 'stop_all; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM

# Waits for the line that says where a program listens; prints the URL.
listening() {
	for _ in $(seq 200); do
		sed -n "s/^listening on //p" "$1" | grep . && return
		sleep 0.05
	done
	echo "scaling: $1 does not listen" >&2
	exit 1
}

now_ms() {
	date +%s%3N
}

# The CPU that the gateway has had in all of its threads, in microseconds.
cpu_us() {
	cat /proc/"$gateway"/task/*/schedstat | awk '{ ns += $1 } END { printf "%d\n", ns / 1000 }'
}

# The gateway's own memory, in KiB.
own_kib() {
	awk '/^RssAnon:/ { print $2 }' "/proc/$gateway/status"
}

start_gateway() {
	"$program" serve --config "$dir/gateway.yaml" --data-dir "$dir/data" --listen 127.0.0.1:0 \
		--admin-listen off >"$dir/gateway.out" 2>>"$dir/gateway.log" &
	gateway=$!
	url=$(listening "$dir/gateway.out")
}

# A simulated Bluejay and a gateway with so many projects, each with an agent of its own.
start_both() {
	rm -rf "$dir/data" "$dir/gateway.log"
	"$program" sandbox >"$dir/sandbox.out" 2>/dev/null &
	sandbox=$!
	{
		echo "bluejay: {url: \"$(listening "$dir/sandbox.out")\", api_key: sandbox}"
		echo "log: {access: false}"
		echo "projects:"
		seq "$1" | sed 's/.*/  p&: {agent_id: &}/'
	} >"$dir/gateway.yaml"
	start_gateway
}

# JSON lines with so many personas of about 450 bytes.
personas() {
	seq "$1" | awk '{ printf "{\"name\":\"persona %d\",\"description\":\"number %d\",\"systemPrompt\":\"%0300d\"}\n", $1, $1, $1 }'
}

# Reads single personas of the first project; prints the CPU of each, in microseconds.
read_cost() {
	"$program" export --from "$url" --project p1 2>/dev/null | head -n "$reads" |
		sed "s|^{\"id\":\"\([^\"]*\)\".*|url = $url/api/projects/p1/personas/\1\\noutput = /dev/null|" >"$dir/urls"
	n=$(grep -c ^url "$dir/urls")
	before=$(cpu_us)
	curl -s -K "$dir/urls"
	echo $((($(cpu_us) - before) / n))
}

# Fills, measures, and prints a row: $1 projects with $2 personas each.
row() {
	start_both "$1"
	empty=$(own_kib)
	personas "$2" >"$dir/personas.jsonl"
	cpu=$(cpu_us) begun=$(now_ms)
	for p in $(seq "$1"); do
		"$program" import --from "$dir/personas.jsonl" --to "$url" --project "p$p" >"$dir/import" 2>&1 || {
			cat "$dir/import" >&2
			exit 1
		}
	done
	create=$((($(cpu_us) - cpu) / $1 / $2)) rate=$(($1 * $2 * 1000 / ($(now_ms) - begun + 1)))
	full=$(own_kib)
	cpu=$(cpu_us) best=999999
	for _ in 1 2 3; do
		took=$(curl -s -o "$dir/list" -H 'Cache-Control: no-cache' -w '%{time_total}' "$url/api/projects/p1/personas")
		took=$(echo "$took" | awk '{ print int($1 * 1000) }')
		[ "$took" -ge "$best" ] || best=$took
	done
	list=$((($(cpu_us) - cpu) / 3)) listed=$(own_kib)
	read=$(read_cost)
	kill "$gateway"
	wait "$gateway" || :
	disk=$(du -sk "$dir/data" | cut -f 1)
	begun=$(now_ms)
	start_gateway
	curl -s -o /dev/null "$url/api/projects"
	again=$(($(now_ms) - begun)) after=$(own_kib)
	echo "| $1 | $2 | $rate | $create | $empty | $full | $listed | $disk | $(($(wc -c <"$dir/list") / 1024)) | $list | $best | $read | $again | $after |"
	stop_all
}

echo "| projects | personas of each | creates/s | CPU of a create, µs | own memory: empty, KiB | filled | after listings | store on disk, KiB | listing, KiB | CPU of a listing, µs | its time, ms | CPU of a read, µs | start to first answer, ms | own memory then, KiB |"
echo "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
for n in $sizes; do
	row 1 "$n"
done
for n in $projects; do
	row "$n" "$each"
done
