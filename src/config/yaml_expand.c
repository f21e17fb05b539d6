#include "config.h"

#include "config/yaml_expand.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "config/yaml_place.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define YAML_EXPAND_NAME "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789"
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
	return isdigit((unsigned char)s[0]) ? 0 : strspn(s, YAML_EXPAND_NAME);
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

/* Refuses a reference that is not well-formed. Only what looks like a name is
 * shown: what follows may be a secret. */
static bool
yaml_expand_malformed(const struct yaml_expand *x, const char *s, size_t dollar, const char *how)
{
	char *shown = mem_copy(s, 2 + strspn(s + 2, YAML_EXPAND_NAME "."));
	char *sentence = mem_format("\"%.*s\" %s; write ${NAME} or ${NAME:-default}, or $$ for a "
	    "dollar sign", diag_clip(shown), shown, how);

	free(shown);
	return yaml_expand_refuse(x, dollar, sentence);
}

/* Adds a variable's value, or its default (NULL: none). */
static bool
yaml_expand_value(const struct yaml_expand *x, const char *name, const char *fallback,
    size_t fallback_len, size_t dollar, struct buf *out)
{
	const char *value = x->env != NULL ? x->env(x->env_arg, name) : getenv(name);

	if (value == NULL || value[0] == '\0') {
		if (fallback != NULL) {
			buf_add(out, fallback, fallback_len);
			return true;
		}
		return yaml_expand_refuse(x, dollar,
		    mem_format("the environment variable %.*s is %s; set it, or write "
			"${%.*s:-default}", diag_clip(name), name,
			value == NULL ? "not set" : "empty", diag_clip(name), name));
	}
	if (utf8_span(value, strlen(value)) != strlen(value))
		return yaml_expand_refuse(x, dollar,
		    mem_format("the environment variable %.*s is not UTF-8 text", diag_clip(name),
			name));
	buf_adds(out, value);
	return true;
}

/* Replaces the reference at s ("${…"); *end is the byte after it. */
static bool
yaml_expand_one(const struct yaml_expand *x, const char *s, size_t dollar, struct buf *out,
    const char **end)
{
	const char *close = strchr(s, '}'), *rest = s + 2 + yaml_expand_name(s + 2);
	const char *fallback = NULL;
	char *name;
	bool ok;

	*end = close == NULL ? s + strlen(s) : close + 1;
	if (close == NULL)
		return yaml_expand_malformed(x, s, dollar, "has no closing \"}\"");
	if (rest != close && strncmp(rest, ":-", 2) == 0)
		fallback = rest + 2;
	if (rest == s + 2 || (rest != close && fallback == NULL))
		return yaml_expand_malformed(x, s, dollar,
		    "does not begin a reference to an environment variable");
	name = mem_copy(s + 2, (size_t)(rest - s - 2));
	if (fallback != NULL && memmem(fallback, (size_t)(close - fallback), "${", 2) != NULL)
		ok = yaml_expand_refuse(x, dollar, mem_format("the default of ${%.*s} holds "
		    "another ${…}; a default is plain text", diag_clip(name), name));
	else
		ok = yaml_expand_value(x, name, fallback,
		    fallback == NULL ? 0 : (size_t)(close - fallback), dollar, out);
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
