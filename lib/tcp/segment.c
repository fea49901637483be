/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The slow path: one segment of a synchronised connection, in the numbered steps of RFC 9293
 * section 3.10.7.4 with RFC 5961 and RFC 7323. A step returns true when the segment goes on.
 */
#include "tcp/tcp.h"
#include "wire/seq.h"

#define WEIR_TS_IDLE_MS (24u * 24 * 3600 * 1000) /* RFC 7323 5.5: then ts_recent means nothing */

static bool
reject(struct weir_tcp *tcp, const struct weir_seg *seg, enum weir_drop reason)
{
	weir_tcp_drop(tcp, seg->buf, reason);
	return false;
}

/* RFC 7323 5.3 R1: an old timestamp is answered, but for RST. */
static bool
check_timestamp(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	if (!(flow->opts & WEIR_FLOW_TS) || (seg->flags & WEIR_TCP_RST) != 0)
		return true;
	if (!seg->has_ts) {
		tcp->stats.ts_missing++; /* RFC 7323 3.2 would drop; Linux and we accept */
		return true;
	}
	if (!weir_seq_lt(seg->tsval, flow->ts_recent) ||
	    tcp->now_ms - flow->ts_recent_ms >= WEIR_TS_IDLE_MS)
		return true;
	weir_ack_outside(tcp, flow, seg->len != 0);
	return reject(tcp, seg, WEIR_DROP_TCP_PAWS);
}

/* The table of RFC 9293 3.10.7.4 first step; an ACK at the right edge, from where a sender that
 * filled the window sends, is fine, but not an RST (RFC 5961 3.2). */
static bool
is_acceptable(const struct weir_flow *flow, const struct weir_seg *seg)
{
	uint32_t end = seg->seq + weir_seg_space(seg);

	if (end == seg->seq)
		return weir_seq_leq(flow->rcv_nxt, seg->seq) &&
		       weir_seq_lt(seg->seq,
				   flow->rcv_adv + ((seg->flags & WEIR_TCP_RST) == 0));
	return weir_seq_lt(flow->rcv_nxt, end) && weir_seq_lt(seg->seq, flow->rcv_adv);
}

/* A window probe: data right at a closed window. Its ACK and RST count (RFC 9293 3.10.7.4). */
static bool
is_zero_window_probe(const struct weir_flow *flow, const struct weir_seg *seg)
{
	return flow->rcv_adv == flow->rcv_nxt && seg->seq == flow->rcv_nxt;
}

/* First step: sequence number. */
static bool
check_sequence(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	uint32_t end = seg->seq + seg->len;
	bool old;

	if (is_acceptable(flow, seg) || is_zero_window_probe(flow, seg))
		return true;
	if (seg->flags & WEIR_TCP_RST)
		return reject(tcp, seg, WEIR_DROP_TCP_RST_INVALID);
	old = weir_seq_leq(seg->seq + weir_seg_space(seg), flow->rcv_nxt);
	if (old)
		weir_ack_note_duplicate(tcp, flow, seg->seq, end);
	if (old && seg->len > 1 && (flow->opts & WEIR_FLOW_ACCECN_OPTION) &&
	    weir_accecn_is_blocked(&tcp->accecn[flow->id]))
		flow->opts &= (uint8_t)~WEIR_FLOW_ACCECN_OPTION;
	weir_ack_outside(tcp, flow, seg->len > 1); /* one byte: a keepalive, perhaps */
	return reject(tcp, seg, old ? WEIR_DROP_TCP_OLD : WEIR_DROP_TCP_BEYOND_WINDOW);
}

/* Second step: RST, only exactly at rcv_nxt (RFC 5961 3.2). */
static bool
check_reset(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	if (!(seg->flags & WEIR_TCP_RST))
		return true;
	if (seg->seq != flow->rcv_nxt) {
		weir_ack_challenge(tcp, flow);
		return reject(tcp, seg, WEIR_DROP_TCP_RST_INVALID);
	}
	tcp->stats.resets_received++;
	weir_tcp_consume(tcp, seg->buf);
	weir_flow_end(tcp, flow, WEIR_CLOSE_RESET);
	return false;
}

/* Fourth step: SYN (RFC 5961 4.2); third step, security, does not exist. */
static bool
check_syn(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	if (!(seg->flags & WEIR_TCP_SYN))
		return true;
	weir_ack_challenge(tcp, flow);
	return reject(tcp, seg, WEIR_DROP_TCP_SYN_INVALID);
}

/* Fifth step: ACK in snd_una - max_snd_wnd <= ack <= snd_nxt (RFC 5961 5.2). */
static bool
check_ack(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	if (!(seg->flags & WEIR_TCP_ACK))
		return reject(tcp, seg, WEIR_DROP_TCP_NO_ACK);
	if (weir_seq_lt(seg->ack, flow->snd_una - flow->max_snd_wnd) ||
	    weir_seq_lt(flow->snd_nxt, seg->ack)) {
		weir_ack_challenge(tcp, flow);
		return reject(tcp, seg, WEIR_DROP_TCP_ACK_INVALID);
	}
	return true;
}

/* RFC 7323 4.3 (2): from segments that cover the last ACK sent. `seq` is the untrimmed one. */
static void
update_ts_recent(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	if (!(flow->opts & WEIR_FLOW_TS) || !seg->has_ts ||
	    !weir_seq_leq(seg->seq, flow->last_ack_sent))
		return;
	weir_tcp_note_late(tcp, flow, seg);
	flow->ts_recent = seg->tsval;
	flow->ts_recent_ms = tcp->now_ms;
}

void
weir_tcp_send_window(struct weir_flow *flow, const struct weir_seg *seg, uint32_t seq)
{
	uint32_t window = (uint32_t)seg->win << flow->snd_wscale;

	if (weir_seq_lt(seq, flow->snd_wl1) ||
	    (seq == flow->snd_wl1 && weir_seq_lt(seg->ack, flow->snd_wl2)))
		return;
	flow->snd_wnd = window;
	flow->snd_wl1 = seq;
	flow->snd_wl2 = seg->ack;
	if (window > flow->max_snd_wnd)
		flow->max_snd_wnd = window;
}

/* Cut what lies outside the window; duplicate bytes on the left become a D-SACK range. */
static void
trim(const struct weir_flow *flow, struct weir_seg *seg, uint32_t duplicate[2])
{
	uint32_t end = seg->seq + weir_seg_space(seg);
	int32_t left = weir_seq_diff(flow->rcv_nxt, seg->seq);
	int32_t right = weir_seq_diff(end, flow->rcv_adv);

	duplicate[0] = duplicate[1] = seg->seq;
	if (right > 0) {
		if (seg->flags & WEIR_TCP_FIN) {
			seg->flags &= (uint8_t)~WEIR_TCP_FIN;
			right--;
		}
		weir_seg_trim_tail(seg, (uint32_t)right < seg->len ? (uint32_t)right : seg->len);
	}
	if (left > 0) {
		uint32_t n = (uint32_t)left < seg->len ? (uint32_t)left : seg->len;

		duplicate[1] = seg->seq + n;
		weir_seg_trim_head(seg, n);
	}
}

static bool
may_receive(const struct weir_flow *flow)
{
	return flow->state == WEIR_TCP_ESTABLISHED || flow->state == WEIR_TCP_FIN_WAIT_1 ||
	       flow->state == WEIR_TCP_FIN_WAIT_2;
}

/* Remember a FIN, in order or not. False when it contradicts what is held or known. */
static bool
note_fin(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	uint32_t fin = seg->seq + seg->len;

	if (flow->fin_known)
		return flow->fin_seq == fin;
	if (flow->reass != WEIR_NONE &&
	    weir_seq_lt(fin, weir_reass_end(&tcp->reass, &tcp->reass.items[flow->reass],
					    flow->rcv_nxt)))
		return false;
	flow->fin_known = 1;
	flow->fin_seq = fin;
	return true;
}

static bool
overlaps_held(const struct weir_tcp *tcp, const struct weir_flow *flow, const struct weir_seg *seg)
{
	return flow->reass != WEIR_NONE &&
	       weir_seq_lt(weir_reass_start(&tcp->reass, &tcp->reass.items[flow->reass], seg->seq),
			   seg->seq + seg->len);
}

/* Seventh step, in order. True when the segment was held. */
static bool
take_in_order(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg,
	      bool ack_at_once)
{
	bool overlaps = overlaps_held(tcp, flow, seg);

	if (overlaps ? !weir_tcp_take_overlapping(tcp, flow, seg) : !weir_tcp_take(tcp, flow, seg)) {
		weir_ack_outside(tcp, flow, true);
		return false;
	}
	if (overlaps || weir_tcp_pull(tcp, flow)) /* fills a gap, or a part of it (RFC 5681 4.2) */
		ack_at_once = true;
	if (flow->fin_known && flow->rcv_nxt == flow->fin_seq)
		return true; /* the ACK of the FIN says it */
	if (ack_at_once)
		weir_ack_now(tcp, flow);
	else
		weir_ack_count(tcp, flow, seg->len, seg->wire_segs);
	return true;
}

/* Eighth step: the FIN is next in order. */
static void
check_fin(struct weir_tcp *tcp, struct weir_flow *flow)
{
	if (!flow->fin_known || flow->rcv_nxt != flow->fin_seq ||
	    (flow->marks & WEIR_FLOW_FIN_QUEUED) != 0)
		return;
	flow->rcv_nxt++;
	weir_flow_fin_received(tcp, flow);
}

/* Payload and FIN of an acceptable, trimmed segment. Its buffer is gone afterwards. */
static void
take_text(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg, bool at_once)
{
	if ((seg->flags & WEIR_TCP_FIN) && !note_fin(tcp, flow, seg)) {
		reject(tcp, seg, WEIR_DROP_TCP_AFTER_FIN);
		return;
	}
	if (flow->fin_known && weir_seq_lt(flow->fin_seq, seg->seq + seg->len)) {
		reject(tcp, seg, WEIR_DROP_TCP_AFTER_FIN);
		weir_ack_outside(tcp, flow, true);
		return;
	}
	if (seg->seq != flow->rcv_nxt) {
		if (seg->len != 0)
			weir_tcp_take_out_of_order(tcp, flow, seg);
		else
			weir_tcp_consume(tcp, seg->buf);
		weir_ack_duplicate(tcp, flow);
		return;
	}
	if (seg->len == 0)
		weir_tcp_consume(tcp, seg->buf);
	else if (!take_in_order(tcp, flow, seg, at_once))
		return;
	check_fin(tcp, flow);
}

/* What is no data: a pure ACK, or a probe of a closed window. */
static void
finish_without_text(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg,
		    bool had_text)
{
	if (!had_text) {
		weir_tcp_consume(tcp, seg->buf);
		return;
	}
	weir_ack_outside(tcp, flow, true);
	weir_tcp_drop(tcp, seg->buf, WEIR_DROP_TCP_BEYOND_WINDOW);
}

/* Data for an application that is gone is answered with RST (RFC 9293 3.10.7.4, RFC 2525 2.17). */
static bool
check_closed(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	if (seg->len == 0 || !(flow->marks & WEIR_FLOW_APP_CLOSED))
		return true;
	weir_tcp_drop(tcp, seg->buf, WEIR_DROP_TCP_CLOSED);
	weir_flow_abort(tcp, flow);
	return false;
}

static void
take_segment(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_seg *seg)
{
	uint32_t duplicate[2];
	bool had_text, at_once;

	tcp->stats.slow_segs++;
	if ((flow->marks & WEIR_FLOW_DEAD) != 0) {
		weir_tcp_drop(tcp, seg->buf, WEIR_DROP_TCP_CLOSED);
		return;
	}
	if (!check_timestamp(tcp, flow, seg) || !check_sequence(tcp, flow, seg) ||
	    !check_reset(tcp, flow, seg) || !check_syn(tcp, flow, seg) ||
	    !check_ack(tcp, flow, seg))
		return;
	update_ts_recent(tcp, flow, seg);
	weir_tcp_send_window(flow, seg, seg->seq);
	at_once = weir_ecn_segment(tcp, flow, seg);
	if (weir_seq_lt(flow->snd_una, seg->ack)) {
		flow->snd_una = seg->ack;
		if ((flow->marks & WEIR_FLOW_FIN_SENT) != 0 && seg->ack == flow->snd_nxt)
			weir_flow_fin_acked(tcp, flow);
	}
	if ((flow->marks & WEIR_FLOW_DEAD) != 0) {
		weir_tcp_consume(tcp, seg->buf);
		return;
	}
	/* Sixth step: urgent data stays in line (RFC 6093). */
	had_text = weir_seg_space(seg) != 0;
	trim(flow, seg, duplicate);
	if (weir_seg_space(seg) == 0) {
		finish_without_text(tcp, flow, seg, had_text);
		return;
	}
	if (!may_receive(flow)) {
		reject(tcp, seg, WEIR_DROP_TCP_AFTER_FIN);
		weir_ack_outside(tcp, flow, true);
		return;
	}
	if (!check_closed(tcp, flow, seg))
		return;
	if (duplicate[0] != duplicate[1]) {
		weir_ack_note_duplicate(tcp, flow, duplicate[0], duplicate[1]);
		at_once = true;
	}
	take_text(tcp, flow, seg, at_once);
}

void
weir_tcp_segment(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_seg *seg)
{
	flow->heard_ms = tcp->now_ms;
	take_segment(tcp, flow, seg);
	/* A D-SACK belongs into the answer to this segment or, when that was withheld, nowhere
	 * (RFC 2883 4). */
	tcp->dsack[0] = tcp->dsack[1] = 0;
}
