/* SPDX-License-Identifier: BSD-3-Clause */
#include "core_time.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEXT_BYTES 65536

int
core_time_parse(const char *text, unsigned int core, struct core_time *time)
{
	uint64_t user, nice, system, idle, iowait, irq, softirq, steal;
	char word[16];
	const char *line;

	snprintf(word, sizeof(word), "\ncpu%u ", core);
	line = strstr(text, word);
	if (line == NULL ||
	    sscanf(line + strlen(word),
		   "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		   " %" SCNu64 " %" SCNu64,
		   &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal) != 8)
		return -ENOENT;
	*time = (struct core_time){.idle = idle + iowait, .steal = steal, .user = user + nice};
	return 0;
}

static int
read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fd);
	return 0;
}

int
core_time_read(unsigned int core, struct core_time *time)
{
	char text[TEXT_BYTES];
	int rc = read_text("/proc/stat", text, sizeof(text));

	return rc != 0 ? rc : core_time_parse(text, core, time);
}

uint64_t
core_time_process_user(pid_t pid)
{
	char path[64], text[1024];
	const char *behind;
	uint64_t user;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (read_text(path, text, sizeof(text)) != 0)
		return 0;
	/* The name in brackets may hold anything; the state and ten numbers follow it. */
	behind = strrchr(text, ')');
	if (behind == NULL ||
	    sscanf(behind + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64, &user) != 1)
		return 0;
	return user;
}
