/* SPDX-License-Identifier: BSD-3-Clause */
/* How a connection begins, what it wants next, and how it ends. */
#include "app/generator/state.h"

#define FAR	    (1u << 30) /* beyond any window */
#define FIN_WAIT_MS 10000      /* for the peer's FIN when it has ours */
#define MSS_DEFAULT 536	       /* RFC 9293 3.7.1 */

static uint64_t
first_end(const struct generator *g, const struct gen_flow *f)
{
	const struct generator_config *config = &g->config;

	if (g->closing || gen_is_idle(g, f))
		return 0;
	if (config->mode != GENERATOR_STREAM)
		return config->request_bytes;
	return config->bytes_per_flow != 0 ? config->bytes_per_flow : UINT64_MAX;
}

static bool
closes_at_end(const struct generator *g, const struct gen_flow *f)
{
	const struct generator_config *config = &g->config;

	if (g->closing)
		return true;
	if (gen_is_idle(g, f))
		return false;
	return config->mode == GENERATOR_CONNECT ||
	       (config->bytes_per_flow != 0 && f->end_offset >= config->bytes_per_flow);
}

/* Options count in the MSS that the peer announced (RFC 6691). */
static uint16_t
payload_mss(const struct generator *g, const struct gen_flow *f, uint16_t announced)
{
	uint32_t mss = announced != 0 ? announced : MSS_DEFAULT;

	if (g->config.attack == GENERATOR_ATTACK_TINY)
		return 1;
	if (f->flags & GEN_USES_TS)
		mss = mss > GEN_TS ? mss - GEN_TS : 1;
	return (uint16_t)(mss < g->config.mss ? mss : g->config.mss);
}

void
gen_established(struct generator *g, struct gen_flow *f, const struct gen_seg *seg)
{
	f->state = GEN_OPEN;
	g->syn_sent--;
	g->established++;
	if (g->stats.opened++ == 0)
		g->began_ns = g->now_ns;
	if (f->retries == 0)
		gen_rtt_sample(g, f, g->now_ns - f->sent_ns);
	f->retries = 0;
	f->deadline = 0;
	if (g->config.mode == GENERATOR_RR)
		f->sent_ns = 0;
	f->una = f->next = seg->ack;
	f->edge = seg->ack + seg->win; /* never scaled in a SYN */
	f->rcv_next = seg->seq + 1;
	f->ts_recent = seg->tsval;
	f->shift = seg->wscale >= 0 ? (uint8_t)seg->wscale : 0;
	if (seg->has_ts && g->config.timestamps)
		f->flags |= GEN_USES_TS;
	if (seg->sack_permitted && g->config.sack)
		f->flags |= GEN_SACKS;
	f->mss = payload_mss(g, f, seg->mss);
	gen_flow_sums(g, f);
	f->end_offset = first_end(g, f);
	if (closes_at_end(g, f))
		f->flags |= GEN_FIN_DUE;
	gen_send_control(g, f, f->next, WEIR_TCP_ACK);
	gen_settle(g, f);
}

static void
forget(struct generator *g, struct gen_flow *f)
{
	gen_recovery_end(g, f);
	if (f->state == GEN_SYN_SENT)
		g->syn_sent--;
	if (f->state == GEN_OPEN)
		g->established--;
	f->deadline = 0;
	f->held_left = 0;
	f->state = GEN_ENDED;
}

/* Is there another connection to be made from this flow? */
static bool
opens_again(const struct generator *g, const struct gen_flow *f)
{
	const struct generator_config *config = &g->config;

	if (config->mode != GENERATOR_CONNECT || g->closing || gen_is_idle(g, f))
		return false;
	return config->connections_most == 0 ||
	       g->stats.connects_tried + (g->opening.tail - g->opening.head) <
		   config->connections_most;
}

void
gen_end(struct generator *g, struct gen_flow *f, enum gen_end how)
{
	if (f->state != GEN_SYN_SENT && f->state != GEN_OPEN)
		return;
	forget(g, f);
	g->stats.closed += how == GEN_END_CLOSED;
	g->stats.failed += how == GEN_END_FAILED;
	g->stats.reset += how == GEN_END_RESET;
	if (how == GEN_END_CLOSED && g->config.mode == GENERATOR_CONNECT && !gen_is_idle(g, f))
		histogram_record(&g->latency, g->now_ns - f->sent_ns);
	if (opens_again(g, f))
		gen_flow_reopen(g, f);
	else if (gen_is_idle(g, f))
		g->live_hold--;
	else
		g->live--;
}

/* rr: the request has been acknowledged whole. The last one leaves nothing but a FIN. */
static void
end_request(struct generator *g, struct gen_flow *f)
{
	const struct generator_config *config = &g->config;
	uint64_t most = config->bytes_per_flow;

	if (f->sent_ns == 0)
		return;
	histogram_record(&g->latency, g->now_ns - f->sent_ns);
	g->stats.requests++;
	f->sent_ns = 0;
	if (f->flags & GEN_FIN_DUE)
		return;
	f->end_offset += config->request_bytes;
	if (most != 0 && f->end_offset > most)
		f->end_offset = most;
	if (closes_at_end(g, f))
		f->flags |= GEN_FIN_DUE;
}

static void
update_stop(const struct generator *g, struct gen_flow *f)
{
	uint64_t left = f->end_offset - f->una_offset;
	uint32_t stop = f->edge;

	if (left < FAR)
		stop = weir_seq_min(stop, f->una + (uint32_t)left);
	if (g->config.inflight_bytes != 0)
		stop = weir_seq_min(stop, f->una + g->config.inflight_bytes);
	f->stop = stop;
}

/* What the connection waits for decides the timer. */
static void
update_timer(struct generator *g, struct gen_flow *f)
{
	if (f->una != f->high)
		gen_arm_rto(g, f);
	else if (f->flags & GEN_FIN_SENT)
		gen_arm(g, f, FIN_WAIT_MS);
	else if (f->una_offset < f->end_offset && !weir_seq_lt(f->next, f->edge))
		gen_arm_rto(g, f); /* zero window */
	else
		f->deadline = 0;
}

void
gen_settle(struct generator *g, struct gen_flow *f)
{
	if (f->state != GEN_OPEN)
		return;
	if (f->una_offset > f->end_offset) { /* the FIN is acknowledged, too */
		f->una_offset--;
		g->stats.bytes_acked--;
	}
	if (g->config.mode == GENERATOR_RR && f->una_offset == f->end_offset)
		end_request(g, f);
	if ((f->flags & GEN_FIN_SENT) && f->una == f->high) {
		if (f->flags & GEN_PEER_FIN) {
			gen_end(g, f, GEN_END_CLOSED);
			return;
		}
		f->retries = (uint8_t)g->config.retries_most; /* one wait is enough */
	}
	update_stop(g, f);
	update_timer(g, f);
	if (gen_wants(g, f))
		gen_ready(g, f);
}
