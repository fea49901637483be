/* SPDX-License-Identifier: BSD-3-Clause */
/* Percentiles against the sorted values themselves. */
#include <math.h>

#include "app/generator/histogram.h"
#include "tests/unit/unit.h"

#define N 100000

static struct histogram histogram, other;
static uint64_t values[N];
static uint64_t state;

static uint64_t
draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static int
compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Nearest rank. */
static uint64_t
sorted_percentile(uint32_t n, double percent)
{
	double rank = ceil(percent / 100 * n);

	return values[rank < 1 ? 0 : (uint32_t)rank - 1];
}

static void
check_percentiles(uint32_t n)
{
	static const double percents[] = {0, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 100};

	for (uint32_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		uint64_t exact = sorted_percentile(n, percents[i]);
		uint64_t found = histogram_percentile(&histogram, percents[i]);

		ck_assert(found >= exact);
		ck_assert(found - exact <= exact / 1024);
	}
}

START_TEST(like_the_sorted_values)
{
	for (uint32_t shift = 0; shift < 60; shift += 3) {
		uint64_t sum = 0;

		state = 88172645463325252ull + shift;
		histogram_reset(&histogram);
		for (uint32_t i = 0; i < N; i++) {
			values[i] = (draw() >> (24 + draw() % 40)) & ((1ull << 40) - 1);
			sum += values[i];
			histogram_record(&histogram, values[i]);
		}
		qsort(values, N, sizeof(values[0]), compare);
		check_percentiles(N);
		ck_assert(histogram.count == N);
		ck_assert(histogram.min == values[0]);
		ck_assert(histogram.max == values[N - 1]);
		ck_assert(fabs(histogram_mean(&histogram) - (double)sum / N) < 1);
	}
}
END_TEST

START_TEST(few_values)
{
	for (uint32_t n = 1; n < 50; n++) {
		state = n;
		histogram_reset(&histogram);
		for (uint32_t i = 0; i < n; i++) {
			values[i] = draw() >> 30;
			histogram_record(&histogram, values[i]);
		}
		qsort(values, n, sizeof(values[0]), compare);
		check_percentiles(n);
	}
}
END_TEST

START_TEST(every_small_value_is_exact)
{
	for (uint64_t value = 0; value < 2048; value++) {
		histogram_reset(&histogram);
		histogram_record(&histogram, value);
		histogram_record(&histogram, 1 << 20);
		ck_assert(histogram_percentile(&histogram, 50) == value);
	}
}
END_TEST

/* Around every power of two: the bucket holds the value and is narrow enough. */
START_TEST(edges_of_buckets)
{
	for (uint32_t bit = 0; bit < 40; bit++)
		for (int off = -2; off <= 2; off++) {
			uint64_t value = (1ull << bit) + (uint64_t)(int64_t)off, found;

			if (value >= 1ull << 40)
				continue;
			histogram_reset(&histogram);
			histogram_record(&histogram, value);
			histogram_record(&histogram, (1ull << 40) - 1);
			found = histogram_percentile(&histogram, 50);
			ck_assert(found >= value);
			ck_assert(found - value <= value / 1024);
		}
}
END_TEST

START_TEST(too_large_counts_as_the_largest)
{
	histogram_reset(&histogram);
	histogram_record(&histogram, UINT64_MAX);
	histogram_record(&histogram, 1ull << 40);
	ck_assert_uint_eq(histogram.max, (1ull << 40) - 1);
	ck_assert_uint_eq(histogram_percentile(&histogram, 100), (1ull << 40) - 1);
}
END_TEST

START_TEST(empty)
{
	histogram_reset(&histogram);
	ck_assert_uint_eq(histogram_percentile(&histogram, 50), 0);
	ck_assert_double_eq(histogram_mean(&histogram), 0);
	ck_assert_uint_eq(histogram.min, UINT64_MAX);
}
END_TEST

START_TEST(merged_is_as_if_recorded_together)
{
	static struct histogram together;

	state = 99;
	histogram_reset(&histogram);
	histogram_reset(&other);
	histogram_reset(&together);
	for (uint32_t i = 0; i < N; i++) {
		uint64_t value = draw() >> 34;

		histogram_record(i % 3 == 0 ? &other : &histogram, value);
		histogram_record(&together, value);
	}
	histogram_merge(&histogram, &other);
	ck_assert_mem_eq(&histogram, &together, sizeof(together));
	histogram_reset(&other);
	histogram_merge(&histogram, &other); /* an empty one changes nothing */
	ck_assert_mem_eq(&histogram, &together, sizeof(together));
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, like_the_sorted_values);
	UNIT_CASE(s, few_values);
	UNIT_CASE(s, every_small_value_is_exact);
	UNIT_CASE(s, edges_of_buckets);
	UNIT_CASE(s, too_large_counts_as_the_largest);
	UNIT_CASE(s, empty);
	UNIT_CASE(s, merged_is_as_if_recorded_together);
}

UNIT_MAIN("histogram", add)
