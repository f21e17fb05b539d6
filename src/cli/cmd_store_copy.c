#include "config.h"

#include "cli/cmd_store_copy.h"
#include "cli/output.h"
#include "sandbox/sandbox.h"
#include "store/store_copy.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COPY_TELL_MS 100        /* between two states of the bar on a terminal */
#define COPY_TELL_LINE_MS 10000 /* between two lines elsewhere */
#define COPY_BAR 30             /* characters */

/* What is shown of the progress. */
struct copy_show {
	bool terminal, shown;
	int64_t began_ms, told_ms;
	const volatile sig_atomic_t *stopped;
};

/* Milliseconds of a clock that only runs forward. */
static int64_t
copy_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Draws the bar. */
static void
copy_draw(const struct copy_show *s, const char *what, uint64_t done, uint64_t total, int64_t now)
{
	unsigned full = total == 0 ? COPY_BAR : (unsigned)(done * COPY_BAR / total);
	int64_t left = done == 0 ? 0 : (now - s->began_ms) * (int64_t)(total - done) / (int64_t)done;
	char bar[COPY_BAR + 1];

	memset(bar, '#', full);
	memset(bar + full, '.', COPY_BAR - full);
	bar[COPY_BAR] = '\0';
	fprintf(stderr, "\r%-9s [%s] %3u %%, %lld s left ", what, bar,
	    total == 0 ? 100 : (unsigned)(done * 100 / total), (long long)((left + 999) / 1000));
}

/* Says how far it is: a bar on a terminal, else now and then a line. */
static bool
copy_on_step(void *arg, const char *what, uint64_t done, uint64_t total)
{
	struct copy_show *s = arg;
	int64_t now = copy_clock();

	if (done > total)
		done = total;
	if (now - s->told_ms >= (s->terminal ? COPY_TELL_MS : COPY_TELL_LINE_MS)) {
		s->told_ms = now;
		s->shown = true;
		if (s->terminal)
			copy_draw(s, what, done, total, now);
		else
			fprintf(stderr, "%s: %llu of %llu\n", what, (unsigned long long)done,
			    (unsigned long long)total);
	}
	return !*s->stopped;
}

/* Says what was copied. */
static void
copy_print(const struct store_copied *c)
{
	for (unsigned i = 0; i < STORE_COPY_TABLES; i++)
		printf("%-17s %10llu  %.16s\n", c->tables[i].what,
		    (unsigned long long)c->tables[i].count, c->tables[i].digest);
	printf("bytes of images   %10llu\n", (unsigned long long)c->image_bytes);
}

/* `store copy`. */
int
cmd_store_copy(const char *from, const char *to, const volatile sig_atomic_t *stopped)
{
	struct copy_show show = {.terminal = isatty(STDERR_FILENO), .stopped = stopped};
	struct store_copy_options o = {.from = from, .to = to, .journal = SANDBOX_JOURNAL,
	    .step = copy_on_step, .arg = &show};
	struct store_copied copied;
	struct fail fail;
	int rc;

	show.began_ms = copy_clock();
	show.told_ms = show.terminal ? 0 : show.began_ms;
	rc = store_copy(&o, &copied, &fail);
	if (show.terminal && show.shown)
		fprintf(stderr, "\r%-70s\r", "");
	if (rc < 0) {
		fprintf(stderr, "persona-gateway: %s\n", fail.text);
		return 1;
	}
	copy_print(&copied);
	if (copied.journal_left)
		fprintf(stderr, "persona-gateway: " SANDBOX_JOURNAL ", what the simulated Bluejay knows, stays in "
		    "%s: copy it into the data_dir of the gateway that goes on\n", from + strlen("sqlite:"));
	printf("ok\n");
	return output_done() ? 0 : 1;
}
