#include "config.h"

#include "api/api_impl.h"
#include "base/buf.h"
#include "core/drift.h"

/* Shows where Bluejay's answers differ from what they are declared to hold. */
void
admin_drift(struct api *api, struct http_exchange *ex)
{
	struct buf b;

	buf_init(&b, 0);
	drift_print(gateway_drift(api->gw), &b);
	api_answer_json(ex, 200, b.data, b.len);
	buf_free(&b);
}
