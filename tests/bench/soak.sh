#!/bin/sh
# Mixed traffic to a gateway over a simulated Bluejay; its memory must stay flat.
# Usage: soak.sh PROGRAM FOLDER-OF-TOOLS SECONDS REQUESTS
set -eu
program=$1 tools=$2 seconds=$3 requests=$4
dir=$(mktemp -d "${TMPDIR:-/tmp}/persona-gateway-soak-XXXXXX")
sandbox= gateway=

stop() {
	[ -z "$gateway" ] || kill "$gateway" 2>/dev/null || :
	[ -z "$sandbox" ] || kill "$sandbox" 2>/dev/null || :
	wait
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 1' INT TERM

# Waits for the line that says where a program listens; prints the URL: listening FILE [WHAT]
listening() {
	for i in $(seq 100); do
		sed -n "s/^${2:-listening} on //p" "$1" | grep . && return
		sleep 0.1
	done
	echo "soak: $1 does not listen" >&2
	exit 1
}

"$program" sandbox --listen 127.0.0.1:0 >"$dir/sandbox.out" 2>"$dir/sandbox.log" &
sandbox=$!
url=$(listening "$dir/sandbox.out")
cat >"$dir/gateway.yaml" <<END
bluejay: {url: "$url", api_key: sandbox, cache: {size: 2MiB}}
projects: {demo: {agent_id: 7}}
client_timeouts: {idle: 10s}
END
# Without this each thread of the gateway keeps some freed pieces of each size. They count as in use, and
# come to be slowly, so that they would hide what grows.
GLIBC_TUNABLES=glibc.malloc.tcache_count=0 \
	"$program" serve --config "$dir/gateway.yaml" --data-dir "$dir/data" --listen 127.0.0.1:0 \
	--admin-listen 127.0.0.1:0 >"$dir/gateway.out" 2>"$dir/gateway.log" &
gateway=$!
url=$(listening "$dir/gateway.out")
admin=$(listening "$dir/gateway.out" admin)
"$tools/soak" "${url##*:}" "${admin##*:}" "$seconds" "$requests"
