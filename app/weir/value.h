/* SPDX-License-Identifier: BSD-3-Clause */
/* Words of the command line to values. Each returns 0, or -1 with the reason in `error`, which has
 * OPTIONS_ERROR bytes. */
#ifndef APP_WEIR_VALUE_H
#define APP_WEIR_VALUE_H

#include "options.h"

/* A whole decimal number in [low, high]. */
int value_number(const char *text, uint64_t low, uint64_t high, uint64_t *value, char *error);
/* The same with a suffix K, M or G (1024, 1024^2, 1024^3). */
int value_bytes(const char *text, uint64_t low, uint64_t high, uint64_t *value, char *error);
int value_address(const char *text, struct weir_addr *address, char *error);
int value_network(const char *text, struct ip_option *ip, char *error);
/* PORT, PORT:discard or PORT:file=DIR. */
int value_listen(const char *text, struct listen_option *listener, char *error);
int value_flush(const char *text, uint32_t *flush, uint32_t *value, char *error);
int value_ack(const char *text, uint32_t *policy, char *error);

#endif
