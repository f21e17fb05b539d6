#include "config.h"

#include "front_h2.h"
#include "harness.h"
#include "base/buf.h"

#include <check.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define H2_WAIT_MS 10000
#define H2_FRAME_HEAD 9 /* bytes (RFC 9113, 4.1) */

enum { H2_DATA = 0, H2_HEADERS = 1, H2_RST_STREAM = 3, H2_SETTINGS = 4, H2_GOAWAY = 7 };
enum { H2_END_STREAM = 1, H2_ACK = 1, H2_END_HEADERS = 4 };

/* Adds a frame. */
static void
h2_frame(struct buf *b, int type, int flags, unsigned stream, const void *bytes, size_t len)
{
	const unsigned char head[H2_FRAME_HEAD] = {(unsigned char)(len >> 16), (unsigned char)(len >> 8),
	    (unsigned char)len, (unsigned char)type, (unsigned char)flags, 0, 0, 0, (unsigned char)stream};

	buf_add(b, head, sizeof head);
	buf_add(b, bytes, len);
}

/* Adds a text with its length, which is below 127. */
static void
h2_text(struct buf *b, const char *text, size_t len)
{
	ck_assert_uint_lt(len, 127);
	buf_addc(b, (char)len);
	buf_add(b, text, len);
}

/* Adds a request. */
static void
h2_request(struct buf *b, unsigned stream, const char *const fields[FRONT_H2_FIELDS],
    const char *body)
{
	struct buf block;

	buf_init(&block, 1 << 16);
	for (size_t i = 0; i < FRONT_H2_FIELDS && fields[i] != NULL; i++) {
		const char *bar = strchr(fields[i], '|');

		buf_addc(&block, 0);
		h2_text(&block, fields[i], (size_t)(bar - fields[i]));
		h2_text(&block, bar + 1, strlen(bar + 1));
	}
	h2_frame(b, H2_HEADERS, H2_END_HEADERS | (body == NULL ? H2_END_STREAM : 0), stream, block.data,
	    block.len);
	if (body != NULL)
		h2_frame(b, H2_DATA, H2_END_STREAM, stream, body, strlen(body));
	buf_free(&block);
}

/* Reads exactly so many bytes; false at the end. */
static bool
h2_read(int fd, unsigned char *bytes, size_t len)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	for (; len > 0; len -= (size_t)n, bytes += n) {
		ck_assert_msg(poll(&p, 1, H2_WAIT_MS) > 0, "the connection stands still");
		n = recv(fd, bytes, len, 0);
		if (n <= 0)
			return false;
	}
	return true;
}

/* Takes one frame, and tells which streams are over, as bits; false at the end. */
static bool
h2_take(int fd, unsigned *over)
{
	static unsigned char rest[1 << 17];
	unsigned char head[H2_FRAME_HEAD];
	struct buf ack;
	size_t len;

	if (!h2_read(fd, head, sizeof head))
		return false;
	len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
	ck_assert_uint_lt(len, sizeof rest);
	if (!h2_read(fd, rest, len) || head[3] == H2_GOAWAY)
		return false;
	if (head[3] == H2_SETTINGS && (head[4] & H2_ACK) == 0) {
		buf_init(&ack, 64);
		h2_frame(&ack, H2_SETTINGS, H2_ACK, 0, "", 0);
		send(fd, ack.data, ack.len, MSG_NOSIGNAL);
		buf_free(&ack);
	}
	if (head[3] == H2_RST_STREAM ||
	    ((head[3] == H2_HEADERS || head[3] == H2_DATA) && (head[4] & H2_END_STREAM) != 0))
		*over |= 1u << head[8];
	return true;
}

/* Sends and reads. */
void
front_h2_send(int port, const struct front_h2 *k)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	static const char *const marker[FRONT_H2_FIELDS] = {":method|GET", ":scheme|http",
	    ":path|/marker", ":authority|localhost"};
	int fd = raw_connect(port);
	unsigned over = 0;
	struct buf b;

	buf_init(&b, 1 << 17);
	buf_add(&b, preface, sizeof preface - 1);
	h2_frame(&b, H2_SETTINGS, 0, 0, "", 0);
	h2_request(&b, 1, k->fields, k->body);
	h2_request(&b, 3, marker, NULL);
	ck_assert_int_eq(send(fd, b.data, b.len, MSG_NOSIGNAL), (ssize_t)b.len);
	buf_free(&b);
	while ((over & (1u << 1 | 1u << 3)) != (1u << 1 | 1u << 3) && h2_take(fd, &over))
		;
	close(fd);
}
