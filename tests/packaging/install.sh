#!/bin/sh
# `make install` into an empty folder: what is there, that files name each other's places
# rightly, that a configuration is never overwritten, and that `make uninstall` takes it all.
set -eu
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
bad=0

fail() {
	echo "install.sh: $*" >&2
	bad=1
}

# Makes a target of this build folder for the scratch root, as nobody's sub-make.
run_make() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s DESTDIR="$root" "$@" >"$root/log" 2>&1 || {
		cat "$root/log" >&2
		fail "make $1 failed"
	}
	rm -f "$root/log"
}

# The value of a variable of the Makefile.
# shellcheck disable=SC2016
value() {
	printf 'include Makefile\nvalue-of:\n\t@echo $(%s)\n' "$1" |
		env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -f - value-of
}

run_make install
bin=$root$(value bindir)/persona-gateway
etc=$root$(value pgsysconfdir)/persona-gateway.yaml
doc=$root$(value docdir)
for file in "$bin" "$etc" \
	"$root$(value man1dir)/persona-gateway.1" \
	"$root$(value man5dir)/persona-gateway.yaml.5" \
	"$root$(value bashcompletiondir)/persona-gateway" \
	"$root$(value zshcompletiondir)/_persona-gateway" \
	"$root$(value fishcompletiondir)/persona-gateway.fish" \
	"$doc/README.md" "$doc/operations.md" "$doc/configuration.md" \
	"$doc/examples/persona-gateway.yaml" "$doc/examples/prometheus-alerts.yaml"; do
	[ -s "$file" ] || fail "$file is not installed"
done
[ "$("$bin" --version)" = "$(src/persona-gateway --version)" ] || fail "another program was installed"
grep -rlI '@[a-z]*@' "$root" && fail "places were not filled in"

# Both configurations are right, once there is a key.
echo key >"$(dirname "$etc")/bluejay.key"
chmod 600 "$(dirname "$etc")/bluejay.key"
"$bin" check --config "$etc" >/dev/null || fail "the installed configuration has mistakes"
BLUEJAY_API_KEY=key "$bin" check --config "$doc/examples/persona-gateway.yaml" >/dev/null ||
	fail "the sample has mistakes"
rm "$(dirname "$etc")/bluejay.key"

units=$(value systemdsystemunitdir)
if [ "$units" != no ]; then
	unit=$root$units/persona-gateway.service
	named=$(sed -n 's/^ExecStart=\([^ ]*\) .*/\1/p' "$unit")
	[ -x "$root$named" ] || fail "the unit starts $named, which is not there"
	named=$(sed -n 's/^ExecStart=.* --config \([^ ]*\).*/\1/p' "$unit")
	[ -f "$root$named" ] || fail "the unit reads $named, which is not there"
	named=$(sed -n 's|^Documentation=.*file://\([^ ]*\).*|\1|p' "$unit")
	[ -f "$root$named" ] || fail "the unit refers to $named, which is not there"
	[ -f "$root$units/persona-gateway.socket" ] || fail "the socket unit is not installed"
	[ -f "$root$(value sysusersdir)/persona-gateway.conf" ] || fail "nothing makes the service's user"
fi

echo '# ours' >>"$etc"
run_make install
tail -n 1 "$etc" | grep -qx '# ours' || fail "a second install has overwritten the configuration"
run_make uninstall
left=$(find "$root" -type f -o -type l)
[ "$left" = "$etc" ] || fail "uninstall should leave the changed configuration alone: $left"
rm "$etc"
run_make install
run_make uninstall
left=$(find "$root" -type f -o -type l)
[ -z "$left" ] || fail "uninstall leaves $left"
exit $bad
