#include "config.h"

#include "api/core_wait.h"
#include "api/api_impl.h"

/* Ends the work. */
void
core_wait_over(struct core_wait *w, enum http_end end)
{
	if (w->work != NULL && w->done)
		work_told(w->work, end == HTTP_SENT);
	else if (w->work != NULL)
		work_cancel(w->work);
}

/* Answers. */
void
core_wait_answer(void *wait, struct result *r)
{
	struct core_wait *w = wait;

	w->done = true;
	api_answer_result(w->ex, r);
}
