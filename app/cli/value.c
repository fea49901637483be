/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/value.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Decimal digits only: strtoull would take signs, blanks and a wrapped value. */
int
value_digits(const char **text, uint64_t *value)
{
	const char *at = *text;
	uint64_t sum = 0;

	if (*at < '0' || *at > '9')
		return -EINVAL;
	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (sum > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		sum = sum * 10 + digit;
	}
	*text = at;
	*value = sum;
	return 0;
}

static int
in_range(const char *text, const char *rest, int rc, uint64_t low, uint64_t high, uint64_t value,
	 char *error)
{
	if (rc == -EINVAL || (rc == 0 && *rest != '\0'))
		return options_refuse(error, "'%s' is not a number: give %" PRIu64 " to %" PRIu64,
				      text, low, high);
	if (rc == -ERANGE || value < low || value > high)
		return options_refuse(error, "'%s' is out of range: give %" PRIu64 " to %" PRIu64,
				      text, low, high);
	return 0;
}

int
value_number(const char *text, uint64_t low, uint64_t high, uint64_t *value, char *error)
{
	const char *rest = text;
	int rc;

	*value = 0;
	rc = value_digits(&rest, value);
	return in_range(text, rest, rc, low, high, *value, error);
}

static uint32_t
suffix_shift(char c)
{
	switch (c) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	default:
		return 0;
	}
}

int
value_bytes(const char *text, uint64_t low, uint64_t high, uint64_t *value, char *error)
{
	const char *rest = text;
	char reason[OPTIONS_ERROR];
	uint32_t shift;
	int rc;

	*value = 0;
	rc = value_digits(&rest, value);
	shift = rc == 0 ? suffix_shift(*rest) : 0;
	if (shift != 0) {
		rest++;
		if (*value > UINT64_MAX >> shift)
			rc = -ERANGE;
		*value <<= shift;
	}
	if (in_range(text, rest, rc, low, high, *value, reason) == 0)
		return 0;
	return options_refuse(error, "%s; K, M or G may follow", reason);
}

/* What an address is that no host on a link can have; NULL: one may. */
static const char *
special4(uint32_t address)
{
	uint32_t net = address >> 24;

	if (address == UINT32_MAX)
		return "the broadcast address";
	if (net == 127)
		return "a loopback address";
	if (net >= 224)
		return net < 240 ? "no unicast address" : "of a reserved net";
	return net == 0 ? "of net 0, which is nobody's" : NULL;
}

static const char *
special6(const uint8_t *bytes)
{
	static const uint8_t host_zero[15]; /* nobody and loopback differ in the last byte alone */

	if (bytes[0] == 0xff)
		return "no unicast address";
	if (memcmp(bytes, host_zero, sizeof(host_zero)) != 0 || bytes[15] > 1)
		return NULL;
	return bytes[15] == 1 ? "the loopback address" : "nobody's address";
}

static uint32_t
number4(const struct weir_addr *address)
{
	const uint8_t *bytes = address->bytes + 12;

	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

#define EXAMPLES "give one such as 198.18.0.1 or 2001:db8::1"

int
value_address(const char *text, struct weir_addr *address, char *error)
{
	const char *special;

	if (*text == '\0')
		return options_refuse(error, "the address is empty: " EXAMPLES);
	if (weir_addr_parse(text, address) != 0)
		return options_refuse(error, "'%s' is not an address: " EXAMPLES, text);
	if (address->family == 4 && strchr(text, ':') != NULL)
		return options_refuse(error, "'%s' is an address of IPv4: write it as IPv4, such as "
					     "198.18.0.1",
				      text);
	special = address->family == 6 ? special6(address->bytes) : special4(number4(address));
	if (special != NULL)
		return options_refuse(error, "'%s' is %s: " EXAMPLES, text, special);
	return 0;
}

/* The first and the last address of a network are no host's (RFC 1122 3.2.1.3); networks of two and
 * of one have neither (RFC 3021). */
int
value_host(const struct ip_option *ip, char *error)
{
	uint32_t number = number4(&ip->address);
	uint32_t host = ip->prefix_len < 31 ? UINT32_MAX >> ip->prefix_len : 0;

	if (ip->address.family != 4 || host == 0 || ((number & host) != 0 && (number & host) != host))
		return 0;
	return options_refuse(error, "'%s' is the network's %s address: give a host's", ip->text,
			      (number & host) == 0 ? "own" : "broadcast");
}

/* Of IPv6 the first address of a network is that of all its routers (RFC 4291 2.6.1), but of one that has
 * two (RFC 6164) or one. */
static int
refuse_routers(const struct ip_option *ip, char *error)
{
	uint32_t bits = 128 - ip->prefix_len;

	if (ip->address.family != 6 || bits < 2)
		return 0;
	for (uint32_t i = 15; bits > 0; i--) {
		uint32_t n = bits < 8 ? bits : 8;

		if ((ip->address.bytes[i] & ((1u << n) - 1)) != 0)
			return 0;
		bits -= n;
	}
	return options_refuse(error, "'%s' is the address of all routers of its network: give a host's",
			      ip->text);
}

int
value_network(const char *text, struct ip_option *ip, char *error)
{
	size_t len = strcspn(text, "/");
	const char *slash = text + len;
	char address[WEIR_ADDR_TEXT];
	uint64_t prefix_len, most;

	if (*text == '\0')
		return options_refuse(error,
				      "the address is empty: give one such as 198.18.0.1/24");
	if (len >= sizeof(address))
		return options_refuse(
		    error, "'%s' is not an address: give one such as 198.18.0.1/24", text);
	if (*slash == '\0')
		return options_refuse(error, "'%s' has no prefix length: give %s/%s", text, text,
				      strchr(text, ':') != NULL ? "64" : "24");
	memcpy(address, text, len);
	address[len] = '\0';
	if (value_address(address, &ip->address, error) != 0)
		return -1;
	if (ip->address.scope != 0)
		return options_refuse(error, "'%s' names a port with '%%': leave it away", text);
	most = ip->address.family == 4 ? 32 : 128;
	if (slash[1] == '0' || value_number(slash + 1, 1, most, &prefix_len, error) != 0)
		return options_refuse(error, "'%s': the prefix length '%s' is wrong: give 1 to %u",
				      text, slash + 1, (unsigned int)most);
	ip->text = text;
	ip->prefix_len = (uint32_t)prefix_len;
	return refuse_routers(ip, error) != 0 ? -1 : value_host(ip, error);
}

int
value_ipv4(const char *text, const struct weir_addr *address, char *error)
{
	return address->family == 4 ? 0
				    : options_refuse(error, "'%s' is not an IPv4 address: give one "
							    "such as 198.18.0.1",
						     text);
}

bool
value_in_network(const struct ip_option *ip, const struct weir_addr *address)
{
	uint32_t bits = ip->prefix_len;

	if (ip->address.family != address->family)
		return false;
	for (uint32_t i = address->family == 4 ? 12 : 0; i < 16 && bits > 0; i++) {
		uint32_t n = bits < 8 ? bits : 8;

		if ((ip->address.bytes[i] ^ address->bytes[i]) >> (8 - n) != 0)
			return false;
		bits -= n;
	}
	return true;
}
