/* SPDX-License-Identifier: BSD-3-Clause */
/* A parser with a pool and the frames to put through it, for the tests of the parser's files. */
#ifndef WEIR_TESTS_PARSING_H
#define WEIR_TESTS_PARSING_H

#include <string.h>

#include "tests/unit/frame.h"
#include "tests/unit/unit.h"
#include "wire/parse.h"

struct parsing {
	struct weir_own6 own6;
	struct weir_pool pool;
	struct weir_parse parse;
	struct weir_parsed out;
	struct frame_spec spec;
};

/* Frames to another address, or bare packets, from now on; nothing is known of the port's claims. */
static inline void
parsing_listen(struct parsing *p, bool l3, uint32_t ip)
{
	weir_parse_init(&p->parse, frame_local_mac, ip, l3, 0);
}

static inline void
parsing_open(struct parsing *p)
{
	ck_assert_int_eq(weir_pool_open_heap(&p->pool, 2048, RTE_PKTMBUF_HEADROOM + 2048), 0);
	memset(&p->out, 0xee, sizeof(p->out));
	parsing_listen(p, false, FRAME_LOCAL_IP);
	frame_spec_init(&p->spec);
}

/* The port has an address of IPv6, too, number 16 of all. */
static inline void
parsing_listen6(struct parsing *p)
{
	p->own6 = (struct weir_own6){.first = 16, .n = 1};
	memcpy(p->own6.address[0], frame_local_ip6, 16);
	p->parse.own6 = &p->own6;
	p->spec.ip6 = 1;
}

static inline void
parsing_open6(struct parsing *p)
{
	parsing_open(p);
	parsing_listen6(p);
}

static inline void
parsing_close(struct parsing *p)
{
	ck_assert_uint_eq(weir_pool_close(&p->pool), 0);
}

/* Parse one frame, which stays the caller's. It must be on exactly one list. */
static inline void
parsing_one(struct parsing *p, struct rte_mbuf *buf)
{
	const struct rte_mbuf *found;

	weir_parse_burst(&p->parse, &buf, 1, &p->out);
	ck_assert_uint_eq(p->out.n_segs + p->out.ip6.n_segs + p->out.syns.n + p->out.n_others +
				  p->out.n_rejects,
			  1);
	found = p->out.n_segs != 0       ? p->out.segs[0].buf
		: p->out.ip6.n_segs != 0 ? p->out.ip6.segs[0].buf
		: p->out.syns.n != 0   ? p->out.syns.segs[0].buf
		: p->out.n_others != 0 ? p->out.others[0].buf
				       : p->out.rejects[0].buf;
	ck_assert_ptr_eq(found, buf);
}

/* Parse one frame that is to be rejected for `reason`, and free it. */
static inline void
parsing_rejects(struct parsing *p, struct rte_mbuf *buf, enum weir_drop reason)
{
	parsing_one(p, buf);
	ck_assert_uint_eq(p->out.n_rejects, 1);
	ck_assert_uint_eq(p->out.rejects[0].reason, reason);
	weir_buf_free(&p->pool, buf);
}

/* Parse one with offload fields set by the port, on the frame that `spec` describes. */
static inline void
parsing_flags(struct parsing *p, uint64_t ol_flags)
{
	struct rte_mbuf *buf = frame_build(&p->pool, &p->spec);

	ck_assert_ptr_nonnull(buf);
	buf->ol_flags |= ol_flags;
	parsing_one(p, buf);
	weir_buf_free(&p->pool, buf);
}

/* The frame that `spec` describes, of which the port says `ol_flags`. */
static inline struct rte_mbuf *
parsing_claimed(struct parsing *p, uint64_t ol_flags)
{
	struct rte_mbuf *buf = frame_build(&p->pool, &p->spec);

	ck_assert_ptr_nonnull(buf);
	buf->ol_flags = ol_flags;
	return buf;
}

/* Drop reason of the frame that `spec` describes, WEIR_DROP_COUNT when it is taken. */
static inline unsigned int
parsing_reason(struct parsing *p)
{
	parsing_flags(p, 0);
	return p->out.n_rejects != 0 ? p->out.rejects[0].reason : WEIR_DROP_COUNT;
}

#define ck_assert_drop(p, id)                                                                      \
	ck_assert_str_eq(weir_drop_name(parsing_reason(p)), weir_drop_name(WEIR_DROP_##id))
#define ck_assert_taken(p) ck_assert_uint_eq(parsing_reason(p), WEIR_DROP_COUNT)

/* Random numbers that are the same everywhere (xorshift64*). */
static inline uint64_t
parsing_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

static inline uint32_t
parsing_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)((parsing_random(state) >> 16) % n);
}

#endif
