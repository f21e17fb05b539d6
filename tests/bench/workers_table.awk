# Makes the table of workers.sh, from its raw results: round, part, kind, requests, failures, 99th percentile,
# CPU time of all threads, of the busiest loop, and of the second one, in nanoseconds.

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

# The ratio of two kinds within each round.
function ratio(part, a, b,    r, q) {
	for (r = 1; r <= rounds; r++)
		if (((part, a, r) in cpu) && ((part, b, r) in cpu))
			q[part, a, r] = cpu[part, a, r] / cpu[part, b, r]
	return spread(q, part, a, "%.2f")
}

function row(part, kind, words) {
	printf "  %-32s %-20s %-20s%s\n", words, spread(cpu, part, kind, "%.1f"), \
	    spread(differ, part, kind, "%.1f"), failed[part, kind] ? failed[part, kind] " failed" : ""
}

function table(part, words) {
	printf "\n%s\n  %-32s %-20s %-20s\n", words, "", "CPU us/request", "loads differ by %"
	row(part, "one", "one loop")
	row(part, "two", "two loops")
	row(part, "apart", "two gateways of one loop")
	if (part == "through") {
		row(part, "nginx-one", "nginx proxy_pass, one worker")
		row(part, "nginx-two", "nginx proxy_pass, two workers")
	}
	printf "  two loops / one loop:     %s\n", ratio(part, "two", "one")
	printf "  two gateways / one loop:  %s\n", ratio(part, "apart", "one")
	printf "  two loops / two gateways: %s\n", ratio(part, "two", "apart")
	if (part == "through")
		printf "  nginx, two workers / one: %s\n", ratio(part, "nginx-two", "nginx-one")
}

$1 > rounds { rounds = $1 }

$4 == 0 { failed[$2, $3]++; next }

{
	cpu[$2, $3, $1] = $7 / 1000 / $4
	if ($3 !~ /one$/)
		differ[$2, $3, $1] = ($8 - $9) / $8 * 100
	failed[$2, $3] += $5
}

END {
	table("memory", "A persona from memory, " memory_rate " requests/s, 64 connections")
	table("through", "A persona read through to the upstream, " through_rate " requests/s, 64 connections")
}
