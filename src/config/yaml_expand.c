#include "config.h"

#include "config/yaml_expand.h"

#include "base/mem.h"
#include "config/yaml_place.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define YAML_EXPAND_SHOWN 60 /* bytes of a faulty reference that a sentence repeats */
#define YAML_EXPAND_FOREIGN "${project."

/* Hands over a sentence about one reference. */
static bool
yaml_expand_refuse(const struct yaml_expand *x, size_t dollar, char *sentence)
{
	x->mistake(x->mistake_arg, dollar, sentence);
	free(sentence);
	return false;
}

/* The length of the environment name in front of s; 0 when there is none. */
static size_t
yaml_expand_name(const char *s)
{
	size_t n = 0;

	if (!isalpha((unsigned char)s[0]) && s[0] != '_')
		return 0;
	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n;
}

/* Whether the reference at s ("${…") is one that the mapping resolves. */
static bool
yaml_expand_foreign(const char *s)
{
	return strncmp(s, YAML_EXPAND_FOREIGN, strlen(YAML_EXPAND_FOREIGN)) == 0;
}

/* How many references a text holds that the mapping would resolve. */
static size_t
yaml_expand_foreigners(const char *s)
{
	size_t n = 0;

	for (; s != NULL && (s = strstr(s, YAML_EXPAND_FOREIGN)) != NULL; s++)
		n++;
	return n;
}

/* Replaces the reference at s ("${…"); *end is the byte after it. */
static bool
yaml_expand_one(const struct yaml_expand *x, const char *s, size_t dollar, struct buf *out,
    const char **end)
{
	const char *close = strchr(s, '}'), *value, *rest;
	size_t name_len = yaml_expand_name(s + 2);
	size_t shown = close == NULL ? strlen(s) : (size_t)(close + 1 - s);
	char *name;
	bool ok = true;

	*end = close == NULL ? s + strlen(s) : close + 1;
	if (shown > YAML_EXPAND_SHOWN)
		shown = YAML_EXPAND_SHOWN;
	if (close == NULL)
		return yaml_expand_refuse(x, dollar, mem_format("\"%.*s\" has no closing \"}\"; "
		    "write ${NAME}, or $$ for a dollar sign", (int)shown, s));
	rest = s + 2 + name_len;
	if (name_len == 0 || (rest != close && (rest[0] != ':' || rest[1] != '-')))
		return yaml_expand_refuse(x, dollar, mem_format("\"%.*s\" is not a reference to an "
		    "environment variable; write ${NAME} or ${NAME:-default}, or $$ for a dollar "
		    "sign", (int)shown, s));
	if (rest != close)
		rest += 2;
	if (strstr(rest, "${") != NULL && strstr(rest, "${") < close)
		return yaml_expand_refuse(x, dollar, mem_format("the default of ${%.*s} holds "
		    "another ${…}; a default is plain text", (int)name_len, s + 2));
	name = mem_copy(s + 2, name_len);
	value = x->env != NULL ? x->env(x->env_arg, name) : getenv(name);
	if (value != NULL && value[0] != '\0') {
		if (yaml_place_utf8(value, strlen(value)) == strlen(value))
			buf_adds(out, value);
		else
			ok = yaml_expand_refuse(x, dollar,
			    mem_format("the environment variable %s is not UTF-8 text", name));
	} else if (s + 2 + name_len != close) {
		buf_add(out, rest, (size_t)(close - rest));
	} else {
		ok = yaml_expand_refuse(x, dollar,
		    mem_format("the environment variable %s is %s; set it, or write ${%s:-default}",
			name, value == NULL ? "not set" : "empty", name));
	}
	free(name);
	return ok;
}

/* Looks for a dollar that means something. */
bool
yaml_expand_needed(const char *text)
{
	return strstr(text, "${") != NULL || strstr(text, "$$") != NULL;
}

/* Expands one text. */
bool
yaml_expand(const struct yaml_expand *x, const char *text, struct buf *out, bool *expanded)
{
	size_t dollar = 0, foreign = 0;
	bool ok = true;

	*expanded = false;
	while (*text != '\0') {
		const char *end;

		if (text[0] != '$') {
			end = text + strcspn(text, "$");
			buf_add(out, text, (size_t)(end - text));
		} else if (text[1] == '$') {
			buf_addc(out, '$');
			end = text + 2;
			dollar += 2;
		} else if (text[1] != '{' || yaml_expand_foreign(text)) {
			foreign += text[1] == '{';
			buf_addc(out, '$');
			end = text + 1;
			dollar++;
		} else {
			if (yaml_expand_one(x, text, dollar, out, &end))
				*expanded = true;
			else
				ok = false;
			for (const char *s = text; s < end; s++)
				dollar += *s == '$';
		}
		text = end;
	}
	/* The mapping could not tell these from references that the file itself holds. */
	if (ok && !out->full && yaml_expand_foreigners(out->data) != foreign)
		ok = yaml_expand_refuse(x, 0, mem_string("the text would hold \"${project.\" after "
		    "$$ or environment variables are replaced; nothing is replaced twice, so write "
		    "it another way"));
	return ok;
}
