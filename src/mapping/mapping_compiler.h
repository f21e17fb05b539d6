#ifndef MAPPING_COMPILER_H
#define MAPPING_COMPILER_H

#include "mapping/mapping_known.h"
#include "mapping/mapping_plan.h"

struct mapping_convert;

/* What the parts of the compiler share while one section is compiled. */
struct mapping_compiler {
	const struct mapping_resource *resource;
	struct mapping *mapping;
	struct diag_list *diags;
	size_t errors;    /* in the list before this section */
	const char *file; /* the user's */
	bool built_in; /* the part being read is the default one */
	bool whole;    /* every entry so far could be read */
	unsigned inside; /* how many lists and objects the entry being read lies in */
	const struct mapping_convert *outer; /* the field whose `fields` are read; NULL: none */
};

/* The place of a node, as diag_add() takes it. */
#define MAPPING_AT(node) (node)->file, (node)->line, (node)->column

/* Adds a mistake for each key of a map that is none of the words. */
void mapping_compiler_keys(struct mapping_compiler *, const struct yaml_node *map,
    const char *const *words, size_t count);

/* Adds `what "text"; did you mean "word"?`, or the list of all words. */
void mapping_compiler_unknown(struct mapping_compiler *, const struct yaml_node *at,
    const char *what, const char *const *words, size_t count);

/* Reads a path out of a scalar; false with a mistake added. */
bool mapping_compiler_path(struct mapping_compiler *, const struct yaml_node *,
    struct mapping_path *);

/* The same of a value, which must be a text by YAML's rules: 5 and true are none. */
bool mapping_compiler_is_name(struct mapping_compiler *, const struct yaml_node *scalar);
bool mapping_compiler_value_path(struct mapping_compiler *, const struct yaml_node *,
    struct mapping_path *);

/* Whether a path lies at a known member (NULL: at none) or in one that can hold
 * others; false with a mistake added. `whose` ends "is a string in …". */
bool mapping_compiler_fits(struct mapping_compiler *, const struct yaml_node *,
    const struct mapping_path *, const struct mapping_known *, const char *whose);

/* The place of a node as the plan keeps it. */
struct mapping_place mapping_compiler_place(const struct mapping_compiler *,
    const struct yaml_node *);

/* What is known of a member; NULL for nothing, as of all that lies inside. */
const struct mapping_known *mapping_compiler_local(const struct mapping_compiler *,
    const struct mapping_path *);
const struct mapping_known *mapping_compiler_upstream(const struct mapping_compiler *,
    const struct mapping_path *);

/* Adds one entry of `fields` to a list with room for it; mistakes go to the list of those. */
void mapping_field_compile(struct mapping_compiler *, const struct yaml_node *key,
    const struct yaml_node *value, struct mapping_fields *);

/* Reads a true or false, which is false when it is not given. */
bool mapping_compiler_flag(struct mapping_compiler *, const struct yaml_node *map,
    const char *key);

/* The declared field of a local path, and whether the gateway keeps it; only
 * what was compiled so far counts. */
const struct mapping_field *mapping_compiler_field(const struct mapping_compiler *,
    const char *local);
bool mapping_compiler_is_kept(const struct mapping_compiler *, const char *local);

/* Reads the value of `when`; NULL with a mistake added. */
struct mapping_when *mapping_condition_read(struct mapping_compiler *, const struct yaml_node *);
/* Finds the fields of all conditions, once everything else is compiled. */
void mapping_condition_check_all(struct mapping_compiler *);

/* Adds one entry of `templates`, once fields and kept_here are compiled. */
void mapping_template_compile(struct mapping_compiler *, const struct yaml_node *key,
    const struct yaml_node *value);

/* The same for an entry of `fields` that says {to: …, template: …}. */
void mapping_template_compile_field(struct mapping_compiler *, const struct yaml_node *key,
    const struct yaml_node *value);

/* Refuses a mapping that may leave out what Bluejay requires at create. */
void mapping_require(struct mapping_compiler *, const struct yaml_node *head);

/* Refuses fields of a list of their own that go to one place, or into another. */
void mapping_check_fields(struct mapping_compiler *, const struct mapping_fields *);

/* What only the whole mapping shows: two declarations for one place, one
 * inside another, required members that may lack a value, fields that go nowhere. */
void mapping_check(struct mapping_compiler *, const struct yaml_node *section);

/* Reads a YAML value as JSON (null gives NULL); false with mistakes added. The
 * caller puts *out. */
bool mapping_value_read(struct mapping_compiler *, const struct yaml_node *,
    struct json_object **out);

/* Whether a scalar's text holds a ${project.…} that is to be resolved. */
bool mapping_compiler_has_reference(const struct yaml_node *);

/* The field that holds the resource's name; NULL when there is none. */
const struct mapping_field *mapping_compiler_name(const struct mapping_compiler *);

#endif
