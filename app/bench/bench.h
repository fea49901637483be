/* SPDX-License-Identifier: BSD-3-Clause */
/* What all cases share, and the list of them. */
#ifndef APP_BENCH_BENCH_H
#define APP_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "floors.h"
#include "options.h"
#include "rounds.h"
#include "rows.h"
#include "testbed.h"

struct bench_case;

struct bench {
	const struct options *options;
	const struct bench_case *running;
	struct crew crew; /* of the set cross; runs when there is another lcore */
	uint32_t rows;	  /* written */
	uint32_t missed;  /* of them that do not meet their target */
	uint32_t voided;
};

/* A case writes its rows with bench_row(). False when it could not be run to its end; it has said
 * why with bench_say(). */
struct bench_case {
	const char *name;
	const char *about;
	bool in_all;
	bool (*run)(struct bench *bench);
};

extern const struct bench_case bench_cases[];
extern const uint32_t bench_n_cases;

/* One line on standard error, the running case's name before it. */
__attribute__((format(printf, 2, 3))) void bench_say(const struct bench *bench, const char *format,
						     ...);
void bench_row(struct bench *bench, struct row *row);
/* Portions of one round: fewer with --short. */
uint32_t bench_portions(const struct bench *bench, uint32_t portions);

bool case_accept(struct bench *bench);
bool case_ack(struct bench *bench);
bool case_bulk(struct bench *bench);
bool case_copy(struct bench *bench);
bool case_delay(struct bench *bench);
bool case_digest(struct bench *bench);
bool case_flows(struct bench *bench);
bool case_gro(struct bench *bench);
bool case_kernel(struct bench *bench);
bool case_limit(struct bench *bench);
bool case_lwip(struct bench *bench);
bool case_memory(struct bench *bench);
bool case_merge(struct bench *bench);
bool case_onoff(struct bench *bench);
bool case_policy(struct bench *bench);
bool case_pool(struct bench *bench);
bool case_profile(struct bench *bench);
bool case_queue(struct bench *bench);
bool case_reorder(struct bench *bench);
bool case_rr(struct bench *bench);
bool case_tables(struct bench *bench); /* a part of case_flows */

#endif
