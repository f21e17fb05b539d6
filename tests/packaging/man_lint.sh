#!/bin/sh
# The manual pages are well-formed mdoc.
set -eu
command -v mandoc >/dev/null || {
	echo "skipped: mandoc is not here (Debian: mandoc)"
	exit 77
}
bad=0
for page in docs/man/persona-gateway.1 docs/man/persona-gateway.yaml.5; do
	# Whether pages that are referred to are installed is the machine's affair.
	mandoc -Tlint -W style "$page" | grep -v 'referenced manual not found' && bad=1
	# A person sees every heading, and no macro that was taken for text.
	text=$(mandoc -Tascii "$page" | col -b)
	for heading in NAME DESCRIPTION EXAMPLES 'SEE ALSO'; do
		echo "$text" | grep -qx "$heading" || {
			echo "$page: $heading is not shown" >&2
			bad=1
		}
	done
	echo "$text" | grep -E '(^| )\.[A-Z][a-z]( |$)|\\f[BR]|@[a-z]+@' && bad=1
done
exit $bad
