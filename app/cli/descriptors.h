/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_CLI_DESCRIPTORS_H
#define APP_CLI_DESCRIPTORS_H

/* Open those of the standard descriptors that are closed: one would be given to the next file, and
 * messages written into it. First of all. */
void descriptors_fill(void);

/* Raise the limit of open files as far as it goes: there is one for each connection of a file sink.
 * Returns 0, or -1 with one line in `error` (OPTIONS_ERROR bytes) when it is too low for EAL, which
 * does not say so but panics. */
int descriptors_raise(char *error);

#endif
