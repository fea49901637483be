/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reassembly and SACK against a model that is an array with one entry per byte and a list of
 * arrivals: random segments, in-order data, pruning and shortage of nodes, for whole streams.
 */
#include "tcp/reassembly.h"

#include "tests/unit/random.h"
#include "tests/unit/reassembling.h"
#include "tests/unit/unit.h"

enum { SPAN = 4096, WINDOW = 600, OPS_MAX = 65536 };

static struct reassembling it;

/* Offsets count from `base`. */
static struct {
	uint32_t base, rcv, ranges, nodes; /* the latter two: how many there are */
	uint8_t held[SPAN], copy[SPAN];
	uint32_t dsack[2];
	/* Starts of arrivals, the latest last: all of them, and those that four places remember. */
	uint32_t arrivals[OPS_MAX], n_arrivals;
	uint32_t recent[WEIR_SACK_RECENT], n_recent;
	bool crowded; /* since it was empty, there were more ranges than places */
} model;

/* How often each outcome was met, so that a model that never gets there is noticed. */
static struct {
	uint32_t held, duplicate, refused, delivered, cut, pruned, dsacks, full;
} met;

static uint32_t
run_start(uint32_t at)
{
	while (model.held[at - 1])
		at--;
	return at;
}

static uint32_t
run_end(uint32_t at)
{
	while (model.held[at])
		at++;
	return at;
}

/* Start of the first run at or behind `at`, or SPAN. */
static uint32_t
next_run(uint32_t at)
{
	while (at < SPAN && !model.held[at])
		at++;
	return at;
}

/* ---- SACK ---- */

struct blocks {
	uint32_t at[WEIR_SACK_MAX][2];
	uint32_t n, most, distinct_from;
};

static void
add_run(struct blocks *blocks, uint32_t at)
{
	if (blocks->n == blocks->most || !model.held[at])
		return;
	for (uint32_t i = blocks->distinct_from; i < blocks->n; i++)
		if (blocks->at[i][0] == run_start(at))
			return;
	blocks->at[blocks->n][0] = run_start(at);
	blocks->at[blocks->n++][1] = run_end(at);
}

static void
add_dsack(struct blocks *blocks)
{
	if (model.dsack[0] == model.dsack[1] || blocks->most == 0)
		return;
	memcpy(blocks->at[0], model.dsack, sizeof(blocks->at[0]));
	blocks->n = blocks->distinct_from = 1;
	add_run(blocks, model.dsack[0]);
}

/* With unbounded memory of arrivals: what RFC 2018 asks for, to the letter. */
static struct blocks
ideal_blocks(uint32_t most)
{
	struct blocks blocks = {.most = most};

	add_dsack(&blocks);
	for (uint32_t i = model.n_arrivals; i-- > 0;)
		add_run(&blocks, model.arrivals[i]);
	return blocks;
}

/* With four places, and the lowest ranges where these leave room. */
static struct blocks
bounded_blocks(uint32_t most)
{
	struct blocks blocks = {.most = most};

	add_dsack(&blocks);
	for (uint32_t i = 0; i < model.n_recent; i++)
		add_run(&blocks, model.recent[i]);
	for (uint32_t at = next_run(model.rcv); at < SPAN; at = next_run(run_end(at)))
		add_run(&blocks, at);
	return blocks;
}

static void
must_equal(const struct blocks *blocks, uint32_t (*sacks)[2], uint32_t n)
{
	ck_assert(blocks->n == n);
	for (uint32_t i = 0; i < n; i++) {
		ck_assert(sacks[i][0] - model.base == blocks->at[i][0]);
		ck_assert(sacks[i][1] - model.base == blocks->at[i][1]);
	}
}

static void
check_sacks(uint32_t most)
{
	struct blocks bounded = bounded_blocks(most), ideal = ideal_blocks(most);
	uint32_t sacks[WEIR_SACK_MAX][2];
	uint32_t n = weir_reass_sacks(&it.pool, it.r, sacks, most);

	must_equal(&bounded, sacks, n);
	/* The latest arrival is never forgotten, nor any other before a fifth range. When all four that
	 * are remembered were pruned or handed up, the fifth is not known. */
	if (!model.crowded)
		must_equal(&ideal, sacks, n);
	ck_assert(ideal.n == n);
	ck_assert(n == 0 || model.n_recent == 0 || ideal.at[0][0] == sacks[0][0] - model.base);
	if (most != 0) {
		met.dsacks += model.dsack[0] != model.dsack[1];
		model.dsack[0] = model.dsack[1] = 0;
	}
	met.full += n == WEIR_SACK_MAX;
}

/* Keep of the recent ones those that are held, each run once. */
static void
model_tidy(void)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < model.n_recent; i++) {
		uint32_t at = model.recent[i];
		bool again = false;

		for (uint32_t k = 0; k < kept && model.held[at]; k++)
			again |= run_start(model.recent[k]) == run_start(at);
		if (model.held[at] && !again)
			model.recent[kept++] = at;
	}
	model.n_recent = kept;
}

static void
model_arrival(uint32_t start)
{
	uint32_t list[WEIR_SACK_RECENT + 1], n = 1;

	model.arrivals[model.n_arrivals++] = start;
	list[0] = start;
	for (uint32_t i = 0; i < model.n_recent; i++)
		if (run_start(model.recent[i]) != run_start(start))
			list[n++] = model.recent[i];
	model.n_recent = n < WEIR_SACK_RECENT ? n : WEIR_SACK_RECENT;
	memcpy(model.recent, list, model.n_recent * sizeof(list[0]));
}

/* ---- operations ---- */

/* Runs of new bytes in [start, end); the first old one becomes the D-SACK if it is held. */
static uint32_t
new_runs(uint32_t start, uint32_t end, uint32_t *dsack)
{
	uint32_t n = 0;

	dsack[0] = dsack[1] = 0;
	for (uint32_t i = start; i < end; i++) {
		n += !model.held[i] && (i == start || model.held[i - 1]);
		if (model.held[i] && dsack[0] == dsack[1]) {
			dsack[0] = i;
			dsack[1] = run_end(i) < end ? run_end(i) : end;
		}
	}
	return n;
}

static enum weir_reass_result
model_insert(uint32_t start, uint32_t end, uint8_t copy)
{
	uint32_t dsack[2], pieces = new_runs(start, end, dsack);
	bool touches = model.held[start - 1] || dsack[0] != dsack[1] || model.held[end];

	if (pieces > model.nodes - it.held.used ||
	    (!touches && model.ranges == it.pool.ranges.used))
		return WEIR_REASS_NO_NODE;
	if (dsack[0] != dsack[1])
		memcpy(model.dsack, dsack, sizeof(dsack));
	for (uint32_t i = start; i < end; i++) {
		model.copy[i] = model.held[i] ? model.copy[i] : copy;
		model.held[i] = 1;
	}
	model_arrival(start);
	return pieces != 0 ? WEIR_REASS_HELD : WEIR_REASS_DUPLICATE;
}

static void
insert(uint32_t start, uint32_t end)
{
	uint8_t copy = (uint8_t)random_below(256);
	struct weir_seg seg = reassembling_seg(&it, model.base + start, end - start, copy,
					       random_below(3) == 0 ? 40 : 384);
	enum weir_reass_result expected = model_insert(start, end, copy);

	ck_assert(weir_reass_insert(&it.pool, it.r, &seg) == expected);
	met.held += expected == WEIR_REASS_HELD;
	met.duplicate += expected == WEIR_REASS_DUPLICATE;
	met.refused += expected == WEIR_REASS_NO_NODE;
	if (expected == WEIR_REASS_HELD)
		return;
	ck_assert(rte_mbuf_refcnt_read(seg.buf) == 1);
	weir_buf_free(&it.bufs, seg.buf);
}

static void
check_bytes(const struct weir_held_list *list)
{
	for (uint32_t i = list->head; i != 0; i = it.held.nodes[i].next) {
		const struct weir_held *piece = &it.held.nodes[i];

		for (uint32_t seq = piece->seq; seq != piece->seq + piece->len; seq++)
			ck_assert(reassembling_read(piece, seq) ==
			     reassembling_byte(seq, model.copy[seq - model.base]));
	}
}

/* In-order data up to `rcv` was received: what was held of it goes, what touches it follows. */
static void
advance(uint32_t rcv)
{
	struct weir_held_list list = {0, 0};
	uint32_t end, bufs, recount, bytes;

	met.cut += model.held[rcv] && model.held[rcv - 1];
	memset(&model.held[model.rcv], 0, rcv - model.rcv);
	end = run_end(rcv);
	bytes = weir_reass_deliver(&it.pool, it.r, model.base + rcv, &list, &bufs);
	ck_assert(bytes == end - rcv);
	reassembling_check_list(&it, &list, model.base + rcv, model.base + end, &recount);
	ck_assert(bufs == recount);
	check_bytes(&list);
	reassembling_release(&it, &list);
	met.delivered += bytes != 0;
	memset(&model.held[rcv], 0, end - rcv);
	model.rcv = end;
	model_tidy();
}

static void
prune(void)
{
	uint32_t end = SPAN - 1, start, before = it.r->bufs, bytes, bufs;

	while (end > model.rcv && !model.held[end - 1])
		end--;
	bufs = weir_reass_prune(&it.pool, it.r, &bytes);
	ck_assert(before - it.r->bufs == bufs);
	if (end == model.rcv) {
		ck_assert(bufs == 0 && bytes == 0);
		return;
	}
	start = run_start(end - 1);
	ck_assert(bufs != 0 && bytes == end - start);
	memset(&model.held[start], 0, bytes);
	if (model.dsack[0] >= start && model.dsack[0] < end)
		model.dsack[0] = model.dsack[1] = 0;
	model_tidy();
	met.pruned++;
}

/* ---- what must hold ---- */

static void
check_runs(void)
{
	uint32_t idx = weir_ranges_first(&it.pool.ranges, &it.r->ranges), n = 0;

	for (uint32_t at = next_run(model.rcv); at < SPAN; at = next_run(run_end(at))) {
		const struct weir_range *range = &it.pool.ranges.nodes[idx];

		ck_assert(idx != 0);
		ck_assert(range->start - model.base == at);
		ck_assert(range->end - model.base == run_end(at));
		check_bytes(&range->held);
		idx = weir_ranges_after(&it.pool.ranges, &it.r->ranges, range->end);
		n++;
	}
	ck_assert(idx == 0);
	if (n == 0)
		model.n_arrivals = 0;
	model.crowded = n != 0 && (model.crowded || n > WEIR_SACK_RECENT);
}

/* One step; the edges of what is held are where mistakes are made, so half of them aim there. */
static void
step(void)
{
	uint32_t what = random_below(16), len = 1 + random_below(random_below(4) ? 20 : 200);
	uint32_t start = model.rcv + 1 + random_below(WINDOW - len);
	uint32_t first = next_run(model.rcv);

	if (what < 11) {
		if (what < 4 && next_run(start) < model.rcv + WINDOW - len)
			start = run_end(next_run(start)) - random_below(2);
		insert(start, start + len);
	} else if (what < 13) {
		advance(model.rcv + random_below(40));
	} else if (what == 13 && first < SPAN) {
		advance(random_below(2) ? first : run_end(first) - random_below(2));
	} else if (what == 14 && random_below(3) == 0) {
		prune();
	} else if (what == 15 && model.rcv > 20) {
		it.r->dsack[0] = model.base + (model.dsack[0] = model.rcv - 20);
		it.r->dsack[1] = model.base + (model.dsack[1] = model.rcv - 5);
	}
}

static void
run_stream(uint32_t base, uint64_t seed, uint32_t ranges, uint32_t nodes)
{
	reassembling_open(&it, ranges, nodes, 2048);
	memset(&model, 0, sizeof(model));
	model.base = base;
	model.rcv = 1; /* run_start() looks one to the left */
	model.ranges = ranges;
	model.nodes = nodes;
	random_state = seed;
	while (model.rcv < SPAN - 2 * WINDOW) {
		step();
		reassembling_check(&it);
		check_runs();
		if (random_below(2))
			check_sacks(random_below(WEIR_SACK_MAX + 1));
	}
	reassembling_close(&it);
}

static void
check_met(bool scarce)
{
	ck_assert_uint_gt(met.held, 1000);
	ck_assert_uint_gt(met.duplicate, 100);
	ck_assert_uint_gt(met.delivered, 100);
	ck_assert_uint_gt(met.cut, 20);
	ck_assert_uint_gt(met.pruned, 20);
	ck_assert_uint_gt(met.dsacks, 100);
	ck_assert_uint_gt(met.full, 20);
	ck_assert_int_eq(met.refused > 100, scarce);
}

START_TEST(agrees_with_a_model)
{
	for (uint64_t seed = 1; seed <= 60; seed++)
		run_stream(1000, seed, WINDOW, WINDOW);
	for (uint64_t seed = 1; seed <= 20; seed++)
		run_stream(0x80000000u - SPAN / 3, seed, WINDOW, WINDOW);
	check_met(false);
}
END_TEST

START_TEST(pitfall_22_agrees_across_the_wrap)
{
	for (uint64_t seed = 100; seed <= 160; seed++)
		run_stream(0u - SPAN / 3, seed, WINDOW, WINDOW);
	check_met(false);
}
END_TEST

START_TEST(agrees_when_nodes_are_scarce)
{
	for (uint64_t seed = 200; seed <= 215; seed++)
		run_stream(0u - SPAN / 3, seed, 6, WINDOW);
	for (uint64_t seed = 220; seed <= 235; seed++)
		run_stream(0u - SPAN / 3, seed, WINDOW, 12);
	check_met(true);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, agrees_with_a_model);
	UNIT_CASE(s, pitfall_22_agrees_across_the_wrap);
	UNIT_CASE(s, agrees_when_nodes_are_scarce);
}

UNIT_MAIN("reassembly_model", add)
