#include "config.h"

#include "base/mem.h"
#include "fuzz.h"
#include "http/http_forwarded.h"
#include "http/http_proxy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * What proxies say: the bytes as a PROXY header, whole and with an end at every place, by
 * the parser and through a socket; and, line by line, as the values of the fields of a
 * request, whose first letter chooses the field.
 */

#define FUZZ_FIELDS 16

/* Fails unless an address is in its usual form. */
static void
check_address(const char *address)
{
	char normal[NETWORK_TEXT_SIZE];

	if (!network_normal(address, strlen(address), normal) || strcmp(address, normal) != 0)
		abort();
}

/* Parses a beginning of the bytes, from a block of exactly its size. */
static enum http_proxy_result
parse(const uint8_t *data, size_t len, struct http_proxy_header *h)
{
	unsigned char *copy = mem_alloc(len + (len == 0));
	enum http_proxy_result r;

	memcpy(copy, data, len);
	r = http_proxy_parse(copy, len, h);
	free(copy);
	return r;
}

/* A header that is known is the same however much more is here. */
static enum http_proxy_result
play_proxy(const uint8_t *data, size_t size, struct http_proxy_header *whole)
{
	enum http_proxy_result last = parse(data, size, whole), r;
	struct http_proxy_header h;

	for (size_t len = 0; len < size && len < 300; len++) {
		r = parse(data, len, &h);
		if (r != HTTP_PROXY_MORE && r != last)
			abort();
		if (r == HTTP_PROXY_DONE && (h.client != whole->client || h.length != whole->length ||
		    strcmp(h.address, whole->address) != 0))
			abort();
	}
	if (last == HTTP_PROXY_DONE && whole->client == HTTP_PROXY_ADDRESS)
		check_address(whole->address);
	return last;
}

/* Takes the header from a socket, cut in two; exactly its bytes may be gone. */
static void
play_socket(const uint8_t *data, size_t size, size_t first, enum http_proxy_result want,
    const struct http_proxy_header *h)
{
	struct http_proxy p = {0};
	enum http_proxy_result r;
	unsigned char rest;
	ssize_t left;
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) != 0 ||
	    send(fd[0], data, first, 0) != (ssize_t)first)
		abort();
	r = http_proxy_take(&p, fd[1]);
	if (send(fd[0], data + first, size - first, 0) != (ssize_t)(size - first))
		abort();
	if (r == HTTP_PROXY_MORE)
		r = http_proxy_take(&p, fd[1]);
	if (want == HTTP_PROXY_DONE && h->length > size)
		want = HTTP_PROXY_MORE; /* of what is skipped, bytes are missing */
	if (r != want)
		abort();
	if (r == HTTP_PROXY_DONE) {
		left = recv(fd[1], &rest, 1, 0);
		if (h->length == size ? left != -1 : left != 1 || rest != data[h->length])
			abort();
	}
	close(fd[0]);
	close(fd[1]);
}

/* Splits lines into fields. What stands in a value is what the parser of heads lets in. */
static void
play_fields(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"forwarded", "x-forwarded-for", "x-forwarded-proto",
	    "x-forwarded-host"};
	struct http_field fields[FUZZ_FIELDS];
	struct http_request q = {.fields = fields};
	char *text = mem_copy((const char *)data, size);
	struct http_forwarded f;
	struct network trusted;
	const char *why = NULL;
	int said;

	for (size_t i = 0; i < size; i++) /* others end the request before */
		if (((unsigned char)text[i] < 0x20 && text[i] != '\t' && text[i] != '\n') || text[i] == 0x7f)
			text[i] = ' ';
	for (char *line = strtok(text, "\n"); line != NULL && q.field_count < FUZZ_FIELDS;
	    line = strtok(NULL, "\n"))
		fields[q.field_count++] = (struct http_field){names[(unsigned char)line[0] % 4], line + 1};
	network_read("10.0.0.0/8", &trusted, NULL);
	said = http_forwarded_read(&q, "10.0.0.1", &trusted, 1, &f, &why);
	if (said < 0 && why == NULL)
		abort();
	if (said >= 0)
		check_address(f.peer);
	if (said > 0 && (strlen(f.chain) >= sizeof f.chain || strchr(f.chain, '"') != NULL))
		abort();
	free(text);
}

/* One input. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_proxy_header h;
	enum http_proxy_result r;

	if (size > 70000)
		return 0;
	r = play_proxy(data, size, &h);
	if (size > 0)
		play_socket(data, size, data[size - 1] % size, r, &h);
	play_fields(data, size);
	return 0;
}
