/* SPDX-License-Identifier: BSD-3-Clause */
/* Buffers of every kind, held by an engine, go home whatever way the application takes. */
#include <stdlib.h>

#include "tests/unit/engine_test.h"
#include "tests/unit/fake_mempool.h"
#include "tests/unit/random.h"

/* ---- frames in buffers of every kind ---- */

enum kind {
	PLAIN,	/* of the pool that the port began with */
	OTHER,	/* of another */
	SHARED, /* somebody else has it, too, and keeps it */
	EXTERNAL,
	INDIRECT, /* a clone, whose original its owner has freed */
	CHAIN,
	HEADER_APART, /* what is in one segment, of another pool, is contiguous */
	HEAP,
	KINDS,
};

#define MOST 310 /* payload that fits behind the headers */

static struct {
	struct fake *fakes[2];
	struct weir_pool pools[2];
	struct rte_mbuf *shared[FAKE_SIZE];
	uint32_t n_shared;
	struct rte_mbuf_ext_shared_info infos[1000];
	uint32_t attached;
	uint32_t detached;
} kinds;

static void
open_kinds(void)
{
	memset(&kinds, 0, sizeof(kinds));
	for (int i = 0; i < 2; i++) {
		kinds.fakes[i] = fake_open();
		ck_assert_int_eq(weir_pool_open_mempool(&kinds.pools[i], &kinds.fakes[i]->mp), 0);
	}
}

static void
detached(void *addr, void *opaque)
{
	(void)opaque;
	kinds.detached++;
	free(addr);
}

static struct rte_mbuf *
make_external(struct rte_mbuf *frame)
{
	struct rte_mbuf_ext_shared_info *info = &kinds.infos[kinds.attached++];
	struct rte_mbuf *buf = weir_buf_alloc(&kinds.pools[0]);
	uint16_t len = frame->data_len;
	uint8_t *memory = malloc(len);

	ck_assert_uint_le(kinds.attached, RTE_DIM(kinds.infos));
	*info = (struct rte_mbuf_ext_shared_info){.free_cb = detached, .refcnt = 1};
	memcpy(memory, rte_pktmbuf_mtod(frame, uint8_t *), len);
	weir_buf_free(&kinds.pools[0], frame);
	rte_pktmbuf_attach_extbuf(buf, memory, 0, len, info);
	buf->data_off = 0;
	buf->data_len = len;
	buf->pkt_len = len;
	return buf;
}

static struct rte_mbuf *
make_clone(struct rte_mbuf *frame)
{
	struct rte_mbuf *buf = weir_buf_alloc(&kinds.pools[0]);

	rte_pktmbuf_attach(buf, frame);
	weir_buf_free(&kinds.pools[0], frame);
	return buf;
}

static struct rte_mbuf *
part_header(struct rte_mbuf *frame, uint16_t header)
{
	struct rte_mbuf *head = weir_buf_alloc(&kinds.pools[0]);

	memcpy(rte_pktmbuf_mtod(head, uint8_t *), rte_pktmbuf_mtod(frame, uint8_t *), header);
	head->data_len = header;
	head->pkt_len = frame->pkt_len;
	head->nb_segs = 2;
	head->next = frame;
	frame->data_off = (uint16_t)(frame->data_off + header);
	frame->data_len = (uint16_t)(frame->data_len - header);
	return head;
}

/* `len` bytes of the stream from `seq` on, on their way to the engine. */
static void
send_kind(struct remote *remote, uint32_t seq, uint32_t len, enum kind kind)
{
	struct weir_pool *pools[KINDS] = {[OTHER] = &kinds.pools[1],
					  [HEADER_APART] = &kinds.pools[1],
					  [HEAP] = &world.pool};
	struct frame_spec spec;
	struct rte_mbuf *frame;
	uint8_t payload[MOST];

	remote_spec(remote, &spec, seq, WEIR_TCP_ACK, payload, len);
	spec.split = kind == CHAIN ? 100 : 0;
	frame = frame_build(pools[kind] != NULL ? pools[kind] : &kinds.pools[0], &spec);
	ck_assert_ptr_nonnull(frame);
	if (kind == SHARED) {
		weir_buf_ref(frame);
		kinds.shared[kinds.n_shared++] = frame;
	} else if (kind == EXTERNAL) {
		frame = make_external(frame);
	} else if (kind == INDIRECT) {
		frame = make_clone(frame);
	} else if (kind == HEADER_APART) {
		frame = part_header(frame, (uint16_t)(frame->data_len - len));
	}
	frame->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	world_inject(&world, frame);
}

/* What is shared still belongs to its other owner. */
static void
free_shared(void)
{
	while (kinds.n_shared != 0) {
		struct rte_mbuf *buf = kinds.shared[--kinds.n_shared];

		ck_assert_uint_eq(rte_mbuf_refcnt_read(buf), 1);
		ck_assert_uint_eq(*rte_pktmbuf_mtod_offset(buf, uint8_t *, 14), 0x45);
		weir_buf_free(&kinds.pools[0], buf);
	}
}

/* Every buffer is where it came from, and the engine counts none. */
static void
check_home(void)
{
	free_shared();
	for (int i = 0; i < 2; i++)
		ck_assert_uint_eq(kinds.fakes[i]->n, FAKE_SIZE);
	ck_assert_uint_eq(kinds.attached, kinds.detached);
}

static void
close_kinds(void)
{
	check_home();
	for (int i = 0; i < 2; i++)
		fake_close(kinds.fakes[i]);
}

/* ---- ways home ---- */

static uint64_t at; /* offset of the next byte of the stream */

static uint32_t
lease_all(const struct remote *remote, struct weir_span *spans)
{
	int n = weir_conn_lease(world.stack, remote->conn, spans, 64);

	ck_assert_int_ge(n, 0);
	return (uint32_t)n;
}

static void
check_spans(const struct weir_span *spans, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		check_content(spans[i].data, at, spans[i].len);
		at += spans[i].len;
	}
}

static void
release(const struct weir_span *spans, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (spans[i].last)
			ck_assert_int_eq(weir_lease_release(world.stack, &spans[i].lease, 1), 0);
}

static void
by_lease(const struct remote *remote)
{
	struct weir_span spans[64];
	uint32_t n = lease_all(remote, spans);

	check_spans(spans, n);
	release(spans, n);
}

/* One after the other, each home before the next one is asked for. */
static void
by_packet(const struct remote *remote)
{
	struct weir_span spans[4];
	int n;

	while ((n = weir_conn_lease(world.stack, remote->conn, spans, 4)) > 0) {
		check_spans(spans, (uint32_t)n);
		release(spans, (uint32_t)n);
		world_poll(&world, 1000);
	}
	ck_assert_int_eq(n, 0);
}

/* In bits that end inside of nodes. */
static void
by_read(const struct remote *remote)
{
	uint8_t to[77];
	int n;

	while ((n = weir_conn_read(world.stack, remote->conn, to, sizeof(to))) > 0) {
		check_content(to, at, (uint32_t)n);
		at += (uint32_t)n;
	}
}

static void
by_discard(const struct remote *remote)
{
	uint8_t to[10];

	ck_assert_int_eq(weir_conn_discard(world.stack, remote->conn, 150), 150);
	at += 150;
	ck_assert_int_eq(weir_conn_read(world.stack, remote->conn, to, sizeof(to)), sizeof(to));
	check_content(to, at, sizeof(to));
	weir_conn_discard(world.stack, remote->conn, UINT32_MAX);
}

static void
by_release_after_the_end(const struct remote *remote)
{
	struct weir_span spans[64];
	uint32_t n = lease_all(remote, spans);

	ck_assert_int_eq(weir_conn_abort(world.stack, remote->conn), 0);
	world_poll(&world, 1000);
	ck_assert_int_eq(weir_conn_set_cookie(world.stack, remote->conn, 0), -EBADF);
	check_spans(spans, n);
	release(spans, n);
}

static void
by_abort(const struct remote *remote)
{
	ck_assert_int_eq(weir_conn_abort(world.stack, remote->conn), 0);
}

static void
by_collapse(const struct remote *remote)
{
	for (uint32_t i = 0; i < world.engine->tcp.flow_free.touched; i++)
		if (world.engine->tcp.flows[i].conn == remote->conn)
			weir_tcp_collapse(&world.engine->tcp, &world.engine->tcp.flows[i]);
	by_lease(remote);
}

static void (*const ways[])(const struct remote *) = {
	by_lease, by_packet, by_read, by_discard, by_release_after_the_end, by_abort, by_collapse,
};

/* A connection whose window is open, past its first ACKs, on a port that is believed: so that what can be
 * is held as blocks. */
static void
open_remote(struct remote *remote, uint16_t port)
{
	world.engine->ports[0].parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST + 1;
	remote_init(remote, port);
	remote_open(&world, remote);
	remote_stream(&world, remote, WEIR_TCP_PSH, MOST);
	world_poll(&world, 1000);
	ck_assert_int_eq(weir_conn_discard(world.stack, remote->conn, MOST), MOST);
	scene_flow(&world, remote)->quick_acks = 0;
	at = MOST;
}

/* `n` segments of the kinds, one after the other. */
static void
send_kinds(struct remote *remote, const enum kind *each, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		send_kind(remote, remote->snd_nxt, MOST, each[i]);
		remote->snd_nxt += MOST;
	}
	world_poll(&world, 1000);
}

static uint32_t
bufs_of(const enum kind *each, uint32_t n)
{
	uint32_t bufs = 0;

	for (uint32_t i = 0; i < n; i++)
		bufs += each[i] == CHAIN ? 4 : each[i] == HEADER_APART ? 2 : 1;
	return bufs;
}

/* A connection receives them in the given kinds, and they go that way. */
static void
run_way(uint16_t port, const enum kind *each, uint32_t n, void (*way)(const struct remote *))
{
	struct remote remote;

	open_remote(&remote, port);
	send_kinds(&remote, each, n);
	ck_assert_uint_eq(stats_now()->buffers_held, bufs_of(each, n));
	way(&remote);
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	check_home();
	weir_conn_abort(world.stack, remote.conn);
	world_poll(&world, 1000);
	world_forget(&world);
}

START_TEST(each_kind_goes_home_each_way)
{
	uint16_t port = 40000;

	open_kinds();
	open_default();
	for (enum kind kind = 0; kind < KINDS; kind++)
		for (uint32_t i = 0; i < RTE_DIM(ways); i++) {
			const enum kind each[] = {kind, kind, kind};

			run_way(port++, each, 3, ways[i]);
		}
	world_close(&world);
	close_kinds();
}
END_TEST

/* Runs of them, so that batches fill, change their home and are mixed with what has none. */
START_TEST(mixed_kinds_go_home_each_way)
{
	enum { EACH = 12 };

	open_kinds();
	open_default();
	for (uint32_t round = 0; round < 300; round++) {
		enum kind each[EACH], kind = random_below(KINDS);

		for (uint32_t i = 0; i < EACH; i++) {
			each[i] = kind;
			if (random_below(3) == 0)
				kind = random_below(KINDS);
		}
		run_way((uint16_t)(40000 + round), each, EACH,
			ways[random_below(RTE_DIM(ways))]);
		kinds.attached = kinds.detached = 0;
	}
	world_close(&world);
	close_kinds();
}
END_TEST

/* ---- blocks ---- */

static const struct weir_held_pool *
nodes(void)
{
	return &world.engine->tcp.held;
}

START_TEST(a_block_is_held_by_one_node)
{
	static const enum kind foldable[] = {PLAIN, OTHER, HEAP, SHARED};
	struct remote remote;

	open_kinds();
	open_default();
	open_remote(&remote, 40000);
	for (uint32_t k = 0; k < RTE_DIM(foldable); k++) {
		enum kind each[16];

		for (uint32_t i = 0; i < RTE_DIM(each); i++)
			each[i] = foldable[k];
		send_kinds(&remote, each, RTE_DIM(each));
		ck_assert_uint_eq(nodes()->used, 1);
		ck_assert_uint_eq(nodes()->folded, RTE_DIM(each) - 1);
		ck_assert_uint_eq(stats_now()->buffers_held, RTE_DIM(each));
		by_lease(&remote);
		ck_assert_uint_eq(nodes()->used + nodes()->folded, 0);
		world_poll(&world, 1000);
		check_home();
	}
	world_close(&world);
	close_kinds();
}
END_TEST

/* What is out on lease, in no order. */
static struct lent {
	struct weir_span spans[40];
	uint64_t at;
	uint32_t n;
} lent[100];
static uint32_t n_lent;

static void
lease_some(const struct remote *remote)
{
	struct lent *l = &lent[n_lent++];
	int n = weir_conn_lease(world.stack, remote->conn, l->spans, 4 + random_below(20));

	ck_assert_int_ge(n, 0);
	l->at = at;
	l->n = (uint32_t)n;
	check_spans(l->spans, l->n);
}

static void
release_some(void)
{
	struct lent *l = &lent[random_below(n_lent)];
	uint64_t behind = at;

	at = l->at;
	check_spans(l->spans, l->n); /* still there */
	at = behind;
	release(l->spans, l->n);
	*l = lent[--n_lent];
}

static void
take_some(const struct remote *remote)
{
	static uint8_t to[40 * MOST];
	uint32_t len = random_below(3) == 0 ? random_below(MOST) : random_below(12 * MOST);
	uint32_t what = random_below(5);
	int n = 0;

	if (what < 2) {
		lease_some(remote);
	} else if (what == 2) {
		n = weir_conn_read(world.stack, remote->conn, to, len);
		ck_assert_int_ge(n, 0);
		check_content(to, at, (uint32_t)n);
	} else if (what == 3) {
		n = weir_conn_discard(world.stack, remote->conn, len);
	} else if (random_below(4) == 0) {
		weir_tcp_collapse(&world.engine->tcp, scene_flow(&world, remote));
	}
	ck_assert_int_ge(n, 0);
	at += (uint32_t)n;
	if (n_lent != 0 && random_below(2) == 0)
		release_some();
	if (random_below(2) == 0)
		world_poll(&world, 1000);
}

/* Blocks are taken whole and in parts, by whatever way, also between others and while some are leased. */
START_TEST(parts_of_blocks_are_what_was_sent)
{
	struct remote remote;

	open_kinds();
	open_default();
	open_remote(&remote, 40000);
	for (uint32_t round = 0; round < 1000; round++) {
		enum kind each[24], kind = PLAIN;
		uint32_t n = 1 + random_below(RTE_DIM(each));
		uint64_t end = at + (uint64_t)n * MOST;

		for (uint32_t i = 0; i < n; i++) {
			each[i] = kind;
			if (random_below(8) == 0)
				kind = random_below(KINDS);
		}
		send_kinds(&remote, each, n);
		while (at != end)
			take_some(&remote);
		while (n_lent != 0)
			release_some();
		world_poll(&world, 1000);
		ck_assert_uint_eq(nodes()->used + nodes()->folded, 0);
		ck_assert_uint_eq(stats_now()->buffers_held, 0);
		check_home();
		kinds.attached = kinds.detached = 0;
		world_forget(&world);
	}
	world_close(&world);
	close_kinds();
}
END_TEST

START_TEST(leased_kinds_go_home_with_the_stack)
{
	static const enum kind each[] = {PLAIN, CHAIN, OTHER, PLAIN, SHARED, EXTERNAL, INDIRECT, HEAP};
	struct weir_span spans[64];
	struct remote remote;
	uint32_t n;

	open_kinds();
	open_default();
	open_remote(&remote, 40000);
	send_kinds(&remote, each, RTE_DIM(each));
	n = lease_all(&remote, spans);
	check_spans(spans, n);
	ck_assert_uint_eq(at, MOST + RTE_DIM(each) * MOST);
	world_close(&world);
	close_kinds();
}
END_TEST

/* Segments of every kind come late, twice and overlapping, so that one buffer holds several pieces. */
static void
send_in_disorder(struct remote *remote, uint32_t total)
{
	for (int i = 0; i < 12; i++) {
		uint32_t from = random_below(total), len = 1 + random_below(MOST);

		send_kind(remote, remote->snd_nxt + from, RTE_MIN(len, total - from),
			  random_below(KINDS));
		if (random_below(4) == 0)
			world_poll(&world, 1000);
	}
	world_poll(&world, 1000);
	for (uint32_t from = 0; from < total; from += MOST)
		send_kind(remote, remote->snd_nxt + from, RTE_MIN((uint32_t)MOST, total - from),
			  random_below(KINDS));
	world_poll(&world, 1000);
	remote->snd_nxt += total;
}

START_TEST(pieces_of_one_buffer_free_it_once)
{
	struct remote remote;

	open_kinds();
	open_default();
	open_remote(&remote, 40000);
	for (int round = 0; round < 500; round++) {
		uint64_t before = at;

		send_in_disorder(&remote, 2000);
		ways[random_below(3)](&remote); /* that take all, and leave the connection alone */
		world_poll(&world, 1000);
		ck_assert_uint_eq(at - before, 2000);
		ck_assert_uint_eq(stats_now()->buffers_held, 0);
		check_home();
		kinds.attached = kinds.detached = 0;
		world_forget(&world);
	}
	world_close(&world);
	close_kinds();
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, each_kind_goes_home_each_way);
	UNIT_CASE(s, mixed_kinds_go_home_each_way);
	UNIT_CASE(s, a_block_is_held_by_one_node);
	UNIT_CASE(s, parts_of_blocks_are_what_was_sent);
	UNIT_CASE(s, leased_kinds_go_home_with_the_stack);
	UNIT_CASE(s, pieces_of_one_buffer_free_it_once);
}

UNIT_MAIN("homes_engine", add)
