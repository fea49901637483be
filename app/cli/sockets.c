/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/sockets.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/cli/vdevs.h"

#define PATH_BYTES   sizeof(((struct sockaddr_un *)0)->sun_path)
#define MEMIF_SOCKET "/run/memif.sock" /* the driver's own default */

struct named {
	const char *vdev;
	const char *key; /* with its '=' */
	char path[PATH_BYTES];
};

__attribute__((format(printf, 3, 4))) static int
refuse(const struct named *named, char *error, const char *format, ...)
{
	char reason[OPTIONS_ERROR];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	return options_refuse(error, "--vdev %.*s: %s%s: %s", (int)vdevs_len(named->vdev), named->vdev,
			      named->key, named->path, reason);
}

/* The driver would cut a longer path off, and make the socket under another name. */
static int
name_path(struct named *named, const char *vdev, const char *key, const char *otherwise, char *error)
{
	const char *value = vdevs_key(vdev, key);
	size_t len;

	named->vdev = vdev;
	named->key = key;
	value = value != NULL ? value : otherwise;
	len = vdevs_len(value);
	if (len == 0)
		return options_refuse(error, "--vdev %.*s names no socket: add one, such as %.*s,%s/tmp/sock",
				      (int)vdevs_len(vdev), vdev, (int)vdevs_len(vdev), vdev, key);
	if (len >= sizeof(named->path))
		return options_refuse(error, "--vdev %.*s: %s%.*s: a socket's path has at most %zu "
					     "characters: give a shorter one",
				      (int)vdevs_len(vdev), vdev, key, (int)len, value,
				      sizeof(named->path) - 1);
	memcpy(named->path, value, len);
	named->path[len] = '\0';
	return 0;
}

/* Can files be made beside it? 0 or an errno. */
static int
probe_directory(const struct named *named)
{
	char directory[PATH_BYTES];
	char *slash;

	memcpy(directory, named->path, sizeof(directory));
	slash = strrchr(directory, '/');
	if (slash == NULL)
		return access(".", W_OK | X_OK) == 0 ? 0 : errno;
	slash[slash == directory ? 1 : 0] = '\0';
	return access(directory, W_OK | X_OK) == 0 ? 0 : errno;
}

/* Does anybody hold the socket? The drivers' are of another type, so that this never gets through to
 * them: EPROTOTYPE then, ECONNREFUSED when its holder has gone. 0: yes; or an errno. */
static int
probe_holder(const struct named *named)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;

	if (fd < 0)
		return errno;
	memcpy(name.sun_path, named->path, sizeof(name.sun_path));
	if (connect(fd, (struct sockaddr *)&name, sizeof(name)) != 0 && errno != EPROTOTYPE)
		error = errno;
	close(fd);
	return error;
}

/* A name in the abstract space can be taken exactly when nobody holds it. */
static int
probe_abstract_holder(const struct named *named)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), error = 0;
	size_t len = strlen(named->path);

	if (fd < 0)
		return errno;
	memcpy(name.sun_path + 1, named->path, len);
	if (bind(fd, (struct sockaddr *)&name,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len)) == 0)
		error = ECONNREFUSED;
	else if (errno != EADDRINUSE)
		error = errno;
	close(fd);
	return error;
}

static int
refuse_missing(const struct named *named, char *error)
{
	int rc = probe_directory(named);

	if (rc == 0)
		return 0;
	return refuse(named, error, "%s: %s", strerror(rc),
		      rc == ENOENT ? "make the directory first" : "give a path that can be written to");
}

static int
refuse_other_file(const struct named *named, char *error)
{
	return refuse(named, error, "that is no socket and would be lost: give another path, or move it "
				    "away");
}

/* The driver makes the socket. One that it cannot make it removes all the same, whosever it is. */
static int
check_made(const struct named *named, char *error)
{
	struct stat status;
	int rc;

	if (lstat(named->path, &status) != 0)
		return errno == ENOENT ? refuse_missing(named, error)
				       : refuse(named, error, "%s: give another path", strerror(errno));
	if (!S_ISSOCK(status.st_mode))
		return refuse_other_file(named, error);
	rc = probe_holder(named);
	if (rc == 0)
		return refuse(named, error, "another program serves this socket: give another path, or end "
					    "that one");
	if (rc == ECONNREFUSED && unlink(named->path) == 0)
		return 0;
	return refuse(named, error, "%s: remove the old socket, or give another path",
		      strerror(rc == ECONNREFUSED ? errno : rc));
}

/* The driver connects once. Some paths are those of a character device, as /dev/vhost-net. */
static int
check_served(const struct named *named, bool abstract, char *error)
{
	struct stat status;
	int rc;

	if (!abstract && stat(named->path, &status) == 0 && !S_ISSOCK(status.st_mode))
		return S_ISCHR(status.st_mode)
			   ? 0
			   : refuse(named, error, "that is no socket: give that of the other side");
	rc = abstract ? probe_abstract_holder(named) : probe_holder(named);
	if (rc == 0)
		return 0;
	return refuse(named, error, "%s: start the other side first, which makes this socket",
		      strerror(rc));
}

/* The driver connects once there is somebody. */
static int
check_awaited(const struct named *named, char *error)
{
	struct stat status;

	if (stat(named->path, &status) != 0)
		return refuse_missing(named, error);
	return S_ISSOCK(status.st_mode)
		   ? 0
		   : refuse(named, error, "that is no socket: give that of the other side");
}

static bool
is_set(const char *vdev, const char *key)
{
	const char *value = vdevs_key(vdev, key);

	return value != NULL && strtoul(value, NULL, 0) != 0;
}

static int
check_vhost(struct named *named, const char *vdev, char *error)
{
	if (name_path(named, vdev, "iface=", "", error) != 0)
		return -1;
	return is_set(vdev, "client=") ? check_awaited(named, error) : check_made(named, error);
}

static int
check_virtio_user(struct named *named, const char *vdev, char *error)
{
	if (name_path(named, vdev, "path=", "", error) != 0)
		return -1;
	return is_set(vdev, "server=") ? check_made(named, error) : check_served(named, false, error);
}

/* As the server the driver refuses by itself, and removes nothing. */
static int
check_memif(struct named *named, const char *vdev, char *error)
{
	const char *role = vdevs_key(vdev, "role="), *abstract = vdevs_key(vdev, "socket-abstract=");

	if (role == NULL || (strncmp(role, "client", 6) != 0 && strncmp(role, "slave", 5) != 0))
		return 0;
	if (name_path(named, vdev, "socket=", MEMIF_SOCKET, error) != 0)
		return -1;
	return check_served(named, abstract == NULL || strncmp(abstract, "no", 2) != 0, error);
}

int
sockets_check(const char *vdev, char *error)
{
	struct named named = {0};

	if (strncmp(vdev, "net_vhost", 9) == 0 || strncmp(vdev, "eth_vhost", 9) == 0)
		return check_vhost(&named, vdev, error);
	if (strncmp(vdev, "net_virtio_user", 15) == 0 || strncmp(vdev, "virtio_user", 11) == 0)
		return check_virtio_user(&named, vdev, error);
	if (strncmp(vdev, "net_memif", 9) == 0)
		return check_memif(&named, vdev, error);
	return 0;
}
