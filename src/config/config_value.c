#include "config.h"

#include "config/config_value.h"

#include "base/mem.h"
#include "config/config_values.h"
#include "config/diag.h"
#include "config/yaml_node.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct config_unit {
	const char *name;
	int64_t factor;
};

/* Largest first. */
static const struct config_unit config_times[] = {
    {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0}};
static const struct config_unit config_sizes[] = {
    {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {NULL, 0}};

/* What people write for the units of sizes. */
static const char *const config_slips[][2] = {{"k", "KiB"}, {"kb", "KiB"}, {"ki", "KiB"},
    {"kib", "KiB"}, {"m", "MiB"}, {"mb", "MiB"}, {"mi", "MiB"}, {"mib", "MiB"}, {"g", "GiB"},
    {"gb", "GiB"}, {"gi", "GiB"}, {"gib", "GiB"}, {"sec", "s"}, {"secs", "s"}, {"second", "s"},
    {"seconds", "s"}, {"min", "m"}, {"mins", "m"}, {"minute", "m"}, {"minutes", "m"},
    {"hour", "h"}, {"hours", "h"}, {"hr", "h"}, {"msec", "ms"}};

/* The units of a type; NULL for plain numbers. */
static const struct config_unit *
config_value_units(enum config_type type)
{
	return type == CONFIG_DURATION ? config_times : type == CONFIG_SIZE ? config_sizes : NULL;
}

/* The unit of a name, or NULL. */
static const struct config_unit *
config_value_unit(const struct config_unit *units, const char *name)
{
	for (; units->name != NULL; units++)
		if (strcmp(units->name, name) == 0)
			return units;
	return NULL;
}

/* Writes a number in the largest unit that holds it whole. */
char *
config_value_format(enum config_type type, int64_t number)
{
	const struct config_unit *unit = config_value_units(type);

	if (unit == NULL)
		return mem_format("%lld", (long long)number);
	if (number == 0)
		return mem_string(type == CONFIG_DURATION ? "0s" : "0B");
	while (number % unit->factor != 0)
		unit++;
	return mem_format("%lld%s", (long long)(number / unit->factor), unit->name);
}

/* Writes a range. */
char *
config_value_range(const struct config_key *key)
{
	char *min = config_value_format(key->type, key->min), *max, *range;

	if (key->max == INT64_MAX) {
		range = mem_format("%s or more", min);
	} else {
		max = config_value_format(key->type, key->max);
		range = mem_format("from %s to %s", min, max);
		free(max);
	}
	free(min);
	return range;
}

/* Refuses a text that is no such number. */
static int
config_value_refuse(enum config_type type, const char *text, bool shown, struct fail *fail)
{
	const char *form = type == CONFIG_DURATION ? "a duration such as 250ms, 5s, 2m or 1h" :
	    type == CONFIG_SIZE			   ? "a size such as 64KiB or 1MiB" :
	    type == CONFIG_COUNT	   ? "auto or a whole number" :
						     "a whole number";

	if (!shown)
		return fail_set(fail, "must be %s; the value from the environment is not", form);
	return fail_set(fail, "must be %s, not \"%.*s\"", form, diag_clip(text), text);
}

/* Refuses a number without a unit, with the likely right ones. */
static int
config_value_refuse_bare(enum config_type type, const char *text, size_t digits, struct fail *fail)
{
	const char *small = type == CONFIG_DURATION ? "ms" : "B";
	const char *large = type == CONFIG_DURATION ? "s" : "MiB";

	if (digits > 3)
		return fail_set(fail, "needs a unit: write %.*s%s", (int)digits, text, small);
	return fail_set(fail, "needs a unit: write %.*s%s or %.*s%s", (int)digits, text, large,
	    (int)digits, text, type == CONFIG_DURATION ? small : "KiB");
}

/* Refuses a number with a wrong unit or none, saying the likely right one. */
static int
config_value_refuse_unit(enum config_type type, const char *text, size_t digits, bool shown,
    struct fail *fail)
{
	const struct config_unit *units = config_value_units(type);
	const char *name = text + digits + strspn(text + digits, " ");

	if (!shown || digits == 0 || digits > 12)
		return config_value_refuse(type, text, shown, fail);
	if (name[0] == '\0')
		return config_value_refuse_bare(type, text, digits, fail);
	for (size_t i = 0; i < sizeof config_slips / sizeof *config_slips; i++) {
		bool right = strcmp(config_slips[i][1], name) == 0;

		if (config_value_unit(units, config_slips[i][1]) == NULL ||
		    (strcasecmp(config_slips[i][0], name) != 0 && !right))
			continue;
		return fail_set(fail, "must be %s, not \"%.*s\": write %.*s%s",
		    type == CONFIG_DURATION ? "a duration such as 250ms, 5s, 2m or 1h" :
					      "a size such as 64KiB or 1MiB",
		    diag_clip(text), text, (int)digits, text, config_slips[i][1]);
	}
	return config_value_refuse(type, text, shown, fail);
}

/* Reads digits and a unit. *huge is set for what no number can hold. */
static int
config_value_with_unit(enum config_type type, const char *text, bool shown, int64_t *out,
    bool *huge, struct fail *fail)
{
	size_t digits = strspn(text, "0123456789");
	const struct config_unit *unit = config_value_unit(config_value_units(type), text + digits);
	long long number;

	number = strtoll(text, NULL, 10); /* the largest number when it does not fit */
	if (digits > 0 && text[digits] == '\0' && number == 0) {
		*out = 0; /* zero needs no unit */
		return 0;
	}
	if (digits == 0 || unit == NULL)
		return config_value_refuse_unit(type, text, digits, shown, fail);
	*huge = __builtin_mul_overflow(number, unit->factor, &number);
	*out = number;
	return 0;
}

/* Reads a number. */
int
config_value_number(const struct config_key *key, const char *text, bool shown, int64_t *out,
    struct fail *fail)
{
	bool huge = false;
	long long plain;
	int64_t number = 0;
	char *range;

	if (key->type == CONFIG_INT || key->type == CONFIG_COUNT) {
		if (!yaml_node_text_int(text, &plain))
			return config_value_refuse(key->type, text, shown, fail);
		number = plain;
	} else if (config_value_with_unit(key->type, text, shown, &number, &huge, fail) != 0)
		return -1;
	if (!huge && number >= key->min && number <= key->max) {
		*out = number;
		return 0;
	}
	range = config_value_range(key);
	if (shown)
		fail_set(fail, "must be %s, not %.*s", range, diag_clip(text), text);
	else
		fail_set(fail, "must be %s; the value from the environment is not", range);
	free(range);
	return -1;
}

/* Checks a name. */
int
config_value_name(const char *name, struct fail *fail)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len = strlen(name);

	if (len > CONFIG_CLIENT_NAME_MAX)
		return fail_set(fail, "must have at most %d characters", CONFIG_CLIENT_NAME_MAX);
	if (!isalnum((unsigned char)name[0]) || strspn(name, allowed) != len)
		return fail_set(fail, "must have letters, digits, \"-\", \"_\" and \".\" alone, and "
		    "begin with a letter or digit");
	return 0;
}

/* Reads permissions. */
int
config_value_mode(const char *text, int64_t *out, struct fail *fail)
{
	size_t digits = strspn(text, "01234567");
	long mode = strtol(text, NULL, 8);

	if (text[digits] != '\0' || (digits != 3 && (digits != 4 || text[0] != '0')))
		return fail_set(fail, "must be permissions in octal digits: 0600, 0660 or 0666");
	if ((mode & 0600) != 0600 || (mode & 0111) != 0)
		return fail_set(fail, "must let the owner read and write and nobody execute: 0600, 0660 or "
		    "0666");
	*out = mode;
	return 0;
}
