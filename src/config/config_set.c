#include "config.h"

#include "config/config_set.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/header.h"
#include "base/mem.h"
#include "config/config_address.h"
#include "config/config_file.h"
#include "config/config_secret.h"
#include "config/config_value.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_SET_TEXT_MAX 200 /* bytes of a text for people */

/* One text on its way into a slot. */
struct config_text {
	const struct config_key *key;
	const char *text;
	const char *file;  /* paths are relative to it; may be NULL */
	bool shown;	   /* sentences may repeat the text */
	bool readable;	   /* a key file that others may read was used */
	unsigned mode;	   /* its permissions */
};

/* Where a key's value lives. */
static void *
config_set_slot(const struct config_key *key, void *base)
{
	return key->offset == CONFIG_NOWHERE ? NULL : (char *)base + key->offset;
}

/* Replaces a string. */
static void
config_set_string(void *slot, char *value)
{
	char **at = slot;

	mem_wipe_free(*at);
	*at = value;
}

/* Replaces a list of strings. */
static void
config_set_strings(void *slot, char **values)
{
	char ***at = slot;

	for (char **s = *at; s != NULL && *s != NULL; s++)
		free(*s);
	free(*at);
	*at = values;
}

/* Notes that the file has a key. */
static void
config_set_given(const struct config_key *key, void *base)
{
	if (key->given != CONFIG_NOWHERE)
		*(bool *)((char *)base + key->given) = true;
}

/* Notes a mistake at a node. */
void
config_set_refuse(struct yaml_node *node, struct diag_list *diags, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	diag_add(diags, node->file, node->line, node->column, "%s", text);
	free(text);
	node->broken = true;
}

/* Lists the words of an ENUM: "a, b or c"; the caller frees. */
static char *
config_set_choices(const struct config_key *key)
{
	struct buf out;

	buf_init(&out, 0);
	for (int i = 0; key->choices[i] != NULL; i++)
		buf_addf(&out, "%s%s", i == 0 ? "" : key->choices[i + 1] == NULL ? " or " : ", ",
		    key->choices[i]);
	return buf_take(&out, NULL);
}

/* Sets one of a few words. */
static int
config_set_enum(const struct config_text *t, void *slot, struct fail *fail)
{
	char *list;

	for (int i = 0; t->key->choices[i] != NULL; i++) {
		if (strcmp(t->text, t->key->choices[i]) != 0)
			continue;
		if (slot != NULL)
			*(int *)slot = i;
		return 0;
	}
	list = config_set_choices(t->key);
	if (t->shown)
		fail_set(fail, "must be %s, not \"%.*s\"", list, diag_clip(t->text), t->text);
	else
		fail_set(fail, "must be %s; the value from the environment is not", list);
	free(list);
	return -1;
}

/* Sets a number, or 0 for "auto". */
static int
config_set_count(const struct config_text *t, int64_t *slot, struct fail *fail)
{
	if (strcmp(t->text, "auto") != 0)
		return config_value_number(t->key, t->text, t->shown, slot, fail);
	*slot = 0;
	return 0;
}

/* Sets an address, or nothing for "off" where that is allowed. */
static int
config_set_address(const struct config_text *t, char **out, struct fail *fail)
{
	bool off_allowed = t->key->type == CONFIG_ADDRESS;
	const char *bare = config_address_bare(t->text);
	struct fail why;

	*out = NULL;
	if (off_allowed && strcmp(t->text, "off") == 0)
		return 0;
	if (bare != t->text && strncmp(bare, "unix:", 5) == 0)
		return fail_set(fail, "cannot have http:// or https:// before a local socket, which "
		    "speaks no TLS; leave it out");
	if (config_address_reach(bare, &why) == CONFIG_REACH_BAD)
		return fail_set(fail, "%s%s", why.text, off_allowed ? "; off is allowed too" : "");
	if (strncmp(t->text, "unix:", 5) == 0) {
		char *path = config_file_resolve_absolute(t->file, t->text + 5);

		*out = mem_format("unix:%s", path);
		free(path);
		if (config_address_reach(*out, fail) == CONFIG_REACH_BAD) {
			free(*out);
			return -1;
		}
	} else
		*out = mem_string(t->text);
	return 0;
}

/* Sets a URL, without slashes at its end. */
static int
config_set_url(const struct config_text *t, void *slot, struct fail *fail)
{
	size_t len = strlen(t->text);

	if (config_address_url(t->text, t->key->type == CONFIG_PROXY, fail) != 0)
		return -1;
	while (t->text[len - 1] == '/')
		len--;
	config_set_string(slot, mem_copy(t->text, len));
	return 0;
}

/* Sets a path; one that must be readable is tried. */
static int
config_set_path(const struct config_text *t, void *slot, struct fail *fail)
{
	struct config_file file;
	char *path = config_file_resolve(t->file, t->text);
	struct fail why;

	if (t->key->type == CONFIG_FILE) {
		if (config_file_read(path, true, 0, &file, &why) != 0) {
			fail_set(fail, "cannot be used: cannot read %s: %s", t->shown ? path : "the file",
			    why.text);
			free(path);
			return -1;
		}
		config_file_free(&file);
	}
	config_set_string(slot, path);
	return 0;
}

/* Sets a key from the file that holds it. */
static int
config_set_secret_file(struct config_text *t, void *slot, struct fail *fail)
{
	char *path = config_file_resolve(t->file, t->text), *secret;
	struct fail why;

	secret = config_secret_read(path, t->shown, &t->mode, &why);
	free(path);
	if (secret == NULL)
		return fail_set(fail, "cannot be used: %s", why.text);
	t->readable = (t->mode & 044) != 0;
	config_set_string(slot, secret);
	return 0;
}

/* Sets a key. */
static int
config_set_secret(const struct config_text *t, void *slot, struct fail *fail)
{
	if (config_secret_check(t->text, fail) != 0)
		return -1;
	config_set_string(slot, mem_string(t->text));
	return 0;
}

/* Sets a truth value. */
static int
config_set_bool(const struct config_text *t, void *slot, struct fail *fail)
{
	if (yaml_node_text_bool(t->text, slot))
		return 0;
	if (!t->shown)
		return fail_set(fail, "must be true or false; the value from the environment is "
		    "not");
	return fail_set(fail, "must be true or false, not \"%.*s\"", diag_clip(t->text), t->text);
}

/* Sets a word. */
static int
config_set_word(const struct config_text *t, void *slot, struct fail *fail)
{
	for (const char *c = t->text; *c != '\0'; c++)
		if (*c <= 0x20 || *c >= 0x7f || *c == '"' || *c == '\\')
			return fail_set(fail, "must be visible ASCII without spaces, quotes and "
			    "backslashes");
	config_set_string(slot, mem_string(t->text));
	return 0;
}

/* Sets a text for people. */
static int
config_set_words(const struct config_text *t, void *slot, struct fail *fail)
{
	if (strlen(t->text) > CONFIG_SET_TEXT_MAX)
		return fail_set(fail, "must have at most %d bytes", CONFIG_SET_TEXT_MAX);
	for (const char *c = t->text; *c != '\0'; c++)
		if (iscntrl((unsigned char)*c))
			return fail_set(fail, "must not hold control characters");
	config_set_string(slot, mem_string(t->text));
	return 0;
}

/* Sets a name. */
static int
config_set_name(const struct config_text *t, void *slot, struct fail *fail)
{
	if (config_value_name(t->text, fail) != 0)
		return -1;
	config_set_string(slot, mem_string(t->text));
	return 0;
}

/* Sets a digest. */
static int
config_set_digest(const struct config_text *t, void *slot, struct fail *fail)
{
	size_t digits = strspn(t->text, "0123456789abcdefABCDEF");
	char *value;

	if (digits != DIGEST_HEX_SIZE - 1 || t->text[digits] != '\0')
		return fail_set(fail, "must be the SHA-256 of the token as %d hex digits; "
		    "\"persona-gateway token NAME\" makes both", DIGEST_HEX_SIZE - 1);
	value = mem_string(t->text);
	for (char *c = value; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	config_set_string(slot, value);
	return 0;
}

/* Sets the value of a key that holds one. */
static int
config_set_scalar(struct config_text *t, void *base, struct fail *fail)
{
	void *slot = config_set_slot(t->key, base);
	char *address;

	switch (t->key->type) {
	case CONFIG_BOOL:
		return config_set_bool(t, slot, fail);
	case CONFIG_COUNT:
		return config_set_count(t, slot, fail);
	case CONFIG_INT:
	case CONFIG_DURATION:
	case CONFIG_SIZE:
		return config_value_number(t->key, t->text, t->shown, slot, fail);
	case CONFIG_MODE:
		return config_value_mode(t->text, slot, fail);
	case CONFIG_ENUM:
		return config_set_enum(t, slot, fail);
	case CONFIG_WORD:
		return config_set_word(t, slot, fail);
	case CONFIG_TEXT:
		return config_set_words(t, slot, fail);
	case CONFIG_PATH:
	case CONFIG_FILE:
		return config_set_path(t, slot, fail);
	case CONFIG_URL:
	case CONFIG_PROXY:
		return config_set_url(t, slot, fail);
	case CONFIG_ADDRESS:
		if (config_set_address(t, &address, fail) != 0)
			return -1;
		config_set_string(slot, address);
		return 0;
	case CONFIG_SECRET:
		return config_set_secret(t, slot, fail);
	case CONFIG_SECRET_FILE:
		return config_set_secret_file(t, slot, fail);
	case CONFIG_NAME:
		return config_set_name(t, slot, fail);
	case CONFIG_DIGEST:
		return config_set_digest(t, slot, fail);
	default:
		return fail_set(fail, "cannot be a single value");
	}
}

/* Whether the key holds a list of texts. */
static bool
config_set_is_list(enum config_type type)
{
	return type == CONFIG_ADDRESSES || type == CONFIG_HOSTS || type == CONFIG_NETWORKS ||
	    type == CONFIG_ORIGINS || type == CONFIG_IDS;
}

/* Makes one item of a list. */
static int
config_set_item(const struct config_text *t, char **out, struct fail *fail)
{
	char origin[ORIGIN_SIZE];

	if (t->key->type == CONFIG_ADDRESSES)
		return config_set_address(t, out, fail);
	if (t->key->type == CONFIG_ORIGINS) {
		if (config_address_origin(t->text, origin, fail) != 0)
			return -1;
		*out = mem_string(origin);
		return 0;
	}
	if (t->key->type == CONFIG_HOSTS && config_address_host(t->text, fail) != 0)
		return -1;
	if (t->key->type == CONFIG_NETWORKS && config_address_network(t->text, fail) != 0)
		return -1;
	*out = mem_string(t->text); /* an id is good when it is one of the projects */
	return 0;
}

/* Sets a list of one text. */
static int
config_set_only(const struct config_text *t, void *base, struct fail *fail)
{
	char **values = mem_zero(2, sizeof *values);

	if (config_set_item(t, &values[0], fail) != 0) {
		free(values);
		return -1;
	}
	config_set_strings(config_set_slot(t->key, base), values);
	return 0;
}

/* Fills a default in. */
void
config_set_default(const struct config_key *key, void *base, const char *file)
{
	struct config_text t = {.key = key, .text = key->fallback, .file = file, .shown = true};
	struct fail fail;
	int result;

	if (key->fallback == NULL || key->type == CONFIG_PROJECTS || key->type == CONFIG_HEADERS)
		return;
	if (strcmp(key->fallback, "[]") == 0) {
		config_set_strings(config_set_slot(key, base), mem_zero(1, sizeof(char *)));
		return;
	}
	result = config_set_is_list(key->type) ? config_set_only(&t, base, &fail) :
						 config_set_scalar(&t, base, &fail);
	if (result != 0)
		abort(); /* the table contradicts itself */
}

/* Sets a text that no file holds. */
int
config_set_text(const struct config_key *key, void *base, const char *text, struct fail *fail)
{
	struct config_text t = {.key = key, .text = text, .shown = true};
	int result;

	if (text[0] == '\0')
		return fail_set(fail, "must not be empty");
	result = config_set_is_list(key->type) ? config_set_only(&t, base, fail) :
						 config_set_scalar(&t, base, fail);
	if (result == 0)
		config_set_given(key, base);
	return result;
}

/* What a key must be when it is something of another kind; the caller frees. */
static char *
config_set_expected(const struct config_key *key)
{
	switch (key->type) {
	case CONFIG_BOOL:
		return mem_string("true or false");
	case CONFIG_INT:
		return mem_string("a whole number");
	case CONFIG_COUNT:
		return mem_string("auto or a whole number");
	case CONFIG_DURATION:
		return mem_string("a duration such as 250ms, 5s, 2m or 1h");
	case CONFIG_SIZE:
		return mem_string("a size such as 64KiB or 1MiB");
	case CONFIG_ENUM:
		return config_set_choices(key);
	case CONFIG_ADDRESSES:
		return mem_string("an address or a list of addresses");
	case CONFIG_HOSTS:
		return mem_string("a list of host names such as [gateway.example.com]");
	case CONFIG_NETWORKS:
		return mem_string("a list of addresses and ranges such as [127.0.0.1, 10.0.0.0/8]");
	case CONFIG_MODE:
		return mem_string("permissions such as 0600");
	case CONFIG_ORIGINS:
		return mem_string("a list of origins such as [\"http://localhost:5173\"]");
	case CONFIG_IDS:
		return mem_string("a list of project ids such as [shop-bot]");
	default:
		return mem_string("a text");
	}
}

/* Whether a node can be read as a single value; notes why not. */
static bool
config_set_usable(const struct config_key *key, struct yaml_node *node, const char *name,
    struct diag_list *diags)
{
	bool typed = key->type == CONFIG_BOOL || key->type == CONFIG_INT ||
	    key->type == CONFIG_COUNT;
	const char *fallback = key->type == CONFIG_HEADERS ? NULL : key->fallback;
	char *expected;

	if (node->broken)
		return false;
	expected = config_set_expected(key);
	if (node->kind != YAML_SCALAR)
		config_set_refuse(node, diags, "%s must be %s, not a %s", name, expected,
		    node->kind == YAML_LIST ? "list" : "map");
	else if (yaml_node_is_null(node) || node->text[0] == '\0')
		config_set_refuse(node, diags,
		    "%s is empty; give it a value, or leave the key out%s%s", name,
		    fallback == NULL ? "" : " for the default ", fallback == NULL ? "" : fallback);
	else if (typed && node->quoted && !node->expanded)
		config_set_refuse(node, diags, "%s must be %s; write it without quotes", name,
		    expected);
	free(expected);
	return !node->broken;
}

/* Leaves no second copy of a secret in the document. */
static void
config_set_wipe(struct yaml_node *node)
{
	explicit_bzero(node->text, strlen(node->text));
}

/* Sets a key from a node that holds one value. */
static void
config_set_single(const struct config_key *key, void *base, struct yaml_node *node,
    const char *name, struct diag_list *diags)
{
	struct config_text t = {.key = key, .text = node->text, .file = node->file,
	    .shown = !node->expanded};
	struct fail fail;

	if (!config_set_usable(key, node, name, diags))
		return;
	if (config_set_scalar(&t, base, &fail) != 0) {
		config_set_refuse(node, diags, "%s %s", name, fail.text);
		return;
	}
	if (key->type == CONFIG_SECRET)
		config_set_wipe(node);
	if (t.readable)
		diag_warn(diags, node->file, node->line, node->column,
		    "%s names a file that other users may read (mode %04o); take the right away "
		    "with chmod 600", name, t.mode);
	config_set_given(key, base);
}

/* Sets a key from a list, or from the only item of one. */
static void
config_set_list(const struct config_key *key, void *base, struct yaml_node *node,
    const char *name, struct diag_list *diags)
{
	struct yaml_node **items = node->kind == YAML_LIST ? node->items : &node;
	size_t count = node->kind == YAML_LIST ? node->count : 1, used = 0;
	char **values;

	if (node->kind == YAML_MAP) {
		config_set_usable(key, node, name, diags);
		return;
	}
	if (count == 0 && key->type == CONFIG_ADDRESSES) {
		config_set_refuse(node, diags, "%s needs at least one address", name);
		return;
	}
	values = mem_zero(count + 1, sizeof *values);
	for (size_t i = 0; i < count; i++) {
		struct config_text t = {.key = key, .text = items[i]->text, .file = node->file,
		    .shown = !items[i]->expanded};
		struct fail fail;

		if (!config_set_usable(key, items[i], name, diags))
			continue;
		if (config_set_item(&t, &values[used], &fail) != 0)
			config_set_refuse(items[i], diags, "%s %s", name, fail.text);
		else
			used++;
	}
	config_set_strings(config_set_slot(key, base), values);
	config_set_given(key, base);
}

/* Notes what is wrong with a header: with its name at the key, with its value there,
 * which is not repeated. */
static void
config_set_no_header(enum header_fault fault, struct yaml_node *key, struct yaml_node *value,
    const char *name, struct diag_list *diags)
{
	int clip = diag_clip_name(key->text);

	switch (fault) {
	case HEADER_GOOD:
		break;
	case HEADER_BAD_NAME:
		config_set_refuse(key, diags, "%s has \"%.*s%s\", which cannot be the name of a "
		    "header; a name has letters, digits and \"-\", as in X-Tenant", name, clip,
		    key->text, key->text[clip] == '\0' ? "" : "…");
		break;
	case HEADER_RESERVED:
		config_set_refuse(key, diags, "%s cannot have \"%.*s\", which the gateway sets "
		    "itself or never sends; leave it out", name, clip, key->text);
		break;
	case HEADER_BAD_VALUE:
		config_set_refuse(value, diags, "%s.%.*s must not hold line ends or other control "
		    "characters", name, clip, key->text);
		break;
	case HEADER_TOO_MANY:
		config_set_refuse(key, diags, "%s has more than %d headers, or more than %d bytes of "
		    "them; leave some out", name, HEADER_MAX, HEADER_BYTES_MAX);
		break;
	}
}

/* Sets one header. */
static void
config_set_header(const struct config_key *key, struct header_list *list, struct yaml_node *map,
    size_t n, const char *name, struct diag_list *diags)
{
	struct yaml_node *field = map->keys[n], *value = map->items[n];
	char *whole = mem_format("%s.%.*s", name, diag_clip(field->text), field->text);

	if (!field->broken && config_set_usable(key, value, whole, diags)) {
		if (header_list_find(list, field->text) != NULL)
			config_set_refuse(field, diags, "%s has \"%.*s\" twice, since upper and "
			    "lower case are the same in names; keep one of them", name,
			    diag_clip(field->text), field->text);
		else
			config_set_no_header(header_list_put(list, field->text, value->text),
			    field, value, name, diags);
		config_set_wipe(value);
	}
	free(whole);
}

/* Sets headers from a map. */
static void
config_set_headers(const struct config_key *key, void *base, struct yaml_node *node,
    const char *name, struct diag_list *diags)
{
	struct header_list *list = config_set_slot(key, base);

	if (node->broken || yaml_node_is_null(node))
		return;
	if (node->kind != YAML_MAP) {
		config_set_refuse(node, diags, "%s must be a map of names and values such as "
		    "{X-Tenant: shop}, not a %s", name,
		    node->kind == YAML_LIST ? "list" : "single value");
		return;
	}
	for (size_t i = 0; i < node->count; i++)
		config_set_header(key, list, node, i, name, diags);
	config_set_given(key, base);
}

/* Sets a key from the file. */
void
config_set_node(const struct config_key *key, void *base, struct yaml_node *node, const char *name,
    struct diag_list *diags)
{
	if (config_set_is_list(key->type))
		config_set_list(key, base, node, name, diags);
	else if (key->type == CONFIG_HEADERS)
		config_set_headers(key, base, node, name, diags);
	else
		config_set_single(key, base, node, name, diags);
}
