/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_CLI_SAY_H
#define APP_CLI_SAY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* The tool's name, defined beside its main(). */
extern const char say_name[];

/* One line on standard error, with the tool's name before it. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* Has what was printed been written to standard output? False after one line that says why not. */
bool say_printed(void);

/* That standard output is lost was said in other words: say_printed() keeps silent about it from now on. */
void say_told(void);

/* Format into `to`, `size` bytes of 64 at least. What is too long loses its middle, so that the thing,
 * at its beginning, and the mend, at its end, are left. What would end the line becomes '?'. */
__attribute__((format(printf, 3, 0))) void say_fit(char *to, size_t size, const char *format,
						   va_list args);

#endif
