/* SPDX-License-Identifier: BSD-3-Clause */
/* Floors over the payload: the frames are taken from the ring and given back untimed. */
#include <string.h>

#include <rte_cycles.h>
#include <rte_prefetch.h>

#include "digest.h"
#include "engine/port.h"
#include "floors.h"
#include "rounds.h"

#define SEARCH_ROUNDS 7
#define LINE	      64

static uint32_t
take_frames(struct testbed *bed, struct rte_mbuf **frames)
{
	struct weir_port *port = bed->near_end;
	uint32_t total = 0, n;

	while (total < bed->filled && (n = port->rx_burst(port->ctx, frames + total,
							  (uint16_t)(bed->filled - total), 0)) != 0)
		total += n;
	return total;
}

static inline const uint8_t *
payload_of(const struct testbed *bed, const struct rte_mbuf *frame)
{
	return rte_pktmbuf_mtod_offset(frame, const uint8_t *,
				       frame->pkt_len - bed->config.stream.payload_bytes);
}

static inline void
fetch_ahead(const struct testbed *bed, struct rte_mbuf **frames, uint32_t i, uint32_t n,
	    const struct floor_fetch *fetch)
{
	const uint8_t *data;

	if (fetch->lines == 0 || i + fetch->frames >= n)
		return;
	data = payload_of(bed, frames[i + fetch->frames]);
	for (uint32_t line = 0; line < fetch->lines; line++)
		rte_prefetch0(data + line * LINE);
}

static void
copy_frames(struct testbed *bed, struct rte_mbuf **frames, uint32_t n,
	    const struct floor_fetch *fetch)
{
	uint32_t len = bed->config.stream.payload_bytes;

	for (uint32_t i = 0; i < n; i++) {
		fetch_ahead(bed, frames, i, n, fetch);
		memcpy(sink_cyclic(&bed->sink, len), payload_of(bed, frames[i]), len);
	}
}

static void
digest_frames(struct testbed *bed, struct rte_mbuf **frames, uint32_t n,
	      const struct floor_fetch *fetch)
{
	uint32_t len = bed->config.stream.payload_bytes;

	for (uint32_t i = 0; i < n; i++) {
		fetch_ahead(bed, frames, i, n, fetch);
		bed->sink.crc =
		    digest_crc32c_lanes(bed->sink.crc, payload_of(bed, frames[i]), len);
	}
}

typedef void frames_function(struct testbed *bed, struct rte_mbuf **frames, uint32_t n,
			     const struct floor_fetch *fetch);

static inline uint64_t
time_frames(struct testbed *bed, frames_function *work, const struct floor_fetch *fetch)
{
	static struct rte_mbuf *frames[STREAM_PORTION_MOST];
	uint32_t n = take_frames(bed, frames);
	uint64_t begin = rte_rdtsc_precise(), end;

	work(bed, frames, n, fetch);
	end = rte_rdtsc_precise();
	rte_pktmbuf_free_bulk(frames, n);
	return n == bed->filled ? end - begin : 0;
}

uint64_t
floor_copy(struct testbed *bed, const struct floor_fetch *fetch)
{
	return time_frames(bed, copy_frames, fetch);
}

uint64_t
floor_digest(struct testbed *bed, const struct floor_fetch *fetch)
{
	return time_frames(bed, digest_frames, fetch);
}

static double
median_of(struct testbed *bed,
	  uint64_t (*floor)(struct testbed *bed, const struct floor_fetch *fetch),
	  const struct floor_fetch *fetch)
{
	struct sample sample = {0};

	for (uint32_t i = 0; i < SEARCH_ROUNDS; i++) {
		uint64_t cycles = testbed_fill(bed, TESTBED_PORTION) ? floor(bed, fetch) : 0;

		if (cycles == 0)
			return 0;
		testbed_rewind(bed);
		sample_add(&sample, (double)cycles);
	}
	return sample_median(&sample);
}

bool
floor_search_fetch(struct testbed *bed,
		   uint64_t (*floor)(struct testbed *bed, const struct floor_fetch *fetch),
		   struct floor_fetch *fetch)
{
	static const struct floor_fetch shapes[] = {{0, 0},  {2, 1},  {8, 2},
						    {23, 2}, {23, 3}, {23, 4}};
	double least = 0;

	for (uint32_t i = 0; i < RTE_DIM(shapes); i++) {
		double cycles = median_of(bed, floor, &shapes[i]);

		if (cycles == 0)
			return false;
		if (least == 0 || cycles < least) {
			least = cycles;
			*fetch = shapes[i];
		}
	}
	return true;
}
