/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char gap[] = " ... ";
static bool told; /* that standard output is lost */

static void
copy_ends(char *to, size_t size, const char *from, size_t len)
{
	size_t head = (size - sizeof(gap)) / 2, tail = size - sizeof(gap) - head;

	memcpy(to, from, head);
	memcpy(to + head, gap, sizeof(gap) - 1);
	memcpy(to + head + sizeof(gap) - 1, from + len - tail, tail + 1);
}

void
say_fit(char *to, size_t size, const char *format, va_list args)
{
	char *whole;
	int len = vasprintf(&whole, format, args);

	if (len < 0) {
		snprintf(to, size, "there is no memory for what was to be said: free some");
		return;
	}
	if ((size_t)len < size)
		memcpy(to, whole, (size_t)len + 1);
	else
		copy_ends(to, size, whole, (size_t)len);
	free(whole);
	for (; *to != '\0'; to++)
		if ((unsigned char)*to < ' ' || *to == 0x7f)
			*to = '?';
}

void
say(const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	say_fit(line, sizeof(line), format, args);
	va_end(args);
	fprintf(stderr, "%s: %s\n", say_name, line); /* in one call: lines of threads do not mix */
}

bool
say_printed(void)
{
	bool flushed = fflush(stdout) == 0;

	if (flushed && !ferror(stdout))
		return true;
	if (!told)
		say("%s: check standard output", flushed ? "not all was written" : strerror(errno));
	return false;
}

void
say_told(void)
{
	told = true;
}
