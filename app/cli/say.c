/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/say.h"

#include <stdarg.h>
#include <stdio.h>

void
say(const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fprintf(stderr, "%s: %s\n", say_name, line); /* in one call: lines of threads do not mix */
}
