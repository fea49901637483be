/* SPDX-License-Identifier: BSD-3-Clause */
/* lwip: payload per busy cycle of weir and of lwIP, both of which verify checksums in software, on
 * the same stream without timestamps. */
#include "measure.h"

#ifdef BENCH_LWIP

#include "peer_lwip.h"

static double
bytes_round(void *context)
{
	const struct measure *measure = context;
	double cycles = measure_weir(context);

	return cycles <= 0 ? -1 : measure->bed->config.stream.payload_bytes / cycles;
}

static const char *
run_rounds(struct bench *bench, struct testbed beds[2])
{
	struct measure weir = {.bed = &beds[0], .portions = bench_portions(bench, 16)};
	struct measure lwip = {.bed = &beds[1], .portions = weir.portions};
	struct subject subjects[] = {{.round = bytes_round, .context = &weir},
				     {.round = bytes_round, .context = &lwip}};
	struct row row;

	if (!rounds_run(subjects, 2, bench->options->rounds))
		return measure_not_whole;
	measure_row(&row, &beds[0], "weir", &subjects[0].sample, "bytes/cycle");
	measure_against(&row, "lwIP", sample_median(&subjects[1].sample),
			beds[0].config.set == measure_target_set(bench) ? ROW_AT_LEAST : ROW_SHOWN,
			4, 8);
	bench_row(bench, &row);
	measure_row(&row, &beds[1], "lwIP", &subjects[1].sample, "bytes/cycle");
	bench_row(bench, &row);
	return NULL;
}

static const char *
run_beds(struct bench *bench, const struct testbed_config *config)
{
	static struct testbed beds[2];
	const char *why = testbed_open(&beds[0], config, &bench->crew), *end;

	if (why != NULL)
		return why;
	why = testbed_prepare(&beds[1], config, &bench->crew);
	if (why == NULL) {
		why = peer_lwip_open(&beds[1]);
		if (why == NULL)
			why = testbed_begin(&beds[1]);
		if (why == NULL)
			why = run_rounds(bench, beds);
		peer_lwip_close();
		end = testbed_close(&beds[1]);
		why = why != NULL ? why : end;
	}
	end = testbed_close(&beds[0]);
	return why != NULL ? why : end;
}

bool
case_lwip(struct bench *bench)
{
	struct testbed_config config;
	bool good = true;

	for (uint32_t set = 0; set <= TESTBED_CROSS && measure_has_set(bench, set); set++) {
		const char *why;

		testbed_config_init(&config, 64, 8);
		config.set = set;
		config.stream.timestamps = false;
		config.stream.unverified = true;
		why = run_beds(bench, &config);
		if (why != NULL)
			bench_say(bench, "%s: %s", testbed_set_names[set], why);
		good &= why == NULL;
	}
	return good;
}

#else

bool
case_lwip(struct bench *bench)
{
	bench_say(bench, "built without lwIP, its rows are absent: install liblwip-dev and build "
			 "again");
	return true;
}

#endif
