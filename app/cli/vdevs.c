/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/vdevs.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cli/interface.h"
#include "app/cli/sockets.h"

/* Of a ring frame of net_af_packet, what is not the IP packet; docs/weir.md says so. */
#define RING_FRAME_OVERHEAD 88
#define RING_FRAME_LEAST    (576 + RING_FRAME_OVERHEAD)
#define RING_FRAME_DEFAULT  2048

/* Of net_memif: log2 of a ring's places. */
#define MEMIF_RING_DEFAULT 10
#define MEMIF_RING_MOST	   14

const char *
vdevs_next(const char *name, int argc, char **argv, int *at)
{
	size_t len = strlen(name);

	while (*at < argc) {
		const char *word = argv[(*at)++];

		if (strcmp(word, name) == 0)
			return *at < argc ? argv[(*at)++] : NULL;
		if (strncmp(word, name, len) != 0)
			continue;
		if (name[1] != '-' && word[1] != '-') /* -aDEVICE */
			return word + len;
		if (word[len] == '=')
			return word + len + 1;
	}
	return NULL;
}

size_t
vdevs_len(const char *text)
{
	return strcspn(text, ",");
}

const char *
vdevs_key(const char *vdev, const char *key)
{
	size_t len = strlen(key);

	for (const char *at = strchr(vdev, ','); at != NULL; at = strchr(at, ',')) {
		at++;
		if (strncmp(at, key, len) == 0)
			return at + len;
	}
	return NULL;
}

static bool
is_driver(const char *vdev, const char *driver)
{
	return strncmp(vdev, driver, strlen(driver)) == 0;
}

static void
interface_of(const char *vdev, char *name, size_t size)
{
	const char *iface = vdevs_key(vdev, "iface=");

	snprintf(name, size, "%.*s", iface != NULL ? (int)vdevs_len(iface) : 0,
		 iface != NULL ? iface : "");
}

/* Drivers over an interface that the kernel must have already. */
static int
check_interface(const char *vdev, char *error)
{
	char name[INTERFACE_NAME];
	int len = (int)vdevs_len(vdev);

	if (!is_driver(vdev, "net_af_packet") && !is_driver(vdev, "net_af_xdp"))
		return 0;
	interface_of(vdev, name, sizeof(name));
	if (name[0] == '\0')
		return options_refuse(error,
				      "--vdev %.*s names no interface: add one, such as "
				      "%.*s,iface=eth1",
				      len, vdev, len, vdev);
	if (if_nametoindex(name) == 0)
		return options_refuse(error,
				      "--vdev %.*s: there is no interface '%s' here: ip link "
				      "lists those there are",
				      len, vdev, name);
	return 0;
}

/* UINT32_MAX: not of this kind. */
static uint32_t
ring_frame_bytes(const char *vdev)
{
	const char *framesz = vdevs_key(vdev, "framesz=");
	unsigned long size = RING_FRAME_DEFAULT;

	if (!is_driver(vdev, "net_af_packet"))
		return UINT32_MAX;
	if (framesz != NULL)
		size = strtoul(framesz, NULL, 10);
	return size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
}

static int
check_ring_frame(const char *vdev, char *error)
{
	const char *framesz = vdevs_key(vdev, "framesz=");

	if (framesz == NULL || ring_frame_bytes(vdev) >= RING_FRAME_LEAST)
		return 0;
	return options_refuse(error,
			      "--vdev %.*s: framesz=%.*s is too small for an IP packet of 576 bytes: "
			      "give framesz=2048, or a power of two with room for the MTU and %u",
			      (int)vdevs_len(vdev), vdev, (int)vdevs_len(framesz), framesz,
			      RING_FRAME_OVERHEAD);
}

/* The driver has the kernel spread the flows over all its pairs; the loop polls one. */
static int
check_queues(const char *vdev, char *error)
{
	const char *pairs = vdevs_key(vdev, "qpairs=");

	if (!is_driver(vdev, "net_af_packet") || pairs == NULL ||
	    (vdevs_len(pairs) == 1 && *pairs == '1'))
		return 0;
	return options_refuse(error,
			      "--vdev %.*s: qpairs=%.*s: one queue is polled, the others would swallow "
			      "what comes in: leave qpairs out",
			      (int)vdevs_len(vdev), vdev, (int)vdevs_len(pairs), pairs);
}

static int
check_name(const char *vdev, char *error)
{
	if (vdevs_len(vdev) != 0)
		return 0;
	return options_refuse(error, "--vdev '%s' names no device: give one such as net_tap0", vdev);
}

/* EAL would take the last one's arguments for both. */
static int
check_once(int argc, char **argv, const char *vdev, int at, char *error)
{
	size_t len = vdevs_len(vdev);
	const char *other;

	while ((other = vdevs_next("--vdev", argc, argv, &at)) != NULL)
		if (vdevs_len(other) == len && strncmp(other, vdev, len) == 0)
			return options_refuse(error,
					      "--vdev %.*s is given twice: give each device a name "
					      "of its own, by the number at its end",
					      (int)len, vdev);
	return 0;
}

int
vdevs_check(int argc, char **argv, char *error)
{
	const char *vdev;
	int at = 1;

	while ((vdev = vdevs_next("--vdev", argc, argv, &at)) != NULL)
		if (check_name(vdev, error) != 0 || check_once(argc, argv, vdev, at, error) != 0 ||
		    check_interface(vdev, error) != 0 || check_ring_frame(vdev, error) != 0 ||
		    check_queues(vdev, error) != 0)
			return -1;
	/* Last, and after all else: this one may remove an old socket. */
	at = 1;
	while ((vdev = vdevs_next("--vdev", argc, argv, &at)) != NULL)
		if (sockets_check(vdev, error) != 0)
			return -1;
	return 0;
}

/* The driver registers memory with the kernel as if its buffers stood next to each other; in ordinary
 * pages of 4 KiB they do not, and the kernel refuses those that lie behind, each time it is offered
 * one. */
const char *
vdevs_huge(int argc, char **argv)
{
	const char *vdev;
	int at = 1;

	while ((vdev = vdevs_next("--vdev", argc, argv, &at)) != NULL)
		if (is_driver(vdev, "net_af_xdp"))
			return vdev;
	return NULL;
}

/* Of what a client's buffers are at the server by their addresses, the driver frees only what the server
 * has used when it closes: the rest of both rings it forgets. */
static uint32_t
memif_kept(const char *vdev)
{
	const char *role = vdevs_key(vdev, "role="), *zero_copy = vdevs_key(vdev, "zero-copy=");
	const char *size = vdevs_key(vdev, "rsize=");
	unsigned long bits = size != NULL ? strtoul(size, NULL, 10) : MEMIF_RING_DEFAULT;

	if (role == NULL || (strncmp(role, "client", 6) != 0 && strncmp(role, "slave", 5) != 0) ||
	    zero_copy == NULL || strncmp(zero_copy, "yes", 3) != 0)
		return 0;
	return 2u << (bits < MEMIF_RING_MOST ? bits : MEMIF_RING_MOST);
}

uint32_t
vdevs_kept(int argc, char **argv, const char *port)
{
	const char *vdev;
	int at = 1;

	while ((vdev = vdevs_next("--vdev", argc, argv, &at)) != NULL) {
		if (vdevs_len(vdev) != strlen(port) || !is_driver(vdev, port))
			continue;
		if (is_driver(vdev, "net_af_xdp"))
			return UINT32_MAX;
		return is_driver(vdev, "net_memif") ? memif_kept(vdev) : 0;
	}
	return 0;
}

bool
vdevs_cuts(int argc, char **argv, int *at, char *line)
{
	const char *vdev;

	while ((vdev = vdevs_next("--vdev", argc, argv, at)) != NULL) {
		uint32_t frame = ring_frame_bytes(vdev), mtu;
		char name[INTERFACE_NAME];

		interface_of(vdev, name, sizeof(name));
		mtu = interface_mtu(name);
		if (mtu <= frame - RING_FRAME_OVERHEAD)
			continue;
		snprintf(line, OPTIONS_ERROR,
			 "--vdev %.*s: frames of %u bytes cut off packets longer than %u, %s has MTU "
			 "%u: give framesz=%u or more, or ip link set %s mtu %u",
			 (int)vdevs_len(vdev), vdev, frame, frame - RING_FRAME_OVERHEAD, name, mtu,
			 mtu + RING_FRAME_OVERHEAD, name, frame - RING_FRAME_OVERHEAD);
		return true;
	}
	return false;
}

uint32_t
vdevs_room_bytes(int argc, char **argv, uint32_t headroom, uint32_t *mtu)
{
	const char *vdev;
	uint32_t most = 0;
	int at = 1;

	*mtu = 0;
	while ((vdev = vdevs_next("--vdev", argc, argv, &at)) != NULL) {
		const char *framesz = vdevs_key(vdev, "framesz=");
		char name[INTERFACE_NAME];
		uint32_t its;

		interface_of(vdev, name, sizeof(name));
		its = interface_mtu(name);
		*mtu = its > *mtu ? its : *mtu;
		/* af_packet asks for a buffer that takes a whole ring frame */
		if (framesz != NULL) {
			unsigned long size = strtoul(framesz, NULL, 10);
			uint32_t room = (size < UINT16_MAX ? (uint32_t)size : UINT16_MAX) + headroom;

			most = room > most ? room : most;
		}
	}
	return most;
}
