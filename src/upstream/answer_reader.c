#include "config.h"

#include "upstream/answer_reader.h"
#include "base/mem.h"

#include <string.h>

/* Prepares for a head. */
void
answer_reader_init(struct answer_reader *r)
{
	memset(r, 0, sizeof *r);
	buf_init(&r->text, 2 * ANSWER_HEAD_MAX);
	buf_init(&r->line, ANSWER_HEAD_MAX);
}

/* Forgets all. */
void
answer_reader_free(struct answer_reader *r)
{
	buf_free(&r->text);
	buf_free(&r->line);
}

/* Refuses the answer. */
static enum answer_read
answer_reader_refuse(struct answer_reader *r, const char *why)
{
	r->why = why;
	return ANSWER_READ_BAD;
}

/* Keeps a field. */
static enum answer_read
answer_reader_keep(struct answer_reader *r, const struct answer_field *f)
{
	r->field_count++;
	if (buf_add(&r->text, f->name, f->name_len) && buf_addc(&r->text, '\0') &&
	    buf_add(&r->text, f->value, f->value_len) && buf_addc(&r->text, '\0'))
		return ANSWER_READ_MORE;
	return answer_reader_refuse(r, "the answer's head is too large");
}

/* A status line: what was kept belonged to an interim answer. */
static enum answer_read
answer_reader_begin(struct answer_reader *r)
{
	buf_clear(&r->text);
	r->field_count = 0;
	if (r->head.status == 101 && (!r->upgrade || !r->head.http11))
		return answer_reader_refuse(r, "the answer changes the protocol, unasked");
	if (r->head.status < 100 || r->head.status > 599)
		return answer_reader_refuse(r, "the status is not one of HTTP");
	return ANSWER_READ_MORE;
}

/* Takes a line. */
enum answer_read
answer_reader_line(struct answer_reader *r, const char *line, size_t n)
{
	struct answer_field f;

	switch (answer_head_line(&r->head, line, n, &f)) {
	case ANSWER_LINE_STATUS:
		return answer_reader_begin(r);
	case ANSWER_LINE_FIELD:
		return answer_reader_keep(r, &f);
	case ANSWER_LINE_END:
		return r->head.complete || r->head.status == 101 ? ANSWER_READ_HEAD
		                                                 : ANSWER_READ_MORE;
	case ANSWER_LINE_TRAILER:
		return ANSWER_READ_MORE;
	case ANSWER_LINE_ODD:
		return answer_reader_refuse(r, "the answer's head is not well-formed");
	case ANSWER_LINE_BAD:
		break;
	}
	return answer_reader_refuse(r, r->head.ambiguous ? "the answer's length is ambiguous"
	                                                 : "the answer's head is too large");
}

/* Takes the line that has been gathered. */
static enum answer_read
answer_reader_gathered(struct answer_reader *r)
{
	size_t n = r->line.len;
	enum answer_read read;

	if (n < 2 || r->line.data[n - 2] != '\r')
		return answer_reader_refuse(r, "the answer's head is not well-formed");
	if (!r->head.begun && strncmp(r->line.data, "HTTP/1.", 7) != 0)
		return answer_reader_refuse(r, "the answer is not HTTP/1");
	read = answer_reader_line(r, r->line.data, n);
	buf_clear(&r->line);
	return read;
}

/* Takes bytes. */
enum answer_read
answer_reader_feed(struct answer_reader *r, const char *bytes, size_t len, size_t *used)
{
	enum answer_read read = ANSWER_READ_MORE;
	size_t i = 0, n;
	const char *end;

	while (i < len && read == ANSWER_READ_MORE) {
		end = memchr(bytes + i, '\n', len - i);
		n = end != NULL ? (size_t)(end - bytes) + 1 - i : len - i;
		if (!buf_add(&r->line, bytes + i, n))
			return answer_reader_refuse(r, "the answer's head is too large");
		i += n;
		if (end != NULL)
			read = answer_reader_gathered(r);
	}
	*used = i;
	return read;
}

/* Lists the fields. */
struct wire_field *
answer_reader_fields(const struct answer_reader *r)
{
	struct wire_field *list = mem_zero(r->field_count + 1, sizeof *list);
	const char *p = r->text.data;

	for (size_t i = 0; i < r->field_count; i++) {
		list[i].name = p;
		p += strlen(p) + 1;
		list[i].value = p;
		p += strlen(p) + 1;
	}
	return list;
}
