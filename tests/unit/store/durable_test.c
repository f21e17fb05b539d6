#include "config.h"

#include "store_fixture.h"
#include "store_suites.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * A child process leads personas through their lives, many at once, and tells
 * each acknowledged step through a pipe, until a timer kills it at a random
 * moment. Afterwards the store must hold for each persona its last acknowledged
 * step, or the one that was under way; what it then holds must stay.
 */
#define ROUNDS 36
#define LANES 16
#define LIVES 4096 /* personas of one round, at most */

/* The steps of a life; a store shows which one was the last. */
enum step {
	STEP_NOTHING,
	STEP_CREATE_BEGUN,
	STEP_CREATED,
	STEP_RENAME_BEGUN,
	STEP_RENAMED,
	STEP_DELETE_BEGUN,
	STEP_DELETED
};

/* What the child tells: small enough to be written whole. */
struct word {
	int life;
	enum step step;
};

/* One life at a time, in the child. */
struct lane {
	struct fixture *f;
	int round, life;
	enum step step;
	int out;
	char id[32], name[32], renamed[32];
	int *next;
};

static void lane_go(struct lane *);

/* A step is durable: tells so, and takes the next one. */
static void
lane_done(void *arg, struct store_reply *reply)
{
	struct lane *l = arg;
	struct word w = {l->life, l->step};

	if (reply->status != STORE_OK || write(l->out, &w, sizeof w) != sizeof w)
		_exit(3);
	lane_go(l);
}

/* Starts another life; every other one ends with a delete. */
static void
lane_start(struct lane *l)
{
	l->life = (*l->next)++;
	if (l->life >= LIVES)
		_exit(4);
	l->step = STEP_NOTHING;
	snprintf(l->id, sizeof l->id, "%d.%d", l->round, l->life);
	snprintf(l->name, sizeof l->name, "made %d.%d", l->round, l->life);
	snprintf(l->renamed, sizeof l->renamed, "new %d.%d", l->round, l->life);
}

/* Asks for the next step of a life. */
static void
lane_go(struct lane *l)
{
	struct store_intent i;
	struct store_create create = {.intent = &i};
	struct store_record r = fixture_record(l->id, l->step < STEP_RENAMED ? l->name : l->renamed);
	struct store_port *p = l->f->port;

	if (l->step == STEP_DELETED || (l->step == STEP_RENAMED && l->life % 2 == 0))
		lane_start(l);
	switch (++l->step) {
	case STEP_CREATE_BEGUN:
		i = fixture_create(l->id, l->name, "print", NULL);
		store_create_begin(p, &create, lane_done, l);
		break;
	case STEP_CREATED:
		store_create_settle(p, l->id, &r, NULL, lane_done, l);
		break;
	case STEP_RENAME_BEGUN:
		i = fixture_update(l->id, l->id, l->renamed);
		store_update_begin(p, &i, lane_done, l);
		break;
	case STEP_RENAMED:
		r = fixture_record(l->id, l->renamed);
		store_update_settle(p, l->id, &r, lane_done, l);
		break;
	case STEP_DELETE_BEGUN:
		i = fixture_delete(l->id, l->id);
		store_delete_begin(p, &i, lane_done, l);
		break;
	default:
		store_delete_settle(p, l->id, NOW_MS, lane_done, l);
	}
}

/* Kills this process after some time, at whatever it is doing then. */
static void
kill_after(int us)
{
	struct sigevent how = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
	struct itimerspec when = {.it_value = {us / 1000000, us % 1000000 * 1000}};
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &how, &timer) < 0 ||
	    timer_settime(timer, 0, &when, NULL) < 0)
		_exit(5);
}

/* The child: works until it is killed; every fourth one perhaps while opening. */
static void
live(const char *dir, int round, int us, int out)
{
	static struct lane lanes[LANES];
	struct fixture f = {.done = 0};
	int next = 0;

	if (round % 4 == 0)
		kill_after(us);
	f.loop = loop_new();
	f.store = fixture_store_open(dir);
	f.port = store_port_open(f.store, f.loop);
	if (round % 4 != 0)
		kill_after(us);
	for (int k = 0; k < LANES; k++) {
		lanes[k] = (struct lane){.f = &f, .round = round, .out = out, .next = &next};
		lane_start(&lanes[k]);
		lane_go(&lanes[k]);
	}
	loop_run(f.loop);
	_exit(6);
}

/* Runs a child to its death; notes what it told. */
static int
live_and_die(const char *dir, int round, int us, enum step *told)
{
	struct word w;
	int pipes[2], status, words = 0;
	pid_t pid;

	ck_assert_int_eq(pipe(pipes), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(pipes[0]);
		live(dir, round, us, pipes[1]);
	}
	close(pipes[1]);
	for (; read(pipes[0], &w, sizeof w) == sizeof w; words++) {
		if (w.step != told[w.life] + 1)
			ck_abort_msg("life %d: %d after %d", w.life, w.step, told[w.life]);
		told[w.life] = w.step;
	}
	close(pipes[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return words;
}

/* The steps of all lives of all rounds. */
typedef enum step history[ROUNDS][LIVES];

/* The step that an id is at. */
static enum step *
step_of(history found, const char *id)
{
	int round, life;

	if (sscanf(id, "%d.%d", &round, &life) != 2 || round < 0 || round >= ROUNDS || life < 0 ||
	    life >= LIVES)
		ck_abort_msg("id %s", id);
	return &found[round][life];
}

/* Moves a life to the step that the store shows; each is shown once. */
static void
show(history found, const char *id, enum step from, enum step to)
{
	enum step *s = step_of(found, id);

	if (*s != from)
		ck_abort_msg("%s is at %d and at %d", id, (int)*s, (int)to);
	*s = to;
}

/* Reads from the store which step every life is at. */
static void
look(struct fixture *f, history found)
{
	memset(found, 0, sizeof(history));
	ck_assert_int_eq(FIXTURE_CALL(f, store_list, SCOPE), STORE_OK);
	for (size_t k = 0; k < f->reply.record_count; k++)
		show(found, f->reply.records[k].local_id, STEP_NOTHING,
		    f->reply.records[k].name[1] == 'e' ? STEP_RENAMED : STEP_CREATED);
	for (size_t k = 0; k < f->reply.tombstone_count; k++)
		show(found, f->reply.tombstones[k], STEP_NOTHING, STEP_DELETED);
	store_intents(f->port, fixture_done, f);
	fixture_wait(f, f->done + 1);
	for (size_t k = 0; k < f->reply.intent_count; k++) {
		const struct store_intent *i = &f->reply.intents[k];
		enum step from = i->operation == STORE_CREATE ? STEP_NOTHING :
		    i->operation == STORE_UPDATE ? STEP_CREATED : STEP_RENAMED;

		show(found, i->id, from, from + 1);
	}
}

/* Compares what is found with what was told; only in the last round, something
 * may have been under way. */
static void
compare(history found, history known, int last)
{
	for (int round = 0; round <= last; round++) {
		for (int life = 0; life < LIVES; life++) {
			int more = (int)found[round][life] - (int)known[round][life];

			if (more < 0 || more > (round == last))
				ck_abort_msg("after round %d, life %d.%d: told %d, found %d", last,
				    round, life, (int)known[round][life], (int)found[round][life]);
		}
	}
}

START_TEST(what_was_acknowledged_outlives_a_kill)
{
	static history known, found;
	struct fixture f;
	char dir[64];
	unsigned seed = 7;
	int words = 0;

	fixture_make_dir(dir, sizeof dir);
	for (int round = 0; round < ROUNDS; round++) {
		words += live_and_die(dir, round, 300 + rand_r(&seed) % 30000, known[round]);
		memset(&f, 0, sizeof f);
		f.loop = loop_new_fake(NOW_MS);
		f.store = fixture_store_open(dir);
		f.port = store_port_open(f.store, f.loop);
		look(&f, found);
		compare(found, known, round);
		memcpy(known, found, sizeof found);
		fixture_clear(&f);
		store_port_close(f.port);
		store_close(f.store);
		loop_free(f.loop);
		fixture_assert_sound(dir);
	}
	ck_assert_int_gt(words, ROUNDS);
	fixture_remove_dir(dir);
}
END_TEST

/* The size of the largest file of a folder. */
static off_t
largest_file(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	struct stat st;
	off_t most = 0;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		if (fstatat(dirfd(d), e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) &&
		    st.st_size > most)
			most = st.st_size;
	closedir(d);
	return most;
}

/* Lets no file of this process grow beyond a size; -1: any. */
static void
limit_files(off_t size)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size < 0 ? limit.rlim_max : (rlim_t)size;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Counts the replies of each status. */
static void
tally(void *arg, struct store_reply *reply)
{
	unsigned *counts = arg;

	if (reply->status == STORE_UNAVAILABLE)
		ck_assert_ptr_nonnull(reply->text);
	counts[reply->status == STORE_OK ? 0 : reply->status == STORE_UNAVAILABLE ? 1 : 2]++;
}

/* Waits until so many replies are counted. */
static void
tally_wait(struct fixture *f, const unsigned *counts, unsigned sum)
{
	while (counts[0] + counts[1] + counts[2] < sum)
		loop_turn(f->loop, true);
}

START_TEST(a_full_disk_refuses_writes_and_nothing_else)
{
	struct fixture f;
	struct store_intent i;
	struct store_create create = {.intent = &i};
	struct store_stats stats;
	unsigned counts[3] = {0, 0, 0};
	char id[16];

	fixture_begin(&f, FIXTURE_DISK);
	fixture_persona(&f, "p1", "Ada");
	/* until the file that grows is the largest one */
	for (int k = 0; k < 30; k++) {
		snprintf(id, sizeof id, "x%d", k);
		fixture_persona(&f, id, id);
		ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, id, NOW_MS), STORE_OK);
	}
	limit_files(largest_file(f.dir));
	for (int k = 0; k < 50; k++) {
		snprintf(id, sizeof id, "i%d", k);
		i = fixture_create(id, id, "print", NULL);
		store_create_begin(f.port, &create, tally, counts);
	}
	tally_wait(&f, counts, 50);
	ck_assert_uint_eq(counts[1], 50);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_get, SCOPE, "p1"), STORE_OK);
	/* what changes nothing needs no room */
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p1", NOW_MS), STORE_UNAVAILABLE);
	fixture_assert_list(&f, SCOPE, "p1");
	store_stats(f.store, &stats);
	ck_assert_uint_eq(stats.refused, 51);

	limit_files(-1);
	ck_assert_int_eq(fixture_try_name(&f, "i7"), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_hide, SCOPE, "p1", NOW_MS), STORE_OK);
	store_intents(f.port, fixture_done, &f);
	fixture_wait(&f, f.done + 1);
	ck_assert_uint_eq(f.reply.intent_count, 0);
	fixture_reopen(&f);
	fixture_assert_list(&f, SCOPE, "");
	fixture_end(&f);
}
END_TEST

START_TEST(what_does_not_fit_leaves_room_for_others)
{
	static char ids[3000][16], content[2000];
	static struct store_record big[3000];
	struct fixture f;
	struct store_intent i;
	struct store_create create = {.intent = &i};
	unsigned small[3] = {0, 0, 0}, large[3] = {0, 0, 0};
	char id[16];

	memset(content, 'x', sizeof content - 1);
	for (int k = 0; k < 3000; k++) {
		snprintf(ids[k], sizeof ids[k], "b%d", k);
		big[k] = fixture_record(ids[k], ids[k]);
		big[k].content = content;
	}
	fixture_begin(&f, FIXTURE_DISK);
	fixture_persona(&f, "p1", "Ada");
	limit_files(largest_file(f.dir) + (1 << 20));
	for (int k = 0; k < 20; k++) {
		snprintf(id, sizeof id, "i%d", k);
		i = fixture_create(id, id, "print", NULL);
		store_create_begin(f.port, &create, tally, small);
		if (k % 8 == 3)
			store_adopt(f.port, SCOPE, big, 3000, NOW_MS, tally, large);
	}
	tally_wait(&f, large, 3);
	tally_wait(&f, small, 20);
	ck_assert_uint_eq(large[1], 3);
	ck_assert_uint_eq(small[0], 20);
	fixture_assert_list(&f, SCOPE, "p1");
	ck_assert_int_eq(f.reply.number, 0);
	limit_files(-1);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, big, 3000, NOW_MS), STORE_OK);
	ck_assert_uint_eq(f.reply.record_count, 3000);
	store_intents(f.port, fixture_done, &f);
	fixture_wait(&f, f.done + 1);
	ck_assert_uint_eq(f.reply.intent_count, 20);
	fixture_end(&f);
}
END_TEST

START_TEST(everything_is_there_after_reopening)
{
	struct fixture f;
	struct store_intent i = fixture_create("i1", "Pending", "print", "running");
	struct store_intent answered = fixture_create("i2", "Bob", "print", "answered");
	struct store_intent gone = fixture_delete("d1", "p2"), update = fixture_update("u1", "p1", "X");
	struct store_record r = fixture_record("p3", "Bob");

	fixture_begin(&f, FIXTURE_DISK);
	fixture_persona(&f, "p1", "Ada");
	fixture_persona(&f, "p2", "Gone");
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_begin, &gone), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_delete_settle, "d1", NOW_MS), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_OK);
	ck_assert_int_eq(fixture_create_begin(&f, &answered), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_create_settle, "i2", &r, "{\"a\":1}"), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_update_begin, &update), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(&f, store_adopt, SCOPE, NULL, 0, NOW_MS + 3), STORE_OK);
	fixture_reopen(&f);
	fixture_assert_list(&f, SCOPE, "p1,p3");
	ck_assert_uint_eq(f.reply.tombstone_count, 1);
	ck_assert_int_eq(f.reply.number, NOW_MS + 3);
	ck_assert_int_eq(fixture_create_begin(&f, &i), STORE_KEY_RUNNING);
	ck_assert_int_eq(fixture_create_begin(&f, &answered), STORE_KEY_ANSWER);
	ck_assert_str_eq(f.reply.text, "{\"a\":1}");
	ck_assert_int_eq(fixture_try_name(&f, "Pending"), STORE_UNSETTLED_OTHER);
	ck_assert_int_eq(fixture_try_name(&f, "X"), STORE_UNSETTLED_OTHER);
	ck_assert_int_eq(fixture_try_name(&f, "Ada"), STORE_NAME_TAKEN);
	fixture_end(&f);
}
END_TEST

/* Tests of what must outlive a process; for stores on disk only. */
Suite *
durable_suite(void)
{
	const TTest *const tests[] = {
	    what_was_acknowledged_outlives_a_kill,
	    a_full_disk_refuses_writes_and_nothing_else,
	    what_does_not_fit_leaves_room_for_others,
	    everything_is_there_after_reopening,
	    NULL,
	};

	return unit_suite("store durable", tests);
}
