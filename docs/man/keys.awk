# Writes the keys of docs/configuration.md, whose tables are tested against the program's
# own, as mdoc(7).

# Breaks lines after sentences and before they are too long, but never so that a request
# would begin one.
function folded(s,    out, n, words, i, len, fits) {
	n = split(s, words, " ")
	for (i = 1; i <= n; i++) {
		fits = len + 1 + length(words[i]) < 80 && words[i - 1] !~ /[.]$/
		if (i == 1 || (!fits && words[i] !~ /^[.']/)) {
			out = out (i > 1 ? "\n" : "") words[i]
			len = length(words[i])
		} else {
			out = out " " words[i]
			len += 1 + length(words[i])
		}
	}
	return out
}

# A text with `code` and [links](elsewhere) in it.
function prose(s,    out, n, parts, i) {
	gsub(/\\/, "\\e", s)
	while (match(s, /\[[^]]*\]\([^)]*\)/)) {
		out = substr(s, RSTART + 1, RLENGTH - 1)
		sub(/\].*/, "", out)
		s = substr(s, 1, RSTART - 1) out substr(s, RSTART + RLENGTH)
	}
	n = split(s, parts, "`")
	out = parts[1]
	for (i = 2; i <= n; i++)
		out = out (i % 2 == 0 ? "\\fB" : "\\fR") parts[i]
	gsub(/…/, "...", out)
	return folded(out)
}

# A value of the table without its marks, as a part of a quoted argument.
function plain(s) {
	gsub(/`/, "", s)
	gsub(/"/, "\\(dq", s)
	gsub(/^ +| +$/, "", s)
	return s
}

/^## / {
	heading = substr($0, 4)
	in_list = 0
}

/^\| `/ {
	split($0, cell, / \| /)
	key = cell[1]
	sub(/^\| /, "", key)
	help = $0
	sub(/^\|[^|]*\|[^|]*\|[^|]*\|[^|]*\| /, "", help)
	sub(/ \|$/, "", help)
	about = plain(cell[2]) (plain(cell[3]) == "none" ? "" : "; default " plain(cell[3]))
	if (plain(cell[4]) != "")
		about = about "; " plain(cell[4])
	if (!in_list)
		printf "%s.Ss %s\n.Bl -tag -width Ds\n", lists++ ? ".El\n" : "", heading
	in_list = 1
	printf ".It Ic %s Pq \"%s\"\n%s\n", plain(key), about, prose(help)
}

END {
	if (lists == 0)
		exit 1
	print ".El"
}
