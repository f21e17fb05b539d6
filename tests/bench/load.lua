-- What wrk asks for: one path after the other, from a file with one path a line. At the end it prints a
-- line for the table: requests, microseconds, errors, and the 99th percentile in microseconds.
local requests, at = {}, 0

function init(args)
	for path in io.lines(args[1]) do
		requests[#requests + 1] = wrk.format("GET", path)
	end
end

function request()
	at = at % #requests + 1
	return requests[at]
end

function done(summary, latency)
	local e = summary.errors
	print(string.format("bench %d %d %d %d", summary.requests, summary.duration,
		e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(99)))
end
