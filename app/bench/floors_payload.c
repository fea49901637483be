/* SPDX-License-Identifier: BSD-3-Clause */
/* Floors over the payload: the frames are taken from the ring and given back untimed. */
#include <string.h>

#include <rte_cycles.h>
#include <rte_prefetch.h>

#include "digest.h"
#include "engine/port.h"
#include "floors.h"

#define SEARCH_ROUNDS 5
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

static void
copy_frames(struct testbed *bed, struct rte_mbuf **frames, uint32_t n, uint32_t ahead)
{
	uint32_t len = bed->config.stream.payload_bytes;

	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *next =
		    ahead == 0 || i + 1 == n ? NULL : payload_of(bed, frames[i + 1]);

		for (uint32_t line = 0; next != NULL && line < ahead; line++)
			rte_prefetch0(next + line * LINE);
		memcpy(sink_cyclic(&bed->sink, len), payload_of(bed, frames[i]), len);
	}
}

static void
digest_frames(struct testbed *bed, struct rte_mbuf **frames, uint32_t n)
{
	uint32_t len = bed->config.stream.payload_bytes;

	for (uint32_t i = 0; i < n; i++)
		bed->sink.crc = digest_crc32c(bed->sink.crc, payload_of(bed, frames[i]), len);
}

uint64_t
floor_copy(struct testbed *bed, uint32_t ahead)
{
	static struct rte_mbuf *frames[STREAM_PORTION_MOST];
	uint32_t n = take_frames(bed, frames);
	uint64_t begin = rte_rdtsc_precise(), end;

	copy_frames(bed, frames, n, ahead);
	end = rte_rdtsc_precise();
	rte_pktmbuf_free_bulk(frames, n);
	return n == bed->filled ? end - begin : 0;
}

uint64_t
floor_digest(struct testbed *bed)
{
	static struct rte_mbuf *frames[STREAM_PORTION_MOST];
	uint32_t n = take_frames(bed, frames);
	uint64_t begin = rte_rdtsc_precise(), end;

	digest_frames(bed, frames, n);
	end = rte_rdtsc_precise();
	rte_pktmbuf_free_bulk(frames, n);
	return n == bed->filled ? end - begin : 0;
}

bool
floor_search_copy(struct testbed *bed, uint32_t *ahead)
{
	static const uint32_t distances[] = {0, 2, 8, 23};
	uint64_t least = 0;

	for (uint32_t i = 0; i < RTE_DIM(distances) * SEARCH_ROUNDS; i++) {
		uint32_t distance = distances[i % RTE_DIM(distances)];
		uint64_t cycles =
		    testbed_fill(bed, TESTBED_PORTION) ? floor_copy(bed, distance) : 0;

		if (cycles == 0)
			return false;
		testbed_rewind(bed);
		if (least == 0 || cycles < least) {
			least = cycles;
			*ahead = distance;
		}
	}
	return true;
}
