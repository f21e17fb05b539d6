# Reads at a steady rate while personas are created beside them. Sourced by bench.sh; needs bench_servers.sh.
#
# That reads take longer then is partly the machine's doing: creates take processor time and a disk, whoever
# makes them. So the same reads are measured three times in turn: alone; beside creates in another gateway, of
# the same configuration on the same processor and disk, which shares nothing with the one that is read
# from; and beside creates in the same gateway. What the last takes more than the second is the gateway's.
# The upstream keeps nothing, so that a create costs it as much as a read (tests/bench/swift_upstream).

beside_rate=500 # creates a second

# Starts one gateway: beside_gateway NAME; sets $port and $pid.
beside_gateway() {
	next_port
	start_gateway "$1" "$port" false 0s && wait_for "$pid" "http://127.0.0.1:$port/" &&
		curl -s -o /dev/null "http://127.0.0.1:$port/api/projects/many/personas"
}

# Starts the upstream and both gateways, and has them learn the ids.
beside_start() {
	others=${upstream_port:-}
	find_modules
	(pinned "$load_cpu" "$tools/swift_upstream" "$work/lists" >"$work/swift.out" 2>&1) &
	pid=$!
	pids="$pids $pid"
	until upstream_port=$(sed -n 's/^listening on .*://p' "$work/swift.out" 2>/dev/null) && [ -n "$upstream_port" ]; do
		kill -0 "$pid" 2>/dev/null || {
			say "bench: the upstream of the creates did not start"
			exit 1
		}
		sleep 0.1
	done
	beside_gateway beside-here && beside_here=$port && beside_gateway beside-elsewhere && beside_elsewhere=$port || {
		say "bench: a gateway does not start: $(cat "$work"/beside-*.err)"
		exit 1
	}
	upstream_port=$others
	for at in "$beside_here" "$beside_elsewhere"; do
		(pinned "$load_cpu" "$tools/rate_load" "$at" "$rate" 1 "$work/paths" >/dev/null)
		(pinned "$load_cpu" "$tools/rate_load" "$at" "$beside_rate" 1 create made >/dev/null)
	done
}

# Reads while creates go to another port, if one is given: beside_measure KEY [PORT]
beside_measure() {
	creating=
	if [ $# -gt 1 ]; then
		(pinned "$load_cpu" "$tools/rate_load" "$2" $beside_rate "$seconds" create made >"$work/creates") &
		creating=$!
	fi
	result=$(pinned "$load_cpu" "$tools/rate_load" "$beside_here" "$rate" "$seconds" "$work/paths") &&
		echo "$round rate $1 $result" >>"$work/raw"
	[ -z "$creating" ] || {
		wait "$creating"
		echo "$round creates $1 $(cat "$work/creates")" >>"$work/raw"
	}
}

# One turn of all three.
beside_turn() {
	beside_measure beside-none
	beside_measure beside-elsewhere "$beside_elsewhere"
	beside_measure beside-here "$beside_here"
}
