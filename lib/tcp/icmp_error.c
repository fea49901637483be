/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP errors that concern a connection (RFC 1122 4.2.3.9). Anybody can forge one, so that none ends a
 * connection that is established, or slows it (RFC 5927): the worst that a true guess of the sequence
 * number does is to undo a half-open entry, or to leave room for fewer SACK blocks in ACKs.
 */
#include "tcp/tcp.h"
#include "wire/icmp.h"

#define PATH_MTU_MIN 68 /* RFC 791 3.2: what every link of IPv4 takes in one piece */
#define PACKET_MAX   80 /* longest of ours: header, TCP header, 40 bytes of options */
#define HEADERS	     40
#define TS_BYTES     12
#define SACK_BYTES   4 /* NOP NOP, kind, length */
#define BLOCK_BYTES  8

/* Is the quoted packet one that we have sent and that may be on its way still (RFC 5927 4.1)? Most of
 * ours are ACKs: they stand at snd_nxt and take no sequence space. */
static bool
may_be_ours(uint32_t una, uint32_t nxt, uint32_t seq)
{
	return seq - una <= nxt - una;
}

/* SACK blocks that fit into a packet of `mtu` bytes. */
static uint32_t
sacks_in(const struct weir_flow *flow, uint32_t mtu)
{
	uint32_t headers = HEADERS + SACK_BYTES + ((flow->opts & WEIR_FLOW_TS) ? TS_BYTES : 0);

	return (mtu - headers) / BLOCK_BYTES;
}

/*
 * Path MTU discovery (RFC 1191) of one who sends only ACKs, FINs and SYN-ACKs: what he may send is 80
 * bytes long at most, and only SACK blocks make it longer than every link takes. So a path that is
 * that narrow costs SACK blocks, for as long as the connection lasts; the MSS that was announced
 * concerns the other direction. A packet that would have fitted was never refused (RFC 5927 7.2); and
 * so every link of IPv6 takes all of ours (RFC 8200 5).
 */
static enum weir_drop
path_mtu(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_icmp_error *error)
{
	uint32_t mtu = error->mtu != 0 ? error->mtu : PATH_MTU_MIN, sacks;

	if (!weir_key_is4(&error->key) || mtu < PATH_MTU_MIN || mtu >= error->len || error->len > PACKET_MAX)
		return WEIR_DROP_ICMP_MTU;
	sacks = sacks_in(flow, mtu);
	if (sacks < flow->max_sacks) {
		flow->max_sacks = (uint8_t)sacks;
		tcp->stats.path_mtu_lowered++;
	}
	return WEIR_PARSE_OK;
}

/* Hard errors are soft on a connection that is synchronised (RFC 5927 5.2). */
static enum weir_drop
flow_error(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_icmp_error *error)
{
	if (!may_be_ours(flow->snd_una, flow->snd_nxt, error->seq))
		return WEIR_DROP_ICMP_STALE;
	if (error->kind == WEIR_ICMP_TOO_BIG)
		return path_mtu(tcp, flow, error);
	return WEIR_PARSE_OK;
}

/* A SYN-ACK takes 60 bytes: it is never too big. */
static enum weir_drop
syn_error(struct weir_tcp *tcp, uint32_t i, const struct weir_icmp_error *error)
{
	const struct weir_syn *syn = &tcp->syns[i];

	if (!may_be_ours(syn->iss, syn->iss + 1, error->seq))
		return WEIR_DROP_ICMP_STALE;
	if (error->kind == WEIR_ICMP_TOO_BIG)
		return WEIR_DROP_ICMP_MTU;
	if (error->kind == WEIR_ICMP_HARD) {
		tcp->stats.icmp_aborted++;
		weir_listen_forget(tcp, i);
	}
	return WEIR_PARSE_OK;
}

/* Nothing is left to be told of it. */
static enum weir_drop
time_wait_error(const struct weir_time_wait *tw, const struct weir_icmp_error *error)
{
	return may_be_ours(tw->snd_nxt - 1, tw->snd_nxt, error->seq) ? WEIR_PARSE_OK
								     : WEIR_DROP_ICMP_STALE;
}

static enum weir_drop
apply(struct weir_tcp *tcp, const struct weir_icmp_error *error)
{
	uint32_t entry = weir_tcp_find(tcp, &error->key);
	uint32_t time_wait = weir_tcp_time_wait_entry(tcp, 0);

	if (entry == WEIR_NONE)
		return WEIR_DROP_ICMP_NO_FLOW;
	if (entry >= time_wait)
		return time_wait_error(&tcp->time_waits[entry - time_wait], error);
	if (entry >= tcp->flow_free.size)
		return syn_error(tcp, entry - tcp->flow_free.size, error);
	return flow_error(tcp, &tcp->flows[entry], error);
}

void
weir_tcp_icmp(struct weir_tcp *tcp, uint8_t port, const struct weir_other *other)
{
	struct weir_icmp_error error;
	enum weir_drop verdict = weir_icmp_read(other, &tcp->ports[port].own6, &error);

	if (verdict == WEIR_PARSE_OK)
		verdict = apply(tcp, &error);
	if (verdict != WEIR_PARSE_OK) {
		weir_tcp_drop(tcp, other->buf, verdict);
		return;
	}
	tcp->stats.icmp_errors++;
	weir_tcp_consume(tcp, other->buf);
}
