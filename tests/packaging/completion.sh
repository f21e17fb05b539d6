#!/bin/sh
# Completion by the shells themselves: what a person gets offered at the end of a line.
set -eu
here=$PWD
source_dir=$(cd "${srcdir:?}" && pwd)
folder=$source_dir/conf/completion
PATH=$here/src:$PATH
export PATH folder
bad=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/files" "$scratch/files/a folder"
: >"$scratch/files/a.yaml"
cd "$scratch/files"

# What bash offers, one a line.
# shellcheck disable=SC2317
ask_bash() {
	bash --norc --noprofile -c '
		. "$folder/persona-gateway"
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_persona_gateway
		printf "%s\n" "${COMPREPLY[@]}"' bash "$@" 2>&1 | sort -u
}

# shellcheck disable=SC2016,SC2317
ask_fish() {
	fish --no-config -c 'source $folder/persona-gateway.fish; complete -C"$argv"' "$*" 2>&1 |
		cut -f 1 | sed 's/\\//g' | sort -u
}

# Fails unless a shell's offer at the end of the words is what is expected.
offers() {
	shell=$1
	expected=$2
	shift 2
	got=$("ask_$shell" "$@" | tr '\n' ' ')
	[ "${got% }" = "$expected" ] || {
		echo "$shell, $*: offered \"$got\", not \"$expected\"" >&2
		bad=1
	}
}

# What every shell must offer.
lines() {
	offers "$1" "check config" persona-gateway c
	offers "$1" "--help --version" persona-gateway --
	offers "$1" "--config --help --live --sandbox" persona-gateway check --
	offers "$1" "--token-file" persona-gateway explain --t
	offers "$1" "--rate --read-only" persona-gateway token ci --r
	offers "$1" "create" persona-gateway explain c
	offers "$1" "forget" persona-gateway intents f
	offers "$1" "restore" persona-gateway store r
	offers "$1" "" persona-gateway serve --listen ""
	offers "$1" "chaos chaos-no-lag" persona-gateway sandbox --faults ch
	offers "$1" "--jobs --journal" persona-gateway import --j
	offers "$1" "skip" persona-gateway import --on-conflict s
	offers "$1" "" persona-gateway import --to ""
	offers "$1" "auto json jsonl" persona-gateway diff --format ""
	offers "$1" "json jsonl" persona-gateway export --format ""
	offers "$1" "id name" persona-gateway diff --by ""
}

lines bash
offers bash "a folder a.yaml" persona-gateway check --config a
offers bash "a.yaml" persona-gateway serve --config = a.
offers bash "a folder" persona-gateway serve --data-dir a
offers bash "a folder a.yaml" persona-gateway diff a
offers bash "adopt forget list" persona-gateway intents ""
if command -v fish >/dev/null; then
	lines fish
	offers fish "a folder/ a.yaml" persona-gateway check --config a
	offers fish "a folder/" persona-gateway serve --data-dir a
	offers fish "a folder/ a.yaml" persona-gateway diff a
else
	echo "fish is not here (Debian: fish), so its completion is not tried"
fi

# Types a line and Tab into zsh on a terminal; true once it shows the words, in this order.
shows_zsh() {
	# shellcheck disable=SC2016
	timeout 20 zsh -f -c '
		zmodload zsh/zpty
		zpty z zsh -f -i
		zpty -w z "PS1=; fpath=($folder \$fpath); autoload -Uz compinit; compinit -u -D"
		zpty -w z "stty -echo; print rea\"\"dy"
		zpty -r z shown "*ready*"
		zpty -n -w z "$1"$'"'\\t'"'
		zpty -r z shown "$2"
		zpty -d z' zsh "$1" "$2" || {
		echo "zsh, $1: does not show $2" >&2
		bad=1
	}
}

if command -v zsh >/dev/null; then
	shows_zsh "persona-gateway c" "*check *--*config *--*"
	shows_zsh "persona-gateway token ci --r" "*--rate*--read-only*"
	shows_zsh "persona-gateway explain c" "*explain create*"
	shows_zsh "persona-gateway sandbox --faults r" "*rate-limit *-- 429*reset-after *"
	shows_zsh "persona-gateway diff --format " "*auto*json*jsonl*"
	shows_zsh "persona-gateway diff a." "*diff a.yaml*"
	shows_zsh "persona-gateway check --config a." "*--config a.yaml*"
else
	echo "zsh is not here (Debian: zsh), so its completion is not tried"
fi
exit $bad
