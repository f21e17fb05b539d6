#include "config.h"

#include "store/store_image.h"
#include "base/mem.h"
#include "store/store_call.h"

#include <stdlib.h>
#include <string.h>

/* Copies what is known of an image; what *to held before is not freed. */
void
store_image_copy(struct store_image *to, const struct store_image *from)
{
	*to = *from;
	to->project = mem_string(from->project);
	to->id = mem_string(from->id);
	to->role = mem_string(from->role);
	to->type = mem_string(from->type);
	to->filename = mem_string(from->filename);
	to->maker = mem_string(from->maker);
	to->digest = mem_string(from->digest);
}

/* Frees the strings. */
void
store_image_clear(struct store_image *i)
{
	free(i->project);
	free(i->id);
	free(i->role);
	free(i->type);
	free(i->filename);
	free(i->maker);
	free(i->digest);
	memset(i, 0, sizeof *i);
}

/* Stores an image. */
struct store_call *
store_image_put(struct store_port *p, const struct store_image *image, char *bytes, size_t len,
    store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_IMAGE_PUT, done, arg);

	store_image_copy(&c->image, image);
	c->image.size = (int64_t)len;
	c->bytes = bytes;
	c->len = len;
	return store_submit(c);
}

/* Reads an image or a piece of it. */
struct store_call *
store_image_get(struct store_port *p, const char *project, const char *id, int64_t offset,
    size_t max, store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_IMAGE_GET, done, arg);

	c->image.project = mem_string(project);
	c->image.id = mem_string(id);
	c->offset = offset;
	c->max = max;
	return store_submit(c);
}

/* Lists the images of a role. */
struct store_call *
store_image_list(struct store_port *p, const char *project, const char *role, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_IMAGE_LIST, done, arg);

	c->image.project = mem_string(project);
	c->image.role = mem_string(role);
	return store_submit(c);
}

/* Deletes an image. */
struct store_call *
store_image_delete(struct store_port *p, const char *project, const char *id, store_done_fn done,
    void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_IMAGE_DELETE, done, arg);

	c->image.project = mem_string(project);
	c->image.id = mem_string(id);
	return store_submit(c);
}

/* Deletes what was made for a persona. */
struct store_call *
store_image_release(struct store_port *p, const char *scope, const char *local_id,
    store_done_fn done, void *arg)
{
	struct store_call *c = store_call_new(p, STORE_OP_IMAGE_RELEASE, done, arg);

	c->scope = mem_string(scope);
	c->image.maker = mem_string(local_id);
	return store_submit(c);
}
