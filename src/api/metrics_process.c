#include "config.h"

#include "api/metrics_process.h"
#include "base/mem_trim.h"
#include "base/metric_text.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* Reads the memory from /proc, in bytes; false when there is none. */
static bool
metrics_process_memory(uint64_t *virtual, uint64_t *resident)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long long pages[2];
	bool ok;

	if (f == NULL)
		return false;
	ok = fscanf(f, "%llu %llu", &pages[0], &pages[1]) == 2;
	fclose(f);
	*virtual = pages[0] * (uint64_t)sysconf(_SC_PAGESIZE);
	*resident = pages[1] * (uint64_t)sysconf(_SC_PAGESIZE);
	return ok;
}

/* Counts open descriptors; 0 when /proc does not tell. */
static uint64_t
metrics_process_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (d == NULL)
		return 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	return n - 1; /* without the one that looks */
}

/* Adds where the process's own memory is: what grows shows in the first of them, and why in the
 * others. */
static void
metrics_process_own_memory(struct buf *b)
{
	const char *family = "persona_gateway_memory_bytes";
	struct mem_trim_heap heap;

	mem_trim_look_at_heap(&heap);
	metric_text_family(b, family, "gauge",
	    "Memory of the process's own (anonymous); what the C library has handed out of it (live), and "
	    "what was freed and is kept for later (kept).");
	metric_text_sample(b, family, METRIC_LABEL("kind", "anonymous"), mem_trim_held());
	metric_text_sample(b, family, METRIC_LABEL("kind", "live"), heap.live);
	metric_text_sample(b, family, METRIC_LABEL("kind", "kept"), heap.kept);
}

/* Adds what the kernel knows. */
void
metrics_process(struct buf *b, int64_t started_ms)
{
	uint64_t virtual, resident;
	struct rlimit limit;
	struct rusage use;

	if (getrusage(RUSAGE_SELF, &use) == 0) {
		metric_text_family(b, "process_cpu_seconds_total", "counter",
		    "Processor time of all threads.");
		metric_text_seconds(b, "process_cpu_seconds_total", NULL,
		    (int64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000 +
		        use.ru_utime.tv_usec + use.ru_stime.tv_usec);
	}
	if (metrics_process_memory(&virtual, &resident)) {
		metric_text_gauge(b, "process_resident_memory_bytes", "Memory in use.", resident);
		metric_text_gauge(b, "process_virtual_memory_bytes", "Address space.", virtual);
	}
	metrics_process_own_memory(b);
	metric_text_gauge(b, "process_open_fds", "Open descriptors.", metrics_process_descriptors());
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		metric_text_gauge(b, "process_max_fds", "The most descriptors that may be open.",
		    limit.rlim_cur);
	metric_text_family(b, "process_start_time_seconds", "gauge",
	    "When the process began, since 1970.");
	metric_text_seconds(b, "process_start_time_seconds", NULL, started_ms * 1000);
}
