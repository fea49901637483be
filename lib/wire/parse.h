/* SPDX-License-Identifier: BSD-3-Clause */
/* Room 2: frames to segment descriptors, every length checked, once per segment. */
#ifndef WEIR_WIRE_PARSE_H
#define WEIR_WIRE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/drop.h"
#include "wire/key.h"
#include "wire/seg.h"

struct rte_mbuf;

/* Verdict of a step: a drop reason, or this. */
#define WEIR_PARSE_OK WEIR_DROP_COUNT

#define WEIR_BURST_MAX 64 /* packets of one burst */
#define WEIR_MAC_BYTES 6

enum weir_claim { /* what a port says of a checksum */
	WEIR_CLAIM_GOOD,
	WEIR_CLAIM_BAD,
	WEIR_CLAIM_COUNT
};

#define WEIR_CLAIM_FIRST 1000  /* claims verified in software before one is believed */
#define WEIR_CLAIM_EVERY 65536 /* afterwards one in so many */

/*
 * What one port queue says of the checksums it verified, checked by observation: of GOOD the first
 * WEIR_CLAIM_FIRST and then one in WEIR_CLAIM_EVERY are verified in software as well, BAD always is.
 * A contradiction sets `software` for good. UNKNOWN is always verified in software; NONE means that
 * the data was verified and the checksum field is invalid, so it is accepted unverified. GOOD on a
 * frame that the port merged is taken, and counted, as NONE while the port is believed: the field in
 * there belongs to no packet of the wire. With `software` set all but NONE is verified.
 */
struct weir_csum_trust {
	bool software;
	uint64_t claims[WEIR_CLAIM_COUNT];         /* claims seen */
	uint64_t verified[WEIR_CLAIM_COUNT];       /* of them verified in software */
	uint64_t contradictions[WEIR_CLAIM_COUNT]; /* of them found wrong */
	uint64_t none;
	uint64_t unknown;
};

#define WEIR_PLAIN_BYTES 64 /* of a frame, compared at once */

/* What the fixed bytes of a plain frame are on one port; see wire/plain.h. */
struct weir_plain {
	_Alignas(16) uint8_t want[WEIR_PLAIN_BYTES];
	uint8_t mask[WEIR_PLAIN_BYTES];
	uint8_t run[WEIR_PLAIN_BYTES]; /* mask of what is the same in all frames of a run, too */
	uint8_t alike[WEIR_PLAIN_BYTES]; /* IPv4: and of all that a block shares, see weir_seg.alike */
	uint32_t l3_off;
	uint32_t l4_off;
	uint32_t least; /* bytes of the first segment */
	uint32_t headers; /* bytes of the IP and TCP headers */
	uint32_t ts_mask; /* 0 without a timestamp */
	uint32_t data_off;
	uint64_t like[2]; /* what all descriptors share, from wire_segs on */
};

struct weir_parse {
	uint8_t port;                 /* index of the port, for the descriptors */
	bool l3;                      /* port carries bare IP packets, no Ethernet header */
	uint8_t mac[WEIR_MAC_BYTES];  /* own address */
	uint32_t ip;                  /* own address, host order; 0: none */
	uint32_t broadcast;           /* of the own network; 0: not known, or it has none */
	const struct weir_own6 *own6; /* own addresses of IPv6, the port's; NULL: none */
	struct weir_csum_trust trust; /* of this port's queue */
	uint64_t options_malformed;   /* segments whose option walk stopped early */
	uint32_t frame_max;           /* longest frame received, bytes, from the Ethernet header on */
	struct weir_plain plain[2];   /* by enum weir_opt_shape: without and with a timestamp */
	uint8_t line[WEIR_PLAIN_BYTES]; /* mask of what the first line of a buffer has to say like the
					   one before for both to be of one block */
	struct weir_plain syn;        /* a SYN, whatever its options are; see wire/syn.c */
	uint32_t syns_left;           /* SYNs that are taken: the others are rejected as a flood */
	uint8_t shape;                /* of the last plain frame: the next one is looked at so first */
	ptrdiff_t frame_off;          /* how far behind its buffer the last frame began */
	struct weir_plain plain6[2];  /* the same as plain[2] of IPv6 */
};

/* Ready for frames to `mac` (ignored when l3) and `ip` from the port with index `port`; `own6` is set
 * apart. Control path. */
void weir_parse_init(struct weir_parse *parse, const uint8_t mac[WEIR_MAC_BYTES], uint32_t ip,
		     bool l3, uint8_t port);

/* The own address, from now on; prefix_len: of its network, 0 when it is not known. Control path. */
void weir_parse_set_ip(struct weir_parse *parse, uint32_t ip, uint32_t prefix_len);

enum weir_other_kind {
	WEIR_OTHER_ARP,
	WEIR_OTHER_ICMP,
	WEIR_OTHER_FRAGMENT,
	WEIR_OTHER_ICMP6,
};

/* A packet for the neighbour room or a fragment, offsets from the start of the frame. */
struct weir_other {
	struct rte_mbuf *buf;
	uint32_t vlan;
	uint16_t l3_off;
	uint16_t l4_off; /* start of the IP packet's payload */
	uint16_t l4_len; /* its length without padding; ARP: bytes from l3_off on */
	uint8_t kind;    /* enum weir_other_kind */
	uint8_t before;  /* segments of its family in the burst that came before it */
};

/* What ICMPv6 has to say of a packet that is rejected (RFC 8200 4, RFC 4443 3.4). */
enum weir_problem {
	WEIR_PROBLEM_NONE,
	WEIR_PROBLEM_HEADER,	    /* a value in it */
	WEIR_PROBLEM_NEXT_HEADER,   /* not known */
	WEIR_PROBLEM_OPTION,	    /* not known and not to be skipped, in a packet to us alone */
	WEIR_PROBLEM_OPTION_OF_ALL, /* the same wherever the packet went */
};

struct weir_reject {
	struct rte_mbuf *buf;
	uint32_t reason;      /* enum weir_drop */
	uint8_t problem;      /* enum weir_problem */
	uint8_t l3_off;	      /* with a problem: of the IP header, from the start of the frame */
	uint16_t problem_off; /* where it lies, from the IP header on */
};

/*
 * SYNs of a burst that stand apart, since they would cut runs to pieces: plain ones of IPv4. Behind
 * those segments that came before it a SYN stands in front of the run that goes on: runs of its own key
 * are never cut so.
 */
struct weir_parsed_syns {
	uint32_t n;
	uint8_t before[WEIR_BURST_MAX]; /* segments of IPv4 in the burst that came before it */
	struct weir_seg segs[WEIR_BURST_MAX];
	struct weir_key4 keys[WEIR_BURST_MAX];
};

/* The segments of IPv6 in a burst, and their runs as in struct weir_parsed. */
struct weir_parsed6 {
	uint32_t n_segs;
	uint32_t n_runs;
	struct weir_seg segs[WEIR_BURST_MAX];
	struct weir_key keys[WEIR_BURST_MAX];
	uint8_t run_first[WEIR_BURST_MAX + 1]; /* valid only where n_runs != 0 */
};

/*
 * One parsed burst: n_segs + ip6.n_segs + syns.n + n_others + n_rejects == packets given. Segments of one key
 * in a row are a run: segs[run_first[r], run_first[r + 1]) belong to keys[r]. Segments of a run that are
 * alike are a block, whose first descriptor speaks for all (weir_seg.alike).
 */
struct weir_parsed {
	uint32_t n_segs;
	uint32_t n_runs;
	uint32_t n_others;
	uint32_t n_rejects;
	uint64_t bytes; /* of all frames */
	struct weir_seg segs[WEIR_BURST_MAX];
	struct weir_key4 keys[WEIR_BURST_MAX];
	uint8_t run_first[WEIR_BURST_MAX + 1];
	struct weir_other others[WEIR_BURST_MAX];
	struct weir_reject rejects[WEIR_BURST_MAX];
	struct weir_parsed6 ip6;
	struct weir_parsed_syns syns;
};

/*
 * Parse `n` frames (n <= WEIR_BURST_MAX) in their order. Each becomes exactly one segment
 * descriptor, one `other` or one reject. Headers may lie across buffer segments; bytes behind the
 * IP total length are padding and never payload. The checksum is judged by the port's claim, see
 * struct weir_csum_trust. The owner of every buffer afterwards is the list it is on. Only the
 * thread that polls the engine. RFC 791, RFC 8200, RFC 9293 section 3.1.
 */
void weir_parse_burst(struct weir_parse *parse, struct rte_mbuf **bufs, uint32_t n,
		      struct weir_parsed *out);

/* ---- how a parsed burst grows: private to wire/ ---- */

/* The next segment is the first of a run. */
static inline void
weir_parsed_begin_run(struct weir_parsed *out, const struct weir_key4 *key)
{
	out->keys[out->n_runs] = *key;
	out->run_first[out->n_runs++] = (uint8_t)out->n_segs;
}

/* The next segment is one of `key`: a key that differs from the one before begins a run. */
static inline void
weir_parsed_add_run(struct weir_parsed *out, const struct weir_key4 *key)
{
	if (out->n_runs == 0 || !weir_key4_equal(key, &out->keys[out->n_runs - 1]))
		weir_parsed_begin_run(out, key);
}

static inline void
weir_parsed_reject(struct rte_mbuf *buf, enum weir_drop reason, struct weir_parsed *out)
{
	struct weir_reject *reject = &out->rejects[out->n_rejects++];

	*reject = (struct weir_reject){.buf = buf, .reason = reason};
}

/* Any frame, every doubt looked into. */
void weir_parse_frame(struct weir_parse *parse, struct rte_mbuf *buf, struct weir_parsed *out);

#endif
