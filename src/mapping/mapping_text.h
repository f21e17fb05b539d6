#ifndef MAPPING_TEXT_H
#define MAPPING_TEXT_H

#include "mapping/mapping_way.h"

/*
 * The step between a value and its text: the local side has a number (or true,
 * false) and Bluejay a string of the same digits, or the other way round. Only
 * texts that come back as they went are taken: "5", not "05" or " 5".
 */

/* The step from one type to another; NULL when there is none: one of them must
 * be string, the other integer, number or boolean. */
const struct mapping_step_kind *mapping_text_kind(const struct mapping_step_kind *local,
    const struct mapping_step_kind *upstream);

#endif
