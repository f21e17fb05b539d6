#include "config.h"

#include "exposition.h"

#include <check.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPOSITION_SAMPLES 20000
#define EXPOSITION_FAMILIES 500

struct sample {
	char name[128], labels[512];
	double value;
};

struct family {
	char name[128], type[16];
};

static struct sample samples[EXPOSITION_SAMPLES];
static struct family families[EXPOSITION_FAMILIES];
static size_t sample_count, family_count;

/* Fails with the line that is wrong. */
#define WRONG(line, why) ck_abort_msg("%s: %.200s", (why), (line))

/* Whether a text ends so. */
static bool
ends(const char *text, const char *end)
{
	size_t a = strlen(text), b = strlen(end);

	return a >= b && strcmp(text + a - b, end) == 0;
}

/* Length of a name at the front: a metric's may hold a colon, a label's may not. */
static size_t
name_length(const char *p, bool colon)
{
	size_t n = 0;

	while (isalpha((unsigned char)p[n]) || p[n] == '_' || (colon && p[n] == ':') ||
	    (n > 0 && isdigit((unsigned char)p[n])))
		n++;
	return n;
}

/* Reads "# HELP name …" or "# TYPE name type". */
static void
read_comment(const char *line, const char **help)
{
	static char named[128];
	char name[128], rest[600];
	struct family *f;

	if (sscanf(line, "# HELP %127s %599[^\n]", name, rest) == 2) {
		if (name_length(name, true) != strlen(name))
			WRONG(line, "not a name");
		snprintf(named, sizeof named, "%s", name);
		*help = named;
		return;
	}
	if (sscanf(line, "# TYPE %127s %599[^\n]", name, rest) != 2)
		WRONG(line, "neither HELP nor TYPE");
	if (*help == NULL || strcmp(*help, name) != 0)
		WRONG(line, "no HELP before it");
	*help = NULL;
	for (size_t i = 0; i < family_count; i++)
		if (strcmp(families[i].name, name) == 0)
			WRONG(line, "a family stands twice");
	ck_assert_uint_lt(family_count, EXPOSITION_FAMILIES);
	f = &families[family_count++];
	snprintf(f->name, sizeof f->name, "%s", name);
	snprintf(f->type, sizeof f->type, "%.15s", rest);
	if (strcmp(rest, "counter") != 0 && strcmp(rest, "gauge") != 0 && strcmp(rest, "histogram") != 0)
		WRONG(line, "no type that is used here");
	if ((strcmp(rest, "counter") == 0) != ends(name, "_total"))
		WRONG(line, "counters, and only they, end in _total");
}

/* Reads labels from after the brace; returns what follows the closing one. */
static const char *
read_labels(const char *line, const char *p, char *out, size_t size)
{
	const char *begin = p;

	while (*p != '}') {
		size_t n = name_length(p, false);

		if (n == 0 || p[n] != '=' || p[n + 1] != '"')
			WRONG(line, "not a label");
		for (p += n + 2; *p != '"'; p++) {
			if (*p == '\0' || *p == '\n')
				WRONG(line, "a value does not end");
			if (*p == '\\' && strchr("\\\"n", *++p) == NULL)
				WRONG(line, "an escape that is none");
		}
		p++;
		if (*p == ',')
			p++;
		else if (*p != '}')
			WRONG(line, "labels do not end");
	}
	ck_assert_uint_lt((size_t)(p - begin), size);
	memcpy(out, begin, (size_t)(p - begin));
	out[p - begin] = '\0';
	return p + 1;
}

/* Whether a sample's name is one of its family. */
static bool
belongs(const char *name, const struct family *f)
{
	size_t n = strlen(f->name);

	if (strcmp(f->type, "histogram") != 0)
		return strcmp(name, f->name) == 0;
	return strncmp(name, f->name, n) == 0 && (strcmp(name + n, "_bucket") == 0 ||
	    strcmp(name + n, "_sum") == 0 || strcmp(name + n, "_count") == 0);
}

/* Reads one sample. */
static void
read_sample(const char *line)
{
	struct sample *s = &samples[sample_count];
	size_t n = name_length(line, true);
	const char *p = line + n;
	char *end;

	ck_assert_uint_lt(sample_count, EXPOSITION_SAMPLES);
	if (n == 0 || n >= sizeof s->name)
		WRONG(line, "not a name");
	memcpy(s->name, line, n);
	s->name[n] = s->labels[0] = '\0';
	if (*p == '{')
		p = read_labels(line, p + 1, s->labels, sizeof s->labels);
	if (*p++ != ' ')
		WRONG(line, "no space before the value");
	s->value = strtod(p, &end);
	if (end == p || *end != '\n' || !isfinite(s->value) || s->value < 0)
		WRONG(line, "not a value, or one below zero");
	if (family_count == 0 || !belongs(s->name, &families[family_count - 1]))
		WRONG(line, "not of the family before it");
	for (size_t i = 0; i < sample_count; i++)
		if (strcmp(samples[i].name, s->name) == 0 && strcmp(samples[i].labels, s->labels) == 0)
			WRONG(line, "a series stands twice");
	sample_count++;
}

/* Checks the buckets of a histogram that begin at a sample; returns their number. */
static size_t
check_histogram(size_t first)
{
	char bound[512], sum[128], *le;
	double before = -1, count = -1, last = -1;
	size_t i = first;

	for (; i < sample_count && strcmp(samples[i].name, samples[first].name) == 0; i++) {
		snprintf(bound, sizeof bound, "%s", samples[i].labels);
		le = strstr(bound, "le=\"");
		ck_assert_ptr_nonnull(le);
		if (strncmp(le + 4, "+Inf", 4) != 0)
			ck_assert_msg(strtod(le + 4, NULL) > last, "bounds of %s", samples[i].name);
		last = strtod(le + 4, NULL); /* of +Inf: infinite */
		ck_assert_msg(samples[i].value >= before, "buckets of %s", samples[i].name);
		before = samples[i].value;
		if (isinf(last)) {
			le[le > bound ? -1 : 0] = '\0'; /* with the comma */
			snprintf(sum, sizeof sum, "%.*s_count", (int)strlen(samples[i].name) - 7,
			    samples[i].name);
			count = exposition_value(sum, bound);
			ck_assert_msg(count == before, "%s{%s} is not its last bucket", sum, bound);
			memcpy(strstr(sum, "_count"), "_sum", 5);
			ck_assert_msg(exposition_value(sum, bound) >= 0, "%s{%s}", sum, bound);
			return i + 1 - first;
		}
	}
	ck_abort_msg("%s has no last bucket", samples[first].name);
	return 0;
}

/* Reads a text. */
void
exposition_read(const char *text)
{
	const char *help = NULL;

	sample_count = family_count = 0;
	ck_assert(*text != '\0' && ends(text, "\n"));
	for (; *text != '\0'; text = strchr(text, '\n') + 1) {
		if (*text == '#')
			read_comment(text, &help);
		else
			read_sample(text);
	}
	for (size_t i = 0; i < sample_count;)
		i += ends(samples[i].name, "_bucket") ? check_histogram(i) : 1;
}

/* The value of a series. */
double
exposition_value(const char *name, const char *labels)
{
	for (size_t i = 0; i < sample_count; i++)
		if (strcmp(samples[i].name, name) == 0 && strcmp(samples[i].labels, labels) == 0)
			return samples[i].value;
	return -1;
}

/* Whether a name is there. A family may have no series yet. */
bool
exposition_has(const char *name)
{
	for (size_t i = 0; i < family_count; i++)
		if (strcmp(families[i].name, name) == 0 || belongs(name, &families[i]))
			return true;
	return false;
}

/* Series of a name. */
size_t
exposition_count(const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < sample_count; i++)
		n += strcmp(samples[i].name, name) == 0;
	return n;
}
