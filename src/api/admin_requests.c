#include "config.h"

#include "api/api_impl.h"
#include "base/buf.h"
#include "core/recorder.h"

#define ADMIN_REQUESTS_MAX ((size_t)1 << 30)

/* What remembers requests; NULL when it answered that nothing does. */
static const struct recorder *
admin_recorder(struct api *api, struct http_exchange *ex)
{
	const struct recorder *r = gateway_recorder(api->gw);

	if (r == NULL)
		api_answer_error(ex, 404, "Recording is off; recording.requests in the gateway's "
		    "configuration switches it on");
	return r;
}

/* Lists the requests that are remembered. */
void
admin_requests(struct api *api, struct http_exchange *ex)
{
	const struct recorder *r = admin_recorder(api, ex);
	struct buf b;

	if (r == NULL)
		return;
	buf_init(&b, ADMIN_REQUESTS_MAX);
	recorder_list(r, &b);
	api_answer_json(ex, 200, b.data, b.len);
	buf_free(&b);
}

/* Shows one of them. */
void
admin_request(struct api *api, struct http_exchange *ex, const char *id)
{
	const struct recorder *r = admin_recorder(api, ex);
	struct buf b;

	if (r == NULL)
		return;
	buf_init(&b, ADMIN_REQUESTS_MAX);
	if (recorder_show(r, id, &b))
		api_answer_json(ex, 200, b.data, b.len);
	else
		api_answer_error(ex, 404, "No request with this id is remembered; the oldest are "
		    "forgotten first");
	buf_free(&b);
}
