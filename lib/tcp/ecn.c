/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Explicit congestion notification, what a receiver has to do for it: the echo of RFC 3168, which
 * lasts until the sender's CWR, or the counter of RFC 9768 (AccECN), whose low three bits stand in
 * every packet as its ACE field. We send no ECT, so what the peer counts never changes.
 *
 * A connection with AccECN carries WEIR_FLOW_ECE for good, so that its ACKs are asked for their flags,
 * and never WEIR_FLOW_LAST_CE, so that each marked segment takes the slow path and is counted.
 */
#include "tcp/tcp.h"
#include "wire/chain.h"

#define ACE_FIRST    5 /* RFC 9768 3.2.1 */
#define ACE_MASK     7
#define CLASSIC	     (WEIR_TCP_ECE | WEIR_TCP_CWR) /* of a SYN that asks for RFC 3168 */
#define EMPTY_MARKS  3 /* marked packets without data that are answered by one ACK, RFC 9768 3.2.2.5.1 */
#define FULL_RETRIES 2 /* SYN-ACKs sent again from this one on say nothing of ECN, 3.2.3.2.2 */
#define OPTIONS_OFF  20 /* of the options in the TCP header */
#define AE_OFF	     12

/* AE, CWR and ECE of a SYN. The first of them shares its byte with the data offset, and no descriptor
 * has it. */
static uint16_t
asked(const struct weir_seg *seg)
{
	uint16_t flags = seg->flags & CLASSIC;
	uint8_t scratch;
	const uint8_t *p =
		weir_chain_read(seg->buf, seg->opt_off - OPTIONS_OFF + AE_OFF, 1, &scratch);

	return p != NULL && (*p & 1) != 0 ? flags | WEIR_TCP_AE : flags;
}

/* RFC 9768 3.1.3: what has no meaning yet asks for AccECN, too. */
static uint8_t
kind_asked(const struct weir_seg *seg)
{
	uint16_t flags = asked(seg);

	if (flags == 0)
		return 0;
	return flags == CLASSIC ? WEIR_FLOW_ECN : WEIR_FLOW_ACCECN;
}

void
weir_ecn_agree(struct weir_syn *syn, uint32_t setting, const struct weir_seg *seg)
{
	syn->ecn = seg->tos & WEIR_ECN_MASK;
	if (setting == WEIR_ECN_ACCURATE) {
		syn->opts |= kind_asked(seg);
		if (syn->opts & WEIR_FLOW_ACCECN)
			syn->opts |= WEIR_FLOW_ACCECN_OPTION;
	}
	if (setting == WEIR_ECN_ON && (seg->flags & CLASSIC) == CLASSIC)
		syn->opts |= WEIR_FLOW_ECN; /* RFC 3168 knows no AE: it may stand there or not */
}

bool
weir_ecn_agree_again(struct weir_syn *syn, uint32_t setting, const struct weir_seg *seg)
{
	uint8_t have = syn->opts & (WEIR_FLOW_ECN | WEIR_FLOW_ACCECN), want;

	syn->ecn = seg->tos & WEIR_ECN_MASK;
	if (setting != WEIR_ECN_ACCURATE || have == 0)
		return true;
	want = kind_asked(seg);
	return want == 0 || want == have;
}

/* The field of the SYN, fed back (RFC 9768 table 2). */
static uint16_t
accurate_syn_ack(const struct weir_syn *syn)
{
	static const uint16_t answers[] = {
		[WEIR_ECN_NOT_ECT] = WEIR_TCP_CWR,
		[WEIR_ECN_ECT1] = WEIR_TCP_CWR | WEIR_TCP_ECE,
		[WEIR_ECN_ECT0] = WEIR_TCP_AE,
		[WEIR_ECN_CE] = WEIR_TCP_AE | WEIR_TCP_CWR,
	};

	return syn->retries < FULL_RETRIES ? answers[syn->ecn] : 0;
}

uint16_t
weir_ecn_syn_ack_flags(const struct weir_syn *syn)
{
	if (syn->opts & WEIR_FLOW_ACCECN)
		return accurate_syn_ack(syn);
	return syn->opts & WEIR_FLOW_ECN ? WEIR_TCP_ECE : 0;
}

/* AE is the highest of the three bits. */
static uint16_t
ace_flags(uint32_t ace)
{
	return (uint16_t)((ace & 4) << 6 | (ace & 3) << 6);
}
_Static_assert(WEIR_TCP_AE == 4 << 6 && WEIR_TCP_CWR == 2 << 6 && WEIR_TCP_ECE == 1 << 6, "ACE");

uint16_t
weir_ecn_syn_received_flags(const struct weir_syn *syn)
{
	return syn->opts & WEIR_FLOW_ACCECN ? WEIR_TCP_ACK | ace_flags(ACE_FIRST) : WEIR_TCP_ACK;
}

void
weir_ecn_open(struct weir_flow *flow)
{
	if (!(flow->opts & WEIR_FLOW_ACCECN))
		return;
	flow->ace = ACE_FIRST;
	flow->marks |= WEIR_FLOW_ECE;
	flow->ce_end = flow->rcv_nxt - 1;
}

uint16_t
weir_ecn_ack_flags(const struct weir_flow *flow)
{
	if (flow->opts & WEIR_FLOW_ACCECN)
		return WEIR_TCP_ACK | ace_flags(flow->ace);
	return flow->marks & WEIR_FLOW_ECE ? WEIR_TCP_ACK | WEIR_TCP_ECE : WEIR_TCP_ACK;
}

/* Congestion experienced and reduced (RFC 3168 6.1.3); a change of marks is acknowledged at once. */
static bool
echo(struct weir_flow *flow, const struct weir_seg *seg, bool ce)
{
	bool changed = ce != ((flow->marks & WEIR_FLOW_LAST_CE) != 0) && seg->len != 0;

	if (seg->len != 0)
		flow->marks = (uint8_t)((flow->marks & ~WEIR_FLOW_LAST_CE) |
					(ce ? WEIR_FLOW_LAST_CE : 0));
	if (!(flow->opts & WEIR_FLOW_ECN))
		return changed;
	if ((seg->flags & WEIR_TCP_CWR) && seg->len != 0) /* it stands on new data only */
		flow->marks &= (uint8_t)~WEIR_FLOW_ECE;
	if (ce)
		flow->marks |= WEIR_FLOW_ECE;
	return changed;
}

/*
 * RFC 9768 3.2.2.5.1. In a run of marks the usual ACK of every second segment is soon enough; the
 * policies that let more wait would let the field cycle.
 */
static bool
count_mark(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	bool follows = seg->seq == flow->ce_end;

	flow->ace = (flow->ace + 1) & ACE_MASK;
	if (seg->len == 0) {
		if (++flow->ce_empty == EMPTY_MARKS) {
			flow->ce_empty = 0;
			weir_ack_control(tcp, flow, WEIR_TCP_ACK, flow->snd_nxt);
		}
		return false;
	}
	flow->ce_end = seg->seq + seg->len;
	return !follows || flow->ack_policy != WEIR_ACK_TRAIN;
}

bool
weir_ecn_segment(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	bool ce = (seg->tos & WEIR_ECN_MASK) == WEIR_ECN_CE;

	if (flow->opts & WEIR_FLOW_ACCECN_OPTION)
		weir_accecn_count(&tcp->accecn[flow->id], seg);
	if (flow->opts & WEIR_FLOW_ACCECN)
		return ce && count_mark(tcp, flow, seg);
	return echo(flow, seg, ce);
}
