/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "app/generator/histogram.h"

#define VALUE_MAX ((1ull << HISTOGRAM_VALUE_BITS) - 1)

/*
 * Values with their highest bit at EXACT_BITS - 1 + shift keep their EXACT_BITS highest bits; the
 * upper half of those numbers is used, HALF buckets for each shift.
 */
static uint32_t
bucket_of(uint64_t value)
{
	uint32_t shift;

	if (value < 2 * HISTOGRAM_HALF)
		return (uint32_t)value;
	shift = 64 - HISTOGRAM_EXACT_BITS - (uint32_t)__builtin_clzll(value);
	return shift * HISTOGRAM_HALF + (uint32_t)(value >> shift);
}

/* Largest value of a bucket. */
static uint64_t
bucket_end(uint32_t bucket)
{
	uint32_t shift;

	if (bucket < 2 * HISTOGRAM_HALF)
		return bucket;
	shift = bucket / HISTOGRAM_HALF - 1;
	return ((uint64_t)(bucket - shift * HISTOGRAM_HALF + 1) << shift) - 1;
}

void
histogram_reset(struct histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
	histogram->min = UINT64_MAX;
}

void
histogram_record(struct histogram *histogram, uint64_t value)
{
	if (value > VALUE_MAX)
		value = VALUE_MAX;
	histogram->count++;
	histogram->sum += value;
	if (value < histogram->min)
		histogram->min = value;
	if (value > histogram->max)
		histogram->max = value;
	histogram->buckets[bucket_of(value)]++;
}

void
histogram_merge(struct histogram *histogram, const struct histogram *from)
{
	histogram->count += from->count;
	histogram->sum += from->sum;
	if (from->min < histogram->min)
		histogram->min = from->min;
	if (from->max > histogram->max)
		histogram->max = from->max;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		histogram->buckets[i] += from->buckets[i];
}

/* Rank of the percentile among the recorded values, 1 to count. */
static uint64_t
rank_of(uint64_t count, double percent)
{
	double exact = percent / 100 * (double)count;
	uint64_t rank = (uint64_t)exact;

	if ((double)rank < exact)
		rank++;
	if (rank == 0)
		return 1;
	return rank < count ? rank : count;
}

uint64_t
histogram_percentile(const struct histogram *histogram, double percent)
{
	uint64_t left, end;
	uint32_t i = 0;

	if (histogram->count == 0)
		return 0;
	left = rank_of(histogram->count, percent);
	while (left > histogram->buckets[i])
		left -= histogram->buckets[i++];
	end = bucket_end(i);
	return end < histogram->max ? end : histogram->max;
}

double
histogram_mean(const struct histogram *histogram)
{
	if (histogram->count == 0)
		return 0;
	return (double)histogram->sum / (double)histogram->count;
}
