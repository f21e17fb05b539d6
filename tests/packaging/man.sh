#!/bin/sh
# persona-gateway(1) has every option of every command and no other: it is held against
# the program's help, and against the tables from which the program reads its options.
# shellcheck disable=SC2317
set -eu
: "${srcdir:?}"
program=src/persona-gateway
page=docs/man/persona-gateway.1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
bad=0

# Says what differs.
fail() {
	echo "man.sh: $*" >&2
	bad=1
}

# The options of a command, one a line, in order; those with a value end with "=".
in_source() {
	file=$srcdir/src/cli/cmd_$1.c
	if grep -qs 'struct option' "$file"; then
		cat "$file"
	else
		sed -n "/^main_$1(/,/^}/p" "$srcdir/src/main.c"
	fi | grep -oE '"[a-z-]+",[[:space:]]*(no|required)_argument' |
		sed -e 's/^"\([a-z-]*\)".*no_argument/\1/' -e 's/^"\([a-z-]*\)".*required_argument/\1=/' |
		grep -v '^help$' | sort
}

in_help() {
	"$program" "$1" --help | grep -oE -- '--[a-z][a-z-]*( [A-Z][A-Z,]*\b)?' |
		sed -e 's/^--//' -e 's/ .*/=/' | grep -v '^help$' | sort -u
}

in_options() {
	awk -v want=".Ss persona-gateway $1" '$0 == want { on = 1; next } /^\.S[sh] / { on = 0 } on' "$page" |
		sed -n -e 's/^\.It Fl -\([a-z-]*\) Ar .*/\1=/p' -e 's/^\.It Fl -\([a-z-]*\)$/\1/p' | sort
}

in_synopsis() {
	awk -v want=".Cm $1" '/^\.Sh SYNOPSIS/ { head = 1; next } /^\.Sh / { head = 0 }
		head && /^\.Nm/ { on = 0 } head && $0 == want { on = 1 } head && on' "$page" |
		sed -n -e 's/.*Fl -\([a-z-]*\) Ar .*/\1=/p' -e 's/.*Fl -\([a-z-]*\)$/\1/p' | sort -u
}

commands=$("$program" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p')
[ -n "$commands" ] || fail "the program's help lists no commands"
for c in $commands; do
	in_source "$c" >"$scratch/source"
	[ -s "$scratch/source" ] || fail "$c: no options found in the source"
	for place in help options synopsis; do
		"in_$place" "$c" >"$scratch/$place"
		# An option may be named in passing too, without its value.
		sed -n 's/=$//p' "$scratch/$place" >"$scratch/values"
		grep -vxFf "$scratch/values" "$scratch/$place" >"$scratch/only" || true
		diff "$scratch/source" "$scratch/only" >"$scratch/diff" ||
			fail "$c: the program's options (<) and those of its $place (>) differ:
$(cat "$scratch/diff")"
	done
done
described=$(sed -n 's/^\.Ss persona-gateway //p' "$page" | tr '\n' ' ')
[ "$described" = "$(echo "$commands" | tr '\n' ' ')" ] ||
	fail "the page describes other commands than the program has: $described"
exit $bad
