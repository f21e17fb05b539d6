# Makes the table, and a picture of it. Reads the names (KEY TAB WORDS), then the raw results of bench.sh:
# round part key requests microseconds errors p99 ticks calls; for json-c: round json json-c 1 microseconds;
# of the steady rate: round rate|creates key requests failed p50 p99 greatest.

function median(list, n,    i, j, t) {
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && list[j - 1] > list[j]; j--) {
			t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
		}
	return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

# The median of what[part, key, round] over the rounds; least and greatest are left in low and high.
function middle(what, part, key,    n, r, list) {
	n = 0
	for (r = 1; r <= rounds; r++)
		if ((part, key, r) in what)
			list[++n] = what[part, key, r]
	if (n == 0)
		return -1
	value = median(list, n)
	low = list[1]
	high = list[n]
	return value
}

# The ratio of two within each round, in words.
function ratio(part, a, b,    r, v) {
	delete quotient
	for (r = 1; r <= rounds; r++)
		if (((part, a, r) in cpu) && ((part, b, r) in cpu) && cpu[part, b, r] > 0)
			quotient[part, a, r] = cpu[part, a, r] / cpu[part, b, r]
	v = middle(quotient, part, a)
	return v < 0 ? "-" : sprintf("%.2f (%.2f-%.2f)", v, low, high)
}

function heading(words, own) {
	printf "\n%s\n", words
	printf "  %-38s %20s %11s %9s %8s  %s\n", "", "CPU us/request", "requests/s", "p99 ms", "calls", own
}

function row(part, key, own,    c, low_c, high_c) {
	c = middle(cpu, part, key)
	if (c < 0)
		return
	low_c = low
	high_c = high
	printf "  %-38s %7.1f (%.1f-%.1f)%*s %11.0f %9.2f %8.3f  %s%s\n", name[key], c, low_c, high_c, \
	    11 - length(sprintf("(%.1f-%.1f)", low_c, high_c)), "", middle(rate, part, key), \
	    middle(p99, part, key) / 1000, middle(calls, part, key), ratio(part, own, key), \
	    failed[part, key] ? "  " failed[part, key] " requests failed" : ""
}

function spread(what, part, key,    m) {
	m = middle(what, part, key)
	return sprintf("%9.2f (%.2f-%.2f)", m / 1000, low / 1000, high / 1000)
}

function steady(part, key, words) {
	if (middle(half, part, key) < 0)
		return
	printf "  %-38s %-22s %-22s %-24s%s\n", words, spread(half, part, key), spread(most, part, key), \
	    spread(worst, part, key), failed[part, key] ? failed[part, key] " failed" : ""
}

# How the 99th percentiles of two compare within each round, in words.
function times(a, b,    r) {
	delete quotient
	for (r = 1; r <= rounds; r++)
		if ((("rate", a, r) in most) && most["rate", b, r] > 0)
			quotient["rate", a, r] = most["rate", a, r] / most["rate", b, r]
	r = middle(quotient, "rate", a)
	return sprintf("%.2f (%.2f-%.2f)", r, low, high)
}

# Reads alone, and beside creates elsewhere and here.
function beside() {
	if (middle(half, "rate", "beside-none") < 0)
		return
	printf "\nReads at %d requests/s while 500 personas are created each second, in milliseconds\n", open_rate
	printf "  %-38s %-22s %-22s %-24s\n", "", "     half are done by", "     99 % by", "     all by"
	steady("rate", "beside-none", "reads, nothing beside")
	steady("rate", "beside-elsewhere", "reads, creates in another gateway")
	steady("rate", "beside-here", "reads, creates in the same gateway")
	steady("creates", "beside-elsewhere", "  the creates in another, durable")
	steady("creates", "beside-here", "  the creates in the same, durable")
	printf "  99 %% beside creates in the same gateway, divided by that beside another: %s; by that alone: %s\n", \
	    times("beside-here", "beside-elsewhere"), times("beside-here", "beside-none")
}

function bar(part, key, colour,    c) {
	c = middle(cpu, part, key)
	if (c < 0)
		return
	bars[++bar_count] = key
	bar_value[bar_count] = c
	bar_low[bar_count] = low
	bar_high[bar_count] = high
	bar_colour[bar_count] = colour
	if (high > widest)
		widest = high
}

function picture(    i, y, w) {
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"%d\" font-family=\"sans-serif\" font-size=\"13\">\n", bar_count * 28 + 58 >svg
	print "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>" >svg
	print "<text x=\"12\" y=\"24\" font-size=\"15\">CPU microseconds per request: median, and least to greatest, of " rounds " rounds</text>" >svg
	for (i = 1; i <= bar_count; i++) {
		y = 20 + i * 28
		w = 380 / widest
		printf "<text x=\"268\" y=\"%d\" text-anchor=\"end\">%s</text>\n", y + 4, name[bars[i]] >svg
		printf "<rect x=\"276\" y=\"%d\" width=\"%.1f\" height=\"18\" fill=\"%s\"/>\n", y - 9, bar_value[i] * w, bar_colour[i] >svg
		printf "<path d=\"M%.1f %dH%.1f\" stroke=\"#000\"/>\n", 276 + bar_low[i] * w, y, 276 + bar_high[i] * w >svg
		printf "<text x=\"%.1f\" y=\"%d\">%.1f</text>\n", 284 + bar_high[i] * w, y + 4, bar_value[i] >svg
	}
	print "</svg>" >svg
	close(svg)
}

BEGIN { FS = "\t" }

FILENAME == ARGV[1] {
	name[$1] = $2
	order[++known] = $1
	next
}

FNR == 1 { FS = " "; $0 = $0 }

$1 > rounds { rounds = $1 }

$2 == "json" {
	cpu["list", "json-c", $1] = $5
	next
}

$2 == "rate" || $2 == "creates" {
	half[$2, $3, $1] = $6
	most[$2, $3, $1] = $7
	worst[$2, $3, $1] = $8
	failed[$2, $3] += $5
	next
}

{
	if (NF < 9 || $4 == 0) {
		printf "no result: %s\n", name[$3]
		next
	}
	cpu[$2, $3, $1] = $8 / tick * 1e6 / $4
	rate[$2, $3, $1] = $4 / $5 * 1e6
	p99[$2, $3, $1] = $7
	calls[$2, $3, $1] = $9 / $4
	failed[$2, $3] += $6
}

END {
	if (known == 0) {
		beside()
		exit
	}
	heading("A persona read through to the upstream: 32 connections, 4096 ids, no cache", "gateway / it")
	for (i = 1; i <= known; i++)
		row("through", order[i], "gateway")
	heading("The same, answered from memory", "gateway / it")
	for (i = 1; i <= known; i++)
		row("cached", order[i], "gateway-cache")
	heading("A list of 1000 personas: one connection, no cache", "gateway / it")
	for (i = 1; i <= known; i++)
		row("list", order[i], "gateway")
	if ((c = middle(cpu, "list", "json-c")) >= 0)
		printf "  %-38s %7.1f (%.1f-%.1f)%*s %41s\n", "json-c, parsing and printing it once", c, \
		    low, high, 42 - length(sprintf("(%.1f-%.1f)", low, high)), "", ratio("list", "gateway", "json-c")
	printf "\nAt %d requests/s, whatever comes back (open loop), in milliseconds\n", open_rate
	printf "  %-38s %-22s %-22s %-24s\n", "", "     half are done by", "     99 % by", "     all by"
	for (i = 1; i <= known; i++)
		steady("rate", order[i], name[order[i]])
	beside()
	for (i = 1; i <= known; i++)
		bar("through", order[i], order[i] ~ /^gateway/ ? "#2a7ab9" : "#b8bec6")
	for (i = 1; i <= known; i++)
		bar("cached", order[i], order[i] ~ /^gateway/ ? "#2a7ab9" : "#b8bec6")
	if (svg != "" && bar_count > 0)
		picture()
}
