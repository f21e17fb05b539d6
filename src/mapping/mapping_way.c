#include "config.h"

#include "mapping/mapping_way.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Adds a step. */
void
mapping_way_add(struct mapping_way *way, const struct mapping_step_kind *kind, void *data)
{
	way->steps = mem_resize(way->steps, (way->count + 1) * sizeof *way->steps);
	way->steps[way->count++] = (struct mapping_step){kind, data};
}

/* Frees the steps and what they hold. */
void
mapping_way_free(struct mapping_way *way)
{
	for (size_t i = 0; i < way->count; i++)
		if (way->steps[i].kind->free != NULL)
			way->steps[i].kind->free(way->steps[i].data);
	free(way->steps);
	memset(way, 0, sizeof *way);
}

/* Runs the steps from first to last. */
struct json_object *
mapping_way_send(const struct mapping_way *way, struct json_object *value,
    struct mapping_trouble *trouble)
{
	struct json_object *next;

	json_object_get(value);
	for (size_t i = 0; i < way->count && value != NULL; i++) {
		next = way->steps[i].kind->send(&way->steps[i], value, trouble);
		json_object_put(value);
		value = next;
	}
	return value;
}

/* Runs the steps from last to first. */
struct json_object *
mapping_way_receive(const struct mapping_way *way, struct json_object *value,
    struct mapping_trouble *trouble)
{
	struct json_object *next;

	json_object_get(value);
	for (size_t i = way->count; i > 0 && value != NULL; i--) {
		next = way->steps[i - 1].kind->receive(&way->steps[i - 1], value, trouble);
		json_object_put(value);
		value = next;
	}
	return value;
}

/* Sends a value that may be null. */
bool
mapping_way_send_any(const struct mapping_way *way, struct json_object *value,
    struct json_object **out, struct mapping_trouble *trouble)
{
	*out = value == NULL ? NULL : mapping_way_send(way, value, trouble);
	return *out != NULL || value == NULL;
}

/* Receives a value that may be null. */
bool
mapping_way_receive_any(const struct mapping_way *way, struct json_object *value,
    struct json_object **out, struct mapping_trouble *trouble)
{
	*out = value == NULL ? NULL : mapping_way_receive(way, value, trouble);
	return *out != NULL || value == NULL;
}

/* Compares by the step that is nearest to Bluejay. */
bool
mapping_way_same(const struct mapping_way *way, struct json_object *a, struct json_object *b)
{
	const struct mapping_step *last = &way->steps[way->count - 1];

	if (a == NULL || b == NULL)
		return a == b;
	return last->kind->same(last, a, b);
}
