/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What this poll will send, in the order in which it was caused: ACKs that may travel as trains,
 * packets built one by one, and finished frames. Windows are filled in when the gather is flushed.
 */
#ifndef WEIR_TCP_GATHER_H
#define WEIR_TCP_GATHER_H

#include <stdint.h>

#include "wire/header.h"

struct rte_mbuf;

enum weir_gather_kind {
	WEIR_GATHER_TRAIN,  /* acks[first, first + n) of `flow` */
	WEIR_GATHER_SINGLE, /* singles[first] of `flow`, perhaps more than once */
	WEIR_GATHER_FRAME,  /* frames[first] */
};

struct weir_gather_item {
	uint32_t flow;
	uint32_t first;
	uint32_t n;
	uint32_t seq;
	uint16_t flags;
	uint8_t kind; /* enum weir_gather_kind */
	uint8_t port;
};

struct weir_gather_single {
	struct weir_packet packet;
	uint32_t edges;	  /* acks[edges, edges + n_edges): it goes out as often, with these for the right
			     edge of its first SACK block */
	uint32_t n_edges; /* 0: it goes out once, as it is */
	uint8_t open; /* the window may grow; otherwise it repeats the advertised edge */
};

struct weir_gather {
	struct weir_gather_item *items;
	struct weir_ack *acks;
	struct weir_gather_single *singles;
	struct rte_mbuf **frames;
	uint32_t n_items;
	uint32_t n_acks;
	uint32_t n_edges; /* of these, those of singles */
	uint32_t n_singles;
	uint32_t n_frames;
	uint32_t capacity; /* of each array; there are never more acks, singles and frames than this */
	uint32_t number;   /* of this gather; flows remember the last one they are in */
	/* Sends everything now; called when one of the arrays is full. */
	void (*flush)(void *user);
	void *user;
};

#endif
