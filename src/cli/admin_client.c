#include "config.h"

#include "cli/admin_client.h"
#include "base/loop.h"
#include "base/mem.h"
#include "cli/token_file.h"
#include "json/json_read.h"
#include "json/json_text.h"
#include "upstream/upstream.h"

#include <stdio.h>
#include <string.h>

#define ADMIN_CLIENT_TIME_MS 35000 /* an adopt asks Bluejay */
#define ADMIN_CLIENT_ANSWER_MAX ((size_t)64 << 20)

/* A question on its way. */
struct admin_question {
	struct loop *loop;
	struct admin_answer *answer;
};

/* The gateway has answered, or not. */
static void
admin_client_on_answer(void *arg, const struct upstream_answer *a)
{
	struct admin_question *q = arg;

	if (a->outcome == UPSTREAM_ANSWER) {
		q->answer->status = a->status;
		q->answer->body = mem_copy(a->body, a->body_len);
	}
	loop_stop(q->loop);
}

/* Runs a call until it is over; false with a sentence when it cannot begin. */
static bool
admin_client_run(struct admin_question *q, const struct upstream_config *config,
    struct upstream_request *request)
{
	struct fail fail;
	struct upstream *up = upstream_new(q->loop, config, &fail);

	if (up == NULL) {
		fprintf(stderr, "persona-gateway: %s\n", fail.text);
		return false;
	}
	request->deadline = loop_now(q->loop) + ADMIN_CLIENT_TIME_MS;
	upstream_start(up, request, admin_client_on_answer, q);
	loop_run(q->loop);
	upstream_free(up);
	if (q->answer->status == 0)
		fprintf(stderr, "persona-gateway: no gateway answers on %s; is it running, and is this its "
		    "`admin on` address?%s\n", config->url, strncmp(config->url, "https:", 6) == 0 ?
		    " Its certificate must be for this name, of an authority that is trusted here; "
		    "--ca-file names one." : "");
	return q->answer->status != 0;
}

/* Asks. */
bool
admin_client_ask(const struct admin_client *admin, const char *method, const char *path,
    const char *body, struct admin_answer *answer)
{
	struct upstream_config config = {
	    .url = admin->url,
	    .ca_file = admin->ca_file,
	    .connect_ms = 5000,
	    .first_byte_ms = ADMIN_CLIENT_TIME_MS,
	    .total_ms = ADMIN_CLIENT_TIME_MS,
	    .retries = 1,
	    .max_in_flight = 1,
	    .max_queue = 1,
	    .max_answer = ADMIN_CLIENT_ANSWER_MAX,
	};
	struct upstream_request request = {
	    .method = method,
	    .path = path,
	    .body = body,
	    .body_len = body != NULL ? strlen(body) : 0,
	    .api_key = admin->token,
	    .repeat = UPSTREAM_ONCE,
	};
	struct admin_question q = {loop_new(), answer};
	bool answered;

	memset(answer, 0, sizeof *answer);
	if (q.loop == NULL)
		return false;
	answered = admin_client_run(&q, &config, &request);
	loop_free(q.loop);
	return answered;
}

/* Prints an answer's error sentence. */
void
admin_client_print_error(const struct admin_answer *answer)
{
	struct json_object *root = NULL;
	const char *sentence = NULL;

	if (json_read(answer->body, strlen(answer->body), &root, NULL) &&
	    json_object_is_type(root, json_type_object))
		sentence = json_get_string(root, "error");
	fprintf(stderr, "persona-gateway: %s\n", sentence != NULL ? sentence : "unexpected answer");
	json_object_put(root);
}

/* Reads the token. */
bool
admin_client_read_token(struct admin_client *admin, const char *file)
{
	if (file == NULL)
		return true;
	admin->token = token_file_read(file);
	return admin->token != NULL;
}

/* Wipes the token. */
void
admin_client_clear(struct admin_client *admin)
{
	mem_wipe_free(admin->token);
	admin->token = NULL;
}
