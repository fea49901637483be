/* SPDX-License-Identifier: BSD-3-Clause */
/* Words of the command line to values. Each returns 0, or -1 with the reason in `error`, which has
 * OPTIONS_ERROR bytes. */
#ifndef APP_CLI_VALUE_H
#define APP_CLI_VALUE_H

#include "app/cli/parse.h"
#include "weir.h"

struct ip_option {
	const char *text;
	struct weir_addr address;
	uint32_t prefix_len;
};

/* A whole decimal number in [low, high]. */
int value_number(const char *text, uint64_t low, uint64_t high, uint64_t *value, char *error);
/* The same with a suffix K, M or G (1024, 1024^2, 1024^3). */
int value_bytes(const char *text, uint64_t low, uint64_t high, uint64_t *value, char *error);
int value_address(const char *text, struct weir_addr *address, char *error);
/* Refuses `address`, which `text` is, when it is one of IPv6. */
int value_ipv4(const char *text, const struct weir_addr *address, char *error);
int value_network(const char *text, struct ip_option *ip, char *error);
/* Refuses an address that is its network's own or its broadcast address. */
int value_host(const struct ip_option *ip, char *error);
/* Decimal digits at *text, which moves behind them: -EINVAL when there are none, -ERANGE when they
 * are too many. */
int value_digits(const char **text, uint64_t *value);

/* Does `address` lie in the network of `ip`? */
bool value_in_network(const struct ip_option *ip, const struct weir_addr *address);

#endif
