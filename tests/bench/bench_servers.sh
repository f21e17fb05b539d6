# Starting and stopping what is measured. Sourced by bench.sh; needs $work (a folder of its own),
# $here, $gateway, $serve_cpu and $load_cpu. Processes that run are in $pids.

pids=

# The next port on which nobody listens on this machine.
next_port() {
	while
		port=$((port + 1))
		hex=$(printf ':%04X ' "$port")
		cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q "$hex.* 0A "
	do :; done
}

# Runs a command on one processor, where that can be chosen: pinned CPU COMMAND...
pinned() {
	cpu=$1
	shift
	if [ -n "$cpu" ]; then
		exec taskset -c "$cpu" "$@"
	fi
	exec "$@"
}

# Fills in a configuration: fill FILE OUT [NAME=VALUE]...
fill() {
	fill_from=$1
	fill_to=$2
	shift 2
	set -- "DIR=$work" "PEERS=$here/peers" "MODULES=$modules" "UPSTREAM=$upstream_port" "$@"
	cp "$fill_from" "$fill_to"
	for pair in "$@"; do
		sed "s|@${pair%%=*}@|${pair#*=}|g" "$fill_to" >"$fill_to.new"
		mv "$fill_to.new" "$fill_to"
	done
}

# Waits until a server answers: wait_for PID URL
wait_for() {
	tries=0
	while ! curl -s -o /dev/null "$2"; do
		tries=$((tries + 1))
		if [ "$tries" -gt 100 ] || ! kill -0 "$1" 2>/dev/null; then
			return 1
		fi
		sleep 0.05
	done
}

# Where nginx has its modules.
find_modules() {
	modules=$(nginx -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')
	[ -n "$modules" ] || modules=modules
}

# Starts nginx with a configuration of peers/: start_nginx NAME CPU PORT; fails when this
# nginx cannot do what it asks for.
start_nginx() {
	fill "$here/peers/$1.nginx.conf" "$work/$1.conf" "PORT=$3"
	nginx -t -q -p "$work" -e "$work/$1.err" -c "$work/$1.conf" 2>"$work/$1.err" || return 1
	(pinned "$2" nginx -p "$work" -e "$work/$1.err" -c "$work/$1.conf" >/dev/null 2>&1) &
	pid=$!
	pids="$pids $pid"
}

# Starts haproxy: start_haproxy PORT
start_haproxy() {
	fill "$here/peers/haproxy.cfg" "$work/haproxy.cfg" "PORT=$1"
	(pinned "$serve_cpu" haproxy -db -f "$work/haproxy.cfg" >"$work/haproxy.err" 2>&1) &
	pid=$!
	pids="$pids $pid"
}

# Starts Node.js: start_node PORT
start_node() {
	(pinned "$serve_cpu" node "$here/peers/node.js" "$1" "$upstream_port" >"$work/node.err" 2>&1) &
	pid=$!
	pids="$pids $pid"
}

# Starts the gateway: start_gateway NAME PORT ACCESS FRESH; fails when the file has a mistake.
start_gateway() {
	fill "$here/gateway.yaml" "$work/$1.yaml" "NAME=$1" "PORT=$2" "ACCESS=$3" "FRESH=$4"
	"$gateway" check --config "$work/$1.yaml" >"$work/$1.err" 2>&1 || return 1
	(pinned "$serve_cpu" "$gateway" serve --config "$work/$1.yaml" >"$work/$1.err" 2>&1) &
	pid=$!
	pids="$pids $pid"
}

# Ends all that was started and removes what it wrote.
stop_all() {
	for one in $pids; do
		kill "$one" 2>/dev/null
	done
	for one in $pids; do
		wait "$one" 2>/dev/null
	done
	pids=
	rm -rf "$work"
}
