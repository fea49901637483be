/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_CLI_SAY_H
#define APP_CLI_SAY_H

/* The tool's name, defined beside its main(). */
extern const char say_name[];

/* One line on standard error, with the tool's name before it. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

#endif
