/* SPDX-License-Identifier: BSD-3-Clause */
/* Passive open: LISTEN and SYN-RECEIVED (RFC 9293 3.10.7.2 and 3.10.7.4), and who belongs nowhere. */
#include "tcp/tcp.h"
#include "wire/chain.h"
#include "wire/options.h"
#include "wire/seq.h"
#include "wire/siphash.h"
#include "wire/tags.h"

#define WEIR_RESETS_PER_MS 16  /* RSTs to nobody */
#define WEIR_RESETS_BURST  256
#define WEIR_SYN_MSS_MIN   64  /* a smaller MSS option is taken as this */
#define WEIR_COOKIE_SEGS   16  /* promised by a cookie */
#define UNTAGGED_OPTIONS   54  /* where they begin behind headers of Ethernet, IPv4 and TCP alone */
#define STRIPPED	   (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED)

const struct weir_listener *
weir_listen_find(const struct weir_tcp *tcp, uint16_t port)
{
	for (uint32_t i = 0; i < tcp->n_listeners; i++)
		if (tcp->listeners[i].port == port)
			return &tcp->listeners[i];
	return NULL;
}

static void
read_hop(const struct weir_tcp *tcp, const struct weir_key *key, const struct weir_seg *seg,
	 struct weir_hop *hop)
{
	uint8_t scratch[6];
	const uint8_t *p = NULL;

	memset(hop, 0, sizeof(*hop));
	if (tcp->ports[seg->port].l3)
		return;
	p = weir_chain_read(seg->buf, 6, 6, scratch);
	if (p != NULL)
		memcpy(hop->mac, p, 6);
	if (seg->opt_off != UNTAGGED_OPTIONS || (seg->buf->ol_flags & STRIPPED) != 0)
		hop->tags = weir_tags_of_frame(seg->buf);
	weir_route_hop(tcp, seg->port, key, hop);
}

static bool
reset_allowed(struct weir_tcp *tcp)
{
	uint64_t tokens = tcp->reset_tokens +
			  (uint64_t)(tcp->now_ms - tcp->reset_ms) * WEIR_RESETS_PER_MS;

	tcp->reset_ms = tcp->now_ms;
	if (tokens > WEIR_RESETS_BURST)
		tokens = WEIR_RESETS_BURST;
	tcp->reset_tokens = (uint32_t)(tokens - (tokens != 0));
	if (tokens == 0)
		tcp->stats.answers_limited++;
	return tokens != 0;
}

void
weir_listen_reset(struct weir_tcp *tcp, const struct weir_key *key, const struct weir_seg *seg)
{
	struct weir_packet packet = {.flags = WEIR_TCP_RST, .seq = seg->ack, .wscale = -1};
	struct weir_hop hop;

	if ((seg->flags & WEIR_TCP_RST) != 0 || !reset_allowed(tcp))
		return;
	if (!(seg->flags & WEIR_TCP_ACK)) {
		packet.flags |= WEIR_TCP_ACK;
		packet.seq = 0;
		packet.ack = seg->seq + weir_seg_space(seg);
	}
	read_hop(tcp, key, seg, &hop);
	tcp->stats.resets_sent++;
	weir_output_packet(tcp, seg->port, key, &hop, false, &packet);
}

static void
free_syn(struct weir_tcp *tcp, uint32_t i)
{
	weir_wheel_cancel(&tcp->wheel, weir_tcp_syn_entry(tcp, i));
	tcp->listener_uses[tcp->syns[i].listener].half_open--;
	weir_free_list_give(&tcp->syn_free, tcp->syns, sizeof(struct weir_syn),
			    offsetof(struct weir_syn, next_free), i);
	tcp->stats.syn_received--;
}

/* In answer to the frame `asked`, whose buffer it takes over; NULL: to none that came now. */
static void
send_syn_ack(struct weir_tcp *tcp, const struct weir_syn *syn, uint32_t tsval,
	     struct rte_mbuf *asked)
{
	struct weir_packet packet = {
		.seq = syn->iss,
		.ack = syn->irs + 1,
		.tsval = tsval,
		.tsecr = syn->ts_recent,
		.win = (uint16_t)(syn->rcv_adv - syn->irs - 1), /* never scaled (RFC 7323 2.2) */
		.flags = WEIR_TCP_SYN | WEIR_TCP_ACK,
		.mss = weir_tcp_port_mss(tcp, syn->port, (syn->opts & WEIR_FLOW_IP6) != 0),
		.wscale = (syn->opts & WEIR_FLOW_WS) ? (int8_t)syn->rcv_wscale : -1,
		.sack_permitted = (syn->opts & WEIR_FLOW_SACK) != 0,
	};

	packet.flags |= weir_ecn_syn_ack_flags(syn);
	if (syn->opts & WEIR_FLOW_ACCECN_OPTION)
		packet.accecn = weir_accecn_first();
	tcp->stats.syn_acks++;
	if (weir_output_syn_ack(tcp, syn, &packet, asked))
		tcp->stats.packets_consumed++;
	else if (asked != NULL)
		weir_tcp_consume(tcp, asked);
}

/* The AccECN option may be why the first did not arrive: the connection is without it from now on
 * (RFC 9768 3.2.3.2.2). */
static void
send_syn_ack_again(struct weir_tcp *tcp, struct weir_syn *syn, struct rte_mbuf *asked)
{
	tcp->stats.syn_acks_again++;
	syn->opts &= (uint8_t)~WEIR_FLOW_ACCECN_OPTION;
	send_syn_ack(tcp, syn, tcp->now_ms + syn->ts_offset, asked);
}

/* An ACK of the SYN alone, for segments that SYN-RECEIVED does not accept. */
static void
send_syn_received_ack(struct weir_tcp *tcp, const struct weir_syn *syn)
{
	const struct weir_packet packet = {
		.seq = syn->iss + 1,
		.ack = syn->irs + 1,
		.tsval = tcp->now_ms + syn->ts_offset,
		.tsecr = syn->ts_recent,
		.win = (uint16_t)((syn->rcv_adv - syn->irs - 1) >> syn->rcv_wscale),
		.flags = weir_ecn_syn_received_flags(syn),
		.wscale = -1,
	};

	if (!reset_allowed(tcp)) /* one bucket for all answers without a connection */
		return;
	weir_output_packet(tcp, syn->port, &syn->key, &syn->hop,
			   (syn->opts & WEIR_FLOW_TS) != 0, &packet);
}

static void
agree_on_options(struct weir_syn *syn, const struct weir_listener *listener,
		 const struct weir_seg *seg)
{
	struct weir_tcp_options options;

	weir_seg_options_read(seg, &options);
	syn->mss = options.mss;
	if (syn->mss == 0)
		syn->mss = syn->opts & WEIR_FLOW_IP6 ? WEIR_TCP_MSS6_DEFAULT : WEIR_TCP_MSS_DEFAULT;
	if (syn->mss < WEIR_SYN_MSS_MIN)
		syn->mss = WEIR_SYN_MSS_MIN;
	if (options.has_ts) {
		syn->opts |= WEIR_FLOW_TS;
		syn->ts_recent = options.tsval;
	}
	if (options.sack_permitted)
		syn->opts |= WEIR_FLOW_SACK;
	if (options.has_wscale) {
		syn->opts |= WEIR_FLOW_WS;
		syn->snd_wscale = options.wscale;
		syn->rcv_wscale = listener->wscale;
	}
	weir_ecn_agree(syn, listener->ecn, seg);
}

/* RFC 6528: a 4 us clock plus a keyed hash of the connection; beyond `used`, the last incarnation's
 * SND.NXT, where there is one (RFC 9293 3.10.7.4, TIME-WAIT). */
static void
choose_numbers(struct weir_tcp *tcp, struct weir_syn *syn, const uint32_t *used)
{
	uint64_t hash = weir_siphash(tcp->secret, &syn->key, sizeof(syn->key));

	syn->iss = (uint32_t)(tcp->now_ns / 4096) + (uint32_t)hash;
	if (used != NULL && weir_seq_leq(syn->iss, *used))
		syn->iss = *used + 1;
	syn->ts_offset = (uint32_t)(hash >> 32);
}

/* A window that the SYN-ACK, unscaled, and an ACK in SYN-RECEIVED, scaled, both express: neither has
 * to round. */
static uint32_t
in_units(uint32_t window, uint8_t scale)
{
	uint32_t unit = 1u << scale, units = (window + unit - 1) >> scale;

	return units << scale <= UINT16_MAX ? units << scale : (uint32_t)UINT16_MAX >> scale << scale;
}

static uint32_t
initial_window(const struct weir_tcp *tcp, const struct weir_listener *listener,
	       const struct weir_syn *syn)
{
	uint32_t window = weir_budget_first_window(
		tcp, listener->receive_buffer,
		weir_tcp_port_mss(tcp, syn->port, (syn->opts & WEIR_FLOW_IP6) != 0));

	return in_units(window, syn->rcv_wscale);
}

static void
refuse(struct weir_tcp *tcp, const struct weir_seg *seg, enum weir_drop reason)
{
	weir_tcp_drop(tcp, seg->buf, reason);
}

/* What the segment says of the connection that its SYN asks for; irs is the SYN's number. */
static void
init_syn(const struct weir_tcp *tcp, struct weir_syn *syn, const struct weir_key *key,
	 const struct weir_listener *listener, const struct weir_seg *seg, uint32_t irs)
{
	memset(syn, 0, sizeof(*syn));
	syn->key = *key;
	syn->opts = weir_key_is4(key) ? 0 : WEIR_FLOW_IP6;
	syn->irs = irs;
	syn->listener = (uint16_t)(listener - tcp->listeners);
	syn->port = seg->port;
	read_hop(tcp, key, seg, &syn->hop);
}

/* The window that a cookie's SYN-ACK promises is not remembered, so it is always the same one. */
static uint32_t
cookie_edge(const struct weir_tcp *tcp, const struct weir_listener *listener,
	    const struct weir_syn *syn)
{
	uint32_t window =
		WEIR_COOKIE_SEGS *
		weir_tcp_port_mss(tcp, syn->port, (syn->opts & WEIR_FLOW_IP6) != 0);

	if (window > listener->receive_buffer)
		window = listener->receive_buffer;
	return syn->irs + 1 + in_units(window, syn->rcv_wscale);
}

/* No entry is left: the SYN-ACK carries it. Beyond the last incarnation's numbers, of TIME-WAIT `old`
 * unless that is WEIR_NONE, it cannot reach. */
static void
send_cookie(struct weir_tcp *tcp, const struct weir_key *key, const struct weir_listener *listener,
	    const struct weir_seg *seg, uint32_t old)
{
	struct weir_syn syn;
	uint32_t tsval;

	if (!listener->cookies) {
		refuse(tcp, seg, WEIR_DROP_SYN_BACKLOG);
		return;
	}
	if (old != WEIR_NONE)
		weir_time_wait_remove(tcp, old);
	init_syn(tcp, &syn, key, listener, seg, seg->seq);
	agree_on_options(&syn, listener, seg);
	tsval = weir_cookie_bake(&tcp->cookies, tcp->now_ns, &syn);
	syn.rcv_adv = cookie_edge(tcp, listener, &syn);
	tcp->listener_uses[syn.listener].cookies_until_ns =
		tcp->now_ns + WEIR_COOKIE_LIFE_MS * 1000000ull;
	tcp->stats.cookies_sent++;
	send_syn_ack(tcp, &syn, tsval, seg->buf);
}

/* An entry, unless the listener or the engine has as many as it may. */
static uint32_t
take_syn(struct weir_tcp *tcp, const struct weir_listener *listener)
{
	struct weir_listener_use *use = &tcp->listener_uses[listener - tcp->listeners];
	uint32_t i;

	if (use->half_open >= listener->backlog)
		return WEIR_NONE;
	i = weir_free_list_take(&tcp->syn_free, tcp->syns, sizeof(struct weir_syn),
				offsetof(struct weir_syn, next_free));
	if (i != WEIR_NONE) {
		use->half_open++;
		tcp->stats.syn_received++;
	}
	return i;
}

/* The key names a half-open connection, in the place of TIME-WAIT `old` where there is that. */
static int
enter_syn(struct weir_tcp *tcp, const struct weir_key *key, uint32_t i, uint32_t old)
{
	if (old == WEIR_NONE)
		return weir_tcp_insert(tcp, key, weir_tcp_syn_entry(tcp, i));
	weir_time_wait_replace(tcp, old, weir_tcp_syn_entry(tcp, i));
	return 0;
}

static void
accept_syn(struct weir_tcp *tcp, const struct weir_key *key, const struct weir_listener *listener,
	   const struct weir_seg *seg, uint32_t old)
{
	uint32_t i = take_syn(tcp, listener);
	struct weir_syn *syn;

	if (i == WEIR_NONE) {
		send_cookie(tcp, key, listener, seg, old);
		return;
	}
	syn = &tcp->syns[i];
	init_syn(tcp, syn, key, listener, seg, seg->seq);
	agree_on_options(syn, listener, seg);
	choose_numbers(tcp, syn, old == WEIR_NONE ? NULL : &tcp->time_waits[old].snd_nxt);
	syn->rcv_adv = syn->irs + 1 + initial_window(tcp, listener, syn);
	if (enter_syn(tcp, key, i, old) != 0) {
		free_syn(tcp, i);
		refuse(tcp, seg, WEIR_DROP_SYN_REFUSED);
		return;
	}
	weir_wheel_arm(&tcp->wheel, weir_tcp_syn_entry(tcp, i), tcp->now_ms + WEIR_TCP_RTO_MS);
	send_syn_ack(tcp, syn, tcp->now_ms + syn->ts_offset, seg->buf);
}

/* The segment that answers our SYN: a connection begins. False when there is no room for it: then the
 * segment is lost, and comes again. */
static bool
establish(struct weir_tcp *tcp, const struct weir_syn *syn, struct weir_seg *seg, uint32_t rtt_ms)
{
	enum weir_drop verdict = weir_admit_ask(tcp, syn->listener, &syn->key);
	struct weir_flow *flow = verdict == WEIR_PARSE_OK ? weir_flow_open(tcp, syn) : NULL;

	if (flow == NULL) {
		refuse(tcp, seg, verdict == WEIR_PARSE_OK ? WEIR_DROP_SYN_REFUSED : verdict);
		return false;
	}
	weir_timer_sample(flow, rtt_ms, syn->retries);
	weir_tune_open(tcp, flow, rtt_ms);
	flow->snd_wnd = flow->max_snd_wnd = (uint32_t)seg->win << flow->snd_wscale;
	weir_tcp_segment(tcp, flow, seg);
	if (!(flow->marks & WEIR_FLOW_DEAD))
		weir_ack_aggregate_end(tcp, flow);
	return true;
}

/* The answer to a cookie of ours becomes a connection as if there had been an entry. */
static bool
completes_cookie(struct weir_tcp *tcp, const struct weir_key *key,
		 const struct weir_listener *listener, struct weir_seg *seg)
{
	struct weir_tcp_options options;
	struct weir_syn syn;

	if ((seg->flags & (WEIR_TCP_RST | WEIR_TCP_SYN | WEIR_TCP_ACK)) != WEIR_TCP_ACK)
		return false;
	weir_seg_options_read(seg, &options);
	init_syn(tcp, &syn, key, listener, seg, seg->seq - 1);
	syn.iss = seg->ack - 1;
	if (!weir_cookie_taste(&tcp->cookies, tcp->now_ns, options.has_ts, options.tsecr, &syn)) {
		tcp->stats.cookies_refused++;
		return false;
	}
	syn.ts_recent = options.tsval;
	syn.rcv_wscale = syn.opts & WEIR_FLOW_WS ? listener->wscale : 0;
	syn.rcv_adv = cookie_edge(tcp, listener, &syn);
	if (establish(tcp, &syn, seg, UINT32_MAX))
		tcp->stats.cookies_accepted++;
	return true;
}

/*
 * No SYN, or not a SYN alone. While cookies are out, data or a FIN that answers none of them is not
 * reset: what came before it may have been lost, and comes again.
 */
static void
listen_other(struct weir_tcp *tcp, const struct weir_key *key,
	     const struct weir_listener *listener, struct weir_seg *seg)
{
	bool cookies_out =
		tcp->now_ns < tcp->listener_uses[listener - tcp->listeners].cookies_until_ns;

	if (cookies_out && completes_cookie(tcp, key, listener, seg))
		return;
	if ((seg->flags & WEIR_TCP_ACK) &&
	    !(cookies_out && (seg->len != 0 || (seg->flags & WEIR_TCP_FIN) != 0)))
		weir_listen_reset(tcp, key, seg);
	refuse(tcp, seg, WEIR_DROP_LISTEN_BAD_ACK);
}

/* May a connection begin? WEIR_PARSE_OK or why not. What is refused gets no answer: one that is to come
 * again finds room, an RST would make the peer give up. */
static enum weir_drop
admission(struct weir_tcp *tcp, const struct weir_key *key, const struct weir_listener *listener)
{
	if (tcp->flow_free.used == tcp->flow_free.size)
		return WEIR_DROP_SYN_REFUSED;
	if (weir_budget_pressure(tcp) >= 4) { /* the last step: others had to give before */
		tcp->stats.refused++;
		return WEIR_DROP_SYN_REFUSED;
	}
	return weir_admit_ask(tcp, (uint32_t)(listener - tcp->listeners), key);
}

/* RFC 9293 3.10.7.2. `old`: the last incarnation's TIME-WAIT, which ends only if this one begins. */
static void
listen_state(struct weir_tcp *tcp, const struct weir_key *key, struct weir_seg *seg, uint32_t old)
{
	const struct weir_listener *listener = weir_listen_find(tcp, key->low.lport);
	enum weir_drop verdict;

	if (listener == NULL) {
		weir_listen_reset(tcp, key, seg);
		refuse(tcp, seg, WEIR_DROP_NO_FLOW);
	} else if ((seg->flags & (WEIR_TCP_RST | WEIR_TCP_ACK)) != 0 ||
		   !(seg->flags & WEIR_TCP_SYN)) {
		listen_other(tcp, key, listener, seg);
	} else if ((verdict = admission(tcp, key, listener)) != WEIR_PARSE_OK) {
		refuse(tcp, seg, verdict);
	} else {
		accept_syn(tcp, key, listener, seg, old);
	}
}

/* In the place that a peer which has seen the SYN-ACK expects. */
static void
reset_half_open(struct weir_tcp *tcp, const struct weir_syn *syn)
{
	const struct weir_packet packet = {
		.seq = syn->iss + 1,
		.ack = syn->irs + 1,
		.flags = WEIR_TCP_RST | WEIR_TCP_ACK,
		.wscale = -1,
	};

	if (!reset_allowed(tcp))
		return;
	tcp->stats.resets_sent++;
	weir_output_packet(tcp, syn->port, &syn->key, &syn->hop, false, &packet);
}

/* A retransmitted SYN gets the same SYN-ACK, whatever options it carries now; another one an ACK,
 * so that the peer can reset what is stale (RFC 9293 3.10.7.4 fourth step). */
static void
syn_again(struct weir_tcp *tcp, uint32_t i, const struct weir_seg *seg)
{
	struct weir_syn *syn = &tcp->syns[i];

	if (seg->seq != syn->irs || (seg->flags & WEIR_TCP_ACK) != 0) {
		send_syn_received_ack(tcp, syn);
		refuse(tcp, seg, WEIR_DROP_SYN_RECEIVED_INVALID);
	} else if (weir_ecn_agree_again(syn, tcp->listeners[syn->listener].ecn, seg)) {
		send_syn_ack_again(tcp, syn, seg->buf);
	} else {
		reset_half_open(tcp, syn);
		weir_tcp_remove(tcp, &syn->key);
		free_syn(tcp, i);
		refuse(tcp, seg, WEIR_DROP_SYN_RECEIVED_INVALID);
	}
}

static bool
in_syn_window(const struct weir_syn *syn, const struct weir_seg *seg)
{
	uint32_t rcv_nxt = syn->irs + 1, space = weir_seg_space(seg);

	return weir_seq_lt(seg->seq, syn->rcv_adv) &&
	       weir_seq_lt(rcv_nxt, seg->seq + space + (space == 0));
}

/* True when the segment establishes the connection; otherwise it has left by name. */
static bool
completes_handshake(struct weir_tcp *tcp, const struct weir_syn *syn, const struct weir_seg *seg)
{
	if ((syn->opts & WEIR_FLOW_TS) && seg->has_ts &&
	    weir_seq_lt(seg->tsval, syn->ts_recent)) {
		send_syn_received_ack(tcp, syn);
		refuse(tcp, seg, WEIR_DROP_TCP_PAWS);
		return false;
	}
	if (!in_syn_window(syn, seg)) {
		send_syn_received_ack(tcp, syn);
		refuse(tcp, seg, WEIR_DROP_SYN_RECEIVED_INVALID);
		return false;
	}
	if (!(seg->flags & WEIR_TCP_ACK)) {
		refuse(tcp, seg, WEIR_DROP_TCP_NO_ACK);
		return false;
	}
	if (seg->ack != syn->iss + 1) {
		weir_listen_reset(tcp, &syn->key, seg);
		refuse(tcp, seg, WEIR_DROP_LISTEN_BAD_ACK);
		return false;
	}
	return true;
}

/* From the SYN-ACK to its ACK, by the timestamp echoed or, when it was sent only once, by when its
 * timer began (RFC 7323 4.1, RFC 6298 3); UINT32_MAX when neither says. */
static uint32_t
handshake_rtt(const struct weir_tcp *tcp, uint32_t i, const struct weir_seg *seg)
{
	const struct weir_syn *syn = &tcp->syns[i];
	struct weir_tcp_options options;

	if (syn->opts & WEIR_FLOW_TS) {
		weir_seg_options_read(seg, &options);
		if (options.has_ts)
			return tcp->now_ms + syn->ts_offset - options.tsecr;
	}
	return syn->retries != 0 ? UINT32_MAX
				 : tcp->now_ms + WEIR_TCP_RTO_MS -
					   weir_wheel_due_ms(&tcp->wheel, weir_tcp_syn_entry(tcp, i));
}

static void
syn_received(struct weir_tcp *tcp, uint32_t i, struct weir_seg *seg)
{
	struct weir_syn *syn = &tcp->syns[i];

	if (seg->flags & WEIR_TCP_RST) {
		if (seg->seq != syn->irs + 1) { /* RFC 5961 3.2 holds here, too */
			if (in_syn_window(syn, seg))
				send_syn_received_ack(tcp, syn);
			refuse(tcp, seg, WEIR_DROP_TCP_RST_INVALID);
			return;
		}
		weir_tcp_remove(tcp, &syn->key);
		free_syn(tcp, i);
		tcp->stats.resets_received++;
		weir_tcp_consume(tcp, seg->buf);
		return;
	}
	if (seg->flags & WEIR_TCP_SYN) {
		syn_again(tcp, i, seg);
		return;
	}
	if (completes_handshake(tcp, syn, seg) &&
	    establish(tcp, syn, seg, handshake_rtt(tcp, i, seg)))
		free_syn(tcp, i);
}

void
weir_listen_forget(struct weir_tcp *tcp, uint32_t i)
{
	weir_tcp_remove(tcp, &tcp->syns[i].key);
	free_syn(tcp, i);
}

void
weir_listen_timer(struct weir_tcp *tcp, uint32_t i)
{
	struct weir_syn *syn = &tcp->syns[i];

	if (syn->retries == WEIR_TCP_SYN_RETRIES) {
		weir_listen_forget(tcp, i);
		tcp->stats.syn_expired++;
		return;
	}
	syn->retries++;
	weir_wheel_arm(&tcp->wheel, weir_tcp_syn_entry(tcp, i),
		       tcp->now_ms + (WEIR_TCP_RTO_MS << syn->retries));
	send_syn_ack_again(tcp, syn, NULL);
}

void
weir_listen_input(struct weir_tcp *tcp, const struct weir_key *key, struct weir_seg *seg)
{
	uint32_t entry = weir_tcp_find(tcp, key);
	uint32_t time_wait = weir_tcp_time_wait_entry(tcp, 0);

	if (entry == WEIR_NONE) {
		listen_state(tcp, key, seg, WEIR_NONE);
	} else if (entry >= time_wait) {
		if (weir_time_wait_input(tcp, entry - time_wait, seg))
			listen_state(tcp, key, seg, entry - time_wait);
	} else if (entry >= tcp->flow_free.size) {
		syn_received(tcp, entry - tcp->flow_free.size, seg);
	} else { /* became a flow while this segment was queued */
		weir_tcp_segment(tcp, &tcp->flows[entry], seg);
		if (!(tcp->flows[entry].marks & WEIR_FLOW_DEAD))
			weir_ack_aggregate_end(tcp, &tcp->flows[entry]);
	}
}

void
weir_tcp_timer(void *user, uint32_t entry)
{
	struct weir_tcp *tcp = user;
	uint32_t time_wait = weir_tcp_time_wait_entry(tcp, 0);

	if (entry < tcp->flow_free.size)
		weir_flow_timer(tcp, &tcp->flows[entry]);
	else if (entry < time_wait)
		weir_listen_timer(tcp, entry - tcp->flow_free.size);
	else
		weir_time_wait_remove(tcp, entry - time_wait);
}
