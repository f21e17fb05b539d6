#include "config.h"

#include "http/http_reporter.h"
#include "http/http_write.h"

/* Bytes of an answer that are with the kernel. */
static uint64_t
http_reporter_sent(const struct http_conn *c, uint64_t pushed)
{
	uint64_t pending = http_write_pending(c);

	return pushed > pending ? pushed - pending : 0;
}

/* A moment after another; -1 when it never came. */
static int64_t
http_reporter_after(int64_t begun, int64_t moment)
{
	return moment != 0 ? moment - begun : -1;
}

/* Tells of an exchange. */
void
http_reporter_tell(struct http_conn *c, struct http_exchange *ex, enum http_end how)
{
	const struct http_server_config *cfg = &c->hub->config;
	struct http_report r = {.request = &ex->head.request, .note = ex->note, .end = how,
	    .refused = ex->refused, .status = ex->status, .received = ex->received,
	    .sent = http_reporter_sent(c, c->pushed - ex->pushed_before), .begun_us = ex->begun_us};

	if (cfg->report == NULL)
		return;
	r.body_us = http_reporter_after(ex->begun_us, ex->body_us);
	r.answer_us = http_reporter_after(ex->begun_us, ex->answer_us);
	r.total_us = loop_now_us(c->hub->loop) - ex->begun_us;
	cfg->report(cfg->arg, &r);
}

/* Tells of a head that was refused. */
void
http_reporter_tell_refused(struct http_conn *c, const char *id, int status, uint64_t pushed)
{
	const struct http_server_config *cfg = &c->hub->config;
	struct http_request request = {.id = id, .peer = c->peer, .near = c->peer};
	struct http_report r = {.request = &request, .end = HTTP_GONE, .refused = true,
	    .status = status, .received = c->rlen, .sent = http_reporter_sent(c, pushed), .body_us = -1,
	    .answer_us = -1};

	if (cfg->report == NULL)
		return;
	r.begun_us = loop_now_us(c->hub->loop);
	cfg->report(cfg->arg, &r);
}
