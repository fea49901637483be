/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_WEIR_SAY_H
#define APP_WEIR_SAY_H

/* One line on standard error, with the tool's name before it. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

#endif
