/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The property that defines correctness: for any packet stream, the bytes delivered and, per flow,
 * ACK number, flags, SACK blocks, AccECN counters and TSecr of every packet sent are identical with aggregation limit
 * 1 and limit 20 (policy train, flush now), and right edges never move left but for the counted
 * rounding. With limit 20 the port is believed when it calls checksums good, with limit 1 each frame is
 * verified and looked at alone: so the parser's ways are held together, too. And with limit 20 frames come
 * from a mempool, as from a device, where with limit 1 they come from the heap: only the former are held in
 * rows that grow, and go home unseen. The stream is drawn from a seed and does not depend on what the engine
 * answers, until the last phase, which completes it the way a sender would.
 *   WEIR_SEEDS=N  how many seeds (500, or WEIR_SEEDS_DEFAULT)     WEIR_FIRST_SEED=S  the first (1)
 */
#include <stdio.h>
#include <string.h>

#define FAKE_SIZE 2048
#define FAKE_ROOM 2176

#include "tests/sim/world.h"
#include "tests/unit/fake_mempool.h"
#include "tests/unit/unit.h"
#include "wire/seq.h"
#include "wire/siphash.h"

#define FLOWS_MAX   3
#define SEGS_HELD   8
#define LEASES_HELD 64
#define MERGED_MOST 6  /* segments of the wire in one frame, merged by the port */
#define KIND_CHAIN  7  /* several buffers */
#define KIND_MERGED 9  /* and it says so */
#define KIND_COUNT  11 /* the last: merged without a word */

struct sender {
	struct remote remote;
	uint32_t total;      /* bytes of the stream */
	uint32_t lost;       /* offset of the last loss */
	uint32_t ce_left;    /* segments that still carry CE */
	uint8_t codepoint;   /* of all others */
	uint32_t late[SEGS_HELD][2]; /* reordered: {offset, length}, sent later */
	uint32_t n_late;
	uint32_t acked;      /* highest ACK seen */
	uint64_t read;       /* bytes the application got */
	uint64_t unread;
	uint64_t leases[LEASES_HELD];
	uint32_t n_leases;
	bool fin_seen, closed;
	uint32_t fin_ack;    /* our ACK of the engine's FIN, 0: none yet */
};

struct run {
	struct world world;
	struct sender senders[FLOWS_MAX];
	uint32_t n_flows;
	uint32_t kind; /* of most segments */
	bool even;     /* most are as long as can be, one after the other */
	bool believed;
	struct weir_pool frames; /* where they come from */
	uint64_t random;
	uint64_t reader; /* what the application does this poll */
	struct reply *log;
	uint32_t n_log, max_log;
	uint64_t events_hash;
	uint32_t scanned; /* replies looked at */
	uint64_t rounded_down;
};

static uint32_t
draw(struct run *run, uint32_t n)
{
	return (uint32_t)(weir_seed_next(&run->random) % n);
}

static struct sender *
by_conn(struct run *run, weir_conn conn)
{
	for (uint32_t i = 0; i < run->n_flows; i++)
		if (run->senders[i].remote.conn == conn)
			return &run->senders[i];
	return NULL;
}

static void
check_bytes(struct sender *sender, const uint8_t *data, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		if (data[i] != remote_byte(sender->read + i))
			ck_abort_msg("wrong byte at offset %llu",
				     (unsigned long long)(sender->read + i));
	sender->read += len;
	sender->unread -= len;
}

static void
read_copy(struct run *run, struct sender *sender, uint32_t most)
{
	uint8_t data[4096];
	int n;

	while (most != 0 && (n = weir_conn_read(run->world.stack, sender->remote.conn, data,
						most < sizeof(data) ? most : sizeof(data))) > 0) {
		check_bytes(sender, data, (uint32_t)n);
		most -= (uint32_t)n;
	}
}

static void
release_held(struct run *run, struct sender *sender)
{
	ck_assert_int_eq(weir_lease_release(run->world.stack, sender->leases, sender->n_leases), 0);
	sender->n_leases = 0;
}

static void
read_lease(struct run *run, struct sender *sender, bool keep)
{
	struct weir_span spans[16];
	int n;

	do {
		if (sender->n_leases + 16 > LEASES_HELD)
			release_held(run, sender);
		n = weir_conn_lease(run->world.stack, sender->remote.conn, spans, 16);
		for (int i = 0; i < n; i++) {
			check_bytes(sender, spans[i].data, spans[i].len);
			if (spans[i].last)
				sender->leases[sender->n_leases++] = spans[i].lease;
		}
	} while (n > 0);
	if (!keep)
		release_held(run, sender);
}

static void
read_some(struct run *run, struct sender *sender)
{
	uint64_t how = weir_seed_next(&run->reader) % 8;

	if (how < 2 || sender->remote.conn == 0 || sender->closed)
		return; /* stalled */
	if (how < 4)
		read_copy(run, sender, UINT32_MAX);
	else if (how == 4)
		read_copy(run, sender, (uint32_t)(weir_seed_next(&run->reader) % 3000));
	else
		read_lease(run, sender, how == 5);
}

static void
on_events(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	static const uint64_t key[2] = {1, 2};
	struct run *run = user;

	(void)stack;
	for (uint32_t i = 0; i < n; i++) {
		struct sender *sender = by_conn(run, events[i].conn);
		const uint64_t what[3] = {run->events_hash, events[i].type, events[i].bytes};

		run->events_hash = weir_siphash(key, what, sizeof(what));
		run->world.events[run->world.n_events++ % WORLD_REPLIES] = events[i];
		if (sender == NULL)
			continue;
		if (events[i].type == WEIR_EVENT_DATA)
			sender->unread += events[i].bytes;
		sender->fin_seen |= events[i].type == WEIR_EVENT_FIN;
		sender->closed |= events[i].type == WEIR_EVENT_CLOSED;
	}
	for (uint32_t i = 0; i < run->n_flows; i++)
		read_some(run, &run->senders[i]);
}

/* Remember the replies of this poll; the right edge never moves left by a unit or more. */
static void
note_replies(struct run *run)
{
	struct world *world = &run->world;

	for (uint32_t i = 0; i < world->n_replies; i++) {
		const struct reply *reply = &world->replies[i];

		if (run->n_log == run->max_log) {
			run->max_log = run->max_log * 2 + 256;
			run->log = realloc(run->log, run->max_log * sizeof(run->log[0]));
			ck_assert_ptr_nonnull(run->log);
		}
		run->log[run->n_log++] = *reply;
		for (uint32_t k = 0; k < run->n_flows; k++) {
			struct sender *sender = &run->senders[k];
			struct remote *remote = &sender->remote;
			uint32_t edge = reply->ack + ((uint32_t)reply->win << remote->shift);

			if (remote->port != reply->dport || remote->conn == 0 ||
			    (reply->flags & (WEIR_TCP_SYN | WEIR_TCP_RST)) != 0)
				continue;
			if (weir_seq_diff(remote->edge, edge) >= 1 << remote->shift)
				ck_abort_msg("right edge moved left by %d",
					     weir_seq_diff(remote->edge, edge));
			if (weir_seq_lt(edge, remote->edge))
				run->rounded_down++;
			remote->edge = weir_seq_max(remote->edge, edge);
			if (weir_seq_lt(sender->acked, reply->ack))
				sender->acked = reply->ack;
			if (reply->flags & WEIR_TCP_FIN)
				sender->fin_ack = reply->seq + 1;
			if (reply->has_ts)
				remote->ts_echo = reply->tsval;
		}
	}
	world->n_replies = 0;
}

static void
poll_run(struct run *run, uint64_t ns)
{
	run->reader = weir_seed_next(&run->random);
	world_poll(&run->world, ns);
	note_replies(run);
}

/* Offsets past the end carry nothing: the length is cut. */
static uint32_t
cut(const struct sender *sender, uint32_t offset, uint32_t len)
{
	if (offset >= sender->total)
		return 0;
	return len < sender->total - offset ? len : sender->total - offset;
}

static void
build_and_inject(struct run *run, struct sender *sender, uint32_t offset, uint32_t len,
		 uint8_t flags, uint32_t kind)
{
	struct remote *remote = &sender->remote;
	uint8_t payload[MERGED_MOST * 1448];
	struct frame_spec spec;
	struct rte_mbuf *frame;

	len = cut(sender, offset, len);
	remote_spec(remote, &spec, remote->iss + 1 + offset, flags | WEIR_TCP_ACK, payload, len);
	spec.tos = sender->codepoint;
	if (sender->ce_left != 0) {
		sender->ce_left--;
		spec.tos = WEIR_ECN_CE;
	}
	switch (kind) {
	case 1: /* forged acknowledgment */
		spec.ack += 1 + draw(run, 1u << 30);
		break;
	case 2:
		spec.bad_tcp_csum = 1;
		break;
	case 3: /* a timestamp from the past */
		spec.tsval -= 1 + draw(run, 1000);
		break;
	case 4: /* without the negotiated timestamp */
		spec.has_ts = 0;
		break;
	case 5:
		spec.ttl = 63;
		break;
	case 6: /* old acknowledgment */
		spec.ack -= draw(run, 3);
		break;
	case KIND_CHAIN:
		spec.split = (uint16_t)(60 + draw(run, 600));
		break;
	case 8: /* more segments than a frame of the wire could have */
		spec.split = (uint16_t)(68 + draw(run, 60));
		break;
	}
	frame = frame_build(&run->frames, &spec);
	ck_assert_ptr_nonnull(frame);
	if (kind == KIND_MERGED) {
		frame->ol_flags |= RTE_MBUF_F_RX_LRO;
		frame->tso_segsz = (uint16_t)(draw(run, 4) != 0 ? 1448 : 1 + draw(run, 1448));
	}
	if (run->believed && !spec.bad_tcp_csum)
		frame->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	world_inject(&run->world, frame);
}

/* In sequence, as most segments are. */
static void
send_next(struct run *run, struct sender *sender, uint32_t kind)
{
	struct remote *remote = &sender->remote;
	uint32_t offset = remote->snd_nxt - remote->iss - 1;
	uint32_t len = draw(run, run->even ? 40 : 4) != 0 ? 1448 : 1 + draw(run, 1448);
	uint8_t flags = draw(run, 12) == 0 ? WEIR_TCP_PSH : 0;

	if (kind >= KIND_MERGED)
		len += draw(run, MERGED_MOST) * 1448;
	if (offset >= sender->total)
		offset = draw(run, sender->total);
	else
		remote->snd_nxt += cut(sender, offset, len);
	build_and_inject(run, sender, offset, len, flags, kind);
}

static void
send_late(struct run *run, struct sender *sender)
{
	uint32_t i;

	if (sender->n_late == 0)
		return;
	i = draw(run, sender->n_late);
	build_and_inject(run, sender, sender->late[i][0], sender->late[i][1], 0, 0);
	memcpy(sender->late[i], sender->late[--sender->n_late], sizeof(sender->late[i]));
}

/* Skip a segment: lost, or to be sent later. */
static void
skip(struct run *run, struct sender *sender, bool later)
{
	struct remote *remote = &sender->remote;
	uint32_t offset = remote->snd_nxt - remote->iss - 1;
	uint32_t len = cut(sender, offset, 1 + draw(run, 1448));

	if (len == 0)
		return;
	remote->snd_nxt += len;
	sender->lost = offset;
	if (later && sender->n_late < SEGS_HELD) {
		sender->late[sender->n_late][0] = offset;
		sender->late[sender->n_late++][1] = len;
	}
}

static void
send_odd(struct run *run, struct sender *sender)
{
	struct remote *remote = &sender->remote;
	uint32_t next = remote->snd_nxt - remote->iss - 1, seq;

	switch (draw(run, 12)) {
	case 0: /* keepalive probe */
		remote_send(&run->world, remote, remote->snd_nxt - 1, 0, 0);
		break;
	case 1: /* far right of any window */
		remote_send(&run->world, remote, remote->snd_nxt + (1u << 24), 0, 100);
		break;
	case 2: /* RST and SYN inside the window, not at rcv_nxt */
		seq = remote->snd_nxt + 1 + draw(run, 3000);
		if (seq == remote->iss + 2 + sender->total) /* right behind a FIN that came early */
			seq++;
		remote_send(&run->world, remote, seq, WEIR_TCP_RST, 0);
		break;
	case 3:
		remote_send(&run->world, remote, remote->snd_nxt + draw(run, 3000), WEIR_TCP_SYN, 0);
		break;
	case 4:
		remote_send(&run->world, remote, remote->snd_nxt, 0, 0);
		break;
	case 5:
		build_and_inject(run, sender, next, 500, WEIR_TCP_URG, 0);
		break;
	case 6:
		build_and_inject(run, sender, next, 500, WEIR_TCP_CWR, 0);
		break;
	case 7:
		sender->ce_left = 1 + draw(run, 6);
		break;
	case 8:
		remote->tsval += draw(run, 1u << 26);
		break;
	case 10:
		sender->codepoint = (uint8_t)draw(run, WEIR_ECN_CE);
		break;
	case 9: /* the end of the stream, mostly early */
		build_and_inject(run, sender, sender->total - draw(run, 2000), 2000, WEIR_TCP_FIN,
				 0);
		break;
	default:
		remote->tsval += draw(run, 100);
		break;
	}
}

static void
send_something(struct run *run, struct sender *sender)
{
	uint32_t dice = draw(run, 100);

	if (dice < 70)
		send_next(run, sender, draw(run, 3) != 0 ? run->kind : 0);
	else if (dice < 77)
		send_next(run, sender, 1 + draw(run, KIND_COUNT - 1));
	else if (dice < 81)
		skip(run, sender, false);
	else if (dice < 86)
		skip(run, sender, true);
	else if (dice < 90)
		send_late(run, sender);
	else if (dice < 93)
		build_and_inject(run, sender, sender->lost, 1 + draw(run, 1448), 0, 0);
	else if (dice < 96)
		build_and_inject(run, sender,
				 draw(run, sender->remote.snd_nxt - sender->remote.iss), 1000, 0, 0);
	else
		send_odd(run, sender);
}

static void
main_phase(struct run *run)
{
	uint32_t polls = 20 + draw(run, 60);

	for (uint32_t p = 0; p < polls; p++) {
		uint32_t frames = draw(run, 48), flow = draw(run, run->n_flows);

		for (uint32_t i = 0; i < frames; i++) {
			if (draw(run, 6) == 0)
				flow = draw(run, run->n_flows);
			send_something(run, &run->senders[flow]);
		}
		poll_run(run, draw(run, 20) == 0 ? draw(run, 2000000000) : draw(run, 3000000));
		for (uint32_t i = 0; i < run->n_flows; i++)
			run->senders[i].remote.tsval++;
	}
}

/* What a sender does once the network is well again: everything from the highest ACK on. */
static bool
complete(struct run *run, struct sender *sender)
{
	struct remote *remote = &sender->remote;
	uint32_t offset = sender->acked - remote->iss - 1;
	uint32_t room = remote->edge - sender->acked;
	bool sent = false;

	if (sender->closed)
		return true;
	if (sender->fin_ack != 0) {
		remote->rcv_nxt = sender->fin_ack;
		remote_send(&run->world, remote, remote->iss + 2 + sender->total, 0, 0);
		return false;
	}
	for (uint32_t i = 0; i < 20 && offset < sender->total; i++) {
		uint32_t len = cut(sender, offset, 1448);

		if (len > room)
			break;
		build_and_inject(run, sender, offset, len, 0, 0);
		sent = true;
		offset += len;
		room -= len;
	}
	if (offset == sender->total)
		remote_send(&run->world, remote, remote->iss + 1 + sender->total, WEIR_TCP_FIN, 0);
	else if (!sent) /* zero-window probe */
		remote_send(&run->world, remote, sender->acked - 1, 0, 0);
	return false;
}

static void
last_phase(struct run *run)
{
	bool done = false;

	for (uint32_t p = 0; p < 4000 && !done; p++) {
		done = true;
		for (uint32_t i = 0; i < run->n_flows; i++) {
			struct sender *sender = &run->senders[i];

			done &= complete(run, sender);
			sender->remote.tsval += 50;
			release_held(run, sender);
			if (!sender->closed)
				read_copy(run, sender, UINT32_MAX);
			if (sender->fin_seen && !sender->closed && sender->unread == 0)
				weir_conn_close(run->world.stack, sender->remote.conn);
		}
		poll_run(run, 50000000);
	}
	for (uint32_t i = 0; i < run->n_flows; i++) {
		ck_assert_msg(run->senders[i].closed, "flow %u did not end", i);
		ck_assert_uint_eq(run->senders[i].read, run->senders[i].total);
		release_held(run, &run->senders[i]);
	}
}

static void
open_flows(struct run *run)
{
	run->n_flows = 1 + draw(run, FLOWS_MAX);
	for (uint32_t i = 0; i < run->n_flows; i++) {
		struct sender *sender = &run->senders[i];
		struct remote *remote = &sender->remote;

		remote_init(remote, (uint16_t)(20000 + i));
		remote->ts = draw(run, 5) != 0;
		remote->sack = draw(run, 8) != 0;
		remote->ecn = draw(run, 3) == 0;
		remote->accecn = remote->ecn && draw(run, 2) == 0;
		sender->codepoint = remote->ecn ? WEIR_ECN_ECT0 : WEIR_ECN_NOT_ECT;
		remote->ip6 = draw(run, 3) == 0;
		remote->iss = draw(run, 3) == 0 ? (uint32_t)0 - draw(run, 60000)
						: draw(run, UINT32_MAX);
		sender->total = 20000 + draw(run, 100000);
		remote_open(&run->world, remote);
		sender->acked = remote->iss + 1;
		note_replies(run);
	}
}

/* `fake`: the mempool of a device; NULL: the heap. */
static void
run_seed(struct run *run, uint64_t seed, uint32_t limit, struct fake *fake)
{
	struct weir_config config;

	memset(run, 0, sizeof(*run));
	run->random = seed;
	run->believed = fake != NULL;
	world_config(&config);
	config.buffers = 2048;
	config.seed = seed;
	config.aggregate_limit = limit;
	config.budget_segs = 16 + draw(run, 240);
	config.quantum_segs = 1 + draw(run, 64);
	config.rx_queue_segs = 24 + draw(run, 40);
	run->even = draw(run, 2) == 0;
	run->kind = draw(run, 4) != 0 ? 0 : KIND_CHAIN + draw(run, KIND_COUNT - KIND_CHAIN);
	world_open(&run->world, &config, draw(run, 2) == 0 ? 0 : 16384 + draw(run, 240000),
		   WEIR_ACK_TRAIN); /* 0: tuned */
	fake_pool(&run->frames, fake);
	if (fake != NULL) /* so has a stack with a mempool */
		ck_assert_int_eq(weir_pool_open_heap(&run->world.stack->duplicates, 30,
						     RTE_PKTMBUF_HEADROOM + WEIR_PACKET_MAX), 0);
	run->world.engine->tcp.listeners[0].ecn = WEIR_ECN_ACCURATE;
	run->world.engine->ports[0].parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
	weir_stack_set_handler(run->world.stack, on_events, run);
	run->world.engine->tcp.listeners[0].budget_bufs = draw(run, 3) ? 0 : 1000 + draw(run, 1000);
	open_flows(run);
	main_phase(run);
	last_phase(run);
	ck_assert_msg(run->rounded_down == 0 ||
			      run->world.engine->tcp.stats.window_rounded_down != 0,
		      "an edge moved left and was not counted");
	ck_assert_uint_eq(run->world.engine->tcp.held.used, 0);
	ck_assert_uint_eq(run->world.engine->tcp.held.folded, 0);
	world_close(&run->world);
	ck_assert_uint_eq(weir_pool_close(&run->frames), 0);
}

/* Per flow, the logs are equal packet by packet. */
static void
compare(uint64_t seed, const struct run *one, const struct run *many)
{
	for (uint32_t f = 0; f < one->n_flows; f++)
		ck_assert_msg(world_replies_equal(one->senders[f].remote.port, one->log, one->n_log,
						  many->log, many->n_log),
			      "seed %llu: flow %u differs with limit 1 and 20",
			      (unsigned long long)seed, f);
	ck_assert_msg(one->events_hash == many->events_hash, "seed %llu: events differ",
		      (unsigned long long)seed);
}

static uint64_t
from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

START_TEST(aggregation_changes_nothing_but_cost)
{
	uint64_t first = from_environment("WEIR_FIRST_SEED", 1);
	uint64_t seeds = from_environment("WEIR_SEEDS", from_environment("WEIR_SEEDS_DEFAULT", 500));
	static struct run one, many;
	struct fake *fake = fake_open();

	for (uint64_t seed = first; seed < first + seeds; seed++) {
		if (getenv("WEIR_VERBOSE") != NULL)
			fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
		run_seed(&one, seed, 1, NULL);
		run_seed(&many, seed, 20, fake);
		compare(seed, &one, &many);
		free(one.log);
		free(many.log);
	}
	fake_close(fake);
	printf("%llu seeds identical\n", (unsigned long long)seeds);
}
END_TEST

static void
add(Suite *suite)
{
	TCase *tcase = tcase_create("property");

	tcase_set_timeout(tcase, 7200);
	tcase_add_test(tcase, aggregation_changes_nothing_but_cost);
	suite_add_tcase(suite, tcase);
}

UNIT_MAIN("property", add)
