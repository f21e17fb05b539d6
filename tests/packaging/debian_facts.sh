#!/bin/sh
# What the Debian package says a second time: its version is the program's, and it needs for
# its build what quickstart installs.
set -eu
: "${srcdir:?}"
bad=0

fail() {
	echo "debian_facts.sh: $*" >&2
	bad=1
}

said=$(sed -n '1s/^persona-gateway (\(.*\)).*/\1/p' "$srcdir/debian/changelog")
[ "persona-gateway $said" = "$(src/persona-gateway --version)" ] ||
	fail "debian/changelog begins with version $said"

# debhelper brings the compiler and the autotools.
wanted=$(sed -n '/^build_packages="/,/"$/p' "$srcdir/quickstart" | tr -d '"' | sed 's/^build_packages=//' |
	tr -s ' \t\n' '\n' | grep -vE '^(|build-essential|autoconf|automake)$' | sort)
named=$(sed -n '/^Build-Depends:/,/^[A-Z][a-z-]*:/{/^Build-Depends:/p;/^ /p;}' "$srcdir/debian/control" |
	sed -e 's/^Build-Depends://' -e 's/[<(].*//' | tr -d ' ,' | grep -vE '^(|debhelper-compat)$' | sort)
[ "$wanted" = "$named" ] || fail "debian/control needs
$named
and quickstart installs
$wanted"

exit $bad
