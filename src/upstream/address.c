#include "config.h"

#include "upstream/address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Networks of IPv4 that are not public. */
static const struct {
	uint32_t net;
	unsigned bits;
} address_closed[] = {
    {0x00000000, 8},  /* this network */
    {0x0a000000, 8},  /* private */
    {0x64400000, 10}, /* shared by carriers */
    {0x7f000000, 8},  /* this machine */
    {0xa9fe0000, 16}, /* link, and the metadata of clouds */
    {0xac100000, 12}, /* private */
    {0xc0000000, 24}, /* protocol assignments */
    {0xc0000200, 24}, /* documentation */
    {0xc0586300, 24}, /* 6to4 relays */
    {0xc0a80000, 16}, /* private */
    {0xc6120000, 15}, /* benchmarks */
    {0xc6336400, 24}, /* documentation */
    {0xcb007100, 24}, /* documentation */
    {0xe0000000, 3},  /* groups, reserved, broadcast */
};

/* Whether an IPv4 address is public. */
static bool
address_is_public4(uint32_t a)
{
	for (size_t i = 0; i < sizeof address_closed / sizeof *address_closed; i++)
		if (a >> (32 - address_closed[i].bits) ==
		    address_closed[i].net >> (32 - address_closed[i].bits))
			return false;
	return true;
}

/* Whether an IPv6 address is: global unicast, without the parts of it that carry
 * an IPv4 address or are for documentation. */
static bool
address_is_public6(const unsigned char *a)
{
	if ((a[0] & 0xe0) != 0x20)
		return false;
	if (a[0] == 0x20 && a[1] == 0x01 && a[2] < 2)
		return false; /* 2001::/23: Teredo and other assignments */
	if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8)
		return false; /* documentation */
	if (a[0] == 0x3f && a[1] == 0xff && a[2] < 0x10)
		return false; /* documentation */
	return !(a[0] == 0x20 && a[1] == 0x02); /* 6to4 */
}

/* Whether an address is public. */
bool
address_is_public(const struct sockaddr *a)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (a->sa_family == AF_INET) {
		memcpy(&in, a, sizeof in);
		return address_is_public4(ntohl(in.sin_addr.s_addr));
	}
	if (a->sa_family == AF_INET6) {
		memcpy(&in6, a, sizeof in6);
		return address_is_public6(in6.sin6_addr.s6_addr);
	}
	return false;
}
