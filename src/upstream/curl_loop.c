#include "config.h"

#include "upstream/curl_loop.h"
#include "base/mem.h"
#include "base/tls_talk.h"
#include "upstream/address.h"
#include "upstream/curl_memory.h"
#include "upstream/lately.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#define CURL_LOOP_POOL_MAX 64 /* easy handles kept for reuse */
#define CURL_LOOP_ROUNDS 16   /* rounds of work before other events get their turn */
#define CURL_LOOP_SPARE 16    /* connections kept beyond those in use lately */
#define CURL_LOOP_JUNK 4096   /* bytes read off an idle connection before it is shut down */

/*
 * One socket. The read event of a connection stays registered while the
 * connection is idle: it costs nothing for the next request, and it tells when
 * the upstream closes.
 */
struct curl_loop_socket {
	struct curl_loop *owner;
	curl_socket_t fd;
	bool ours;  /* opened through us, for one job at a time; else libcurl's own, such as the
	               resolver's, or one of HTTP/2: known only while libcurl wants something of it */
	bool kept;  /* connected, and closed through us: events may outlast the job */
	bool held;  /* its job runs, but wants nothing of it for now */
	bool idle;  /* no job waits for it */
	bool dirty; /* on the list of changes */
	short want;
	bool reading, writing; /* what is registered */
	struct event read_ev, write_ev;
	struct curl_loop_job *job; /* the last one it carried */
	UT_hash_handle hh;
	TAILQ_ENTRY(curl_loop_socket) link;
};

TAILQ_HEAD(curl_loop_sockets, curl_loop_socket);
TAILQ_HEAD(curl_loop_jobs, curl_loop_job);

struct curl_loop {
	struct loop *loop;
	CURLM *multi;
	CURLSH *share;
	bool shares_ours;
	char *proxy, *ca_file;
	int64_t connect_ms;
	long max_idle;
	bool public_only, http2;
	void (*prepare)(CURL *);
	CURLU *site; /* the last one asked for, and its text; NULL: none */
	char *site_text;
	CURL *pool[CURL_LOOP_POOL_MAX];
	unsigned pooled, taken, renewals;
	struct curl_loop_socket *sockets; /* by descriptor */
	struct curl_loop_sockets dirty;
	struct curl_loop_jobs ended; /* waiting for their callback */
	struct loop_timer timer;
	int64_t due;  /* when libcurl wants to be called; -1: not */
	long running; /* jobs */
	struct lately lately;
	long kept;    /* connections that libcurl may keep */
	bool kick;    /* libcurl wants to be called at once */
	bool acting;  /* inside curl_loop_act() */
};

static void curl_loop_act(struct curl_loop *, curl_socket_t, int, bool);

/* ---- sockets ---- */

/* A socket that we know. */
static struct curl_loop_socket *
curl_loop_find(struct curl_loop *c, curl_socket_t fd)
{
	struct curl_loop_socket *s;

	HASH_FIND_INT(c->sockets, &fd, s);
	return s;
}

/* Unties a socket and its job. */
static void
curl_loop_untie(struct curl_loop_job *job)
{
	if (job->socket != NULL)
		job->socket->job = NULL;
	job->socket = NULL;
}

/* Notes which job a socket carries, one to one. */
static void
curl_loop_tie(struct curl_loop_job *job, struct curl_loop_socket *s)
{
	if (job->socket == s)
		return;
	curl_loop_untie(job);
	if (s->job != NULL)
		s->job->socket = NULL;
	s->job = job;
	job->socket = s;
}

/* Puts a socket on the list of changes. */
static void
curl_loop_mark(struct curl_loop *c, struct curl_loop_socket *s)
{
	if (s->dirty)
		return;
	s->dirty = true;
	TAILQ_INSERT_TAIL(&c->dirty, s, link);
}

/* A connection that nobody uses: whatever arrives on it is unasked. */
static void
curl_loop_set_idle(struct curl_loop *c, struct curl_loop_socket *s)
{
	s->held = false;
	s->idle = true;
	s->want = EV_READ;
	curl_loop_mark(c, s);
}

/* A job is out of libcurl; its connection, if it is kept, is idle. */
static void
curl_loop_part(struct curl_loop_job *job)
{
	struct curl_loop_socket *s = job->socket;

	curl_loop_untie(job);
	if (s != NULL && s->held)
		curl_loop_set_idle(job->owner, s);
}

/* Forgets a socket, before its descriptor is closed. */
static void
curl_loop_forget(struct curl_loop *c, struct curl_loop_socket *s)
{
	if (s->reading)
		event_del(&s->read_ev);
	if (s->writing)
		event_del(&s->write_ev);
	if (s->dirty)
		TAILQ_REMOVE(&c->dirty, s, link);
	if (s->job != NULL)
		s->job->socket = NULL;
	HASH_DEL(c->sockets, s);
	free(s);
}

/* Something arrived on an idle connection: its end, or bytes that nobody asked
 * for. Either way it must carry no further request; after a shutdown libcurl
 * finds it dead and nothing can leave through it. */
static void
curl_loop_drop(struct curl_loop_socket *s)
{
	char junk[CURL_LOOP_JUNK];
	ssize_t ignored = recv(s->fd, junk, sizeof junk, MSG_DONTWAIT);

	(void)ignored;
	shutdown(s->fd, SHUT_RDWR);
	event_del(&s->read_ev);
	s->reading = false;
}

/* A socket is readable. */
static void
curl_loop_on_read(evutil_socket_t fd, short what, void *arg)
{
	struct curl_loop_socket *s = arg;

	if (s->idle) {
		curl_loop_drop(s);
	} else if ((s->want & EV_READ) == 0) {
		event_del(&s->read_ev); /* libcurl looks later; until then it would spin */
		s->reading = false;
	} else {
		curl_loop_act(s->owner, s->fd, CURL_CSELECT_IN, true);
	}
}

/* A socket is writable. */
static void
curl_loop_on_write(evutil_socket_t fd, short what, void *arg)
{
	struct curl_loop_socket *s = arg;

	curl_loop_act(s->owner, s->fd, CURL_CSELECT_OUT, true);
}

/* Learns of a socket. */
static struct curl_loop_socket *
curl_loop_socket_new(struct curl_loop *c, curl_socket_t fd, bool ours)
{
	struct curl_loop_socket *s = mem_zero(1, sizeof *s);
	struct event_base *base = loop_base(c->loop);

	s->owner = c;
	s->fd = fd;
	s->ours = ours;
	event_assign(&s->read_ev, base, fd, EV_READ | EV_PERSIST, curl_loop_on_read, s);
	event_assign(&s->write_ev, base, fd, EV_WRITE | EV_PERSIST, curl_loop_on_write, s);
	HASH_ADD_INT(c->sockets, fd, s);
	return s;
}

/* libcurl wants a socket for a job. */
static curl_socket_t
curl_loop_on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct curl_loop_job *job = arg;
	struct curl_loop *c = job->owner;
	struct curl_loop_socket *s;
	int fd;

	job->refused = job->sealed;
	if (job->sealed || (c->public_only && !address_is_public(&a->addr)))
		return CURL_SOCKET_BAD;
	fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
	if (fd < 0)
		return CURL_SOCKET_BAD;
	s = curl_loop_find(c, fd);
	if (s != NULL)
		curl_loop_forget(c, s); /* an earlier one, closed without telling */
	if (!c->http2)
		curl_loop_socket_new(c, fd, true);
	return fd;
}

/* libcurl is done with a socket that it got from us. */
static int
curl_loop_on_close(void *arg, curl_socket_t fd)
{
	struct curl_loop *c = arg;
	struct curl_loop_socket *s = curl_loop_find(c, fd);

	if (s != NULL) {
		if (s->job != NULL)
			s->job->closed = true;
		curl_loop_forget(c, s);
	}
	return close(fd);
}

/* libcurl says what it waits for on a socket; applied after it has returned. */
static int
curl_loop_on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct curl_loop *c = arg;
	struct curl_loop_socket *s = known != NULL ? known : curl_loop_find(c, fd);
	struct curl_loop_job *job = NULL;

	if (what == CURL_POLL_REMOVE) {
		if (s == NULL)
			return 0;
		if (!s->kept) {
			curl_loop_forget(c, s);
			return 0;
		}
		/* A paused job wants nothing either. */
		s->held = s->job != NULL && s->job->state == CURL_LOOP_JOB_RUNNING;
		s->want = 0;
		if (s->held)
			curl_loop_mark(c, s);
		else
			curl_loop_set_idle(c, s);
		return 0;
	}
	if (s == NULL)
		s = curl_loop_socket_new(c, fd, false);
	if (known == NULL)
		curl_multi_assign(c->multi, fd, s);
	if (s->ours && curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&job) == CURLE_OK &&
	    job != NULL)
		curl_loop_tie(job, s);
	/* A socket that is still connecting is closed without telling (7.88), maybe
	 * before this function hears of its end; the same goes for those not ours. */
	s->kept = s->ours && (s->kept || (what & CURL_POLL_IN) != 0);
	s->idle = s->held = false;
	s->want = (short)(((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
	    ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0));
	curl_loop_mark(c, s);
	return 0;
}

/* Registers and unregisters events as the sockets want it by now. A read event
 * too many stays: most often the next moment wants it again. */
static void
curl_loop_apply_sockets(struct curl_loop *c)
{
	struct curl_loop_socket *s;

	while ((s = TAILQ_FIRST(&c->dirty)) != NULL) {
		TAILQ_REMOVE(&c->dirty, s, link);
		s->dirty = false;
		if ((s->want & EV_READ) != 0 && !s->reading)
			s->reading = event_add(&s->read_ev, NULL) == 0;
		if ((s->want & EV_WRITE) != 0 && !s->writing)
			s->writing = event_add(&s->write_ev, NULL) == 0;
		if ((s->want & EV_WRITE) == 0 && s->writing) {
			event_del(&s->write_ev);
			s->writing = false;
		}
	}
}

/* ---- time ---- */

/* libcurl says when it wants to be called; applied after it has returned. */
static int
curl_loop_on_timeout(CURLM *multi, long ms, void *arg)
{
	struct curl_loop *c = arg;

	c->kick = ms == 0;
	c->due = ms > 0 ? loop_now(c->loop) + ms : -1;
	return 0;
}

/* Sets the timer unless it already fires early enough: a call too many is
 * harmless and rarer than a change of the timer for every request. */
static void
curl_loop_apply_timer(struct curl_loop *c)
{
	int64_t due = c->due;

	if (c->kick || !TAILQ_EMPTY(&c->ended))
		due = loop_now(c->loop);
	if (due < 0 || (c->timer.armed && c->timer.due <= due))
		return;
	loop_timer_set(&c->timer, due - loop_now(c->loop));
}

/* The time that libcurl asked for has come, or a callback is owed. */
static void
curl_loop_on_timer(void *arg)
{
	curl_loop_act(arg, CURL_SOCKET_TIMEOUT, 0, true);
}

/* ---- jobs ---- */

/* Counts the jobs that run. Idle connections beyond those that they may need go,
 * one with each job that ends, the oldest first; never the one just used. */
static void
curl_loop_count(struct curl_loop *c, int change)
{
	long keep;

	c->running += change;
	keep = lately_note(&c->lately, c->running, loop_now(c->loop)) + CURL_LOOP_SPARE;
	if (keep != c->kept)
		curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, keep);
	c->kept = keep;
}

/* Takes what has ended out of libcurl; callbacks come later. */
static void
curl_loop_collect(struct curl_loop *c)
{
	struct curl_loop_job *job;
	CURLMsg *m;
	CURL *easy;
	int left;

	while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		easy = m->easy_handle;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&job);
		job->code = m->data.result;
		job->state = CURL_LOOP_JOB_ENDED;
		TAILQ_INSERT_TAIL(&c->ended, job, link);
		if (job->connect_only && job->code == CURLE_OK)
			continue; /* once out of libcurl it would lose its connection */
		curl_multi_remove_handle(c->multi, easy);
		curl_loop_part(job);
		curl_loop_count(c, -1);
	}
}

/* Calls back for what has ended; false when nothing had. */
static bool
curl_loop_deliver(struct curl_loop *c)
{
	struct curl_loop_job *job;
	bool any = false;

	while ((job = TAILQ_FIRST(&c->ended)) != NULL) {
		TAILQ_REMOVE(&c->ended, job, link);
		job->state = job->connect_only && job->code == CURLE_OK ? CURL_LOOP_JOB_OPEN
		                                                        : CURL_LOOP_JOB_IDLE;
		any = true;
		job->done(job, job->code);
	}
	return any;
}

/* Calls libcurl once. Called for the time, it says anew when it wants to be
 * called, but it does not say that it no longer wants to. */
static void
curl_loop_call(struct curl_loop *c, curl_socket_t fd, int mask)
{
	int running;

	if (fd == CURL_SOCKET_TIMEOUT) {
		c->kick = false;
		c->due = -1;
	}
	curl_multi_socket_action(c->multi, fd, mask, &running);
}

/* Calls libcurl for a socket or for the time, again while it asks for that,
 * then calls back, then applies all changes once. */
static void
curl_loop_act(struct curl_loop *c, curl_socket_t fd, int mask, bool deliver)
{
	c->acting = true;
	curl_loop_call(c, fd, mask);
	for (int round = 0; round < CURL_LOOP_ROUNDS; round++) {
		bool again = c->kick;

		if (c->kick)
			curl_loop_call(c, CURL_SOCKET_TIMEOUT, 0);
		curl_loop_collect(c);
		if (deliver && curl_loop_deliver(c))
			again = true;
		if (!again)
			break;
	}
	c->acting = false;
	curl_loop_apply_sockets(c);
	curl_loop_apply_timer(c);
}

/* Starts a job. */
void
curl_loop_start(struct curl_loop *c, struct curl_loop_job *job)
{
	job->owner = c;
	job->renewals = c->renewals;
	job->sealed = job->refused = job->closed = false;
	job->socket = NULL;
	curl_easy_setopt(job->easy, CURLOPT_PRIVATE, job);
	curl_easy_setopt(job->easy, CURLOPT_OPENSOCKETDATA, job);
	if (curl_multi_add_handle(c->multi, job->easy) != CURLM_OK) {
		job->code = CURLE_FAILED_INIT;
		job->state = CURL_LOOP_JOB_ENDED;
		TAILQ_INSERT_TAIL(&c->ended, job, link);
		curl_loop_apply_timer(c);
		return;
	}
	job->state = CURL_LOOP_JOB_RUNNING;
	curl_loop_count(c, 1);
	c->kick = true;
	if (!c->acting)
		curl_loop_act(c, CURL_SOCKET_TIMEOUT, 0, false);
}

/* Whether libcurl has a job. */
static bool
curl_loop_has(const struct curl_loop_job *job)
{
	switch (job->state) {
	case CURL_LOOP_JOB_IDLE:
		return false;
	case CURL_LOOP_JOB_ENDED:
		return job->connect_only && job->code == CURLE_OK;
	case CURL_LOOP_JOB_RUNNING:
	case CURL_LOOP_JOB_OPEN:
		break;
	}
	return true;
}

/* Takes a job out. */
void
curl_loop_cancel(struct curl_loop *c, struct curl_loop_job *job)
{
	bool has = curl_loop_has(job);

	if (job->state == CURL_LOOP_JOB_ENDED)
		TAILQ_REMOVE(&c->ended, job, link);
	if (has) {
		curl_multi_remove_handle(c->multi, job->easy);
		curl_loop_part(job);
		curl_loop_count(c, -1);
	}
	if (has && !c->acting) {
		curl_loop_apply_sockets(c);
		curl_loop_apply_timer(c);
	}
	job->state = CURL_LOOP_JOB_IDLE;
}

/* Gives the descriptor of a connection that stands. */
int
curl_loop_descriptor(struct curl_loop *c, struct curl_loop_job *job)
{
	struct curl_loop_socket *s;
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (curl_easy_getinfo(job->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD)
		return -1;
	s = curl_loop_find(c, fd);
	if (s != NULL)
		curl_loop_forget(c, s);
	return fd;
}

/* Lets a paused job go on. */
CURLcode
curl_loop_unpause(struct curl_loop *c, struct curl_loop_job *job, int paused)
{
	CURLcode code;

	if (job->state != CURL_LOOP_JOB_RUNNING)
		return CURLE_OK;
	c->acting = true;
	code = curl_easy_pause(job->easy, paused);
	c->acting = false;
	curl_loop_apply_sockets(c);
	curl_loop_apply_timer(c);
	return code;
}

/* ---- easy handles ---- */

/* libcurl has made a context for a connection with TLS. */
static CURLcode
curl_loop_on_tls(CURL *e, void *ctx, void *arg)
{
	tls_talk_limit(ctx);
	return CURLE_OK;
}

/* Whether the contexts that libcurl makes are OpenSSL's, as those of Debian's are. */
static bool
curl_loop_has_openssl(void)
{
	const char *name = curl_version_info(CURLVERSION_NOW)->ssl_version;

	return name != NULL && strncmp(name, "OpenSSL/", 8) == 0;
}

/* Sets what every request has in common. */
static void
curl_loop_set_standing(struct curl_loop *c, CURL *e)
{
	curl_easy_setopt(e, CURLOPT_SHARE, c->share);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, curl_loop_on_open);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, curl_loop_on_close);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, c);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_NOPROGRESS, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	/* Without TLS 7.88 fails on the second request of a connection in HTTP/2. */
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
	    (long)(c->http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
	curl_easy_setopt(e, CURLOPT_PIPEWAIT, c->http2 ? 1L : 0L);
	curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	/* An empty proxy and list also hide http_proxy and no_proxy of the environment. */
	curl_easy_setopt(e, CURLOPT_PROXY, c->proxy != NULL ? c->proxy : "");
	curl_easy_setopt(e, CURLOPT_NOPROXY, "");
	curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(e, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (curl_loop_has_openssl())
		curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, curl_loop_on_tls);
	if (c->ca_file != NULL)
		curl_easy_setopt(e, CURLOPT_CAINFO, c->ca_file);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)c->connect_ms);
	curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, c->max_idle);
	curl_easy_setopt(e, CURLOPT_MAXLIFETIME_CONN, CURL_LOOP_MAX_LIFE_S);
	curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, CURL_LOOP_DNS_S);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Else giving up on a slow name look-up waits for its thread. */
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
#endif
}

/* Takes an easy handle from the pool. */
CURL *
curl_loop_take(struct curl_loop *c)
{
	CURL *e;

	if (c->pooled > 0) {
		c->taken++;
		return c->pool[--c->pooled];
	}
	e = curl_easy_init();
	if (e == NULL)
		return NULL;
	c->taken++;
	curl_loop_set_standing(c, e);
	if (c->prepare != NULL)
		c->prepare(e);
	return e;
}

/* Puts an easy handle back. After a failure it is not used again: 7.88 keeps a
 * rewind of the body in mind that was never done, and fails the next job. */
void
curl_loop_give(struct curl_loop *c, struct curl_loop_job *job, bool clean)
{
	CURL *e = job->easy;

	if (e == NULL)
		return;
	job->easy = NULL;
	c->taken--;
	if (clean && job->renewals == c->renewals && c->pooled < CURL_LOOP_POOL_MAX) {
		curl_easy_setopt(e, CURLOPT_PRIVATE, NULL);
		c->pool[c->pooled++] = e;
	} else {
		curl_easy_cleanup(e);
	}
}

/* Reads scheme, host and port; NULL when they cannot be read. */
static CURLU *
curl_loop_parse_site(const char *text)
{
	CURLU *u = curl_url();

	if (u != NULL && curl_url_set(u, CURLUPART_URL, text, 0) != CURLUE_OK) {
		curl_url_cleanup(u);
		u = NULL;
	}
	return u;
}

/* Gives a parsed site. Handles that run may point to the last one, which therefore goes
 * only when there are none. */
CURLU *
curl_loop_site(struct curl_loop *c, const char *url, size_t len)
{
	bool same = c->site != NULL && strncmp(c->site_text, url, len) == 0 && c->site_text[len] == '\0';

	if (c->proxy != NULL || (!same && c->taken > 1))
		return NULL;
	if (same)
		return c->site;
	curl_url_cleanup(c->site);
	free(c->site_text);
	c->site_text = mem_copy(url, len);
	c->site = curl_loop_parse_site(c->site_text);
	return c->site;
}

/* Empties the pool. */
static void
curl_loop_empty(struct curl_loop *c)
{
	while (c->pooled > 0)
		curl_easy_cleanup(c->pool[--c->pooled]);
}

/* Begins a new pool. */
void
curl_loop_renew(struct curl_loop *c)
{
	c->renewals++;
	curl_loop_empty(c);
}

/* Whether another attempt to connect would fail for the same reason. */
bool
curl_loop_is_hopeless(CURLcode code)
{
	switch (code) {
	case CURLE_URL_MALFORMAT:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ENGINE_INITFAILED:
		return true;
	default:
		return false;
	}
}

/* Which version is asked for. */
bool
curl_loop_is_http2(const struct curl_loop *c)
{
	return c->http2;
}

/* Whether nobody has one. */
bool
curl_loop_is_idle(const struct curl_loop *c)
{
	return c->taken == 0;
}

/* ---- the whole ---- */

/* Makes what easy handles share. One thread uses it, so it needs no locks. */
static CURLSH *
curl_loop_new_share(void)
{
	CURLSH *share = curl_share_init();

	if (share == NULL)
		return NULL;
	curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	return share;
}

/* Makes the multi handle. */
static int
curl_loop_open(struct curl_loop *c, struct curl_loop *with)
{
	c->multi = curl_multi_init();
	c->shares_ours = with == NULL;
	c->share = with != NULL ? with->share : curl_loop_new_share();
	if (c->multi == NULL || c->share == NULL)
		return -1;
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, curl_loop_on_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, curl_loop_on_timeout);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_PIPELINING,
	    (long)(c->http2 ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING));
	curl_loop_count(c, 0);
	return 0;
}

/* Makes a loop for libcurl. */
struct curl_loop *
curl_loop_new(struct loop *loop, const struct curl_loop_config *cfg, struct fail *f)
{
	struct curl_loop *c;

	if (curl_memory_init() != CURLE_OK) {
		fail_set(f, "libcurl cannot be initialised");
		return NULL;
	}
	c = mem_zero(1, sizeof *c);
	c->loop = loop;
	c->proxy = mem_string(cfg->proxy);
	c->ca_file = mem_string(cfg->ca_file);
	c->connect_ms = cfg->connect_ms;
	c->max_idle = cfg->max_idle;
	c->public_only = cfg->public_only;
	c->http2 = cfg->http2;
	c->prepare = cfg->prepare;
	c->due = -1;
	TAILQ_INIT(&c->dirty);
	TAILQ_INIT(&c->ended);
	loop_timer_init(&c->timer, loop, curl_loop_on_timer, c);
	if (curl_loop_open(c, cfg->with) < 0) {
		fail_set(f, "libcurl cannot be initialised");
		curl_loop_free(c);
		return NULL;
	}
	return c;
}

/* Closes all connections. */
void
curl_loop_free(struct curl_loop *c)
{
	struct curl_loop_socket *s, *next;

	if (c == NULL)
		return;
	c->acting = true;
	loop_timer_cancel(&c->timer);
	curl_loop_empty(c);
	curl_multi_cleanup(c->multi);
	if (c->shares_ours)
		curl_share_cleanup(c->share);
	HASH_ITER(hh, c->sockets, s, next)
		curl_loop_forget(c, s);
	curl_url_cleanup(c->site);
	free(c->site_text);
	mem_wipe_free(c->proxy);
	free(c->ca_file);
	free(c);
	curl_global_cleanup();
}
