/* SPDX-License-Identifier: BSD-3-Clause */
#include "namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_BYTES 1024

/* In the child: leave the old namespaces, then show the new network below /sys. */
static int
leave_old(void)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("weir-bench", "/sys", "sysfs", 0, NULL) != 0)
		return errno;
	return 0;
}

static int
open_of(pid_t pid, const char *kind)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The child made them and waits; it may go as soon as they are held. */
static int
hold(struct namespace *space, pid_t pid)
{
	space->net = open_of(pid, "net");
	space->mount = open_of(pid, "mnt");
	if (space->net < 0 || space->mount < 0) {
		int rc = space->net < 0 ? space->net : space->mount;

		namespace_close(space);
		return rc;
	}
	return 0;
}

/* Tell the parent how it went, then wait until it closes its end. */
static _Noreturn void
child_of(int socket)
{
	int rc = leave_old();
	char byte;

	if (write(socket, &rc, sizeof(rc)) == sizeof(rc))
		while (read(socket, &byte, 1) > 0)
			;
	_exit(0);
}

int
namespace_open(struct namespace *space)
{
	int ends[2], rc;
	pid_t pid;

	*space = (struct namespace){-1, -1};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		child_of(ends[1]);
	}
	rc = pid < 0 ? -errno : 0;
	close(ends[1]);
	if (rc == 0 && read(ends[0], &rc, sizeof(rc)) != sizeof(rc))
		rc = EIO;
	rc = rc > 0 ? -rc : rc;
	if (rc == 0)
		rc = hold(space, pid);
	close(ends[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return rc;
}

void
namespace_close(struct namespace *space)
{
	if (space->net >= 0)
		close(space->net);
	if (space->mount >= 0)
		close(space->mount);
	*space = (struct namespace){-1, -1};
}

int
namespace_enter_net(const struct namespace *space)
{
	return setns(space->net, CLONE_NEWNET) != 0 ? -errno : 0;
}

int
namespace_enter(const struct namespace *space)
{
	if (setns(space->net, CLONE_NEWNET) != 0 || setns(space->mount, CLONE_NEWNS) != 0)
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
		if (namespace_enter(space) == 0) {
			execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		}
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}
