/* SPDX-License-Identifier: BSD-3-Clause */
#include "testbed.h"

#include <string.h>

#include <rte_cycles.h>

#include "engine/port.h"

#define RING	       8192
#define POLL_NS	       2000
#define WARM_RUN       8   /* what the first window takes */
#define WARM_SEGS      16  /* of each flow: those that are acknowledged one by one */
#define WARM_PORTIONS  8   /* then, so that buffers and descriptors have been around */
#define WARM_TRIES     64  /* portions until the windows are open */
#define IDLE_POLLS     256 /* longer than any aggregate is held */
#define DELAYED_ACK_NS UINT64_C(50000000) /* later than any delayed ACK */

const char *const testbed_set_names[TESTBED_SETS] = {"near", "cross", "memory"};

void
testbed_config_init(struct testbed_config *config, uint32_t flows, uint32_t run)
{
	memset(config, 0, sizeof(*config));
	config->stream = (struct stream_config){
	    .flows = flows,
	    .run = run,
	    .payload_bytes = STREAM_PAYLOAD,
	    .buffers = 8192,
	    .timestamps = true,
	    .seed = 20260101,
	};
	weir_config_init(&config->stack);
	config->stack.flows = flows < 1024 ? 1024 : flows;
	config->stack.time_wait_entries = 1024;
	config->stack.seed = 7;
	config->stack.mld = 0; /* the ring carries the stream and its ACKs */
	config->stack.now_ns = UINT64_C(1000000000);
	weir_listen_config_init(&config->listen);
	config->listen.port = STREAM_LISTENER;
	config->listen.receive_buffer = 4 << 20; /* a portion of one flow, twice */
}

/* ---- the stream's side ---- */

static void
fill_now(void *context)
{
	struct testbed *bed = context;
	uint64_t begin = rte_rdtsc();

	stream_settle(&bed->stream);
	bed->stream.tsval = (uint32_t)(bed->now_ns / 1000000);
	bed->filled = stream_fill(&bed->stream, bed->portion);
	bed->fill_cycles += rte_rdtsc() - begin;
	bed->fill_segs += bed->filled;
}

bool
testbed_fill(struct testbed *bed, uint32_t segments)
{
	bed->portion = segments;
	crew_call(bed->crew, fill_now, bed);
	return bed->filled == segments;
}

static void
settle_now(void *context)
{
	struct testbed *bed = context;
	uint64_t begin = rte_rdtsc();

	stream_settle(&bed->stream);
	bed->fill_cycles += rte_rdtsc() - begin;
}

void
testbed_settle(struct testbed *bed)
{
	crew_call(bed->crew, settle_now, bed);
}

void
testbed_rewind(struct testbed *bed)
{
	stream_rewind(&bed->stream);
}

/* ---- the engine's side ---- */

uint32_t
testbed_poll(struct testbed *bed)
{
	return bed->poll(bed->engine, bed->now_ns += POLL_NS);
}

uint64_t
testbed_drain(struct testbed *bed)
{
	uint64_t wanted =
	    bed->sink.bytes + (uint64_t)bed->filled * bed->config.stream.payload_bytes;
	uint64_t begin = rte_rdtsc_precise();

	for (uint32_t idle = 0; bed->sink.bytes < wanted;)
		if (testbed_poll(bed) == 0 && ++idle > IDLE_POLLS)
			return 0;
	return rte_rdtsc_precise() - begin;
}

static void
poll_all(void *context)
{
	struct testbed *bed = context;

	while (testbed_poll(bed) != 0)
		;
}

/* ---- begin and end ---- */

static const char *
open_stack(struct testbed *bed)
{
	const struct testbed_config *config = &bed->config;
	struct weir_port_config port = {.size = sizeof(port), .prefix_len = 8};
	struct weir_addr address6 = {.family = 6};
	struct weir_port *ends[2];

	if (weir_stack_create(&config->stack, &bed->stack) != 0)
		return "the stack does not start: is there enough memory for EAL (-m)?";
	bed->engine = weir_stack_engine(bed->stack, 0);
	if (weir_port_open_pair(RING, ends) != 0)
		return "there is no memory for the ports";
	bed->near_end = ends[0];
	bed->far_end = ends[1];
	weir_addr_parse("10.0.0.1", &port.address);
	memcpy(address6.bytes, stream_server_ip6, sizeof(address6.bytes));
	if (weir_stack_attach(bed->stack, bed->near_end, &port) != 0 ||
	    weir_stack_add_address(bed->stack, bed->near_end, &address6) != 0 ||
	    weir_listen(bed->stack, &config->listen) != 0 ||
	    sink_open(&bed->sink, config->sink) != 0)
		return "the stack does not take its port";
	weir_stack_set_handler(bed->stack, sink_handle, &bed->sink);
	return NULL;
}

/* Portions until `segments` more were sent, and one more that went in whole. */
static const char *
warm_up(struct testbed *bed, uint64_t segments)
{
	uint64_t wanted = bed->stream.segments + segments;
	uint32_t shut = 0;

	while (bed->stream.segments < wanted || shut != 0) {
		shut = testbed_fill(bed, TESTBED_PORTION) ? 0 : shut + 1;
		if (shut == WARM_TRIES)
			return "the windows do not open for a whole portion";
		if (testbed_drain(bed) == 0 && bed->filled != 0)
			return "the engine did not take a whole portion";
		if (bed->filled == 0) /* the ACK of an odd segment waits */
			bed->poll(bed->engine, bed->now_ns += DELAYED_ACK_NS);
	}
	return NULL;
}

/* Every flow past its first ACKs, then the stream as it will be. */
static const char *
warm_all(struct testbed *bed)
{
	struct stream_config *config = &bed->stream.config;
	const char *why = NULL;

	if (!bed->config.cold) {
		config->run = WARM_RUN;
		config->order = STREAM_ROUND_ROBIN;
		why = warm_up(bed, (uint64_t)config->flows * WARM_SEGS);
	}
	*config = bed->config.stream;
	return why != NULL ? why : warm_up(bed, (uint64_t)WARM_PORTIONS * TESTBED_PORTION);
}

/* The content of one portion is compared. */
static const char *
check_payload(struct testbed *bed)
{
	bool taken;

	bed->stream.compared = true;
	bed->sink.pattern = &bed->stream.content;
	taken = testbed_fill(bed, TESTBED_PORTION) && testbed_drain(bed) != 0;
	bed->stream.compared = false;
	bed->sink.pattern = NULL;
	bed->fill_cycles = bed->fill_segs = 0;
	if (!taken)
		return "the engine did not take a whole portion";
	return bed->sink.wrong ? "payload differs from what was sent" : NULL;
}

const char *
testbed_connect(struct testbed *bed)
{
	if (!stream_connect(&bed->stream, poll_all, bed) ||
	    bed->sink.accepted != bed->config.stream.flows)
		return "a connection was not accepted";
	return NULL;
}

const char *
testbed_prepare(struct testbed *bed, const struct testbed_config *config, struct crew *crew)
{
	const char *why;

	memset(bed, 0, sizeof(*bed));
	bed->config = *config;
	bed->config.stream.flushed = config->set == TESTBED_MEMORY;
	bed->poll = weir_engine_poll;
	bed->crew = config->set == TESTBED_CROSS ? crew : NULL;
	bed->now_ns = config->stack.now_ns;
	why = open_stack(bed);
	if (why == NULL &&
	    stream_open(&bed->stream, &bed->config.stream, bed->far_end, bed->near_end->mac) != 0)
		why = "there is no memory for the stream: give EAL more (-m)";
	if (why != NULL)
		testbed_close(bed);
	return why;
}

const char *
testbed_begin(struct testbed *bed)
{
	const char *why = testbed_connect(bed);

	if (why == NULL)
		why = warm_all(bed);
	return why != NULL ? why : check_payload(bed);
}

const char *
testbed_open(struct testbed *bed, const struct testbed_config *config, struct crew *crew)
{
	const char *why = testbed_prepare(bed, config, crew);

	if (why != NULL)
		return why;
	why = testbed_begin(bed);
	if (why != NULL)
		testbed_close(bed);
	return why;
}

/* What was sent and is not acknowledged waits for the timer of the last odd segment. */
static bool
settle(struct testbed *bed)
{
	uint32_t tries = WARM_TRIES + bed->config.stream.flows / WARM_TRIES;

	testbed_settle(bed);
	for (uint32_t i = 0; i < tries && bed->stream.unacked_bytes != 0; i++) {
		bed->poll(bed->engine, bed->now_ns += DELAYED_ACK_NS);
		testbed_settle(bed);
	}
	return bed->stream.unacked_bytes == 0;
}

const char *
testbed_close(struct testbed *bed)
{
	const char *why = bed->sink.wrong ? "payload differs from what was sent" : NULL;

	if (bed->stream.pool != NULL && !settle(bed))
		why = "not all that was sent was acknowledged";
	if (bed->stack != NULL && weir_stack_destroy(bed->stack) != 0)
		why = "the stack kept buffers";
	if (bed->near_end != NULL) {
		weir_port_close(bed->near_end);
		weir_port_close(bed->far_end);
	}
	if (bed->stream.pool != NULL && !rte_mempool_full(bed->stream.pool))
		why = "buffers of the stream are missing";
	stream_close(&bed->stream);
	sink_close(&bed->sink);
	memset(bed, 0, sizeof(*bed));
	return why;
}
