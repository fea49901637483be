/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * accept: connections per second of busy core, each opened, given 1 KiB and closed by a client on
 * the other core. Linux's server accepts, reads and closes; all time that its core is not idle
 * counts, its end of the veth included. weir's clients are the generator's; only the engine's time
 * counts.
 */
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>

#include "app/generator/generator.h"
#include "linux_side.h"
#include "measure.h"
#include "service.h"

#define CLIENTS	       64 /* connections at once */
#define REQUEST	       1024
#define LISTENER       9000
#define WARM_MS	       200
#define WINDOW_MS      700
#define WINDOW_SHORT   100
#define CONNECTIONS    20000 /* of a round of weir */
#define WARM	       2000
#define RING	       4096
#define BUFFERS	       8191
#define CACHE	       256
#define ROOM	       2176
#define TURN_NS	       20000
#define POLL_NS	       5000
#define TURNS_MOST     2000000
#define CLIENT_IP      0x0a000002u /* 10.0.0.2/8 */
#define SERVER_IP      0x0a000001u
#define CHECKSUMS_GOOD (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)

enum { LINUX, WEIR, SUBJECTS };

struct trial {
	struct bench *bench;
	const struct veth *net;
	bool disturbed;
	const char *why;
};

/* Both ends in memory. */
struct memory_bed {
	struct weir_stack *stack;
	struct weir_engine *engine;
	struct weir_port *ends[2];
	struct sink sink;
	struct rte_mempool *mempool;
	struct weir_pool pool;
	struct generator *generator;
	uint64_t now_ns;
};

static double
failed(struct trial *trial, const char *why)
{
	trial->why = why;
	return -1;
}

/* ---- Linux ---- */

static const char *
watch_linux(struct trial *trial, const struct peer *server, double *value)
{
	bool brief = trial->bench->options->in_short;
	struct linux_span span;
	const char *why;

	linux_side_sleep(WARM_MS);
	why = linux_side_watch(trial->net, server, brief ? WINDOW_SHORT : WINDOW_MS, &span);
	if (why != NULL)
		return why;
	trial->disturbed |= span.disturbed;
	*value = (double)span.connections / span.busy_cycles * (double)rte_get_tsc_hz();
	return NULL;
}

static double
round_linux(void *context)
{
	struct trial *trial = context;
	struct peer_job job = {.kind = PEER_ACCEPT,
			       .address = VETH_KERNEL_IP,
			       .port = LINUX_SIDE_PORT,
			       .flows = CLIENTS,
			       .bytes = REQUEST};
	const struct veth *net = trial->net;
	struct peer server, clients;
	double value = -1;
	const char *why = peer_start(&server, &net->receiver, net->receiver_core, &job);

	if (why != NULL)
		return failed(trial, why);
	job.kind = PEER_CONNECT;
	why = peer_start(&clients, &net->sender, net->sender_core, &job);
	if (why == NULL) {
		why = watch_linux(trial, &server, &value);
		why = peer_trouble(&clients) != NULL ? peer_trouble(&clients) : why;
		peer_stop(&clients);
	}
	peer_stop(&server);
	return why != NULL ? failed(trial, why) : value;
}

/* ---- weir ---- */

static const char *
open_server(struct memory_bed *bed)
{
	struct weir_port_config port = {.size = sizeof(port), .prefix_len = 8};
	struct weir_listen_config listen;
	struct weir_config config;

	weir_config_init(&config);
	config.flows = 4096;
	config.seed = 7;
	config.now_ns = bed->now_ns;
	weir_listen_config_init(&listen);
	listen.port = LISTENER;
	if (weir_stack_create(&config, &bed->stack) != 0)
		return "the stack does not start: is there enough memory for EAL (-m)?";
	bed->engine = weir_stack_engine(bed->stack, 0);
	if (weir_port_open_pair(RING, bed->ends) != 0 || sink_open(&bed->sink, SINK_LEASE) != 0)
		return "there is no memory for the ports";
	weir_addr_parse("10.0.0.1", &port.address);
	if (weir_stack_attach(bed->stack, bed->ends[0], &port) != 0 ||
	    weir_listen(bed->stack, &listen) != 0)
		return "the stack does not take its port";
	weir_stack_set_handler(bed->stack, service_handle, &bed->sink);
	return NULL;
}

static const char *
open_clients(struct memory_bed *bed)
{
	struct generator_config config;

	bed->mempool = rte_pktmbuf_pool_create("bench_accept", BUFFERS, CACHE, 0, ROOM, -1);
	if (bed->mempool == NULL || weir_pool_open_mempool(&bed->pool, bed->mempool) != 0)
		return "there is no memory for the generator: give EAL more (-m)";
	generator_config_init(&config);
	config.port = bed->ends[1];
	config.pool = &bed->pool;
	config.address = CLIENT_IP;
	config.prefix_len = 8;
	config.target = SERVER_IP;
	config.target_port = LISTENER;
	memcpy(config.target_mac, bed->ends[0]->mac, sizeof(config.target_mac));
	config.flows = CLIENTS;
	config.mode = GENERATOR_CONNECT;
	config.request_bytes = REQUEST;
	config.stamp = CHECKSUMS_GOOD;
	config.seed = 7;
	return generator_create(&config, bed->now_ns, &bed->generator) != 0
		   ? "the generator does not start"
		   : NULL;
}

static const char *
close_bed(struct memory_bed *bed)
{
	const char *why = NULL;

	if (bed->generator != NULL)
		generator_destroy(bed->generator);
	if (bed->stack != NULL && weir_stack_destroy(bed->stack) != 0)
		why = "buffers are missing at the end";
	for (uint32_t i = 0; i < 2; i++)
		if (bed->ends[i] != NULL)
			weir_port_close(bed->ends[i]);
	if (bed->pool.size != 0 && weir_pool_close(&bed->pool) != 0)
		why = "buffers of the generator are missing at the end";
	rte_mempool_free(bed->mempool);
	sink_close(&bed->sink);
	return why;
}

static void
turn_clients(void *context)
{
	struct memory_bed *bed = context;

	generator_poll(bed->generator, bed->now_ns);
}

static uint64_t
connections_done(const struct memory_bed *bed)
{
	struct generator_stats stats = {.size = sizeof(stats)};

	generator_stats(bed->generator, &stats);
	return stats.failed + stats.reset != 0 ? UINT64_MAX : stats.closed;
}

/* Clients and engine take turns until so many connections more are closed; the engine's cycles. 0
 * when one of them failed. */
static uint64_t
run_connections(struct memory_bed *bed, struct crew *crew, uint64_t wanted)
{
	uint64_t cycles = 0, target = connections_done(bed) + wanted, done;

	for (uint32_t turn = 0; turn < TURNS_MOST; turn++) {
		uint64_t begin;

		crew_call(crew, turn_clients, bed);
		bed->now_ns += TURN_NS;
		begin = rte_rdtsc_precise();
		while (weir_engine_poll(bed->engine, bed->now_ns += POLL_NS) != 0)
			;
		cycles += rte_rdtsc_precise() - begin;
		done = connections_done(bed);
		if (done == UINT64_MAX)
			return 0;
		if (done >= target)
			return cycles;
	}
	return 0;
}

static const char *
measure_bed(struct trial *trial, struct memory_bed *bed, double *value)
{
	uint32_t parts = trial->bench->options->in_short ? 10 : 1;
	uint64_t first, cycles, done;

	if (run_connections(bed, &trial->bench->crew, WARM / parts) == 0)
		return "a connection did not open or close";
	first = connections_done(bed);
	cycles = run_connections(bed, &trial->bench->crew, CONNECTIONS / parts);
	if (cycles == 0)
		return "a connection did not open or close";
	done = connections_done(bed);
	if (bed->sink.wrong || bed->sink.bytes < done * REQUEST)
		return "bytes are missing";
	*value = (double)(done - first) / (double)cycles * (double)rte_get_tsc_hz();
	return NULL;
}

static double
round_weir(void *context)
{
	struct memory_bed bed = {.now_ns = UINT64_C(1000000000)};
	struct trial *trial = context;
	const char *why, *end;
	double value = -1;

	if (!linux_side_crew(trial->bench, true))
		return failed(trial, "the other lcore does not start");
	why = open_server(&bed);
	if (why == NULL)
		why = open_clients(&bed);
	if (why == NULL)
		why = measure_bed(trial, &bed, &value);
	end = close_bed(&bed);
	why = why != NULL ? why : end;
	linux_side_crew(trial->bench, false);
	return why != NULL ? failed(trial, why) : value;
}

/* ---- rows ---- */

static void
write_row(struct bench *bench, const struct trial *trial, const struct subject *subjects,
	  uint32_t which)
{
	struct row row = {.flows = CLIENTS,
			  .set = which == WEIR ? "cross" : "veth",
			  .value = sample_median(&subjects[which].sample),
			  .spread = sample_spread(&subjects[which].sample),
			  .unit = "connections/s",
			  .lockstep = which == WEIR};

	snprintf(row.name, sizeof(row.name), "%s", which == WEIR ? "weir" : "linux");
	if (trial->disturbed)
		row.void_why = linux_side_disturbed;
	if (which == WEIR)
		measure_against(&row, "linux", sample_median(&subjects[LINUX].sample), ROW_AT_LEAST,
				5, 10);
	bench_row(bench, &row);
}

static bool
run_all(struct bench *bench, const struct veth *net)
{
	struct trial trials[SUBJECTS] = {{.bench = bench, .net = net},
					 {.bench = bench, .net = net}};
	struct subject subjects[SUBJECTS] = {{.round = round_linux, .context = &trials[LINUX]},
					     {.round = round_weir, .context = &trials[WEIR]}};
	bool good = rounds_run(subjects, SUBJECTS, linux_side_rounds(bench));

	trials[WEIR].disturbed = trials[LINUX].disturbed; /* its ratio is, too */
	for (uint32_t i = 0; i < SUBJECTS; i++) {
		if (good)
			write_row(bench, &trials[i], subjects, i);
		else if (trials[i].why != NULL)
			bench_say(bench, "%s: %s", i == WEIR ? "weir" : "linux", trials[i].why);
	}
	return good;
}

bool
case_accept(struct bench *bench)
{
	return linux_side_run(bench, run_all);
}
