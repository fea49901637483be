/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses as text. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir.h"
#include "wire/address6.h"

/* "1" to "65535", of a link-local address (RFC 4007 11). */
static int
parse_scope(const char *text, struct weir_addr *addr)
{
	char *end;
	unsigned long scope;

	if (text[0] < '0' || text[0] > '9' || !weir_link_local6(addr->bytes))
		return -EINVAL;
	scope = strtoul(text, &end, 10);
	if (*end != '\0' || scope == 0 || scope > UINT16_MAX)
		return -EINVAL;
	addr->scope = (uint16_t)scope;
	return 0;
}

/* Either family without a scope. */
static int
parse_bytes(const char *text, struct weir_addr *addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	*addr = (struct weir_addr){.family = 6};
	if (inet_pton(AF_INET6, text, addr->bytes) != 1) {
		memcpy(addr->bytes, mapped, sizeof(mapped));
		if (inet_pton(AF_INET, text, addr->bytes + sizeof(mapped)) != 1)
			return -EINVAL;
	}
	if (memcmp(addr->bytes, mapped, sizeof(mapped)) == 0)
		addr->family = 4;
	return 0;
}

int
weir_addr_parse(const char *text, struct weir_addr *addr)
{
	const char *scope = strchr(text, '%');
	size_t len = scope != NULL ? (size_t)(scope - text) : strlen(text);
	char bare[INET6_ADDRSTRLEN];
	struct weir_addr read;
	int rc;

	if (len >= sizeof(bare))
		return -EINVAL;
	memcpy(bare, text, len);
	bare[len] = '\0';
	rc = parse_bytes(bare, &read);
	if (rc == 0 && scope != NULL)
		rc = parse_scope(scope + 1, &read);
	if (rc == 0)
		*addr = read;
	return rc;
}

char *
weir_addr_format(const struct weir_addr *addr, char *to, size_t size)
{
	const uint8_t *b = addr->bytes;
	char scope[sizeof("%65535")] = "";

	if (addr->family == 4) {
		snprintf(to, size, "%u.%u.%u.%u", b[12], b[13], b[14], b[15]);
		return to;
	}
	if (addr->scope != 0)
		snprintf(scope, sizeof(scope), "%%%u", addr->scope);
	if (size == 0)
		return to;
	if (inet_ntop(AF_INET6, b, to, (socklen_t)size) == NULL ||
	    strlen(to) + strlen(scope) >= size)
		to[0] = '\0'; /* half an address misleads */
	else
		strcat(to, scope);
	return to;
}
