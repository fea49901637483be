/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/aggregate.h"
#include "tests/unit/tcp_test.h"
#include "tests/unit/unit.h"
#include "wire/siphash.h"

#define BIT(id) (1u << WEIR_CAUSE_##id)
#define RUN_MAX 80

/* A run in sequence, as the parser describes plain data with timestamps. */
static void
plain_run(struct weir_seg *segs, uint32_t n, uint32_t seq)
{
	memset(segs, 0, n * sizeof(segs[0]));
	for (uint32_t i = 0; i < n; i++) {
		segs[i].seq = seq;
		segs[i].ack = 77;
		segs[i].len = 1448;
		segs[i].tsval = 1000;
		segs[i].win = 500;
		segs[i].wire_segs = 1;
		segs[i].flags = WEIR_TCP_ACK;
		segs[i].shape = WEIR_OPT_TS;
		segs[i].has_ts = 1;
		segs[i].ttl = 64;
		seq += segs[i].len;
	}
}

/* DESIGN "Aggregation, exactly", word by word: what forbids any company. */
static uint32_t
oracle_alone(const struct weir_seg *seg)
{
	uint32_t causes = 0;
	uint32_t beyond = WEIR_TCP_FIN | WEIR_TCP_SYN | WEIR_TCP_RST | WEIR_TCP_URG | WEIR_TCP_ECE |
			  WEIR_TCP_CWR;

	if ((seg->flags & beyond) != 0 || !(seg->flags & WEIR_TCP_ACK))
		causes |= BIT(FLAGS);
	if (seg->shape != WEIR_OPT_NONE && seg->shape != WEIR_OPT_TS)
		causes |= BIT(OPTIONS);
	if (seg->mark != 0)
		causes |= BIT(HEADER);
	if (seg->len == 0)
		causes |= BIT(PURE_ACK);
	return causes;
}

static uint32_t
oracle_between(const struct weir_seg *a, const struct weir_seg *b)
{
	uint32_t causes = oracle_alone(a) | oracle_alone(b);
	int64_t step = (int64_t)(int32_t)(b->tsval - a->tsval);
	int64_t ack_step = (int64_t)(int32_t)(b->ack - a->ack);

	if ((uint32_t)(a->seq + a->len) != b->seq)
		causes |= BIT(SEQUENCE);
	if (ack_step < 0 || ack_step >= 1 << WEIR_SEG_ACK_BITS)
		causes |= BIT(ACK);
	if (step < 0 || step >= 1 << WEIR_SEG_TS_BITS)
		causes |= BIT(TIMESTAMP);
	if (a->shape != b->shape)
		causes |= BIT(OPTIONS);
	if (a->tos != b->tos || a->ttl != b->ttl || a->port != b->port)
		causes |= BIT(HEADER);
	if (a->flags & WEIR_TCP_PSH)
		causes |= BIT(PUSH);
	return causes;
}

static uint32_t
oracle_form(const struct weir_seg *segs, uint32_t n, uint32_t limit, uint32_t *causes)
{
	uint32_t count = 1;

	*causes = oracle_alone(&segs[0]);
	if (*causes != 0)
		return 1;
	for (; count < n && count < limit; count++) {
		*causes = oracle_between(&segs[count - 1], &segs[count]);
		if (*causes != 0)
			return count;
	}
	if (segs[count - 1].flags & WEIR_TCP_PSH)
		*causes = BIT(PUSH);
	else
		*causes = count == limit ? BIT(LIMIT) : BIT(EMPTY);
	return count;
}

static void
expect(struct weir_seg *segs, uint32_t n, uint32_t limit, uint32_t count, uint32_t causes)
{
	struct weir_aggregate a = weir_aggregate_form(segs, n, limit);

	ck_assert_uint_eq(a.n, count);
	ck_assert_uint_eq(a.last, count - 1);
	ck_assert_msg(a.causes == causes, "causes %#x, not %#x", a.causes, causes);
}

START_TEST(every_limit_is_reached_and_kept)
{
	struct weir_seg segs[RUN_MAX];

	plain_run(segs, RUN_MAX, 5000);
	for (uint32_t limit = 1; limit <= WEIR_AGGREGATE_MAX; limit++) {
		expect(segs, RUN_MAX, limit, limit, BIT(LIMIT));
		expect(segs, limit, limit, limit, BIT(LIMIT));
		if (limit > 1)
			expect(segs, limit - 1, limit, limit - 1, BIT(EMPTY));
	}
}
END_TEST

START_TEST(push_is_the_last_one)
{
	struct weir_seg segs[RUN_MAX];

	for (uint32_t at = 0; at < 20; at++) {
		plain_run(segs, RUN_MAX, 1);
		segs[at].flags |= WEIR_TCP_PSH;
		expect(segs, RUN_MAX, 20, at + 1, BIT(PUSH));
		expect(segs, at + 1, 20, at + 1, BIT(PUSH)); /* nothing behind it: still no waiting */
	}
}
END_TEST

/* One change at segment `at`; `alone`: it stands alone, and what follows it starts anew. */
typedef void (*change)(struct weir_seg *segs, uint32_t at);

static void
expect_change(change make, uint32_t causes, bool alone)
{
	struct weir_seg segs[RUN_MAX];

	for (uint32_t at = 1; at < 19; at++) {
		plain_run(segs, RUN_MAX, (uint32_t)-20000);
		make(segs, at);
		expect(segs, RUN_MAX, 20, at, causes);
		if (alone)
			expect(segs + at, RUN_MAX - at, 20, 1, causes);
	}
}

#define CHANGE(name, statement)                                                                    \
	static void name(struct weir_seg *segs, uint32_t at)                                       \
	{                                                                                          \
		statement;                                                                         \
	}

CHANGE(set_fin, segs[at].flags |= WEIR_TCP_FIN)
CHANGE(set_syn, segs[at].flags |= WEIR_TCP_SYN)
CHANGE(set_rst, segs[at].flags |= WEIR_TCP_RST)
CHANGE(set_urg, segs[at].flags |= WEIR_TCP_URG)
CHANGE(set_ece, segs[at].flags |= WEIR_TCP_ECE)
CHANGE(set_cwr, segs[at].flags |= WEIR_TCP_CWR)
CHANGE(clear_ack_flag, segs[at].flags = 0)
CHANGE(other_options, segs[at].shape = WEIR_OPT_OTHER)
CHANGE(ip_options, segs[at].mark = WEIR_MARK_IP_OPTIONS)

START_TEST(flags_and_options_stand_alone)
{
	expect_change(set_fin, BIT(FLAGS), true);
	expect_change(set_syn, BIT(FLAGS), true);
	expect_change(set_rst, BIT(FLAGS), true);
	expect_change(set_urg, BIT(FLAGS), true);
	expect_change(set_ece, BIT(FLAGS), true);
	expect_change(set_cwr, BIT(FLAGS), true);
	expect_change(clear_ack_flag, BIT(FLAGS), true);
	expect_change(ip_options, BIT(HEADER), true);
	expect_change(other_options, BIT(OPTIONS), true);
}
END_TEST

static void
from_here(struct weir_seg *segs, uint32_t at, void (*make)(struct weir_seg *seg))
{
	for (; at < RUN_MAX; at++)
		make(&segs[at]);
}

static void tos_of(struct weir_seg *seg) { seg->tos = 4; }
static void ce_of(struct weir_seg *seg) { seg->tos = WEIR_ECN_CE; }
static void ttl_of(struct weir_seg *seg) { seg->ttl = 63; }
static void port_of(struct weir_seg *seg) { seg->port = 1; }
static void ack_of(struct weir_seg *seg) { seg->ack = 77 + (1 << WEIR_SEG_ACK_BITS); }
static void
shape_of(struct weir_seg *seg)
{
	seg->shape = WEIR_OPT_NONE;
	seg->has_ts = 0;
	seg->tsval = 1000; /* only the shape differs */
}

CHANGE(change_tos, from_here(segs, at, tos_of))
CHANGE(change_ce, from_here(segs, at, ce_of))
CHANGE(change_ttl, from_here(segs, at, ttl_of))
CHANGE(change_port, from_here(segs, at, port_of))
CHANGE(change_shape, from_here(segs, at, shape_of))

START_TEST(header_changes_close_and_go_on)
{
	static const change changes[] = {change_tos, change_ce, change_ttl, change_port};
	struct weir_seg segs[RUN_MAX];

	for (int i = 0; i < 4; i++) {
		expect_change(changes[i], BIT(HEADER), false);
		plain_run(segs, RUN_MAX, 1);
		changes[i](segs, 5);
		expect(segs + 5, RUN_MAX - 5, 20, 20, BIT(LIMIT));
	}
	expect_change(change_shape, BIT(OPTIONS), false);
	plain_run(segs, RUN_MAX, 1);
	change_shape(segs, 5);
	expect(segs + 5, RUN_MAX - 5, 20, 20, BIT(LIMIT));
}
END_TEST

CHANGE(ack_back, segs[at].ack = 76)
CHANGE(ack_far, from_here(segs, at, ack_of))
CHANGE(hole, segs[at].seq += 1)
CHANGE(overlap, segs[at].seq -= 1)
CHANGE(duplicate, segs[at] = segs[at - 1])
CHANGE(pure_ack, segs[at].len = 0)

START_TEST(sequence_and_ack_close)
{
	struct weir_seg segs[RUN_MAX];

	expect_change(ack_back, BIT(ACK), false);
	expect_change(ack_far, BIT(ACK), false);
	expect_change(hole, BIT(SEQUENCE), false);
	expect_change(overlap, BIT(SEQUENCE), false);
	expect_change(duplicate, BIT(SEQUENCE), false);
	plain_run(segs, RUN_MAX, 1); /* an ACK that advances, also over the wrap, may stay */
	for (uint32_t i = 0; i < RUN_MAX; i++)
		segs[i].ack = (uint32_t)-5 + i;
	expect(segs, RUN_MAX, 20, 20, BIT(LIMIT));
}
END_TEST

START_TEST(timestamp_steps)
{
	static const struct {
		uint32_t step;
		bool merges;
	} table[] = {
		{0, true},
		{1, true},
		{(1u << 24) - 1, true},
		{1u << 24, false},
		{1u << 30, false},
		{1u << 31, false},
		{(uint32_t)-1, false},
		{(uint32_t)-1000, false},
	};
	struct weir_seg segs[2];

	for (uint32_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		plain_run(segs, 2, 1);
		segs[0].tsval = UINT32_MAX; /* across the wrap */
		segs[1].tsval = segs[0].tsval + table[i].step;
		expect(segs, 2, 20, table[i].merges ? 2 : 1,
		       table[i].merges ? BIT(EMPTY) : BIT(TIMESTAMP));
	}
}
END_TEST

/* The promise in the header: over a whole aggregate TSval stays within 2^30 of the first. */
START_TEST(timestamps_of_an_aggregate_stay_near)
{
	struct weir_seg segs[RUN_MAX];

	plain_run(segs, RUN_MAX, 1);
	for (uint32_t i = 0; i < RUN_MAX; i++)
		segs[i].tsval = i * ((1u << WEIR_SEG_TS_BITS) - 1);
	ck_assert_uint_eq(weir_aggregate_form(segs, RUN_MAX, WEIR_AGGREGATE_MAX).n, 64);
	ck_assert_uint_lt(segs[63].tsval - segs[0].tsval, 1u << 30);
}
END_TEST

START_TEST(causes_are_collected)
{
	struct weir_seg segs[2];

	plain_run(segs, 2, 1);
	segs[0].flags |= WEIR_TCP_PSH;
	segs[1].seq++;
	segs[1].ack--;
	segs[1].tsval--;
	segs[1].len = 0;
	segs[1].flags |= WEIR_TCP_FIN;
	segs[1].shape = WEIR_OPT_OTHER;
	segs[1].tos = 8;
	expect(segs, 2, 20, 1,
	       BIT(PUSH) | BIT(SEQUENCE) | BIT(ACK) | BIT(TIMESTAMP) | BIT(PURE_ACK) | BIT(FLAGS) |
		       BIT(OPTIONS) | BIT(HEADER));
	expect(segs, 1, 20, 1, BIT(PUSH));
}
END_TEST

START_TEST(every_cause_has_its_own_name)
{
	for (uint32_t i = 0; i < WEIR_CAUSE_COUNT; i++) {
		ck_assert_ptr_nonnull(weir_aggregate_cause_name(i));
		for (uint32_t k = 0; k < i; k++)
			ck_assert_str_ne(weir_aggregate_cause_name(i), weir_aggregate_cause_name(k));
	}
	ck_assert_ptr_null(weir_aggregate_cause_name(WEIR_CAUSE_COUNT));
	ck_assert_uint_le(WEIR_CAUSE_COUNT, WEIR_STATS_REASONS);
}
END_TEST

static void
disturb(struct weir_seg *seg, uint64_t *random)
{
	static const uint8_t flags[] = {WEIR_TCP_FIN, WEIR_TCP_SYN, WEIR_TCP_RST, WEIR_TCP_URG,
					WEIR_TCP_ECE, WEIR_TCP_CWR, WEIR_TCP_ACK, WEIR_TCP_PSH};

	switch (weir_seed_next(random) % 14) {
	case 0:
		seg->flags ^= flags[weir_seed_next(random) % 8];
		break;
	case 1:
		seg->seq += (uint32_t)weir_seed_next(random) % 5 - 2;
		break;
	case 2:
		seg->ack += (uint32_t)weir_seed_next(random) % 5 - 2;
		break;
	case 3:
		seg->tsval += (uint32_t)weir_seed_next(random) % 5 - 2;
		break;
	case 4:
		seg->tsval += (1u << (weir_seed_next(random) % 32)) - (weir_seed_next(random) & 1);
		break;
	case 5:
		seg->shape = (uint8_t)(weir_seed_next(random) % 3);
		break;
	case 6:
		seg->tos = (uint8_t)(weir_seed_next(random) % 4);
		break;
	case 7:
		seg->ttl = (uint8_t)(63 + weir_seed_next(random) % 2);
		break;
	case 8:
		seg->port = (uint8_t)(weir_seed_next(random) % 2);
		break;
	case 9:
		seg->mark = (uint8_t)(weir_seed_next(random) % 2);
		break;
	case 10:
		seg->len = 0;
		break;
	default:
		seg->flags |= WEIR_TCP_PSH;
		break;
	}
}

static void
random_run(struct weir_seg *segs, uint32_t n, uint64_t *random)
{
	uint32_t rare = 1 + (uint32_t)(weir_seed_next(random) % 30);

	plain_run(segs, n, (uint32_t)0 - (uint32_t)(weir_seed_next(random) % 60000));
	for (uint32_t i = 0; i < n; i++) {
		if (i != 0) {
			segs[i].ack = segs[i - 1].ack + (uint32_t)(weir_seed_next(random) % 2);
			segs[i].tsval = segs[i - 1].tsval + (uint32_t)(weir_seed_next(random) % 3);
			segs[i].seq = segs[i - 1].seq + segs[i - 1].len;
			if (weir_seed_next(random) % 2 == 0) { /* what changed stays */
				segs[i].tos = segs[i - 1].tos;
				segs[i].ttl = segs[i - 1].ttl;
				segs[i].port = segs[i - 1].port;
				segs[i].shape = segs[i - 1].shape;
			}
		}
		segs[i].len = 1 + (uint32_t)(weir_seed_next(random) % 1448);
		if (weir_seed_next(random) % rare == 0)
			disturb(&segs[i], random);
		if (weir_seed_next(random) % (3 * rare) == 0)
			disturb(&segs[i], random);
	}
}

/* Cut whole queues into aggregates: each like the oracle's, together everything, in order. */
START_TEST(random_runs_like_the_oracle)
{
	struct weir_seg segs[RUN_MAX];
	uint64_t random = 20260101;
	uint32_t seen = 0, merged = 0;

	for (int round = 0; round < 60000; round++) {
		uint32_t n = 1 + (uint32_t)(weir_seed_next(&random) % RUN_MAX);
		uint32_t limit = 1 + (uint32_t)(weir_seed_next(&random) % WEIR_AGGREGATE_MAX);
		uint32_t at = 0;

		random_run(segs, n, &random);
		while (at < n) {
			uint32_t wanted, want = oracle_form(segs + at, n - at, limit, &wanted);
			struct weir_aggregate got = weir_aggregate_form(segs + at, n - at, limit);

			ck_assert_msg(got.n == want && got.causes == wanted,
				      "round %d at %u: %u segments %#x, not %u %#x", round, at, got.n,
				      got.causes, want, wanted);
			seen |= wanted;
			merged += want > 1;
			at += want;
		}
		ck_assert_uint_eq(at, n);
	}
	ck_assert_uint_eq(seen, (1u << WEIR_CAUSE_COUNT) - 1 - BIT(HELD));
	ck_assert_uint_gt(merged, 10000);
}
END_TEST

START_TEST(pitfall_43_pure_acks_never_merge)
{
	struct weir_seg segs[RUN_MAX];

	expect_change(pure_ack, BIT(PURE_ACK), true);
	plain_run(segs, RUN_MAX, 1);
	for (uint32_t i = 0; i < 10; i++) { /* duplicate ACKs: same sequence and ACK numbers */
		segs[i].seq = 1;
		segs[i].len = 0;
	}
	for (uint32_t i = 0; i < 10; i++)
		expect(segs + i, 10 - i, 64, 1, BIT(PURE_ACK));
}
END_TEST

/* CE on the third of six: 2, 1, 3; nothing about it is lost. */
START_TEST(pitfall_44_ce_closes_the_aggregate)
{
	struct weir_seg segs[6];

	plain_run(segs, 6, 1);
	for (uint32_t i = 0; i < 6; i++)
		segs[i].tos = i == 2 ? WEIR_ECN_CE : WEIR_ECN_ECT0;
	expect(segs, 6, 20, 2, BIT(HEADER));
	expect(segs + 2, 4, 20, 1, BIT(HEADER));
	expect(segs + 3, 3, 20, 3, BIT(EMPTY));
}
END_TEST

START_TEST(pitfall_46_sequence_wraps_inside_an_aggregate)
{
	struct weir_seg segs[20];

	for (uint32_t before = 0; before < 20 * 1448; before += 181) {
		plain_run(segs, 20, (uint32_t)0 - before);
		expect(segs, 20, 20, 20, BIT(LIMIT));
	}
}
END_TEST

/* What the parser saw one after the other need not stand so in the queue: one may have been dropped. */
START_TEST(who_follows_may_have_lost_the_one_before)
{
	struct weir_seg segs[3];

	plain_run(segs, 3, 1000);
	segs[1].follows = segs[2].follows = 1;
	expect(segs, 3, 20, 3, BIT(EMPTY));
	segs[1] = segs[2];
	expect(segs, 2, 20, 1, BIT(SEQUENCE));
}
END_TEST

/* As the parser leaves it: where segments are alike only the first one of them is described. */
static void
fold(struct weir_seg *segs, uint32_t n, uint64_t *random)
{
	for (uint32_t i = 0; i < n;) {
		struct weir_seg *block = &segs[i++];

		while (i < n && weir_seed_next(random) % 8 != 0) {
			struct weir_seg next = segs[i];

			weir_seg_write(block, 1u + block->alike, &next);
			next.follows = segs[i].follows;
			if (block->len == 0 || (block->flags & WEIR_TCP_PSH) ||
			    memcmp(&next, &segs[i], sizeof(next)) != 0)
				break;
			memset(&segs[i], 0xee, sizeof(segs[i]));
			segs[i].buf = next.buf;
			block->alike++;
			i++;
		}
	}
}

/* Blocks change nothing: neither what is formed nor, written out, what it consists of. */
START_TEST(blocks_are_as_their_segments)
{
	struct weir_seg segs[RUN_MAX], folded[RUN_MAX];
	uint64_t random = 20260102;
	uint32_t cut = 0, split = 0;

	for (int round = 0; round < 30000; round++) {
		uint32_t n = 1 + (uint32_t)(weir_seed_next(&random) % RUN_MAX);
		uint32_t most = round % 2 == 0 ? 8 : WEIR_AGGREGATE_MAX;
		uint32_t limit = 1 + (uint32_t)(weir_seed_next(&random) % most);
		uint32_t at = 0;

		if (round % 4 < 2)
			random_run(segs, n, &random);
		else
			plain_run(segs, n, (uint32_t)random);
		for (uint32_t i = 0; i < n; i++)
			segs[i].buf = (struct rte_mbuf *)(uintptr_t)(0x1000 + i);
		memcpy(folded, segs, sizeof(segs));
		fold(folded, n, &random);
		while (at < n) {
			uint32_t causes, want = oracle_form(segs + at, n - at, limit, &causes);
			uint32_t behind = at + 1u + folded[at].alike;
			struct weir_aggregate a = weir_aggregate_form(folded + at, n - at, limit);

			ck_assert_uint_eq(a.n, want);
			ck_assert_uint_eq(a.causes, causes);
			ck_assert_uint_eq(a.last + 1u + a.segs[a.last].alike, a.n);
			cut += behind < at + a.n;
			split += behind > at + a.n;
			weir_segs_write(a.segs, a.n);
			at += a.n;
		}
		for (uint32_t i = 0; i < n; i++) {
			segs[i].follows = folded[i].follows; /* nobody had looked */
			ck_assert_mem_eq(&folded[i], &segs[i], sizeof(segs[i]));
		}
	}
	ck_assert_uint_gt(cut, 1000);
	ck_assert_uint_gt(split, 1000);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, pitfall_46_sequence_wraps_inside_an_aggregate);
	UNIT_CASE(s, pitfall_44_ce_closes_the_aggregate);
	UNIT_CASE(s, pitfall_43_pure_acks_never_merge);
	UNIT_CASE(s, every_limit_is_reached_and_kept);
	UNIT_CASE(s, push_is_the_last_one);
	UNIT_CASE(s, flags_and_options_stand_alone);
	UNIT_CASE(s, header_changes_close_and_go_on);
	UNIT_CASE(s, sequence_and_ack_close);
	UNIT_CASE(s, timestamp_steps);
	UNIT_CASE(s, timestamps_of_an_aggregate_stay_near);
	UNIT_CASE(s, causes_are_collected);
	UNIT_CASE(s, every_cause_has_its_own_name);
	UNIT_CASE(s, who_follows_may_have_lost_the_one_before);
	UNIT_CASE(s, blocks_are_as_their_segments);
	UNIT_CASE(s, random_runs_like_the_oracle);
}

UNIT_MAIN("aggregate", add)
