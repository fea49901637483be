/* SPDX-License-Identifier: BSD-3-Clause */
/* memory: what an idle connection takes, as the system counts it: resident pages, hugepages and
 * heap together, from none to 100,000 of them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"

#define CONNECTIONS 100000

static uint64_t
number_after(const char *path, const char *word)
{
	FILE *file = fopen(path, "re");
	unsigned long long number = 0;
	char line[256];
	size_t len = strlen(word);

	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, word, len) == 0 && sscanf(line + len, "%llu", &number) == 1)
			break;
	fclose(file);
	return number;
}

/* Resident pages of this process; hugepages stand in a line of their own. */
static uint64_t
resident_bytes(void)
{
	return (number_after("/proc/self/status", "VmRSS:") +
		number_after("/proc/self/status", "HugetlbPages:")) *
	       1024;
}

static void
write_rows(struct bench *bench, const struct testbed *bed, double resident)
{
	struct weir_stats stats = {.size = sizeof(stats)};
	struct sample sample = {0};
	struct row row;

	sample_add(&sample, resident);
	measure_row(&row, bed, "resident", &sample, "bytes/conn");
	measure_against(&row, "1 byte", 1, ROW_AT_MOST, 512, 384);
	bench_row(bench, &row);
	weir_stack_stats(bed->stack, &stats);
	sample.values[0] = (double)stats.state_bytes_per_idle;
	measure_row(&row, bed, "state, as weir counts", &sample, "bytes/conn");
	bench_row(bench, &row);
}

bool
case_memory(struct bench *bench)
{
	struct testbed_config config;
	struct testbed bed;
	const char *why, *end;
	uint64_t before;

	testbed_config_init(&config, CONNECTIONS, 1);
	config.stack.flows = CONNECTIONS;
	why = testbed_prepare(&bed, &config, NULL);
	if (why == NULL) {
		before = resident_bytes();
		why = testbed_connect(&bed);
		if (why == NULL)
			write_rows(bench, &bed,
				   ((double)resident_bytes() - (double)before) / CONNECTIONS);
		end = testbed_close(&bed);
		why = why != NULL ? why : end;
	}
	if (why != NULL)
		bench_say(bench, "%s", why);
	return why == NULL;
}
