/* SPDX-License-Identifier: BSD-3-Clause */
/* Words of the command line that only weir has. Each returns 0, or -1 with the reason in `error`,
 * which has OPTIONS_ERROR bytes. */
#ifndef APP_WEIR_WORDS_H
#define APP_WEIR_WORDS_H

#include "options.h"

/* PORT, PORT:discard, PORT:verify or PORT:file=DIR. */
int words_listen(const char *text, struct listen_option *listener, char *error);
int words_flush(const char *text, uint32_t *flush, uint32_t *value, char *error);
/* BYTES or MIN-MAX. */
int words_receive_buffer(const char *text, struct receive_buffer_option *buffer, char *error);

#endif
