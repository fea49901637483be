/* SPDX-License-Identifier: BSD-3-Clause */
/* TIME-WAIT (RFC 9293 3.10.7.4, RFC 1337, RFC 6191): 64 bytes that answer for a closed connection. */
#include "tcp/tcp.h"
#include "wire/seq.h"
#include "wire/tags.h"

void
weir_time_wait_enter(struct weir_tcp *tcp, struct weir_flow *flow)
{
	uint32_t i = weir_free_list_take(&tcp->time_wait_free, tcp->time_waits,
					 sizeof(struct weir_time_wait),
					 offsetof(struct weir_time_wait, next_free));
	struct weir_time_wait *tw;

	if (i == WEIR_NONE) { /* the peer's FIN was acknowledged; a lost ACK now costs it an RST */
		tcp->stats.time_wait_skipped++;
		weir_flow_end(tcp, flow, WEIR_CLOSE_DONE);
		return;
	}
	tw = &tcp->time_waits[i];
	memset(tw, 0, sizeof(*tw));
	tw->key = weir_flow_key(tcp, flow);
	tw->snd_nxt = flow->snd_nxt;
	tw->rcv_nxt = flow->rcv_nxt;
	tw->ts_recent = flow->ts_recent;
	tw->ts_offset = flow->ts_offset;
	tw->oow_last_ms = tcp->now_ms - WEIR_TCP_OOW_MS;
	tw->opts = flow->opts;
	tw->ace = (uint8_t)(weir_ecn_ack_flags(flow) / WEIR_TCP_ECE);
	tw->port = flow->port;
	tw->win = weir_window_field(tcp, flow, flow->rcv_nxt);
	if (!tcp->ports[flow->port].l3)
		memcpy(tw->hop.mac, flow->header.bytes, sizeof(tw->hop.mac));
	tw->hop.tags = weir_tags_of_bytes(flow->header.bytes, flow->header.l3_off);
	tcp->stats.time_wait++;
	weir_tcp_replace(tcp, &tw->key, weir_tcp_time_wait_entry(tcp, i));
	weir_wheel_arm(&tcp->wheel, weir_tcp_time_wait_entry(tcp, i),
		       tcp->now_ms + tcp->time_wait_ms);
	weir_flow_finish(tcp, flow, WEIR_CLOSE_DONE);
}

static void
give(struct weir_tcp *tcp, uint32_t i)
{
	weir_wheel_cancel(&tcp->wheel, weir_tcp_time_wait_entry(tcp, i));
	weir_free_list_give(&tcp->time_wait_free, tcp->time_waits, sizeof(struct weir_time_wait),
			    offsetof(struct weir_time_wait, next_free), i);
	tcp->stats.time_wait--;
}

void
weir_time_wait_remove(struct weir_tcp *tcp, uint32_t i)
{
	weir_tcp_remove(tcp, &tcp->time_waits[i].key);
	give(tcp, i);
}

void
weir_time_wait_replace(struct weir_tcp *tcp, uint32_t i, uint32_t entry)
{
	weir_tcp_replace(tcp, &tcp->time_waits[i].key, entry);
	give(tcp, i);
}

/* A SYN opens a new incarnation when its timestamp or, without one, its sequence number is newer, or
 * when it brings timestamps and the last one had none (RFC 6191 2, RFC 9293 3.10.7.4). */
static bool
is_new_incarnation(const struct weir_time_wait *tw, const struct weir_seg *seg)
{
	if ((seg->flags & (WEIR_TCP_SYN | WEIR_TCP_ACK | WEIR_TCP_RST)) != WEIR_TCP_SYN)
		return false;
	if (!(tw->opts & WEIR_FLOW_TS) && seg->has_ts)
		return true;
	if (seg->has_ts && seg->tsval != tw->ts_recent)
		return weir_seq_lt(tw->ts_recent, seg->tsval);
	return weir_seq_lt(tw->rcv_nxt, seg->seq);
}

static void
answer(struct weir_tcp *tcp, struct weir_time_wait *tw)
{
	const struct weir_packet packet = {
		.seq = tw->snd_nxt,
		.ack = tw->rcv_nxt,
		.tsval = tcp->now_ms + tw->ts_offset,
		.tsecr = tw->ts_recent,
		.win = tw->win,
		.flags = (uint16_t)(WEIR_TCP_ACK | tw->ace * WEIR_TCP_ECE),
		.wscale = -1,
	};

	if (tcp->now_ms - tw->oow_last_ms < WEIR_TCP_OOW_MS) {
		tcp->stats.answers_limited++;
		return;
	}
	tw->oow_last_ms = tcp->now_ms;
	weir_output_packet(tcp, tw->port, &tw->key, &tw->hop,
			   (tw->opts & WEIR_FLOW_TS) != 0, &packet);
}

/* RST never is (RFC 1337: it does not end TIME-WAIT, either). Nor is an ACK of all that we sent, at
 * the place where it is due: the other end may be in TIME-WAIT too and would answer it. */
static bool
is_answered(const struct weir_time_wait *tw, const struct weir_seg *seg)
{
	if ((seg->flags & WEIR_TCP_RST) != 0)
		return false;
	return weir_seg_space(seg) != 0 || seg->seq != tw->rcv_nxt || seg->ack != tw->snd_nxt;
}

bool
weir_time_wait_input(struct weir_tcp *tcp, uint32_t i, struct weir_seg *seg)
{
	struct weir_time_wait *tw = &tcp->time_waits[i];

	if (is_new_incarnation(tw, seg))
		return true;
	if ((seg->flags & WEIR_TCP_FIN) != 0 && /* our ACK of it was lost: 2 MSL start again */
	    seg->seq + weir_seg_space(seg) == tw->rcv_nxt)
		weir_wheel_arm(&tcp->wheel, weir_tcp_time_wait_entry(tcp, i),
			       tcp->now_ms + tcp->time_wait_ms);
	if (is_answered(tw, seg))
		answer(tcp, tw);
	weir_tcp_drop(tcp, seg->buf, WEIR_DROP_TIME_WAIT);
	return false;
}
