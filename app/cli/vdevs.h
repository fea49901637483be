/* SPDX-License-Identifier: BSD-3-Clause */
/* What --vdev and -a say, before EAL reads them. */
#ifndef APP_CLI_VDEVS_H
#define APP_CLI_VDEVS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/cli/parse.h"

/* The value of the next option called `name` ("--vdev", "-a") from word *at on, which moves behind
 * it; NULL when there is none. */
const char *vdevs_next(const char *name, int argc, char **argv, int *at);

/* The value of key= ("iface=") in a device's arguments, or NULL. */
const char *vdevs_key(const char *vdev, const char *key);

/* How long the device's name, or the value of a key, is. */
size_t vdevs_len(const char *text);

/* 0, or -1 with one line in `error`: a name given twice, an interface that is not there, a ring frame
 * too small for any MTU, more queues than are polled, a socket that sockets_check refuses. */
int vdevs_check(int argc, char **argv, char *error);

/* One that receives nothing without hugepages: its name, or NULL. */
const char *vdevs_huge(int argc, char **argv);

/* How many buffers at most the driver of the port called `port` keeps when it is closed; UINT32_MAX: as
 * many as it likes. */
uint32_t vdevs_kept(int argc, char **argv, const char *port);

/* The next device from word *at on, which moves behind it, whose ring frames are shorter than its
 * interface's MTU allows: true and one line in `line` (OPTIONS_ERROR bytes). */
bool vdevs_cuts(int argc, char **argv, int *at, char *line);

/* Data room that the ring frames and interfaces of all devices ask for, headroom included; 0: none
 * says. */
uint32_t vdevs_room_bytes(int argc, char **argv, uint32_t headroom, uint32_t *mtu);

#endif
