/* SPDX-License-Identifier: BSD-3-Clause */
/* EAL's arguments with and without hugepages. */
#include "../unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "app/cli/eal_args.h"
#include "app/cli/vdevs.h"

const char say_name[] = "weir";

static struct eal_args args;
static bool fixed;
static char error[OPTIONS_ERROR];
static char joined[1024];

/* Build from a text; the result as a text, or NULL when it was refused. */
static const char *
build(const char *line, uint64_t hugepages_free_mb)
{
	struct eal_facts facts = {
	    .hugepages_free_mb = hugepages_free_mb,
	    .memory_free_mb = 8192,
	    .buffers = 16384,
	    .buffer_bytes = 2176,
	    .fixed = fixed,
	};
	static char text[1024];
	char *words[32], *state = NULL;
	int n = 0, rc;

	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok_r(text, " ", &state); word != NULL;
	     word = strtok_r(NULL, " ", &state))
		words[n++] = word;
	error[0] = '\0';
	rc = eal_args_build(&args, n, words, &facts, error);
	joined[0] = '\0';
	for (int i = 0; rc == 0 && i < args.argc; i++) {
		if (i != 0)
			strcat(joined, " ");
		strcat(joined, args.argv[i]);
	}
	if (rc == 0)
		ck_assert(args.argv[args.argc] == NULL);
	eal_args_free(&args);
	return rc == 0 ? joined : NULL;
}

START_TEST(hugepages_there)
{
	ck_assert_str_eq(build("weir -l 1", 1024), "weir --log-level=error -l 1");
	ck_assert_str_eq(args.note, "");
	ck_assert(!args.no_huge);
	ck_assert_str_eq(build("weir --in-memory -m 64", 1024),
			 "weir --log-level=error --in-memory -m 64");
}
END_TEST

START_TEST(hugepages_missing)
{
	/* Each of 16384 has a page, since two do not fit: 64 MB, and 64 beside them. */
	ck_assert_str_eq(build("weir -l 1 --in-memory", 0),
			 "weir --log-level=error --no-huge --no-shconf -m 128 -l 1");
	ck_assert(strstr(args.note, "no free hugepages") != NULL);
	ck_assert(strstr(args.note, "--no-huge -m 128 --no-shconf, without --in-memory") != NULL);
	ck_assert_str_eq(build("weir -m 512", 0),
			 "weir --log-level=error --no-huge --no-shconf -m 512");
	ck_assert_str_eq(build("weir -m512", 0),
			 "weir --log-level=error --no-huge --no-shconf -m512");
	ck_assert(strstr(args.note, "-m 512") != NULL);
}
END_TEST

START_TEST(hugepages_too_few)
{
	ck_assert_str_eq(build("weir", 64), "weir --log-level=error --no-huge --no-shconf -m 128");
	ck_assert(strstr(args.note, "only 64 MB of hugepages are free") != NULL);
	ck_assert_str_eq(build("weir", 102), "weir --log-level=error");
	ck_assert_str_eq(build("weir -m 256", 128),
			 "weir --log-level=error --no-huge --no-shconf -m 256");
}
END_TEST

START_TEST(asked_for)
{
	ck_assert_str_eq(build("weir --no-huge", 0),
			 "weir --log-level=error --no-shconf -m 128 --no-huge");
	ck_assert_str_eq(args.note, "");
	ck_assert_str_eq(build("weir --no-huge --in-memory --no-shconf -m 200", 1024),
			 "weir --log-level=error --no-huge --no-shconf -m 200");
	ck_assert(strstr(args.note, "without --in-memory") != NULL);
	ck_assert_str_eq(build("weir --socket-mem=64", 64),
			 "weir --log-level=error --socket-mem=64");
	ck_assert(build("weir --socket-mem=64", 0) == NULL);
	ck_assert(strstr(error, "--socket-mem=64: no hugepages are free") != NULL);
	ck_assert_str_eq(build("weir --log-level debug", 1024), "weir --log-level debug");
	ck_assert(args.log_level);
}
END_TEST

START_TEST(too_little)
{
	ck_assert(build("weir -m 40", 0) == NULL);
	ck_assert(strstr(error, "-m 40 is too small for 16384 buffers") != NULL);
	ck_assert(strstr(error, "give -m 128 or fewer --buffers") != NULL);
	ck_assert(build("weir --no-huge -m 40", 1024) == NULL);
	fixed = true; /* a tool without --buffers */
	ck_assert(build("weir -m 40", 0) == NULL);
	ck_assert_str_eq(error, "-m 40 is too small for 16384 buffers of 2176 bytes: give -m 128");
	fixed = false;
	ck_assert(build("weir -m 9000", 0) == NULL);
	ck_assert(strstr(error, "-m 9000 is more than the 8192 MB that are free") != NULL);
	ck_assert(strstr(error, "give -m 128, or leave it out") != NULL);
	ck_assert_uint_eq(eal_args_need_mb(2000000, 2176, true), 7813 + 64);
	ck_assert_uint_eq(eal_args_need_mb(1024, 12416, true), 16 + 64);
	ck_assert_uint_eq(eal_args_need_mb(1024, 12416, false), 13 + 64);
}
END_TEST

/* Refused with one line that holds both the thing and the mend. */
static void
refused(const char *line, const char *thing, const char *mend)
{
	ck_assert_msg(build(line, 0) == NULL, "taken: %s", line);
	ck_assert_msg(strstr(error, thing) != NULL, "%s: no '%s' in: %s", line, thing, error);
	ck_assert_msg(strstr(error, mend) != NULL, "%s: no '%s' in: %s", line, mend, error);
	ck_assert_msg(strchr(error, '\n') == NULL, "%s: more than a line: %s", line, error);
}

START_TEST(wrong_words)
{
	refused("weir -m abc", "-m: 'abc' is not a number", "in MB");
	refused("weir -m 0", "-m: '0' is out of range", "leave it out");
	refused("weir -m -5", "-m: '-5' is not", "in MB");
	refused("weir -m5x", "-m: '5x' is not", "in MB");
	refused("weir -l 1 -m", "-m: ''", "in MB");
	refused("weir -m 99999999999999999999", "is out of range", "in MB");
	refused("weir --proc-type=secondary", "--proc-type=secondary", "leave it out");
	refused("weir --proc-type auto", "--proc-type=auto", "leave it out");
	ck_assert(build("weir --proc-type primary", 0) != NULL);
	refused("weir --file-prefix a/b", "--file-prefix 'a/b'", "without '/'");
	refused("weir --file-prefix=..", "--file-prefix '..'", "without '/'");
	ck_assert(build("weir --file-prefix a.b", 0) != NULL);
}
END_TEST

START_TEST(log_levels)
{
	static const char *const good[] = {"debug", "8", "1", "err", "lib.eal:debug", "pmd.net.*:5",
					   "lib[.].*,info", "a:b,notice", "help"};
	static const char *const bad[] = {"0", "9", "chatty", "errors", "lib.eal:", "lib.eal", "lib.eal,",
					  "lib.eal:loud", "a,b:notice"};
	char line[64];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(line, sizeof(line), "weir --log-level=%s", good[i]);
		ck_assert_msg(build(line, 1024) != NULL, "%s: %s", line, error);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "weir --log-level %s", bad[i]);
		refused(line, bad[i], "give emergency, alert,");
	}
	refused("weir -l 1 --log-level", "--log-level: ''", "lib.eal:debug");
	refused("weir --log-level=error --log-level=lib.eal:loud", "loud", "lib.eal:debug");
}
END_TEST

START_TEST(wrong_devices)
{
	refused("weir --vdev net_null0 --vdev=net_null0,size=64", "--vdev net_null0 is given twice",
		"a name of its own");
	refused("weir --vdev=", "--vdev '' names no device", "such as net_tap0");
	refused("weir --vdev ,iface=lo", "--vdev ',iface=lo' names no device", "such as net_tap0");
	refused("weir --vdev net_null0 --vdev net_vhost0,iface=/absent/at", "/absent/at", "make the directory");
	refused("weir --vdev net_af_packet0", "--vdev net_af_packet0 names no interface", "iface=");
	refused("weir --vdev net_af_packet0,iface=", "names no interface", "iface=");
	refused("weir --vdev net_af_xdp3,iface=absent0,start_queue=0", "no interface 'absent0'",
		"ip link");
	refused("weir --vdev net_af_packet0,iface=lo,framesz=512", "framesz=512 is too small",
		"give framesz=2048");
	refused("weir --vdev net_af_packet0,framesz=big,iface=lo", "framesz=big", "framesz=2048");
	refused("weir --vdev net_af_packet0,iface=lo,qpairs=2", "qpairs=2", "leave qpairs out");
	refused("weir --vdev net_af_packet0,qpairs=16,iface=lo", "qpairs=16", "leave qpairs out");
	ck_assert(build("weir --vdev net_af_packet0,iface=lo,qpairs=1", 0) != NULL);
	ck_assert(build("weir --vdev net_null0 --vdev net_null1 --vdev net_null", 0) != NULL);
	ck_assert(build("weir --vdev net_tap0,iface=new0 --vdev net_af_packet0,iface=lo", 0) != NULL);
}
END_TEST

/* The driver of net_af_xdp finds no buffer in ordinary pages, and says nothing. */
START_TEST(xdp_needs_hugepages)
{
	refused("weir --vdev net_null0 --vdev=net_af_xdp0,iface=lo", "--vdev net_af_xdp0",
		"nr_hugepages");
	refused("weir --no-huge --vdev net_af_xdp0,iface=lo", "without hugepages", "net_af_packet");
	ck_assert_ptr_null(build("weir --no-huge --vdev net_af_xdp0,iface=lo", 1024));
	ck_assert_ptr_nonnull(build("weir --vdev net_af_xdp0,iface=lo", 1024));
}
END_TEST

START_TEST(buffer_sizes)
{
	static const char *const lines[][2] = {
	    {"weir --vdev net_tap0", "2176"},
	    {"weir --vdev=net_af_packet0,iface=nosuch,framesz=2048", "2176"},
	    {"weir --vdev net_af_packet0,iface=nosuch,framesz=12288,framecnt=2000", "12416"},
	    {"weir --vdev net_tap0 --vdev=net_af_packet0,framesz=4096", "4224"},
	    {"weir --vdev net_af_packet0,framesz=99999999", "65472"},
	    {"weir --vdev", "2176"},
	};

	ck_assert_uint_eq(eal_args_buffer_bytes(0), 2176);
	ck_assert_uint_eq(eal_args_buffer_bytes(1500), 2176);
	ck_assert_uint_eq(eal_args_buffer_bytes(2026), 2176);
	ck_assert_uint_eq(eal_args_buffer_bytes(2027), 2240);
	ck_assert_uint_eq(eal_args_buffer_bytes(9000), 9152);
	ck_assert_uint_eq(eal_args_buffer_bytes(65535), 65472);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char text[256], *words[8], *state = NULL;
		int n = 0;

		snprintf(text, sizeof(text), "%s", lines[i][0]);
		for (char *word = strtok_r(text, " ", &state); word != NULL;
		     word = strtok_r(NULL, " ", &state))
			words[n++] = word;
		ck_assert_msg(eal_args_vdev_bytes(n, words) == strtoul(lines[i][1], NULL, 10), "%s",
			      lines[i][0]);
	}
	ck_assert_uint_eq(
	    eal_args_vdev_bytes(3,
				(char *[]){(char *)(uintptr_t) "weir", (char *)(uintptr_t) "--vdev",
					   (char *)(uintptr_t) "net_af_packet0,iface=lo"}),
	    65472);
}
END_TEST

static uint32_t
kept(const char *vdev, const char *port)
{
	char *words[] = {(char *)(uintptr_t) "weir",   (char *)(uintptr_t) "--vdev",
			 (char *)(uintptr_t) "net_null0", (char *)(uintptr_t) "--vdev",
			 (char *)(uintptr_t)vdev};

	return vdevs_kept(5, words, port);
}

/* A client of memif that copies nothing has its buffers in both rings, and no other device has any. */
START_TEST(drivers_keep)
{
	const char *zero = "net_memif0,role=client,id=0,socket=/tmp/sock,zero-copy=yes";

	ck_assert_uint_eq(kept(zero, "net_memif0"), 2048);
	ck_assert_uint_eq(kept("net_memif1,zero-copy=yes,role=client,rsize=12", "net_memif1"), 8192);
	ck_assert_uint_eq(kept("net_memif1,zero-copy=yes,role=client,rsize=99", "net_memif1"), 32768);
	ck_assert_uint_eq(kept(zero, "net_memif"), 0);
	ck_assert_uint_eq(kept(zero, "net_null0"), 0);
	ck_assert_uint_eq(kept(zero, "net_memif01"), 0);
	ck_assert_uint_eq(kept("net_memif0,role=client,zero-copy=no", "net_memif0"), 0);
	ck_assert_uint_eq(kept("net_memif0,role=client", "net_memif0"), 0);
	ck_assert_uint_eq(kept("net_memif0,role=server,zero-copy=yes", "net_memif0"), 0);
	ck_assert_uint_eq(kept("net_af_xdp0,iface=lo", "net_af_xdp0"), UINT32_MAX);
	ck_assert_uint_eq(kept("net_vhost0,iface=/tmp/sock", "net_vhost0"), 0);
}
END_TEST

static bool
cuts(const char *vdev, char *line)
{
	char *words[] = {(char *)(uintptr_t) "weir", (char *)(uintptr_t) "--vdev",
			 (char *)(uintptr_t)vdev, (char *)(uintptr_t) "--vdev",
			 (char *)(uintptr_t) "net_null0"};
	bool found;
	int at = 1;

	found = vdevs_cuts(5, words, &at, line);
	ck_assert(!found || !vdevs_cuts(5, words, &at, line));
	return found;
}

/* The loopback interface has an MTU of 65536. */
START_TEST(frames_cut_off)
{
	char line[OPTIONS_ERROR];

	ck_assert(cuts("net_af_packet0,iface=lo,framesz=2048", line));
	ck_assert_str_eq(line, "--vdev net_af_packet0: frames of 2048 bytes cut off packets longer "
			       "than 1960, lo has MTU 65536: give framesz=65624 or more, or ip "
			       "link set lo mtu 1960");
	ck_assert(cuts("net_af_packet0,iface=lo", line));
	ck_assert(strstr(line, "frames of 2048 bytes") != NULL);
	ck_assert(cuts("net_af_packet0,iface=lo,framesz=65623", line));
	ck_assert(!cuts("net_af_packet0,iface=lo,framesz=65624", line));
	ck_assert(!cuts("net_af_xdp0,iface=lo", line));
	ck_assert(!cuts("net_af_packet0,iface=absent0", line));
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, hugepages_there);
	UNIT_CASE(s, hugepages_missing);
	UNIT_CASE(s, hugepages_too_few);
	UNIT_CASE(s, asked_for);
	UNIT_CASE(s, too_little);
	UNIT_CASE(s, wrong_words);
	UNIT_CASE(s, log_levels);
	UNIT_CASE(s, wrong_devices);
	UNIT_CASE(s, xdp_needs_hugepages);
	UNIT_CASE(s, buffer_sizes);
	UNIT_CASE(s, drivers_keep);
	UNIT_CASE(s, frames_cut_off);
}

UNIT_MAIN("app_eal_args", add)
