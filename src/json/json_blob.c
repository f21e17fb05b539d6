#include "config.h"

#include "json/json_blob.h"

#include <string.h>

#define JSON_BLOB_HEAD_MAX 128 /* characters of a data URL before its bytes */

enum json_blob_state {
	BLOB_PLAIN,
	BLOB_STRING,
	BLOB_STRING_ESCAPE,
	BLOB_BYTES,
	BLOB_BYTES_ESCAPE,
	BLOB_BYTES_CODE
};

enum json_blob_key { KEY_NONE, KEY_READ, KEY_COLON };

/* How far the string may still be a data URL. */
enum json_blob_prefix { PREFIX_MAYBE, PREFIX_HEAD, PREFIX_OVER };

static const char json_blob_scheme[] = "data:";

/* Prepares. */
void
json_blob_init(struct json_blob *b, const char *key, unsigned depth, size_t rest_max,
    size_t bytes_max)
{
	memset(b, 0, sizeof *b);
	b->key = key;
	b->depth = depth;
	buf_init(&b->rest, rest_max);
	buf_init(&b->bytes, bytes_max);
}

/* Frees. */
void
json_blob_free(struct json_blob *b)
{
	buf_free(&b->rest);
	buf_free(&b->bytes);
}

/* Decodes characters of the string. */
static void
json_blob_decode(struct json_blob *b, const char *text, size_t len)
{
	if (!b->bad && !base64_decode(&b->base64, text, len, &b->bytes))
		b->bad = true;
}

/* Takes one character of the head of a data URL. */
static void
json_blob_head(struct json_blob *b, char c)
{
	static const char coding[] = ";base64";

	if (c == ',') {
		b->bad |= memcmp(b->tail, coding, sizeof coding - 1) != 0;
		b->prefix = PREFIX_OVER;
	} else if (++b->head > JSON_BLOB_HEAD_MAX) {
		b->bad = true;
		b->prefix = PREFIX_OVER;
	} else {
		memmove(b->tail, b->tail + 1, sizeof coding - 2);
		b->tail[sizeof coding - 2] = c;
	}
}

/* Takes characters of the string. */
static void
json_blob_take(struct json_blob *b, const char *text, size_t len)
{
	size_t i = 0;

	if (b->dropping)
		return;
	for (; i < len && b->prefix != PREFIX_OVER; i++) {
		if (b->prefix == PREFIX_HEAD) {
			json_blob_head(b, text[i]);
		} else if (text[i] == json_blob_scheme[b->head]) {
			if (json_blob_scheme[++b->head] == '\0')
				b->prefix = PREFIX_HEAD;
		} else {
			b->prefix = PREFIX_OVER;
			json_blob_decode(b, json_blob_scheme, b->head);
			break;
		}
	}
	json_blob_decode(b, text + i, len - i);
}

/* The string has ended. */
static void
json_blob_close(struct json_blob *b)
{
	if (b->dropping)
		return;
	if (b->prefix == PREFIX_MAYBE)
		json_blob_decode(b, json_blob_scheme, b->head);
	b->bad |= b->prefix == PREFIX_HEAD || !base64_ends(&b->base64);
}

/* A byte outside of strings. */
static void
json_blob_plain(struct json_blob *b, char c)
{
	buf_addc(&b->rest, c);
	switch (c) {
	case '"':
		if (b->after_key == KEY_COLON) {
			buf_addc(&b->rest, '"');
			b->state = BLOB_BYTES;
			b->dropping = b->seen;
			b->seen = true;
		} else {
			b->state = BLOB_STRING;
			b->matched = 0;
		}
		b->after_key = KEY_NONE;
		return;
	case ':':
		b->after_key = b->after_key == KEY_READ ? KEY_COLON : KEY_NONE;
		return;
	case ' ':
	case '\t':
	case '\n':
	case '\r':
		return;
	case '{':
	case '[':
		b->level++;
		break;
	case '}':
	case ']':
		b->level--;
		break;
	}
	b->after_key = KEY_NONE;
}

/* A byte of any other string. */
static void
json_blob_string(struct json_blob *b, char c)
{
	size_t len = strlen(b->key);

	buf_addc(&b->rest, c);
	if (c == '"') {
		b->after_key = b->matched == len && b->level == b->depth ? KEY_READ : KEY_NONE;
		b->state = BLOB_PLAIN;
	} else if (c == '\\') {
		b->matched = (unsigned)len + 1; /* a key with escapes is not looked for */
		b->state = BLOB_STRING_ESCAPE;
	} else if (b->matched < len && c == b->key[b->matched]) {
		b->matched++;
	} else {
		b->matched = (unsigned)len + 1;
	}
}

/* Takes a character that was written as an escape. Line ends count as nothing. */
static void
json_blob_escaped(struct json_blob *b, char c)
{
	if (c != '\n' && c != '\r')
		json_blob_take(b, &c, 1);
}

/* A byte of an escape in the large string: \/ and ASCII as \u00xx are base64, \n and
 * \r are line ends. */
static void
json_blob_escape(struct json_blob *b, char c)
{
	if (b->state == BLOB_BYTES_ESCAPE) {
		b->state = c == 'u' ? BLOB_BYTES_CODE : BLOB_BYTES;
		b->escape = b->code = 0;
		if (c == '/')
			json_blob_escaped(b, c);
		else if (c != 'u' && c != 'n' && c != 'r')
			b->bad = true;
		return;
	}
	b->code <<= 4;
	if (c >= '0' && c <= '9')
		b->code |= (unsigned)(c - '0');
	else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		b->code |= (unsigned)((c | 0x20) - 'a' + 10);
	else
		b->bad = true;
	if (++b->escape < 4)
		return;
	b->state = BLOB_BYTES;
	if (b->code == 0 || b->code > 0x7f)
		b->bad = true;
	else
		json_blob_escaped(b, (char)b->code);
}

/* Takes a run of the large string; returns its length. */
static size_t
json_blob_run(struct json_blob *b, const char *text, size_t len)
{
	const char *end = memchr(text, '"', len), *escape;
	size_t run = end != NULL ? (size_t)(end - text) : len;

	escape = memchr(text, '\\', run);
	if (escape != NULL)
		run = (size_t)(escape - text);
	json_blob_take(b, text, run);
	if (run == len)
		return run;
	if (escape != NULL) {
		b->state = BLOB_BYTES_ESCAPE;
	} else {
		json_blob_close(b);
		b->state = BLOB_PLAIN;
	}
	return run + 1;
}

/* Takes a piece. */
bool
json_blob_add(struct json_blob *b, const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && !b->rest.full && !b->bytes.full) {
		switch ((enum json_blob_state)b->state) {
		case BLOB_PLAIN:
			json_blob_plain(b, text[i++]);
			break;
		case BLOB_STRING:
			json_blob_string(b, text[i++]);
			break;
		case BLOB_STRING_ESCAPE:
			buf_addc(&b->rest, text[i++]);
			b->state = BLOB_STRING;
			break;
		case BLOB_BYTES:
			i += json_blob_run(b, text + i, len - i);
			break;
		case BLOB_BYTES_ESCAPE:
		case BLOB_BYTES_CODE:
			json_blob_escape(b, text[i++]);
			break;
		}
	}
	return !b->rest.full && !b->bytes.full;
}

/* Takes the string from the tree, when its key was written with escapes. */
static void
json_blob_late(struct json_blob *b, struct json_object *root)
{
	struct json_object *value = NULL;
	const char *text;

	if (b->seen || b->depth != 1 || !json_object_is_type(root, json_type_object) ||
	    !json_object_object_get_ex(root, b->key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return;
	b->seen = true;
	text = json_object_get_string(value);
	for (int i = 0; i < json_object_get_string_len(value); i++)
		json_blob_escaped(b, text[i]);
	json_blob_close(b);
}

/* Reads the rest. */
bool
json_blob_end(struct json_blob *b, size_t max_values, struct json_object **out,
    struct json_error *err)
{
	*out = NULL;
	if (!json_read_bounded(b->rest.data != NULL ? b->rest.data : "", b->rest.len, max_values,
	        out, err))
		return false;
	json_blob_late(b, *out);
	return true;
}
