/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>

#include "app/cli/eal_start.h"
#include "app/cli/say.h"
#include "app/cli/vdevs.h"
#include "eal.h"

/* The most that are open at once, in the cases pool and flows. */
#define BUFFERS	     393216
#define BUFFER_BYTES 2176

/* The last two cores that this process may use, since interrupts go to the first ones by habit. The
 * engine gets the last. */
static void
choose_cores(char *list, char *engine, size_t size)
{
	int last = 0, other = 0;
	cpu_set_t allowed;

	CPU_ZERO(&allowed);
	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (int core = 0; core < CPU_SETSIZE; core++)
		if (CPU_ISSET(core, &allowed)) {
			other = last;
			last = core;
		}
	if (CPU_COUNT(&allowed) < 2)
		snprintf(list, size, "%d", last);
	else
		snprintf(list, size, "%d,%d", other, last);
	snprintf(engine, size, "--main-lcore=%d", last);
}

/* `chosen`: the arguments are our own, and what becomes of them is nobody's surprise. */
static bool
start(int argc, char **argv, bool chosen)
{
	struct eal_facts facts = {
	    .buffers = BUFFERS, .buffer_bytes = BUFFER_BYTES, .fixed = true};
	struct eal_args args;
	struct eal_said said = {.fd = -1};
	char error[OPTIONS_ERROR];
	int rc;

	eal_facts_read(&facts);
	rc = eal_args_build(&args, argc, argv, &facts, error);
	if (rc == 0) {
		rc = eal_start(&args, &said, error);
		eal_said_end(&said, false);
	}
	if (rc != 0)
		say("%s", error);
	else if (!chosen && args.note[0] != '\0')
		say("%s", args.note);
	eal_args_free(&args);
	return rc == 0;
}

/* The first device that is named, or NULL. Cases bring the ports that they need. */
static const char *
named_device(int argc, char **argv, const char **option)
{
	static const char *const options[] = {"--vdev", "-a", "--allow"};
	const char *device = NULL;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && device == NULL; i++) {
		int at = 1;

		*option = options[i];
		device = vdevs_next(options[i], argc, argv, &at);
	}
	return device;
}

bool
eal_begin(int argc, char **argv)
{
	char list[64], engine[64];
	char *words[] = {argv[0],
			 (char *)(uintptr_t) "-l",
			 list,
			 engine,
			 (char *)(uintptr_t) "--no-pci",
			 (char *)(uintptr_t) "--no-telemetry",
			 (char *)(uintptr_t) "--in-memory"};
	const char *device, *option;

	device = named_device(argc, argv, &option);
	if (device != NULL) {
		say("%s %s: no case takes a device: leave it out", option, device);
		return false;
	}
	if (argc > 1)
		return start(argc, argv, false);
	choose_cores(list, engine, sizeof(list));
	return start((int)(sizeof(words) / sizeof(words[0])), words, true);
}
