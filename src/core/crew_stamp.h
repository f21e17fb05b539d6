#ifndef CORE_CREW_STAMP_H
#define CORE_CREW_STAMP_H

#include <stdint.h>

/* When a copy of what the owner knows of an item was made (crew.h). */
struct crew_stamp {
	uint64_t written;  /* changes of items with ids like its */
	uint64_t bypassed; /* writes past the gateways */
};

#endif
