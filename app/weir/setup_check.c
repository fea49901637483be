/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be refused before EAL starts. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/cli/ports.h"
#include "app/cli/say.h"
#include "setup.h"

/* `there`: the directory is. In some, as /proc, no file can be made all the same. */
static const char *
path_mend(int error, bool there)
{
	switch (error) {
	case ENOENT:
		return there ? "give one in which files can be made" : "make the directory first";
	case ENOSPC:
	case EDQUOT:
		return "make room on the disk";
	default:
		return "give one that can be written to";
	}
}

/* Can a file be made that is called `path` and six more characters, and written to? 0 or an errno.
 * A full disk makes empty files: only a byte tells. */
static int
probe(const char *path)
{
	char name[PATH_MAX];
	int fd, error = 0;

	if (snprintf(name, sizeof(name), "%sXXXXXX", path) >= (int)sizeof(name))
		return ENAMETOOLONG;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (write(fd, "", 1) != 1)
		error = errno;
	close(fd);
	unlink(name);
	return error;
}

static int
check_dir(const struct listen_option *listener)
{
	char name[PATH_MAX];
	struct stat status;
	int error = 0;
	bool there = stat(listener->dir, &status) == 0;

	if (!there)
		error = errno;
	else if (!S_ISDIR(status.st_mode))
		error = ENOTDIR;
	else if (snprintf(name, sizeof(name), "%s/.weir-", listener->dir) >= (int)sizeof(name))
		error = ENAMETOOLONG;
	else
		error = probe(name);
	if (error == 0)
		return 0;
	say("--listen %u:file=%s: %s: %s", listener->port, listener->dir, strerror(error),
	    path_mend(error, there));
	return -1;
}

/* A terminal or /dev/null. 0 or an errno. */
static int
probe_device(const char *path)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* The record is written under a name of its own beside `path` and then renamed. */
static int
probe_file(const char *path, bool exists)
{
	char target[PATH_MAX], name[PATH_MAX];

	if (exists && access(path, W_OK) != 0)
		return errno;
	if (realpath(path, target) != NULL)
		path = target;
	if (snprintf(name, sizeof(name), "%s.", path) >= (int)sizeof(name))
		return ENAMETOOLONG;
	return probe(name);
}

static int
check_record(const char *path)
{
	struct stat status;
	bool exists = stat(path, &status) == 0;
	int error;

	if (!exists && lstat(path, &status) == 0) {
		say("--record %s: that is a link to nowhere: make what it points to, or give "
		    "another name",
		    path);
		return -1;
	}
	if (exists && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) ||
		       S_ISBLK(status.st_mode))) {
		say("--record %s: that is a %s: give a file", path,
		    S_ISBLK(status.st_mode) ? "disk" : "pipe or socket");
		return -1;
	}
	if (exists && S_ISDIR(status.st_mode))
		error = EISDIR;
	else if (exists && S_ISCHR(status.st_mode))
		error = probe_device(path);
	else
		error = probe_file(path, exists);
	if (error == 0)
		return 0;
	say("--record %s: %s: %s", path, strerror(error), path_mend(error, false));
	return -1;
}

int
setup_check(const struct options *options)
{
	for (uint32_t i = 0; i < options->n_listeners; i++)
		if (options->listeners[i].kind == SINK_FILE &&
		    check_dir(&options->listeners[i]) != 0)
			return -1;
	if (options->record != NULL && check_record(options->record) != 0)
		return -1;
	if (options->impair != NULL && port_check_impair(options->impair) != 0)
		return -1;
	return 0;
}

