/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_CLI_DESCRIPTORS_H
#define APP_CLI_DESCRIPTORS_H

/* Open those of the standard descriptors that are closed: one would be given to the next file, and
 * messages written into it. First of all. */
void descriptors_fill(void);

#endif
