#ifndef SANDBOX_TEST_H
#define SANDBOX_TEST_H

#include "base/buf.h"
#include "base/loop.h"
#include "sandbox/sandbox_service.h"
#include "unit.h"

#include <json-c/json_object.h>

/* 2026-01-28T10:00:00Z, where the fake loops start. */
#define RIG_WALL INT64_C(1769594400000)

/* The service on a fake loop. */
struct rig {
	struct loop *loop;
	struct sandbox_service *service;
	int port;
};

void rig_open(struct rig *, const struct sandbox_options *); /* NULL: the defaults */
void rig_close(struct rig *);

/* Starts a profile whose every request meets its fault. */
void rig_faults(struct rig *, const char *profile, uint64_t seed);

/* What a raw client saw on its connection. */
enum wire_end { WIRE_OPEN, WIRE_CLOSED, WIRE_RESET };
struct wire {
	struct rig *rig;
	int fd;
	struct buf in;
	enum wire_end end;
};

void wire_open(struct rig *, struct wire *);
void wire_close(struct wire *);
void wire_send(struct wire *, const char *bytes);
/* Sends a request with the key and, when body is not NULL, a JSON body. */
void wire_request(struct wire *, const char *method, const char *path, const char *body);
/* Lets both sides work until nothing moves any more; no time passes. */
void wire_settle(struct wire *);
/* The status of the first answer, 0 without one; the place of its body. */
int wire_status(const struct wire *);
const char *wire_body(const struct wire *);
/* The value of a header of the first answer; false when it is missing. */
bool wire_header(const struct wire *, const char *name, char out[256]);

/* One request on its own connection; the answer must come at once and whole. */
struct reply {
	int status;
	char *body;
	struct json_object *json; /* NULL when the body is not JSON */
};
struct reply fetch(struct rig *, const char *method, const char *path, const char *body);
void reply_free(struct reply *);
/* The same for a request that must answer 200. */
void fetch_done(struct rig *, const char *method, const char *path, const char *body);

/* Creates a persona and gives its id. */
void make_persona(struct rig *, int agent, const char *name, char id[UUID_SIZE]);

/* The published schemas, checked member by member. */
void schema_persona(struct json_object *);
void schema_community(struct json_object *);
void schema_mistakes(struct json_object *); /* the 422 */

/* A member of a member …, by names separated by dots; numbers index lists. */
struct json_object *dig(struct json_object *, const char *path);
const char *dig_text(struct json_object *, const char *path);

/* A file name in a fresh folder, which scratch_remove() takes away. */
char *scratch_file(void);
void scratch_remove(char *path);

Suite *suite_api(void);
Suite *suite_mistakes(void);
Suite *suite_community(void);
Suite *suite_control(void);
Suite *suite_fault(void);
Suite *suite_wire(void);
Suite *suite_image(void);
Suite *suite_journal(void);
Suite *suite_thread(void);

#endif
