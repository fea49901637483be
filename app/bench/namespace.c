/* SPDX-License-Identifier: BSD-3-Clause */
#include "namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_BYTES 1024

int
namespace_here(struct namespace *space)
{
	space->net = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return space->net < 0 ? -errno : 0;
}

int
namespace_open(struct namespace *space)
{
	struct namespace here;
	int rc = namespace_here(&here);

	space->net = -1;
	if (rc < 0)
		return rc;
	rc = unshare(CLONE_NEWNET) != 0 ? -errno : namespace_here(space);
	if (namespace_enter_net(&here) != 0 && rc == 0)
		rc = -EPERM;
	namespace_close(&here);
	if (rc < 0)
		namespace_close(space);
	return rc;
}

void
namespace_close(struct namespace *space)
{
	if (space->net >= 0)
		close(space->net);
	space->net = -1;
}

int
namespace_enter_net(const struct namespace *space)
{
	return setns(space->net, CLONE_NEWNET) != 0 ? -errno : 0;
}

/* A mount namespace is made each time: to enter one that is held would leave a chroot. */
int
namespace_enter(const struct namespace *space)
{
	if (setns(space->net, CLONE_NEWNET) != 0 || unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("weir-bench", "/sys", "sysfs", 0, NULL) != 0)
		return -errno;
	return 0;
}

bool
namespace_shell(const struct namespace *space, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;
	int status, n;
	pid_t pid;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(line))
		return false;
	pid = fork();
	if (pid == 0) {
		if (namespace_enter(space) == 0)
			execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}
