#include "config.h"

#include "http/http_proxy.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define HTTP_PROXY_DROP 4096 /* bytes dropped by one read */

/* The beginnings of both versions (2.1 and 2.2 of the specification). */
static const unsigned char http_proxy_v1[6] = "PROXY ";
static const unsigned char http_proxy_v2[12] = "\r\n\r\n\0\r\nQUIT\n";

/* Whether it begins so. */
bool
http_proxy_is_header(const char *bytes, size_t len)
{
	return (len >= sizeof http_proxy_v1 && memcmp(bytes, http_proxy_v1, sizeof http_proxy_v1) == 0) ||
	    (len >= sizeof http_proxy_v2 && memcmp(bytes, http_proxy_v2, sizeof http_proxy_v2) == 0);
}

/* ---- version 1: a line ---- */

/* A line being read. */
struct http_proxy_line {
	const char *at, *end; /* end: the CR */
};

/* Takes the next word and the one space behind it, or (last) nothing; NULL when the line is
 * not made so. */
static const char *
http_proxy_word(struct http_proxy_line *l, bool last, size_t *len)
{
	const char *word = l->at, *space = memchr(l->at, ' ', (size_t)(l->end - l->at));

	if (last != (space == NULL))
		return NULL;
	*len = (size_t)((last ? l->end : space) - word);
	l->at = last ? l->end : space + 1;
	return word;
}

/* Takes an address of a family. */
static bool
http_proxy_address(struct http_proxy_line *l, int family, char normal[NETWORK_TEXT_SIZE])
{
	char text[NETWORK_TEXT_SIZE];
	unsigned char bytes[16];
	const char *word;
	size_t len;

	word = http_proxy_word(l, false, &len);
	if (word == NULL || len >= sizeof text || memchr(word, '\0', len) != NULL)
		return false;
	memcpy(text, word, len);
	text[len] = '\0';
	return inet_pton(family, text, bytes) == 1 && network_normal(text, len, normal);
}

/* Takes a port, without leading zeros. */
static bool
http_proxy_port(struct http_proxy_line *l, bool last)
{
	unsigned port = 0;
	const char *word;
	size_t len;

	word = http_proxy_word(l, last, &len);
	if (word == NULL || len == 0 || len > 5 || (len > 1 && word[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (word[i] < '0' || word[i] > '9')
			return false;
		port = port * 10 + (unsigned)(word[i] - '0');
	}
	return port <= 65535;
}

/* Reads what stands between "PROXY " and the CR. */
static enum http_proxy_result
http_proxy_line(const char *text, const char *end, struct http_proxy_header *h)
{
	struct http_proxy_line l = {text + 5, end};
	size_t len = (size_t)(end - text);
	char to[NETWORK_TEXT_SIZE];
	int family;

	h->client = HTTP_PROXY_UNKNOWN;
	if (len >= 7 && memcmp(text, "UNKNOWN", 7) == 0 && (len == 7 || text[7] == ' '))
		return HTTP_PROXY_DONE; /* what follows is to be ignored */
	if (len < 5 || (memcmp(text, "TCP4 ", 5) != 0 && memcmp(text, "TCP6 ", 5) != 0))
		return HTTP_PROXY_BAD;
	family = text[3] == '4' ? AF_INET : AF_INET6;
	h->client = HTTP_PROXY_ADDRESS;
	if (!http_proxy_address(&l, family, h->address) || !http_proxy_address(&l, family, to) ||
	    !http_proxy_port(&l, false) || !http_proxy_port(&l, true))
		return HTTP_PROXY_BAD;
	return HTTP_PROXY_DONE;
}

/* Looks for the whole line. */
static enum http_proxy_result
http_proxy_parse_v1(const unsigned char *bytes, size_t len, struct http_proxy_header *h)
{
	size_t max = len < HTTP_PROXY_V1_MAX ? len : HTTP_PROXY_V1_MAX;
	const unsigned char *cr = memchr(bytes, '\r', max), *lf = memchr(bytes, '\n', max);

	if (lf != NULL && (cr == NULL || lf != cr + 1))
		return HTTP_PROXY_BAD;
	if (lf == NULL) /* a CR that was no end is found when the next byte is here */
		return max == HTTP_PROXY_V1_MAX || (cr != NULL && cr + 1 < bytes + max) ? HTTP_PROXY_BAD
		                                                                       : HTTP_PROXY_MORE;
	h->length = (size_t)(lf + 1 - bytes);
	return http_proxy_line((const char *)bytes + sizeof http_proxy_v1, (const char *)cr, h);
}

/* ---- version 2: binary ---- */

/* The bytes of addresses that a family and transport have; 0 for those that say nothing,
 * -1 for what does not exist, or is no stream. */
static int
http_proxy_size(unsigned char family)
{
	switch (family) {
	case 0x00:
		return 0;
	case 0x11:
		return 12;
	case 0x21:
		return 36;
	case 0x31:
		return HTTP_PROXY_V2_ADDRESSES;
	default:
		return -1;
	}
}

/* Looks for the fixed part and the addresses. */
static enum http_proxy_result
http_proxy_parse_v2(const unsigned char *bytes, size_t len, struct http_proxy_header *h)
{
	const size_t fixed = HTTP_PROXY_V2_FIXED;
	char text[NETWORK_TEXT_SIZE];
	size_t block;
	int size;

	if (len > 12 && bytes[12] != 0x20 && bytes[12] != 0x21)
		return HTTP_PROXY_BAD;
	if (len > 13 && bytes[12] == 0x21 && http_proxy_size(bytes[13]) < 0)
		return HTTP_PROXY_BAD;
	if (len < fixed)
		return HTTP_PROXY_MORE;
	block = (size_t)bytes[14] << 8 | bytes[15];
	h->length = fixed + block;
	h->client = bytes[12] == 0x20 ? HTTP_PROXY_ITSELF : HTTP_PROXY_UNKNOWN;
	if (bytes[12] == 0x20)
		return HTTP_PROXY_DONE; /* the family is ignored, too */
	size = http_proxy_size(bytes[13]);
	if (block < (size_t)size)
		return HTTP_PROXY_BAD;
	if (len < fixed + (size_t)size)
		return HTTP_PROXY_MORE;
	if (size != 12 && size != 36)
		return HTTP_PROXY_DONE;
	h->client = HTTP_PROXY_ADDRESS;
	inet_ntop(size == 12 ? AF_INET : AF_INET6, bytes + fixed, text, sizeof text);
	return network_normal(text, strlen(text), h->address) ? HTTP_PROXY_DONE : HTTP_PROXY_BAD;
}

/* ---- both ---- */

/* Whether the bytes that are here begin so. */
static bool
http_proxy_begins(const unsigned char *bytes, size_t len, const unsigned char *want, size_t size)
{
	return memcmp(bytes, want, len < size ? len : size) == 0;
}

/* Reads a header. */
enum http_proxy_result
http_proxy_parse(const unsigned char *bytes, size_t len, struct http_proxy_header *h)
{
	memset(h, 0, sizeof *h);
	if (len == 0)
		return HTTP_PROXY_MORE;
	if (http_proxy_begins(bytes, len, http_proxy_v2, sizeof http_proxy_v2))
		return http_proxy_parse_v2(bytes, len, h);
	if (http_proxy_begins(bytes, len, http_proxy_v1, sizeof http_proxy_v1))
		return http_proxy_parse_v1(bytes, len, h);
	return HTTP_PROXY_BAD;
}

/* What the caller should make of a read that brought nothing. */
static enum http_proxy_result
http_proxy_nothing(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? HTTP_PROXY_MORE
	                                                                            : HTTP_PROXY_BAD;
}

/* Drops what is left of a header. */
static enum http_proxy_result
http_proxy_drop(struct http_proxy *p, int fd)
{
	char bytes[HTTP_PROXY_DROP];
	ssize_t n;

	while (p->skip > 0) {
		n = recv(fd, bytes, p->skip < sizeof bytes ? p->skip : sizeof bytes, 0);
		if (n <= 0)
			return http_proxy_nothing(n);
		p->skip -= (size_t)n;
	}
	return HTTP_PROXY_DONE;
}

/* Takes a header. Its length is not known before its end, so bytes are looked at first and
 * then taken as far as they belong to it: all of them while it is not whole. */
enum http_proxy_result
http_proxy_take(struct http_proxy *p, int fd)
{
	enum http_proxy_result r;
	size_t before;
	ssize_t n;

	while (!p->parsed) {
		before = p->have;
		n = recv(fd, p->bytes + before, sizeof p->bytes - before, MSG_PEEK);
		if (n <= 0)
			return http_proxy_nothing(n);
		p->have += (size_t)n;
		r = http_proxy_parse(p->bytes, p->have, &p->header);
		if (r == HTTP_PROXY_BAD)
			return r;
		p->parsed = r == HTTP_PROXY_DONE;
		if (p->parsed && p->have > p->header.length)
			p->have = p->header.length;
		if (recv(fd, p->bytes + before, p->have - before, 0) != (ssize_t)(p->have - before))
			return HTTP_PROXY_BAD; /* bytes that were seen cannot be gone */
	}
	if (p->header.length > p->have) {
		p->skip = p->header.length - p->have;
		p->have = p->header.length;
	}
	return http_proxy_drop(p, fd);
}
