/* SPDX-License-Identifier: BSD-3-Clause */
/* Parts of the library alone beside DPDK's: queue, the receive queue over a ring (R), and the flow
 * table beside rte_hash. Both sides lie in the caches as far as they fit. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_hash.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "flow/queue.h"
#include "flow/table.h"
#include "measure.h"
#include "wire/parse.h"

#define QUEUES	 8
#define CAPACITY 64
#define RUN_MOST 8
#define LOOKUPS	 64 /* of a burst */

static volatile uint64_t used;

static void
write_row(struct bench *bench, struct row *row, const char *name, const struct sample *sample,
	  const char *unit)
{
	snprintf(row->name, sizeof(row->name), "%s", name);
	row->set = testbed_set_names[TESTBED_NEAR];
	row->value = sample_median(sample);
	row->spread = sample_spread(sample);
	row->unit = unit;
	bench_row(bench, row);
}

/* ---- queue ---- */

/* R: a ring for one producer and one consumer, free-running positions, elements copied in and out.
 */
struct ring {
	_Alignas(64) _Atomic uint32_t head;
	_Alignas(64) _Atomic uint32_t tail;
	_Alignas(64) struct weir_seg slots[CAPACITY];
};

struct queues {
	struct weir_queue_pool pool;
	struct weir_queue *queues[QUEUES];
	struct ring rings[QUEUES];
	struct rte_ring *peers[QUEUES];
	struct weir_seg segs[RUN_MOST];
	uint32_t run;
	uint32_t turns; /* of a round: once through all queues */
};

static inline bool
ring_put(struct ring *ring, const struct weir_seg *segs, uint32_t n)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	if (CAPACITY - (head - atomic_load_explicit(&ring->tail, memory_order_acquire)) < n)
		return false;
	for (uint32_t i = 0; i < n; i++)
		ring->slots[(head + i) % CAPACITY] = segs[i];
	atomic_store_explicit(&ring->head, head + n, memory_order_release);
	return true;
}

static inline bool
ring_take(struct ring *ring, struct weir_seg *segs, uint32_t n)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	if (atomic_load_explicit(&ring->head, memory_order_acquire) - tail < n)
		return false;
	for (uint32_t i = 0; i < n; i++)
		segs[i] = ring->slots[(tail + i) % CAPACITY];
	atomic_store_explicit(&ring->tail, tail + n, memory_order_release);
	return true;
}

static double
queue_round(void *context)
{
	struct queues *all = context;
	uint64_t sum = 0, begin = rte_rdtsc_precise();

	for (uint32_t turn = 0; turn < all->turns; turn++)
		for (uint32_t q = 0; q < QUEUES; q++) {
			struct weir_queue *queue = all->queues[q];

			sum += weir_queue_push(queue, CAPACITY, all->segs, all->run);
			sum += queue->segs[queue->head].seq;
			weir_queue_pop(queue, all->run);
		}
	used = sum;
	return (double)(rte_rdtsc_precise() - begin) / all->turns / QUEUES / all->run;
}

static double
ring_round(void *context)
{
	struct queues *all = context;
	uint64_t sum = 0, begin = rte_rdtsc_precise();
	struct weir_seg out[RUN_MOST];

	for (uint32_t turn = 0; turn < all->turns; turn++)
		for (uint32_t q = 0; q < QUEUES; q++) {
			sum += ring_put(&all->rings[q], all->segs, all->run);
			sum += ring_take(&all->rings[q], out, all->run);
			sum += out[0].seq;
		}
	used = sum;
	return (double)(rte_rdtsc_precise() - begin) / all->turns / QUEUES / all->run;
}

static double
peer_round(void *context)
{
	struct queues *all = context;
	uint64_t sum = 0, begin = rte_rdtsc_precise();
	struct weir_seg out[RUN_MOST];

	for (uint32_t turn = 0; turn < all->turns; turn++)
		for (uint32_t q = 0; q < QUEUES; q++) {
			rte_ring_sp_enqueue_bulk_elem(all->peers[q], all->segs,
						      sizeof(all->segs[0]), all->run, NULL);
			rte_ring_sc_dequeue_bulk_elem(all->peers[q], out, sizeof(out[0]), all->run,
						      NULL);
			sum += out[0].seq;
		}
	used = sum;
	return (double)(rte_rdtsc_precise() - begin) / all->turns / QUEUES / all->run;
}

static bool
queues_open(struct queues *all)
{
	char name[RTE_RING_NAMESIZE];

	if (weir_queue_pool_open(&all->pool, QUEUES, CAPACITY, -1) != 0)
		return false;
	for (uint32_t i = 0; i < QUEUES; i++) {
		all->queues[i] = &all->pool.queues[weir_queue_take(&all->pool)];
		snprintf(name, sizeof(name), "queue_%u", i);
		all->peers[i] = rte_ring_create_elem(name, sizeof(struct weir_seg), 2 * CAPACITY,
						     SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (all->peers[i] == NULL)
			return false;
	}
	for (uint32_t i = 0; i < RUN_MOST; i++)
		all->segs[i].seq = i;
	return true;
}

static bool
run_queues(struct bench *bench, struct queues *all, bool target)
{
	struct subject subjects[] = {{.round = queue_round, .context = all},
				     {.round = ring_round, .context = all},
				     {.round = peer_round, .context = all}};
	struct row row = {.flows = QUEUES, .run = all->run}, floor = row, peer = row;

	if (!rounds_run(subjects, 3, bench->options->rounds))
		return false;
	row.value = sample_median(&subjects[0].sample);
	measure_against(&row, "R", sample_median(&subjects[1].sample),
			target ? ROW_AT_MOST : ROW_SHOWN, 1.2, 1.0);
	write_row(bench, &row, "flow queue", &subjects[0].sample, "cycles/segment");
	write_row(bench, &floor, "R", &subjects[1].sample, "cycles/segment");
	write_row(bench, &peer, "rte_ring", &subjects[2].sample, "cycles/segment");
	return true;
}

bool
case_queue(struct bench *bench)
{
	static struct queues all;
	bool good = false;

	memset(&all, 0, sizeof(all));
	all.turns = bench_portions(bench, 16384);
	if (queues_open(&all)) {
		all.run = RUN_MOST;
		good = run_queues(bench, &all, true);
		all.run = 1;
		good &= run_queues(bench, &all, false);
	} else {
		bench_say(bench, "there is no memory for the queues: give EAL more (-m)");
	}
	for (uint32_t i = 0; i < QUEUES; i++)
		rte_ring_free(all.peers[i]);
	weir_queue_pool_close(&all.pool);
	return good;
}

/* ---- table ---- */

struct tables {
	uint32_t entries;
	uint32_t bursts; /* of a round */
	struct weir_key4 *keys;
	struct weir_table table;
	struct rte_hash *hash;
	uint64_t random;
};

/* The keys of one burst, by chance: every one is in the tables. */
static void
draw(struct tables *tables, struct weir_key4 keys[LOOKUPS], const void *pointers[LOOKUPS])
{
	for (uint32_t i = 0; i < LOOKUPS; i++) {
		tables->random = tables->random * UINT64_C(6364136223846793005) + 1;
		keys[i] = tables->keys[(tables->random >> 32) * tables->entries >> 32];
		pointers[i] = &keys[i];
	}
}

static double
table_round(void *context)
{
	struct tables *tables = context;
	struct weir_key4 keys[LOOKUPS];
	const void *pointers[LOOKUPS];
	uint32_t found[LOOKUPS];
	uint64_t cycles = 0, sum = 0;

	for (uint32_t k = 0; k < tables->bursts; k++) {
		uint64_t begin;

		draw(tables, keys, pointers);
		begin = rte_rdtsc();
		weir_table_find_bulk(&tables->table, keys, LOOKUPS, found);
		cycles += rte_rdtsc() - begin;
		sum += found[0];
	}
	used = sum;
	return (double)cycles / tables->bursts / LOOKUPS;
}

static double
hash_round(void *context)
{
	struct tables *tables = context;
	struct weir_key4 keys[LOOKUPS];
	const void *pointers[LOOKUPS];
	int32_t found[LOOKUPS];
	uint64_t cycles = 0, sum = 0;

	for (uint32_t k = 0; k < tables->bursts; k++) {
		uint64_t begin;

		draw(tables, keys, pointers);
		begin = rte_rdtsc();
		rte_hash_lookup_bulk(tables->hash, pointers, LOOKUPS, found);
		cycles += rte_rdtsc() - begin;
		sum += (uint32_t)found[0];
	}
	used = sum;
	return (double)cycles / tables->bursts / LOOKUPS;
}

static bool
tables_fill(struct tables *tables)
{
	for (uint32_t i = 0; i < tables->entries; i++) {
		tables->keys[i] = (struct weir_key4){.raddr = 0x0a010000 + i / 50000,
						     .laddr = STREAM_SERVER_IP,
						     .rport = (uint16_t)(1024 + i % 50000),
						     .lport = STREAM_LISTENER};
		if (weir_table_insert(&tables->table, &tables->keys[i], i) != 0 ||
		    rte_hash_add_key(tables->hash, &tables->keys[i]) < 0)
			return false;
	}
	return true;
}

static bool
tables_open(struct tables *tables)
{
	const struct weir_hash_key secret = {.word = {1, 2, 3, 4}};
	const struct rte_hash_parameters parameters = {.name = "weir_bench",
						       .entries = tables->entries * 2,
						       .key_len = sizeof(struct weir_key4),
						       .socket_id = SOCKET_ID_ANY};
	struct weir_table_keys keys = {0};

	tables->keys = calloc(tables->entries, sizeof(tables->keys[0]));
	for (uint32_t i = 0; i < WEIR_TABLE_ARRAYS; i++) {
		keys.base[i] = (const uint8_t *)tables->keys;
		keys.stride[i] = sizeof(tables->keys[0]);
		keys.first[i + 1] = tables->entries;
	}
	tables->hash = rte_hash_create(&parameters);
	return tables->keys != NULL && tables->hash != NULL &&
	       weir_table_open(&tables->table, tables->entries, &secret, &keys, -1) == 0 &&
	       tables_fill(tables);
}

static bool
run_tables(struct bench *bench, struct tables *tables)
{
	struct subject subjects[] = {{.round = table_round, .context = tables},
				     {.round = hash_round, .context = tables}};
	struct row row = {.flows = tables->entries, .run = 1}, peer = row;

	if (!rounds_run(subjects, 2, bench->options->rounds))
		return false;
	row.value = sample_median(&subjects[0].sample);
	measure_against(&row, "rte_hash", sample_median(&subjects[1].sample), ROW_SHOWN, 0, 0);
	write_row(bench, &row, "flow table", &subjects[0].sample, "cycles/lookup");
	write_row(bench, &peer, "rte_hash", &subjects[1].sample, "cycles/lookup");
	return true;
}

bool
case_tables(struct bench *bench)
{
	static const uint32_t sizes[] = {1000, 100000, 1000000};
	bool good = true;

	for (uint32_t i = 0; i < RTE_DIM(sizes); i++) {
		struct tables tables = {
		    .entries = sizes[i], .bursts = bench_portions(bench, 4096), .random = 1};
		bool open = tables_open(&tables);

		if (!open)
			bench_say(bench, "there is no memory for %u entries", sizes[i]);
		good &= open && run_tables(bench, &tables);
		if (tables.table.buckets != NULL)
			weir_table_close(&tables.table);
		rte_hash_free(tables.hash);
		free(tables.keys);
	}
	return good;
}
