/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/cli/parse.h"

#define LEAST 64 /* EAL and eight taps take 59 */

void
descriptors_fill(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int
descriptors_raise(char *error)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	if (limit.rlim_max < LEAST)
		return options_refuse(error,
				      "the limit of open files is %u: raise it to %u at least (ulimit -n)",
				      (unsigned int)limit.rlim_max, LEAST);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return 0;
}
