/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses as text. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "weir.h"

int
weir_addr_parse(const char *text, struct weir_addr *addr)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1) {
		*addr = (struct weir_addr){.family = 4, .bytes = {[10] = 0xff, [11] = 0xff}};
		memcpy(addr->bytes + 12, bytes, 4);
		return 0;
	}
	return inet_pton(AF_INET6, text, bytes) == 1 ? -EAFNOSUPPORT : -EINVAL;
}

char *
weir_addr_format(const struct weir_addr *addr, char *to, size_t size)
{
	const uint8_t *b = addr->bytes;

	if (addr->family == 4)
		snprintf(to, size, "%u.%u.%u.%u", b[12], b[13], b[14], b[15]);
	else if (inet_ntop(AF_INET6, b, to, (socklen_t)size) == NULL && size != 0)
		to[0] = '\0';
	return to;
}
