#include "config.h"

#include "bulk/bulk_reader.h"
#include "base/buf.h"
#include "base/mem.h"
#include "json/json_read.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BULK_READER_LIST "personas" /* the member that holds the list */

/* Where in the file it is. */
enum bulk_place {
	BULK_START,     /* nothing is known of its form yet */
	BULK_LINE,      /* between lines */
	BULK_BEGIN,     /* JSON: before its first bracket */
	BULK_FIRST,     /* behind the bracket of the list */
	BULK_BETWEEN,   /* behind an element of the list */
	BULK_ELEMENT,   /* before one, which must come */
	BULK_MEMBER,    /* of the object around the list: before a key, or its end */
	BULK_NEXT_KEY,  /* before a key, which must come */
	BULK_COLON,     /* behind a key */
	BULK_VALUE,     /* before a value that is passed over */
	BULK_NEXT,      /* behind a value */
	BULK_DONE,      /* behind everything */
	BULK_FAILED
};

/* What the scan for a piece's end came to. */
enum bulk_scan { BULK_SCAN_FOUND, BULK_SCAN_LONG, BULK_SCAN_WAIT, BULK_SCAN_CUT, BULK_SCAN_ERROR };

struct bulk_reader {
	int fd;
	enum bulk_form form;
	size_t max;
	bool pipe, ended;
	enum bulk_place place;
	bool wrapped, listed; /* an object is around the list; the list came */
	struct buf in;   /* what was read and not given out: from `from` on */
	size_t from;
	off_t dropped;   /* bytes before in.data[0] */
	uint64_t line;   /* of in.data[from] */
	/* the scan of the piece that begins at `from` */
	size_t seen;     /* bytes of it that were looked at */
	unsigned depth;
	bool string, escaped, too_long;
	uint64_t begun_on; /* the line of its first byte */
	bool is_list_key;
	const char *why;
};

/* What may stand between the parts of a JSON text. */
static bool
bulk_reader_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Makes a reader. */
struct bulk_reader *
bulk_reader_new(int fd, enum bulk_form form, size_t max)
{
	struct bulk_reader *r = mem_zero(1, sizeof *r);
	struct stat st;

	r->fd = fd;
	r->form = form;
	r->max = max;
	r->line = 1;
	r->pipe = fstat(fd, &st) < 0 || !S_ISREG(st.st_mode);
	buf_init(&r->in, max + 2 * BULK_READER_CHUNK);
	return r;
}

/* Frees it. */
void
bulk_reader_free(struct bulk_reader *r)
{
	if (r == NULL)
		return;
	buf_free(&r->in);
	free(r);
}

/* What was given out. */
off_t
bulk_reader_at(const struct bulk_reader *r)
{
	return r->dropped + (off_t)r->from;
}

/* Nothing can be read any more. */
static enum bulk_read
bulk_reader_fail(struct bulk_reader *r, const char *why)
{
	r->place = BULK_FAILED;
	r->why = why;
	return BULK_READ_BROKEN;
}

/* Reads a chunk behind what is there. WAIT: a pipe is empty; CUT: the end; FOUND: more came. */
static enum bulk_scan
bulk_reader_fill(struct bulk_reader *r)
{
	struct pollfd p = {.fd = r->fd, .events = POLLIN};
	ssize_t n;

	if (r->ended)
		return BULK_SCAN_CUT;
	if (r->from >= BULK_READER_CHUNK || (r->from > 0 && r->from == r->in.len)) {
		buf_drain(&r->in, r->from);
		r->dropped += (off_t)r->from;
		r->from = 0;
	}
	if (!buf_reserve(&r->in, BULK_READER_CHUNK)) {
		r->why = "out of memory";
		return BULK_SCAN_ERROR;
	}
	if (r->pipe && poll(&p, 1, 0) == 0)
		return BULK_SCAN_WAIT;
	do
		n = read(r->fd, r->in.data + r->in.len, BULK_READER_CHUNK);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN && r->pipe)
		return BULK_SCAN_WAIT;
	if (n < 0) {
		r->why = strerror(errno);
		return BULK_SCAN_ERROR;
	}
	r->ended = n == 0;
	r->in.len += (size_t)n;
	r->in.data[r->in.len] = '\0';
	return n == 0 ? BULK_SCAN_CUT : BULK_SCAN_FOUND;
}

/* Passes over so many bytes. */
static void
bulk_reader_pass(struct bulk_reader *r, size_t n)
{
	const char *p = r->in.data + r->from, *end = p + n;

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		r->line++;
		p++;
	}
	r->from += n;
}

/* A scan begins at the next byte. */
static void
bulk_scan_begin(struct bulk_reader *r)
{
	r->seen = 0;
	r->depth = 0;
	r->string = r->escaped = r->too_long = false;
	r->begun_on = r->line;
}

/* Looks at one more byte of a JSON value; true behind its end, which `*taken` counts in. */
static bool
bulk_scan_byte(struct bulk_reader *r, char c, size_t *taken)
{
	if (r->string) {
		if (r->escaped)
			r->escaped = false;
		else if (c == '\\')
			r->escaped = true;
		else if (c == '"')
			r->string = false;
		*taken = 1;
		return !r->string && r->depth == 0;
	}
	*taken = 1;
	if (c == '"') {
		r->string = true;
		return false;
	}
	if (c == '{' || c == '[') {
		r->depth++;
		return false;
	}
	if (r->depth > 0)
		return (c == '}' || c == ']') && --r->depth == 0;
	*taken = 0; /* a scalar ends before what cannot belong to it */
	if (c == ',' || c == '}' || c == ']' || bulk_reader_is_space(c))
		return true;
	*taken = 1;
	return false;
}

/* What is longer than may be is not kept. */
static void
bulk_scan_forget(struct bulk_reader *r)
{
	if (r->seen <= r->max)
		return;
	r->too_long = true;
	bulk_reader_pass(r, r->seen);
	r->seen = 0;
}

/* Finds the end of the JSON value that begins at `from`. */
static enum bulk_scan
bulk_scan_value(struct bulk_reader *r)
{
	enum bulk_scan got;
	size_t taken;

	for (;;) {
		while (r->from + r->seen < r->in.len) {
			bool over = bulk_scan_byte(r, r->in.data[r->from + r->seen], &taken);

			r->seen += taken;
			if (over)
				return r->too_long || r->seen > r->max ? BULK_SCAN_LONG : BULK_SCAN_FOUND;
		}
		bulk_scan_forget(r);
		got = bulk_reader_fill(r);
		if (got != BULK_SCAN_FOUND)
			return got;
	}
}

/* Finds the end of the line that begins at `from`; its last one needs none. */
static enum bulk_scan
bulk_scan_line(struct bulk_reader *r)
{
	enum bulk_scan got;
	const char *start, *end;

	for (;;) {
		start = r->in.len > 0 ? r->in.data + r->from + r->seen : NULL;
		end = start != NULL ? memchr(start, '\n', r->in.len - r->from - r->seen) : NULL;
		if (end != NULL) {
			r->seen += (size_t)(end - start) + 1;
			return r->too_long || r->seen > r->max + 1 ? BULK_SCAN_LONG : BULK_SCAN_FOUND;
		}
		r->seen = r->in.len - r->from;
		bulk_scan_forget(r);
		got = bulk_reader_fill(r);
		if (got == BULK_SCAN_CUT && r->too_long)
			return BULK_SCAN_LONG;
		if (got == BULK_SCAN_CUT && r->seen > 0)
			return BULK_SCAN_FOUND;
		if (got != BULK_SCAN_FOUND)
			return got;
	}
}

/* Gives the scanned piece out. */
static enum bulk_read
bulk_reader_give(struct bulk_reader *r, enum bulk_scan found, struct bulk_piece *piece)
{
	piece->text = r->in.data + r->from;
	piece->len = r->seen;
	piece->at = bulk_reader_at(r);
	piece->line = r->begun_on;
	bulk_reader_pass(r, r->seen);
	bulk_scan_begin(r);
	if (found == BULK_SCAN_FOUND)
		return BULK_READ_PIECE;
	piece->text = NULL;
	piece->len = 0;
	return BULK_READ_LONG;
}

/* What a scan without a piece means. `cut` says what its end would be. */
static enum bulk_read
bulk_reader_stuck(struct bulk_reader *r, enum bulk_scan got, const char *cut)
{
	if (got == BULK_SCAN_WAIT)
		return BULK_READ_WAIT;
	return bulk_reader_fail(r, got == BULK_SCAN_CUT ? cut : r->why);
}

/* ---- JSON lines ---- */

/* Whether a piece holds nothing. */
static bool
bulk_reader_is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!bulk_reader_is_space(text[i]))
			return false;
	return true;
}

/* The next line that is not blank. */
static enum bulk_read
bulk_reader_line(struct bulk_reader *r, struct bulk_piece *piece)
{
	for (;;) {
		enum bulk_scan got = bulk_scan_line(r);
		enum bulk_read what;

		if (got == BULK_SCAN_CUT)
			return BULK_READ_END;
		if (got != BULK_SCAN_FOUND && got != BULK_SCAN_LONG)
			return bulk_reader_stuck(r, got, NULL);
		what = bulk_reader_give(r, got, piece);
		if (what == BULK_READ_LONG)
			return what;
		while (piece->len > 0 && bulk_reader_is_space(piece->text[piece->len - 1]))
			piece->len--;
		if (!bulk_reader_is_blank(piece->text, piece->len))
			return what;
	}
}

/* ---- JSON ---- */

/* Whether a line is an object with the list in it. */
static bool
bulk_reader_has_list(const char *text, size_t len)
{
	struct json_object *root = NULL, *list = NULL;
	bool has = json_read(text, len, &root, NULL) && json_object_is_type(root, json_type_object) &&
	    json_object_object_get_ex(root, BULK_READER_LIST, &list) &&
	    json_object_is_type(list, json_type_array);

	json_object_put(root);
	return has;
}

/* Finds out the form of what begins with a brace, by its first line, which stays where it
 * is: JSON lines, unless that line is no whole object, or one around a list. */
static enum bulk_read
bulk_reader_guess(struct bulk_reader *r)
{
	enum bulk_scan got = BULK_SCAN_FOUND;
	const char *text = NULL, *end = NULL;
	size_t len = 0;

	while (got == BULK_SCAN_FOUND && end == NULL && len <= r->max) {
		text = r->in.data + r->from;
		len = r->in.len - r->from;
		end = memchr(text, '\n', len);
		if (end == NULL && len <= r->max)
			got = bulk_reader_fill(r);
	}
	if (got == BULK_SCAN_WAIT || got == BULK_SCAN_ERROR)
		return bulk_reader_stuck(r, got, NULL);
	text = r->in.data + r->from;
	len = end != NULL ? (size_t)(end - text) : r->in.len - r->from;
	while (len > 0 && bulk_reader_is_space(text[len - 1]))
		len--;
	r->form = BULK_FORM_JSON;
	if (len <= r->max && text[len - 1] == '}' && !bulk_reader_has_list(text, len))
		r->form = BULK_FORM_LINES;
	return BULK_READ_PIECE;
}

/* The next byte that is no space stands at `from`; else what is in the way. */
static enum bulk_scan
bulk_reader_skip(struct bulk_reader *r)
{
	enum bulk_scan got;

	for (;;) {
		size_t n = 0;

		while (r->from + n < r->in.len && bulk_reader_is_space(r->in.data[r->from + n]))
			n++;
		if (n > 0)
			bulk_reader_pass(r, n);
		if (r->from < r->in.len)
			return BULK_SCAN_FOUND;
		got = bulk_reader_fill(r);
		if (got != BULK_SCAN_FOUND)
			return got;
	}
}

/* A byte order mark at the start of a file says nothing. */
static enum bulk_scan
bulk_reader_skip_mark(struct bulk_reader *r)
{
	enum bulk_scan got = BULK_SCAN_FOUND;

	while (r->in.len < 3 && got == BULK_SCAN_FOUND)
		got = bulk_reader_fill(r);
	if (got == BULK_SCAN_WAIT || got == BULK_SCAN_ERROR)
		return got;
	if (r->in.len >= 3 && memcmp(r->in.data, "\xef\xbb\xbf", 3) == 0)
		r->from = 3;
	return bulk_reader_skip(r);
}

/* Begins: which form is it? */
static enum bulk_read
bulk_reader_start(struct bulk_reader *r)
{
	enum bulk_scan got;
	enum bulk_read what;
	char first;

	got = r->dropped == 0 && r->from == 0 ? bulk_reader_skip_mark(r) : bulk_reader_skip(r);
	if (got == BULK_SCAN_CUT && r->form != BULK_FORM_JSON)
		return BULK_READ_END;
	if (got != BULK_SCAN_FOUND)
		return bulk_reader_stuck(r, got, "it is empty");
	first = r->in.data[r->from];
	if (r->form == BULK_FORM_AUTO && first != '{' && first != '[')
		return bulk_reader_fail(r, "it is neither JSON lines nor JSON: it begins with neither { nor [");
	if (r->form == BULK_FORM_AUTO && first == '[')
		r->form = BULK_FORM_JSON;
	if (r->form == BULK_FORM_AUTO) {
		what = bulk_reader_guess(r);
		if (what != BULK_READ_PIECE)
			return what;
	}
	bulk_scan_begin(r);
	r->place = r->form == BULK_FORM_LINES ? BULK_LINE : BULK_BEGIN;
	return BULK_READ_PIECE;
}

/* Takes one byte if it is the one. */
static bool
bulk_reader_take(struct bulk_reader *r, char c)
{
	if (r->in.data[r->from] != c)
		return false;
	bulk_reader_pass(r, 1);
	bulk_scan_begin(r);
	return true;
}

/* Reads a key of the object around the list. */
static enum bulk_read
bulk_reader_key(struct bulk_reader *r)
{
	enum bulk_scan got;
	size_t len = strlen(BULK_READER_LIST);

	if (r->in.data[r->from] != '"')
		return bulk_reader_fail(r, "a member's name is expected");
	got = bulk_scan_value(r);
	if (got == BULK_SCAN_LONG)
		return bulk_reader_fail(r, "a member's name is too long");
	if (got != BULK_SCAN_FOUND)
		return bulk_reader_stuck(r, got, "it ends within a name");
	r->is_list_key = r->seen == len + 2 &&
	    memcmp(r->in.data + r->from + 1, BULK_READER_LIST, len) == 0;
	bulk_reader_pass(r, r->seen);
	bulk_scan_begin(r);
	r->place = BULK_COLON;
	return BULK_READ_PIECE;
}

/* Passes over a value of the object, or goes into the list. */
static enum bulk_read
bulk_reader_value(struct bulk_reader *r)
{
	enum bulk_scan got;

	if (r->is_list_key && r->seen == 0 && !r->too_long) {
		if (r->listed)
			return bulk_reader_fail(r, "it has two lists \"" BULK_READER_LIST "\"");
		if (!bulk_reader_take(r, '['))
			return bulk_reader_fail(r, "its member \"" BULK_READER_LIST "\" is not a list");
		r->listed = true;
		r->place = BULK_FIRST;
		return BULK_READ_PIECE;
	}
	got = bulk_scan_value(r);
	if (got != BULK_SCAN_FOUND && got != BULK_SCAN_LONG)
		return bulk_reader_stuck(r, got, "it ends too early");
	bulk_reader_pass(r, r->seen);
	bulk_scan_begin(r);
	r->place = BULK_NEXT;
	return BULK_READ_PIECE;
}

/* Gives an element of the list out. */
static enum bulk_read
bulk_reader_element(struct bulk_reader *r, struct bulk_piece *piece)
{
	enum bulk_scan got;

	if (r->seen == 0 && !r->too_long && strchr(",]}:", r->in.data[r->from]) != NULL)
		return bulk_reader_fail(r, "a persona is expected");
	got = bulk_scan_value(r);
	if (got != BULK_SCAN_FOUND && got != BULK_SCAN_LONG)
		return bulk_reader_stuck(r, got, "it ends within a persona");
	r->place = BULK_BETWEEN;
	return bulk_reader_give(r, got, piece);
}

/* Behind an element, or at the end of the list. PIECE: go on. */
static enum bulk_read
bulk_reader_between(struct bulk_reader *r)
{
	if (bulk_reader_take(r, ']'))
		r->place = r->wrapped ? BULK_NEXT : BULK_DONE;
	else if (r->place == BULK_FIRST)
		r->place = BULK_ELEMENT;
	else if (bulk_reader_take(r, ','))
		r->place = BULK_ELEMENT;
	else
		return bulk_reader_fail(r, "a comma or the end of the list is expected");
	return BULK_READ_PIECE;
}

/* In the object around the list, before a key or behind a value. */
static enum bulk_read
bulk_reader_member(struct bulk_reader *r)
{
	if (r->place == BULK_NEXT && bulk_reader_take(r, ',')) {
		r->place = BULK_NEXT_KEY;
		return BULK_READ_PIECE;
	}
	if (r->place != BULK_NEXT_KEY && bulk_reader_take(r, '}')) {
		if (!r->listed)
			return bulk_reader_fail(r, "it has no list \"" BULK_READER_LIST "\"");
		r->place = BULK_DONE;
		return BULK_READ_PIECE;
	}
	if (r->place == BULK_NEXT)
		return bulk_reader_fail(r, "a comma or the end of the object is expected");
	r->place = BULK_NEXT_KEY;
	return bulk_reader_key(r);
}

/* The bracket with which it begins. */
static enum bulk_read
bulk_reader_begin(struct bulk_reader *r)
{
	if (bulk_reader_take(r, '[')) {
		r->place = BULK_FIRST;
	} else if (bulk_reader_take(r, '{')) {
		r->wrapped = true;
		r->place = BULK_MEMBER;
	} else {
		return bulk_reader_fail(r, "it is neither a list nor an object");
	}
	return BULK_READ_PIECE;
}

/* One step in JSON. *given: a piece is given out. */
static enum bulk_read
bulk_reader_step(struct bulk_reader *r, struct bulk_piece *piece, bool *given)
{
	bool amid = r->seen > 0 || r->too_long; /* a value was begun before */
	enum bulk_scan got = amid ? BULK_SCAN_FOUND : bulk_reader_skip(r);

	if (got == BULK_SCAN_CUT && r->place == BULK_DONE)
		return BULK_READ_END;
	if (got != BULK_SCAN_FOUND)
		return bulk_reader_stuck(r, got, "it ends too early");
	if (!amid)
		bulk_scan_begin(r);
	switch (r->place) {
	case BULK_BEGIN:
		return bulk_reader_begin(r);
	case BULK_FIRST:
	case BULK_BETWEEN:
		return bulk_reader_between(r);
	case BULK_ELEMENT:
		*given = true;
		return bulk_reader_element(r, piece);
	case BULK_MEMBER:
	case BULK_NEXT_KEY:
	case BULK_NEXT:
		return bulk_reader_member(r);
	case BULK_COLON:
		if (!bulk_reader_take(r, ':'))
			return bulk_reader_fail(r, "a colon is expected");
		r->place = BULK_VALUE;
		return BULK_READ_PIECE;
	case BULK_VALUE:
		return bulk_reader_value(r);
	case BULK_START:
	case BULK_LINE:
	case BULK_DONE:
	case BULK_FAILED:
		break;
	}
	return bulk_reader_fail(r, "something follows its end");
}

/* The next piece. */
enum bulk_read
bulk_reader_next(struct bulk_reader *r, struct bulk_piece *piece)
{
	enum bulk_read what = BULK_READ_PIECE;
	bool given = false;

	memset(piece, 0, sizeof *piece);
	if (r->place == BULK_START)
		what = bulk_reader_start(r);
	if (r->place == BULK_FAILED)
		what = BULK_READ_BROKEN;
	else if (what == BULK_READ_PIECE && r->place == BULK_LINE)
		what = bulk_reader_line(r, piece);
	else
		while (what == BULK_READ_PIECE && !given)
			what = bulk_reader_step(r, piece, &given);
	if (what == BULK_READ_BROKEN) {
		piece->why = r->why;
		piece->line = r->line;
	}
	return what;
}
