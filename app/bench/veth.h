/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The network of the cases that have Linux in them: a namespace that sends and one that receives,
 * joined by two pairs of veth interfaces, MTU 1500. One ends at Linux's TCP, the other at weir's
 * port: the interface there has no address, so that the kernel answers nothing on it.
 *
 * Between the two Linux ends softirqs of what arrives run on the core of the side that it arrives
 * at (RPS). To and from weir they run in the call that sends, so what weir pays for an ACK holds
 * all that the sending Linux does with it.
 */
#ifndef APP_BENCH_VETH_H
#define APP_BENCH_VETH_H

#include <stdbool.h>
#include <stdint.h>

#include <net/if.h>

#include "namespace.h"

#define VETH_KERNEL_IP	 0xc6120001u /* 198.18.0.1/24, the receiving Linux */
#define VETH_WEIR_IP	 0xc6130001u /* 198.19.0.1/24, weir */
#define VETH_PREFIX_BITS 24

struct veth {
	struct namespace sender;
	struct namespace receiver;
	char kernel_sender[IFNAMSIZ]; /* interfaces; their names hold the pid */
	char kernel_receiver[IFNAMSIZ];
	char weir_sender[IFNAMSIZ];
	char weir_receiver[IFNAMSIZ];
	unsigned int sender_core;
	unsigned int receiver_core;
};

/* Linux sends on the core of `sender_lcore`, what it sends is received on the main lcore's. NULL,
 * or why not: then nothing is left. */
const char *veth_open(struct veth *net, unsigned int sender_lcore);
void veth_close(struct veth *net);

/* Whether the sending Linux hands frames of up to 64 KiB to its interface (TSO, GSO). */
bool veth_segmentation(const struct veth *net, const char *interface, bool on);

/*
 * Where the receiving Linux merges segments (GRO): in a kernel thread on its own core, which then
 * does all of the receiving, or in the softirq of the sender's core that put them on the veth, with
 * RPS behind it. The second is how it is opened.
 */
bool veth_threaded(const struct veth *net, bool on);

/* Whether the way of a frame into af_packet's ring is on the receiver's core too, where it delays
 * the engine, or in the sender's call, as it is opened. */
bool veth_weir_steered(const struct veth *net, bool on);

/* A hexadecimal mask with one core in it, as /sys takes them. At least 80 bytes. */
char *veth_mask(unsigned int core, char *to);

#endif
