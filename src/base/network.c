#include "config.h"

#include "base/network.h"

#include <stdio.h>
#include <string.h>

#define NETWORK_LOCAL "unix"

static const unsigned char network_mapped[12] = {[10] = 0xff, [11] = 0xff};

/* Reads an address alone; IPv6 that stands for IPv4 stays as it is. */
static bool
network_address(const char *text, struct network *n)
{
	memset(n, 0, sizeof *n);
	if (inet_pton(AF_INET, text, n->address) == 1) {
		n->family = 4;
		n->bits = 32;
	} else if (inet_pton(AF_INET6, text, n->address) == 1) {
		n->family = 6;
		n->bits = 128;
	}
	return n->family != 0;
}

/* Makes IPv4 of IPv6 that stands for it. */
static void
network_unmap(struct network *n)
{
	if (n->family != 6 || n->bits < 96 ||
	    memcmp(n->address, network_mapped, sizeof network_mapped) != 0)
		return;
	n->family = 4;
	n->bits -= 96;
	memmove(n->address, n->address + 12, 4);
	memset(n->address + 4, 0, 12);
}

/* Takes the bits away that do not count; whether there were any. */
static bool
network_mask(struct network *n)
{
	bool any = false;

	for (unsigned i = 0; i < sizeof n->address; i++) {
		unsigned kept = n->bits >= 8 * (i + 1) ? 8 : n->bits > 8 * i ? n->bits - 8 * i : 0;
		unsigned char byte = n->address[i] & (unsigned char)(0xff00 >> kept);

		any |= byte != n->address[i];
		n->address[i] = byte;
	}
	return any;
}

/* Reads the number of bits. */
static bool
network_bits(const char *text, struct network *n)
{
	size_t digits = strspn(text, "0123456789");
	unsigned bits = 0;

	if (digits == 0 || digits > 3 || text[digits] != '\0' || (digits > 1 && text[0] == '0'))
		return false;
	for (; *text != '\0'; text++)
		bits = bits * 10 + (unsigned)(*text - '0');
	if (bits > n->bits)
		return false;
	n->bits = (unsigned char)bits;
	return true;
}

/* Writes an address. */
static void
network_print(const struct network *n, char out[NETWORK_TEXT_SIZE])
{
	inet_ntop(n->family == 4 ? AF_INET : AF_INET6, n->address, out, NETWORK_TEXT_SIZE);
}

/* Reads an address or a range. */
bool
network_read(const char *text, struct network *n, char base[NETWORK_TEXT_SIZE + 4])
{
	size_t len = strcspn(text, "/");
	char address[NETWORK_TEXT_SIZE], normal[NETWORK_TEXT_SIZE];

	if (base != NULL)
		base[0] = '\0';
	memset(n, 0, sizeof *n);
	if (strcmp(text, NETWORK_LOCAL) == 0)
		return true;
	if (len >= sizeof address)
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (!network_address(address, n) || (text[len] == '/' && !network_bits(text + len + 1, n)))
		return false;
	network_unmap(n);
	if (!network_mask(n))
		return true;
	if (base != NULL) {
		network_print(n, normal);
		snprintf(base, NETWORK_TEXT_SIZE + 4, "%s/%u", normal, n->bits);
	}
	return false;
}

/* Writes the usual form. */
bool
network_normal(const char *text, size_t len, char out[NETWORK_TEXT_SIZE])
{
	char copy[NETWORK_TEXT_SIZE];
	struct network n;

	if (len >= sizeof copy || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (!network_address(copy, &n))
		return false;
	network_unmap(&n);
	network_print(&n, out);
	return true;
}

/* Whether an address lies in a range. */
static bool
network_has(const struct network *range, const struct network *one)
{
	unsigned whole = range->bits / 8, rest = range->bits % 8;

	return range->family == one->family && memcmp(range->address, one->address, whole) == 0 &&
	    (rest == 0 || ((range->address[whole] ^ one->address[whole]) >> (8 - rest)) == 0);
}

/* Looks through ranges. */
bool
network_holds(const struct network *list, size_t count, const char *peer)
{
	struct network one;

	if (count == 0 || !network_read(peer, &one, NULL))
		return false;
	for (size_t i = 0; i < count; i++)
		if (network_has(&list[i], &one))
			return true;
	return false;
}
