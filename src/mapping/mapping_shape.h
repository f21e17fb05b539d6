#ifndef MAPPING_SHAPE_H
#define MAPPING_SHAPE_H

#include "mapping/mapping_plan.h"

/*
 * The step of an object whose members have fields of their own. Members keep
 * the order in which they come. A member that no field names stays as it is,
 * in the same place, unless the file says otherwise.
 */
extern const struct mapping_step_kind mapping_shape_kind;

enum mapping_shape_others {
	MAPPING_SHAPE_KEEP,
	MAPPING_SHAPE_DROP,
	MAPPING_SHAPE_REFUSE, /* from callers; what Bluejay adds is dropped */
};

/* Takes the fields, which must not overlap on either side. */
void *mapping_shape_new(struct mapping_fields *fields, enum mapping_shape_others others);

/* The fields, and what becomes of other members; NULL when the step is of another kind. */
const struct mapping_fields *mapping_shape_fields(const struct mapping_step *,
    enum mapping_shape_others *others);

#endif
