/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attacks with a bound: weir-gen's generator against weir, in memory and in virtual time.
 *
 *   attacks [--full] [flood | blind | holes | tiny | collide]...
 *
 * Prints what it saw. Status 1 when content, memory or a connection suffered; never for a rate.
 */
#include <stdio.h>
#include <string.h>

#include "app/cli/say.h"
#include "tests/attack/attacks.h"

const char say_name[] = "attacks";

static const struct {
	const char *name;
	bool (*run)(bool full);
} attacks[] = {
	{"flood", attack_flood}, {"blind", attack_blind},     {"holes", attack_holes},
	{"tiny", attack_tiny},	 {"collide", attack_collide},
};
#define ATTACKS (sizeof(attacks) / sizeof(attacks[0]))

bool
attack_holds(bool held, const char *what)
{
	if (!held)
		printf("  FAILED: %s\n", what);
	return held;
}

bool
attack_over(struct rig *rig)
{
	bool right = attack_holds(rig->wrong == 0, "every byte is as it was sent");

	return attack_holds(rig_close(rig) == 0, "every buffer is back") && right;
}

static int
find(const char *name)
{
	for (uint32_t i = 0; i < ATTACKS; i++)
		if (strcmp(attacks[i].name, name) == 0)
			return (int)i;
	return -1;
}

static bool
run(uint32_t i, bool full)
{
	bool good = attacks[i].run(full);

	printf("%s %s\n", good ? "ok" : "FAILED", attacks[i].name);
	fflush(stdout);
	return good;
}

int
main(int argc, char **argv)
{
	bool full = false, good = true, named = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--full") == 0) {
			full = true;
		} else if (find(argv[i]) < 0) {
			fprintf(stderr, "attacks: there is no attack '%s'\n", argv[i]);
			return 2;
		}
	}
	for (int i = 1; i < argc; i++)
		if (find(argv[i]) >= 0) {
			named = true;
			good &= run((uint32_t)find(argv[i]), full);
		}
	for (uint32_t i = 0; !named && i < ATTACKS; i++)
		good &= run(i, full);
	return !good;
}
