/* SPDX-License-Identifier: BSD-3-Clause */
/* What --vdev names as its socket: nothing of anybody's is lost, and nobody who serves one notices. */
#include "../unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/cli/parse.h"
#include "app/cli/sockets.h"

static char directory[64];
static char error[OPTIONS_ERROR];

static void
in_directory(void)
{
	snprintf(directory, sizeof(directory), "/tmp/weir-sockets-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
}

static void
remove_directory(void)
{
	unlink("at");
	unlink("file");
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(directory), 0);
}

/* Somebody who serves the socket "at"; with `abstract` that name in the abstract space. */
static int
serve(int type, bool abstract)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);

	snprintf(name.sun_path + abstract, sizeof(name.sun_path) - 1, abstract ? "%s/at" : "at", directory);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&name,
			      (socklen_t)(abstract ? offsetof(struct sockaddr_un, sun_path) + 1 +
							 strlen(name.sun_path + 1)
						   : sizeof(name))),
			 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	return fd;
}

/* "%s" of `format` is the directory. */
static int
check(const char *format)
{
	char vdev[512];

	snprintf(vdev, sizeof(vdev), format, directory);
	error[0] = '\0';
	return sockets_check(vdev, error);
}

static void
refused(const char *format, const char *thing, const char *mend)
{
	ck_assert_msg(check(format) != 0, "taken: %s", format);
	ck_assert_msg(strstr(error, thing) != NULL, "%s: no '%s' in: %s", format, thing, error);
	ck_assert_msg(strstr(error, mend) != NULL, "%s: no '%s' in: %s", format, mend, error);
}

static bool
is_there(const char *name)
{
	struct stat status;

	return lstat(name, &status) == 0;
}

static void
make_file(void)
{
	int fd = open("file", O_CREAT | O_WRONLY, 0600);

	ck_assert_int_eq(write(fd, "precious", 8), 8);
	close(fd);
}

START_TEST(file_stays)
{
	struct stat status;

	in_directory();
	make_file();
	refused("net_vhost0,iface=%s/file", "/file: that is no socket", "give another path");
	refused("net_vhost0,client=0,iface=%s/file,queues=1", "--vdev net_vhost0: iface=", "another path");
	refused("eth_vhost1,iface=%s/file", "eth_vhost1", "another path");
	refused("net_virtio_user0,path=%s/file,server=1", "path=", "another path");
	refused("net_vhost0,iface=%s", "no socket", "another path");
	refused("net_vhost0,iface=%s/file,client=1", "/file: that is no socket", "of the other side");
	refused("net_virtio_user0,path=%s/file", "that is no socket", "of the other side");
	ck_assert_int_eq(symlink("file", "at"), 0);
	refused("net_vhost0,iface=%s/at", "/at: that is no socket", "another path");
	ck_assert(is_there("at"));
	ck_assert_int_eq(stat("file", &status), 0);
	ck_assert_int_eq(status.st_size, 8);
	remove_directory();
}
END_TEST

START_TEST(served_stays)
{
	int fd;

	in_directory();
	fd = serve(SOCK_STREAM, false);
	refused("net_vhost0,iface=%s/at", "/at: another program serves", "end that one");
	refused("net_virtio_user0,path=%s/at,server=1", "another program serves", "another path");
	ck_assert_int_eq(check("net_vhost0,iface=%s/at,client=1"), 0);
	ck_assert_int_eq(check("net_virtio_user0,path=%s/at"), 0);
	ck_assert(is_there("at"));
	/* nobody has come to its door */
	ck_assert_int_eq(accept(fd, NULL, NULL), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(fd);
	remove_directory();
}
END_TEST

START_TEST(old_socket_goes)
{
	in_directory();
	close(serve(SOCK_STREAM, false));
	refused("net_virtio_user0,path=%s/at", "Connection refused", "start the other side first");
	ck_assert_int_eq(check("net_vhost0,iface=%s/at,client=1"), 0); /* it waits for the other side */
	ck_assert(is_there("at"));
	ck_assert_int_eq(check("net_vhost0,iface=%s/at"), 0);
	ck_assert(!is_there("at"));
	close(serve(SOCK_STREAM, false));
	ck_assert_int_eq(check("net_virtio_user0,server=1,path=%s/at"), 0);
	ck_assert(!is_there("at"));
	remove_directory();
}
END_TEST

START_TEST(nothing_there)
{
	in_directory();
	ck_assert_int_eq(check("net_vhost0,iface=%s/at"), 0);
	ck_assert_int_eq(check("net_vhost0,iface=at"), 0);
	ck_assert_int_eq(check("net_vhost0,iface=/at"), 0);
	ck_assert_int_eq(check("net_vhost0,iface=%s/at,client=1"), 0);
	refused("net_vhost0,iface=%s/absent/at", "/absent/at: No such file", "make the directory first");
	refused("net_vhost0,iface=%s/absent/at,client=1", "No such file", "make the directory first");
	refused("net_virtio_user0,path=%s/at", "/at: No such file", "start the other side first");
	refused("net_vhost0", "names no socket", "iface=");
	refused("net_vhost0,iface=", "--vdev net_vhost0 names no socket", "iface=");
	refused("net_virtio_user0", "names no socket", "path=");
	refused("net_vhost0,iface=%s/0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789",
		"at most 107 characters", "shorter");
	remove_directory();
}
END_TEST

START_TEST(memif)
{
	int fd;

	in_directory();
	refused("net_memif0,role=client,socket=%s/at,socket-abstract=no", "/at: No such file",
		"start the other side first");
	refused("net_memif0,role=client,socket=%s/at", "Connection refused", "start the other side first");
	ck_assert_int_eq(check("net_memif0,role=server,socket=%s/at,socket-abstract=no"), 0);
	ck_assert_int_eq(check("net_memif0"), 0);
	fd = serve(SOCK_SEQPACKET, true);
	ck_assert_int_eq(check("net_memif0,role=client,socket=%s/at,socket-abstract=yes"), 0);
	ck_assert_int_eq(check("net_memif0,role=client,socket=%s/at"), 0);
	refused("net_memif0,role=client,socket=%s/at,socket-abstract=no", "/at", "other side first");
	ck_assert_int_eq(accept(fd, NULL, NULL), -1);
	close(fd);
	fd = serve(SOCK_SEQPACKET, false);
	ck_assert_int_eq(check("net_memif0,role=client,socket=%s/at,socket-abstract=no"), 0);
	ck_assert_int_eq(accept(fd, NULL, NULL), -1);
	close(fd);
	remove_directory();
}
END_TEST

START_TEST(others)
{
	ck_assert_int_eq(check("net_null0"), 0);
	ck_assert_int_eq(check("net_tap0,iface=none"), 0);
	ck_assert_int_eq(check("net_af_packet0,iface=%s"), 0);
	ck_assert_int_eq(check("net_virtio_user0,path=/dev/null"), 0); /* a device as /dev/vhost-net */
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, file_stays);
	UNIT_CASE(s, served_stays);
	UNIT_CASE(s, old_socket_goes);
	UNIT_CASE(s, nothing_there);
	UNIT_CASE(s, memif);
	UNIT_CASE(s, others);
}

UNIT_MAIN("app_sockets", add)
