/* SPDX-License-Identifier: BSD-3-Clause */
#include "value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FLUSH_POLLS_MAX 1024
#define FLUSH_US_MAX	10000

__attribute__((format(printf, 2, 3))) static int
refuse(char *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, OPTIONS_ERROR, format, args);
	va_end(args);
	return -1;
}

/* Decimal digits only: strtoull would take signs, blanks and a wrapped value. */
static int
digits(const char **text, uint64_t *value)
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
		return refuse(error, "'%s' is not a number: give %" PRIu64 " to %" PRIu64, text,
			      low, high);
	if (rc == -ERANGE || value < low || value > high)
		return refuse(error, "'%s' is out of range: give %" PRIu64 " to %" PRIu64, text,
			      low, high);
	return 0;
}

int
value_number(const char *text, uint64_t low, uint64_t high, uint64_t *value, char *error)
{
	const char *rest = text;
	int rc;

	*value = 0;
	rc = digits(&rest, value);
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
	uint32_t shift;
	int rc;

	*value = 0;
	rc = digits(&rest, value);
	shift = rc == 0 ? suffix_shift(*rest) : 0;
	if (shift != 0) {
		rest++;
		if (*value > UINT64_MAX >> shift)
			rc = -ERANGE;
		*value <<= shift;
	}
	return in_range(text, rest, rc, low, high, *value, error);
}

static bool
is_unicast(const struct weir_addr *address)
{
	uint8_t first = address->bytes[12];

	return first != 0 && first < 224;
}

int
value_address(const char *text, struct weir_addr *address, char *error)
{
	int rc = weir_addr_parse(text, address);

	if (rc == -EAFNOSUPPORT)
		return refuse(error, "'%s': IPv6 is not supported yet: give an IPv4 address", text);
	if (rc != 0)
		return refuse(error, "'%s' is not an address: give one such as 192.0.2.1", text);
	if (!is_unicast(address))
		return refuse(error, "'%s' is not a unicast address: give one such as 192.0.2.1",
			      text);
	return 0;
}

int
value_network(const char *text, struct ip_option *ip, char *error)
{
	const char *slash = strchr(text, '/');
	char address[WEIR_ADDR_TEXT];
	uint64_t prefix_len;

	if (slash == NULL)
		return refuse(error, "'%s' has no prefix length: give %s/24", text, text);
	if ((size_t)(slash - text) >= sizeof(address))
		return refuse(error, "'%s' is not an address: give one such as 192.0.2.1/24", text);
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (value_address(address, &ip->address, error) != 0)
		return -1;
	if (value_number(slash + 1, 1, 32, &prefix_len, error) != 0)
		return refuse(error, "'%s': the prefix length '%s' is wrong: give 1 to 32", text,
			      slash + 1);
	ip->text = text;
	ip->prefix_len = (uint32_t)prefix_len;
	return 0;
}

static int
value_sink(const char *text, const char *sink, struct listen_option *listener, char *error)
{
	listener->kind = SINK_DISCARD;
	listener->dir = NULL;
	if (sink == NULL || strcmp(sink, "discard") == 0)
		return 0;
	if (strncmp(sink, "file=", 5) != 0)
		return refuse(error, "'%s': no sink is called '%s': give discard or file=DIR", text,
			      sink);
	if (sink[5] == '\0')
		return refuse(error, "'%s' names no directory: give file=DIR", text);
	listener->kind = SINK_FILE;
	listener->dir = sink + 5;
	return 0;
}

int
value_listen(const char *text, struct listen_option *listener, char *error)
{
	const char *rest = text;
	uint64_t port = 0;

	if (digits(&rest, &port) != 0 || (*rest != '\0' && *rest != ':'))
		return refuse(error,
			      "'%s' does not begin with a port: give PORT[:SINK], such as "
			      "9000 or 9001:file=/dir",
			      text);
	if (port < 1 || port > 65535)
		return refuse(error, "'%s': the port is out of range: give 1 to 65535", text);
	listener->port = (uint16_t)port;
	return value_sink(text, *rest == ':' ? rest + 1 : NULL, listener, error);
}

static int
flush_number(const char *text, uint64_t high, uint32_t *value, char *error)
{
	uint64_t number;

	if (value_number(strchr(text, '=') + 1, 1, high, &number, error) != 0)
		return refuse(error, "'%s' is wrong: give %.*s=1 to %.*s=%" PRIu64, text,
			      (int)strcspn(text, "="), text, (int)strcspn(text, "="), text, high);
	*value = (uint32_t)number;
	return 0;
}

int
value_flush(const char *text, uint32_t *flush, uint32_t *value, char *error)
{
	*value = 0;
	if (strcmp(text, "now") == 0) {
		*flush = WEIR_FLUSH_NOW;
		return 0;
	}
	if (strcmp(text, "adaptive") == 0) {
		*flush = WEIR_FLUSH_ADAPTIVE;
		return 0;
	}
	if (strncmp(text, "polls=", 6) == 0) {
		*flush = WEIR_FLUSH_POLLS;
		return flush_number(text, FLUSH_POLLS_MAX, value, error);
	}
	if (strncmp(text, "us=", 3) == 0) {
		*flush = WEIR_FLUSH_US;
		return flush_number(text, FLUSH_US_MAX, value, error);
	}
	return refuse(error, "'%s' is no flush mode: give now, polls=N, us=N or adaptive", text);
}

int
value_ack(const char *text, uint32_t *policy, char *error)
{
	static const char *const names[] = {
	    [WEIR_ACK_TRAIN] = "train",
	    [WEIR_ACK_STRETCH] = "stretch",
	    [WEIR_ACK_DELAYED] = "delayed",
	};

	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0) {
			*policy = i;
			return 0;
		}
	}
	return refuse(error, "'%s' is no ACK policy: give train, stretch or delayed", text);
}
