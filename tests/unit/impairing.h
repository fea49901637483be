/* SPDX-License-Identifier: BSD-3-Clause */
/* An impaired port above one that a test feeds, for the tests of the wrapper. */
#ifndef WEIR_TESTS_IMPAIRING_H
#define WEIR_TESTS_IMPAIRING_H

#include <string.h>

#include "engine/port.h"
#include "tests/unit/frame.h"
#include "tests/unit/unit.h"
#include "wire/bytes.h"
#include "wire/chain.h"

#define BUFFERS	  4096
#define ROOM	  (RTE_PKTMBUF_HEADROOM + 512)
#define QUEUE	  4096
#define BURST	  64
#define SEQ_OFF	  (14 + 20 + 4)
#define FRAME_LEN (14 + 20 + 20 + 32)
#define REORDER	  2000000u /* ns, at most */

/* The port below: hands out what a test put in, and keeps what is sent, at most `takes` at once. */
struct below {
	struct rte_mbuf *in[QUEUE];
	struct rte_mbuf *sent[QUEUE];
	uint32_t n_in, given, n_sent;
	uint16_t takes;
};

struct fixture {
	struct weir_pool pool;
	struct below below;
	struct weir_port *port;
	struct frame_spec spec;
	uint8_t payload[32];
	uint32_t sequence; /* of the next frame made */
	struct rte_mbuf *out[QUEUE];
	uint32_t n_out;
};

static inline uint16_t
below_rx(void *user, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct below *below = user;
	uint16_t i;

	(void)now_ns;
	for (i = 0; i < n && below->given < below->n_in; i++)
		bufs[i] = below->in[below->given++];
	if (below->given == below->n_in)
		below->given = below->n_in = 0;
	return i;
}

static inline uint16_t
below_tx(void *user, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct below *below = user;
	uint16_t i;

	(void)now_ns;
	for (i = 0; i < n && i < below->takes; i++) {
		ck_assert_uint_lt(below->n_sent, QUEUE);
		below->sent[below->n_sent++] = bufs[i];
	}
	return i;
}

static inline void
set_up_link(struct fixture *f, const char *text, uint8_t l3)
{
	struct weir_port_functions functions = {
	    .size = sizeof(functions),
	    .rx_burst = below_rx,
	    .tx_burst = below_tx,
	    .user = &f->below,
	    .mac = {2, 0, 0, 0, 0, 1},
	    .l3 = l3,
	};
	struct weir_port *inner;

	memset(f, 0, sizeof(*f));
	f->below.takes = BURST;
	ck_assert_int_eq(weir_pool_open_heap(&f->pool, BUFFERS, ROOM), 0);
	ck_assert_int_eq(weir_port_open_custom(&functions, &inner), 0);
	ck_assert_int_eq(weir_port_open_impair(inner, text, &f->port, NULL), 0);
	ck_assert_int_eq(f->port->start(f->port->ctx, &f->pool), 0);
	frame_spec_init(&f->spec);
	f->spec.l3 = l3;
	for (uint32_t i = 0; i < sizeof(f->payload); i++)
		f->payload[i] = (uint8_t)(i + 1);
	f->spec.payload = f->payload;
	f->spec.len = sizeof(f->payload);
}

static inline void
set_up(struct fixture *f, const char *text)
{
	set_up_link(f, text, 0);
}

static inline void
free_out(struct fixture *f)
{
	weir_buf_free_bulk(&f->pool, f->out, f->n_out);
	f->n_out = 0;
	weir_buf_free_bulk(&f->pool, f->below.sent, f->below.n_sent);
	f->below.n_sent = 0;
}

/* Every buffer is home once the port stopped: it kept none. */
static inline void
tear_down(struct fixture *f)
{
	free_out(f);
	f->port->stop(f->port->ctx);
	weir_buf_free_bulk(&f->pool, f->below.in + f->below.given, f->below.n_in - f->below.given);
	ck_assert_uint_eq(weir_pool_close(&f->pool), 0);
	weir_port_close(f->port);
}

/* A frame whose sequence number tells which one it is. */
static inline struct rte_mbuf *
make(struct fixture *f)
{
	struct rte_mbuf *buf;

	f->spec.seq = f->sequence++;
	buf = frame_build(&f->pool, &f->spec);
	ck_assert_ptr_nonnull(buf);
	return buf;
}

static inline void
arrive(struct fixture *f, uint32_t n)
{
	while (n-- != 0)
		f->below.in[f->below.n_in++] = make(f);
}

static inline uint32_t
poll_port(struct fixture *f, uint64_t now_ns, uint16_t n)
{
	uint32_t got;

	ck_assert_uint_le(f->n_out + n, QUEUE);
	got = f->port->rx_burst(f->port->ctx, f->out + f->n_out, n, now_ns);
	ck_assert_uint_le(got, n);
	f->n_out += got;
	return got;
}

static inline uint32_t
sequence_of(struct rte_mbuf *buf)
{
	uint8_t scratch[4];
	const uint8_t *p = weir_chain_read(buf, SEQ_OFF, 4, scratch);

	ck_assert_ptr_nonnull(p);
	return weir_load_be32(p);
}

static inline uint64_t
impaired(struct fixture *f)
{
	struct weir_port_stats stats = {0};

	f->port->stats(f->port->ctx, &stats);
	return stats.impaired;
}

#endif
