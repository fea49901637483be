/* SPDX-License-Identifier: BSD-3-Clause */
/* What is sent when: runs of new data, holes, what a timeout went back to, FINs. */
#include "app/generator/segment.h"

static int32_t
room_left(const struct gen_flow *f)
{
	return weir_seq_diff(f->stop, f->next);
}

/* Does the data that may be sent now reach the end of the stream or request? */
static bool
reaches_end(const struct gen_flow *f)
{
	return f->una_offset + (f->stop - f->una) == f->end_offset;
}

static bool
fin_due(const struct gen_flow *f)
{
	return (f->flags & (GEN_FIN_DUE | GEN_FIN_SENT)) == GEN_FIN_DUE &&
	       f->una_offset + (f->next - f->una) == f->end_offset;
}

/* A whole run, but no more than half of the window: else the window would run empty. */
static uint32_t
worth_sending(const struct generator *g, const struct gen_flow *f)
{
	uint32_t run = g->config.run * f->mss, half = (f->stop - f->una) / 2;

	if (f->run_left != 0)
		return f->mss;
	if (half < f->mss)
		half = f->mss;
	return run < half ? run : half;
}

bool
gen_wants(const struct generator *g, const struct gen_flow *f)
{
	uint32_t start, end;
	int32_t left = room_left(f);

	if (f->state != GEN_OPEN || g->config.attack == GENERATOR_ATTACK_OOO)
		return false;
	if (f->next != f->high)
		return true;
	if (f->recovery != 0 && gen_recovery_next(g, f, &start, &end))
		return true;
	if (left <= 0)
		return fin_due(f);
	return f->una == f->high || (uint32_t)left >= worth_sending(g, f) || reaches_end(f);
}

uint32_t
gen_make_room(struct generator *g, uint32_t n)
{
	uint32_t room = GEN_BURST - g->n_staged;

	if (room == 0) {
		gen_flush(g);
		room = GEN_BURST - g->n_staged;
	}
	n = gen_spare(g, n < room ? n : room);
	g->blocked |= n == 0;
	return n;
}

static inline void
put(struct generator *g, const struct gen_head *head, uint32_t seq, uint32_t position)
{
	struct rte_mbuf *buf = g->spare[--g->n_spare];

	gen_fill_segment(g, head, buf, seq, position);
	g->staged[g->n_staged++] = buf;
}

static void
count_sent(struct generator *g, struct gen_flow *f, uint32_t seq, uint32_t end, uint32_t bytes)
{
	g->stats.segs_sent += bytes != 0;
	if (seq != f->high) {
		g->stats.retransmitted++;
		f->timed_ns = 0;
	} else {
		g->stats.bytes_sent += bytes;
		f->high = end;
	}
}

/* Does a FIN go with a segment from `seq` up to the end? For the first time only with new data, or alone:
 * what is sent again never goes beyond `high`. */
static bool
carries_fin(const struct gen_flow *f, uint32_t seq)
{
	return (f->flags & GEN_FIN_SENT) ||
	       ((f->flags & GEN_FIN_DUE) && seq == f->high);
}

/*
 * One segment from `seq`, as long as the MSS, `end` and the end of the stream allow, with PSH and
 * FIN where they belong. Returns where the next one begins, `seq` itself when there is no room.
 */
static uint32_t
send_piece(struct generator *g, struct gen_flow *f, uint32_t seq, uint32_t end)
{
	uint64_t left = f->end_offset - f->una_offset - (seq - f->una);
	uint32_t len = end - seq < f->mss ? end - seq : f->mss;
	uint8_t flags = WEIR_TCP_ACK;
	struct gen_head head;

	if (gen_room(g, 1) == 0)
		return seq;
	if (left <= len) {
		len = (uint32_t)left;
		flags |= len != 0 ? WEIR_TCP_PSH : 0;
		flags |= carries_fin(f, seq) ? WEIR_TCP_FIN : 0;
		if (seq == f->high && len != 0)
			f->sent_ns = g->config.mode == GENERATOR_RR ? g->now_ns : f->sent_ns;
	}
	gen_head_begin(g, f, len, flags, &head);
	put(g, &head, seq, gen_position(g, f, seq));
	end = seq + len + ((flags & WEIR_TCP_FIN) != 0);
	count_sent(g, f, seq, end, len);
	if (flags & WEIR_TCP_FIN)
		f->flags |= GEN_FIN_SENT;
	return end;
}

/* Returns packets staged, as all below. */
static uint32_t
resend_holes(struct generator *g, struct gen_flow *f, uint32_t most)
{
	struct gen_recovery *recovery = gen_recovery_of(g, f);
	uint32_t n = 0, start, end;

	while (n < most && gen_recovery_next(g, f, &start, &end)) {
		recovery->resend = send_piece(g, f, start, end);
		if (recovery->resend == start)
			break;
		n++;
	}
	return n;
}

/* After a timeout: everything again, but for what SACK blocks have reported since. */
static uint32_t
send_again(struct generator *g, struct gen_flow *f, uint32_t most)
{
	const struct gen_recovery *recovery = gen_recovery_of(g, f);
	uint32_t n = 0;

	while (n < most && f->next != f->high) {
		uint32_t end = f->high, start = f->next;

		if (recovery != NULL) {
			start = scoreboard_skip(&recovery->board, start);
			end = scoreboard_until(&recovery->board, start, end);
		}
		f->next = start;
		if (start == f->high)
			break;
		f->next = send_piece(g, f, start, end);
		if (f->next == start)
			break;
		n++;
	}
	return n;
}

/* `n` full segments from `seq` into spare buffers; there is room for them. */
static void
put_many(struct generator *g, const struct gen_head *head, uint32_t seq, uint32_t *position,
	 uint32_t n)
{
	const uint32_t step = g->config.verify ? head->payload % GENERATOR_PATTERN_PERIOD : 0;
	struct rte_mbuf **to = g->staged + g->n_staged;

	g->n_spare -= n;
	g->n_staged += n;
	for (uint32_t i = 0; i < n; i++, seq += head->payload) {
		to[i] = g->spare[g->n_spare + i];
		gen_fill_segment(g, head, to[i], seq, *position);
		*position += step;
		if (*position >= GENERATOR_PATTERN_PERIOD)
			*position -= GENERATOR_PATTERN_PERIOD;
	}
}

/* Full segments of one flow in a row; `n` have room in the window. */
static uint32_t
send_full(struct generator *g, struct gen_flow *f, uint32_t n)
{
	uint32_t done = 0, position = gen_position(g, f, f->next);
	struct gen_head head;

	gen_head_begin(g, f, f->mss, WEIR_TCP_ACK, &head);
	while (done < n) {
		uint32_t k = gen_room(g, n - done);

		if (k == 0)
			break;
		put_many(g, &head, f->next + done * f->mss, &position, k);
		done += k;
	}
	f->next = f->high = f->next + done * f->mss;
	g->stats.segs_sent += done;
	g->stats.bytes_sent += (uint64_t)done * f->mss;
	return done;
}

/* Send the segment that was kept back. */
static uint32_t
send_held(struct generator *g, struct gen_flow *f)
{
	struct gen_head head;

	if (gen_room(g, 1) == 0)
		return 0;
	f->held_left = 0;
	if (weir_seq_lt(f->held, f->una))
		return 0;
	gen_head_begin(g, f, f->mss, WEIR_TCP_ACK, &head);
	put(g, &head, f->held, gen_position(g, f, f->held));
	return 1;
}

/* As send_full, but some are kept back until some of their successors have gone; `passed` counts
 * those, too. */
static uint32_t
send_shuffled(struct generator *g, struct gen_flow *f, uint32_t n, uint32_t *passed)
{
	const struct generator_config *config = &g->config;
	uint32_t done = 0;

	for (*passed = 0; *passed < n; ++*passed) {
		if (gen_room(g, 1) == 0)
			break;
		if (f->held_left == 0 && gen_draw_below(g, 1000) < config->reorder_permille) {
			f->held = f->next;
			f->held_left = (uint8_t)(2 + gen_draw_below(g, config->reorder_depth));
			f->next = f->high = f->next + f->mss;
			g->stats.reordered++;
			g->stats.segs_sent++;
			g->stats.bytes_sent += f->mss;
		} else {
			done += send_full(g, f, 1);
		}
		if (f->held_left != 0 && --f->held_left == 0) {
			f->held_left = 1;
			done += send_held(g, f);
		}
	}
	return done;
}

/* One segment is timed until its ACK, and the timer runs while something is under way. */
static void
sending(struct generator *g, struct gen_flow *f, uint32_t first_end)
{
	if (f->timed_ns == 0) {
		f->timed_ns = g->now_ns;
		f->timed = first_end;
	}
	if (f->deadline == 0)
		gen_arm_rto(g, f);
}

/* New data: full segments up to the end of the run, then what is shorter where it has to go. */
static uint32_t
send_new(struct generator *g, struct gen_flow *f, uint32_t most)
{
	int32_t left = room_left(f);
	uint32_t before = f->high, full = 0, n, sent = 0;
	bool end = reaches_end(f);

	if (f->run_left == 0)
		f->run_left = gen_run_length(g);
	if (left > (int32_t)(f->run_left * f->mss))
		full = f->run_left; /* no division */
	else if (left > 0)
		full = ((uint32_t)left - end) / f->mss; /* the last one is a piece */
	n = full;
	n = n < most ? n : most;
	if (n != 0 && g->config.reorder_permille == 0)
		sent = n = send_full(g, f, n);
	else if (n != 0)
		sent = send_shuffled(g, f, n, &n);
	f->run_left -= (uint16_t)n;
	if (sent < most && f->run_left != 0 && n == full && !g->blocked) {
		left = room_left(f);
		if (end ? left > 0 || fin_due(f) : left > 0 && f->una == f->high) {
			f->next = send_piece(g, f, f->next, f->stop);
			sent += f->next != before + n * f->mss;
			f->run_left = 0;
		} else if (left < f->mss) {
			f->run_left = 0; /* the window ends this run */
		}
	}
	if (f->high != before)
		sending(g, f, before + (f->high - before < f->mss ? f->high - before : f->mss));
	return sent;
}

/* One flow's turn. */
static uint32_t
take_turn(struct generator *g, struct gen_flow *f, uint32_t most)
{
	uint32_t n = 0;

	if (f->state != GEN_OPEN)
		return 0;
	if (f->recovery != 0)
		n = resend_holes(g, f, most);
	if (f->next != f->high)
		n += send_again(g, f, most - n);
	if (n != 0)
		sending(g, f, f->high);
	if (n < most && f->next == f->high)
		n += send_new(g, f, most - n);
	if (f->held_left != 0 && !gen_wants(g, f))
		n += send_held(g, f);
	return n;
}

static void
closed_loop(struct generator *g, uint32_t most)
{
	struct gen_flow *f;
	uint32_t n = 0;

	while (n < most && !g->blocked && (f = gen_ready_take(g)) != NULL) {
		uint32_t sent = take_turn(g, f, most - n);

		n += sent;
		if (!gen_wants(g, f))
			continue;
		if (f->run_left != 0)
			gen_ready_return(g, f);
		else
			gen_ready(g, f);
	}
}

/* Whatever the ACKs say: new data while the window has room, then the window's data again. */
static uint32_t
insist(struct generator *g, struct gen_flow *f, uint32_t most)
{
	uint32_t n;

	if (f->next == f->high && room_left(f) <= 0)
		f->next = f->una;
	n = f->next == f->high ? send_new(g, f, most) : send_again(g, f, most);
	if (n == 0 && !g->blocked && gen_room(g, 1) != 0) {
		gen_send_control(g, f, f->una - 1, WEIR_TCP_ACK);
		n = 1;
	}
	return n;
}

static void
open_loop(struct generator *g, uint32_t most)
{
	uint32_t due = gen_pace(g, g->config.open_loop_pps, most), n = 0, idle = 0;

	while (n < due && !g->blocked && idle < g->config.flows) {
		struct gen_flow *f = &g->flows[g->pace_at];
		uint32_t run = g->config.run < due - n ? g->config.run : due - n;
		uint32_t sent = f->state == GEN_OPEN ? insist(g, f, run) : 0;

		g->pace_at = g->pace_at + 1 < g->config.flows ? g->pace_at + 1 : 0;
		idle = sent == 0 ? idle + 1 : 0;
		n += sent;
	}
}

static void
send_data(struct generator *g, uint32_t most)
{
	const uint8_t attack = g->config.attack;
	bool all_open = g->opening.head == g->opening.tail && g->syn_sent == 0;
	bool streams = attack == GENERATOR_ATTACK_NONE || attack >= GENERATOR_ATTACK_TINY;

	if (g->config.together && !all_open)
		return;
	if (g->config.open_loop_pps != 0 && streams && !g->closing)
		open_loop(g, most);
	else
		closed_loop(g, most);
}

uint32_t
generator_send(struct generator *g, uint32_t most_segs, uint64_t now_ns)
{
	uint64_t before = g->stats.packets_sent;

	gen_set_now(g, now_ns);
	g->blocked = !gen_flush(g);
	if (!g->aborted)
		gen_link_poll(g);
	if (g->resolved && !g->aborted && !g->blocked) {
		gen_open_more(g, &most_segs);
		most_segs -= gen_attack(g, most_segs);
		send_data(g, most_segs);
	}
	gen_flush(g);
	return (uint32_t)(g->stats.packets_sent - before);
}
