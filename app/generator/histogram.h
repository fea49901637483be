/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Latency histogram with log-linear buckets after Tene's HdrHistogram: values below 2048 exactly,
 * larger ones with three significant digits (error below 1/1024), up to 2^40 - 1, which is 18
 * minutes in nanoseconds; what is larger counts as that. Fixed memory, no allocation.
 */
#ifndef WEIR_APP_GENERATOR_HISTOGRAM_H
#define WEIR_APP_GENERATOR_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_EXACT_BITS 11
#define HISTOGRAM_VALUE_BITS 40
#define HISTOGRAM_HALF	     (1u << (HISTOGRAM_EXACT_BITS - 1))
#define HISTOGRAM_BUCKETS                                                                          \
	((HISTOGRAM_VALUE_BITS - HISTOGRAM_EXACT_BITS) * HISTOGRAM_HALF +                          \
	 (1u << HISTOGRAM_EXACT_BITS))

struct histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t min; /* UINT64_MAX when empty */
	uint64_t max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_reset(struct histogram *histogram);
void histogram_record(struct histogram *histogram, uint64_t value);
/* Add everything that `from` holds. */
void histogram_merge(struct histogram *histogram, const struct histogram *from);
/*
 * The value that `percent` (0 to 100) of all recorded values do not exceed: the upper end of its
 * bucket, but never above the maximum (nearest rank). 0 when empty.
 */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);
/* 0 when empty. */
double histogram_mean(const struct histogram *histogram);

#endif
