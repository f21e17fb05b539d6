#include "config.h"

#include "store_fixture.h"
#include "base/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Makes a folder for one test. */
void
fixture_make_dir(char *dir, size_t size)
{
	const char *tmp = getenv("TMPDIR");

	ck_assert_int_lt(snprintf(dir, size, "%s/store-test-XXXXXX", tmp ? tmp : "/tmp"), size);
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

/* Removes a folder with its files. */
void
fixture_remove_dir(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		char *below;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    unlinkat(dirfd(d), e->d_name, 0) == 0)
			continue;
		below = mem_format("%s/%s", dir, e->d_name);
		fixture_remove_dir(below);
		free(below);
	}
	closedir(d);
	rmdir(dir);
}

/* Opens everything. */
void
fixture_begin(struct fixture *f, int kind)
{
	memset(f, 0, sizeof *f);
	fixture_place(kind, f->dir, sizeof f->dir);
	f->loop = kind == FIXTURE_SHARED ? loop_new() : loop_new_fake(NOW_MS); /* it has times of its own */
	f->store = fixture_store_open(f->dir[0] != '\0' ? f->dir : NULL);
	f->port = store_port_open(f->store, f->loop);
	ck_assert_ptr_nonnull(f->port);
}

/* Closes everything. */
void
fixture_end(struct fixture *f)
{
	fixture_clear(f);
	store_port_close(f->port);
	store_close(f->store);
	loop_free(f->loop);
	if (f->dir[0] == '\0')
		return;
	fixture_assert_sound(f->dir);
	fixture_clean(f->dir);
}

/* Closes the store and opens it again. */
void
fixture_reopen(struct fixture *f)
{
	store_port_close(f->port);
	store_close(f->store);
	f->store = fixture_store_open(f->dir);
	f->port = store_port_open(f->store, f->loop);
}

/* Frees the kept reply. */
void
fixture_clear(struct fixture *f)
{
	struct store_reply *r = &f->reply;

	for (size_t i = 0; i < r->record_count; i++)
		store_record_clear(&r->records[i]);
	for (size_t i = 0; i < r->intent_count; i++)
		store_intent_clear(&r->intents[i]);
	for (size_t i = 0; i < r->tombstone_count; i++)
		free(r->tombstones[i]);
	for (size_t i = 0; i < r->hidden_count; i++)
		free(r->hidden[i]);
	free(r->hidden);
	free(r->records);
	free(r->intents);
	free(r->tombstones);
	for (size_t i = 0; i < r->image_count; i++)
		store_image_clear(&r->images[i]);
	free(r->images);
	for (size_t i = 0; i < r->twin_count; i++)
		store_twin_clear(&r->twins[i]);
	free(r->twins);
	free(r->bytes);
	free(r->text);
	memset(r, 0, sizeof *r);
}

/* Keeps a copy of a reply. */
void
fixture_done(void *arg, struct store_reply *reply)
{
	struct fixture *f = arg;

	fixture_clear(f);
	f->done++;
	f->reply = *reply;
	f->reply.text = mem_string(reply->text);
	reply->images = NULL; /* taken over, as the bytes are */
	reply->image_count = 0;
	reply->twins = NULL;
	reply->twin_count = 0;
	reply->bytes = NULL;
	f->reply.records = mem_zero(reply->record_count, sizeof *reply->records);
	for (size_t i = 0; i < reply->record_count; i++)
		store_record_take(&f->reply.records[i], &reply->records[i]);
	f->reply.intents = mem_zero(reply->intent_count, sizeof *reply->intents);
	for (size_t i = 0; i < reply->intent_count; i++)
		store_intent_copy(&f->reply.intents[i], &reply->intents[i]);
	f->reply.tombstones = mem_zero(reply->tombstone_count, sizeof *reply->tombstones);
	for (size_t i = 0; i < reply->tombstone_count; i++)
		f->reply.tombstones[i] = mem_string(reply->tombstones[i]);
	f->reply.hidden = mem_zero(reply->hidden_count, sizeof *reply->hidden);
	for (size_t i = 0; i < reply->hidden_count; i++)
		f->reply.hidden[i] = mem_string(reply->hidden[i]);
}

/* Turns the loop until enough callbacks have run. */
enum store_status
fixture_wait(struct fixture *f, unsigned done)
{
	while (f->done < done)
		loop_turn(f->loop, true);
	return f->reply.status;
}

/* The intent of a create. */
struct store_intent
fixture_create(const char *id, const char *name, const char *fingerprint, const char *key)
{
	return (struct store_intent){
	    .id = TEXT(id),
	    .operation = STORE_CREATE,
	    .state = STORE_PENDING,
	    .scope = TEXT(SCOPE),
	    .project = TEXT("shop"),
	    .name = TEXT(name),
	    .fingerprint = TEXT(fingerprint),
	    .sent = TEXT("{\"sent\":1}"),
	    .kept = TEXT("{\"headers\":{}}"),
	    .absent = TEXT("{\"description\":\"\"}"),
	    .created_ms = NOW_MS,
	    .touched_ms = NOW_MS,
	    .key = TEXT(key),
	    .key_hash = key == NULL ? NULL : TEXT("hash"),
	};
}

/* The intent of an update. */
struct store_intent
fixture_update(const char *id, const char *local_id, const char *name)
{
	return (struct store_intent){
	    .id = TEXT(id),
	    .operation = STORE_UPDATE,
	    .state = STORE_PENDING,
	    .scope = TEXT(SCOPE),
	    .project = TEXT("shop"),
	    .local_id = TEXT(local_id),
	    .upstream_id = TEXT(local_id),
	    .name = TEXT(name),
	    .sent = TEXT("{\"sent\":2}"),
	    .kept = TEXT("{\"headers\":{\"a\":\"b\"}}"),
	    .created_ms = NOW_MS,
	    .touched_ms = NOW_MS,
	};
}

/* The intent of a delete. */
struct store_intent
fixture_delete(const char *id, const char *local_id)
{
	struct store_intent i = fixture_update(id, local_id, NULL);

	i.operation = STORE_DELETE;
	i.sent = NULL;
	i.kept = NULL;
	return i;
}

/* A record. */
struct store_record
fixture_record(const char *local_id, const char *name)
{
	return (struct store_record){
	    .scope = TEXT(SCOPE),
	    .local_id = TEXT(local_id),
	    .upstream_id = TEXT(local_id),
	    .name = TEXT(name),
	    .created_ms = NOW_MS,
	    .updated_ms = NOW_MS,
	    .content = TEXT("{\"goal\":\"\"}"),
	    .content_ms = NOW_MS,
	};
}

/* Begins a create. */
enum store_status
fixture_create_begin(struct fixture *f, const struct store_intent *i)
{
	struct store_create create = {
	    .intent = i,
	    .now_ms = NOW_MS,
	    .key_expires_ms = NOW_MS + HOUR_MS,
	    .unclaimed_since_ms = NOW_MS - HOUR_MS,
	};

	return FIXTURE_CALL(f, store_create_begin, &create);
}

/* Makes a persona. */
void
fixture_persona(struct fixture *f, const char *local_id, const char *name)
{
	char *id = mem_format("made-%s", local_id);
	struct store_intent i = fixture_create(id, name, "print", NULL);
	struct store_record r = fixture_record(local_id, name);

	r.fingerprint = TEXT("print");
	ck_assert_int_eq(fixture_create_begin(f, &i), STORE_OK);
	ck_assert_int_eq(FIXTURE_CALL(f, store_create_settle, id, &r, NULL), STORE_OK);
	free(id);
}

/* Tries whether a name is free. */
enum store_status
fixture_try_name(struct fixture *f, const char *name)
{
	struct store_intent i = fixture_create("try", name, "another print", NULL);
	enum store_status status = fixture_create_begin(f, &i);

	if (status == STORE_OK)
		ck_assert_int_eq(FIXTURE_CALL(f, store_intent_drop, "try"), STORE_OK);
	return status;
}

/* Compares a list. */
void
fixture_assert_list(struct fixture *f, const char *scope, const char *ids)
{
	char *got = mem_string("");

	ck_assert_int_eq(FIXTURE_CALL(f, store_list, scope), STORE_OK);
	for (size_t i = 0; i < f->reply.record_count; i++) {
		char *longer = mem_format("%s%s%s", got, i == 0 ? "" : ",",
		    f->reply.records[i].local_id);

		free(got);
		got = longer;
	}
	ck_assert_str_eq(got, ids);
	free(got);
}
