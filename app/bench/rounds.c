/* SPDX-License-Identifier: BSD-3-Clause */
#include "rounds.h"

#include <stdlib.h>
#include <string.h>

void
sample_add(struct sample *sample, double value)
{
	if (sample->n < ROUNDS_MOST)
		sample->values[sample->n++] = value;
}

static int
compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* The value below which a share `part` of the sample lies, between neighbours by proportion. */
static double
quantile(const struct sample *sample, double part)
{
	double sorted[ROUNDS_MOST], place, rest;
	uint32_t at;

	if (sample->n == 0)
		return 0;
	memcpy(sorted, sample->values, sample->n * sizeof(sorted[0]));
	qsort(sorted, sample->n, sizeof(sorted[0]), compare);
	place = part * (sample->n - 1);
	at = (uint32_t)place;
	rest = place - at;
	return at + 1 < sample->n ? sorted[at] * (1 - rest) + sorted[at + 1] * rest : sorted[at];
}

double
sample_median(const struct sample *sample)
{
	return quantile(sample, 0.5);
}

double
sample_spread(const struct sample *sample)
{
	double median = sample_median(sample);

	return median == 0 ? 0 : (quantile(sample, 0.75) - quantile(sample, 0.25)) / median;
}

static bool
take_turn(struct subject *subject, bool counts)
{
	double value = subject->round(subject->context);

	if (value >= 0 && counts)
		sample_add(&subject->sample, value);
	return value >= 0;
}

bool
rounds_run(struct subject *subjects, uint32_t n, uint32_t rounds)
{
	for (uint32_t i = 0; i < n; i++) {
		subjects[i].sample.n = 0;
		if (!take_turn(&subjects[i], false))
			return false;
	}
	for (uint32_t round = 0; round < rounds; round++)
		for (uint32_t i = 0; i < n; i++)
			if (!take_turn(&subjects[round % 2 == 0 ? i : n - 1 - i], true))
				return false;
	return true;
}
