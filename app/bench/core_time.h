/* SPDX-License-Identifier: BSD-3-Clause */
/* What a core did, as Linux accounts it in /proc/stat. */
#ifndef APP_BENCH_CORE_TIME_H
#define APP_BENCH_CORE_TIME_H

#include <stdint.h>
#include <sys/types.h>

/* All in ticks of sysconf(_SC_CLK_TCK). Idle time is counted exactly, the others by samples. */
struct core_time {
	uint64_t idle;	/* idle and iowait */
	uint64_t steal; /* the host ran somebody else */
	uint64_t user;	/* user and nice: programs, of which the kernel is none */
};

/* From the text of /proc/stat; -ENOENT when it has no line of that core. */
int core_time_parse(const char *text, unsigned int core, struct core_time *time);
int core_time_read(unsigned int core, struct core_time *time);

/* A process's own user time in ticks, 0 when there is none of that pid. */
uint64_t core_time_process_user(pid_t pid);

#endif
