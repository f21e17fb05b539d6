#!/bin/sh
# systemd understands the units, and thinks the service hardly exposed.
set -eu
threshold=15 # tenths of systemd-analyze's exposure level; 100 is the worst
command -v systemd-analyze >/dev/null || {
	echo "skipped: systemd-analyze is not here (Debian: systemd)"
	exit 77
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
bad=0

# The units start a program that is there, so that only the units are judged.
for unit in persona-gateway.service persona-gateway.socket; do
	sed -e 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' -e 's|man:[^ ]* *||g' "conf/$unit" >"$scratch/$unit"
done
(cd "$scratch" && systemd-analyze verify --man=no ./persona-gateway.service ./persona-gateway.socket) \
	>"$scratch/said" 2>&1 || bad=1
# Of other units of this machine it may say what it likes.
grep persona-gateway "$scratch/said" && bad=1
systemd-analyze security --offline=yes --threshold=$threshold --no-pager \
	"$scratch/persona-gateway.service" >"$scratch/said" 2>&1 || {
	cat "$scratch/said"
	bad=1
}
grep 'Overall exposure' "$scratch/said"
exit $bad
