#ifndef UPSTREAM_WIRE_FIELD_H
#define UPSTREAM_WIRE_FIELD_H

/* A field of a message that is passed on. Lists end with a NULL name. */
struct wire_field {
	const char *name, *value;
};

#endif
