# Makes the table of cluster.sh, from its raw results: round, part, kind, requests, failures, three percentiles,
# CPU time of the gateways and of the database, in nanoseconds.

function median(list, n,    i, j, t) {
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && list[j - 1] > list[j]; j--) {
			t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
		}
	low = list[1]
	high = list[n]
	return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

# The median of what[part, kind, round], with the least and the greatest.
function spread(what, part, kind, form,    r, n, list, m) {
	for (r = 1; r <= rounds; r++)
		if ((part, kind, r) in what)
			list[++n] = what[part, kind, r]
	if (n == 0)
		return "-"
	m = median(list, n)
	return sprintf(form " (" form "-" form ")", m, low, high)
}

function row(part, kind, words) {
	printf "  %-28s %-24s %-26s %s%s\n", words, spread(own, part, kind, "%.0f"),
	    kind == "sqlite" ? "-" : spread(database, part, kind, "%.0f"), spread(late, part, kind, "%.1f"),
	    failed[part, kind] ? "  " failed[part, kind] " failed" : ""
}

function table(part, words,    r, q) {
	printf "\n%s\n  %-28s %-24s %-26s %s\n", words, "", "gateways", "database", "99 % by, ms"
	row(part, "sqlite", "SQLite")
	row(part, "one", "PostgreSQL, one gateway")
	row(part, "two", "PostgreSQL, two gateways")
	for (r = 1; r <= rounds; r++)
		if (((part, "two", r) in own) && ((part, "one", r) in own))
			q[part, "two", r] = own[part, "two", r] / own[part, "one", r]
	printf "  two gateways / one: %s\n", spread(q, part, "two", "%.2f")
}

$1 > rounds { rounds = $1 }

$4 == 0 { failed[$2, $3]++; next }

# Nothing is asked: of the gateways of a kind this is what they take for themselves. The database
# works for all of them then.
$2 == "idle" {
	own["idle", $3, $1] = $9 / 1000 / $4
	idle += $10 / $4
	idles++
	next
}

{
	own[$2, $3, $1] = $9 / 1000 / $4
	took[$2, $3, $1] = $10
	count[$2, $3, $1] = $4
	late[$2, $3, $1] = $7 / 1000
	failed[$2, $3] += $5
}

END {
	for (key in took) {
		split(key, k, SUBSEP)
		database[key] = (took[key] - idle / idles * seconds) / 1000 / count[key]
	}
	print "CPU time in microseconds a request; the database's without what it takes when nothing is asked"
	table("memory", "A persona from memory, 4000 requests/s")
	table("through", "A persona read through to the upstream, 1500 requests/s")
	table("no-cache", "A persona read with no-cache, 600 requests/s")
	table("create", "A create, 100/s")
	printf "\nNothing to do, microseconds in a second\n"
	printf "  %-28s %s\n", "SQLite", spread(own, "idle", "sqlite", "%.0f")
	printf "  %-28s %s\n", "PostgreSQL, one gateway", spread(own, "idle", "one", "%.0f")
	printf "  %-28s %s\n", "PostgreSQL, two gateways", spread(own, "idle", "two", "%.0f")
	printf "  the database, for all three: %.0f\n", idle / idles / 1000
}
