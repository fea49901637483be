/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <string.h>

#include "rounds.h"

#define ROUNDS_DEFAULT 15
#define ROUNDS_SHORT   1

static const struct option_rule rules[] = {
    OPTION_FLAG("--json", json),
    OPTION_NUMBER("--rounds", rounds, 1, ROUNDS_MOST),
    OPTION_FLAG("--short", in_short),
    OPTION_FLAG("--strict", strict),
};

static uint32_t
bits_of(const char *word, const struct options_name *names, uint32_t n_names)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < n_names; i++)
		if (strcmp(word, names[i].name) == 0 ||
		    (strcmp(word, "all") == 0 && names[i].in_all))
			bits |= 1u << i;
	return bits;
}

/* Words that an option takes: itself, and its value when that is the next one. */
static int
words_of(int argc, char **argv)
{
	return strcmp(argv[0], "--rounds") == 0 && argc > 1 ? 2 : 1;
}

enum options_result
options_parse(struct options *options, int argc, char **argv, const struct options_name *names,
	      uint32_t n_names, char *error)
{
	memset(options, 0, sizeof(*options));
	for (int i = 0; i < argc;) {
		uint32_t bits = bits_of(argv[i], names, n_names);
		int words = bits != 0 ? 1 : words_of(argc - i, argv + i);
		enum options_result result;

		options->cases |= bits;
		if (bits == 0 && argv[i][0] != '-') {
			options_refuse(error,
				       "'%s' is no case: give all, or some that weir-bench "
				       "--help lists",
				       argv[i]);
			return OPTIONS_BAD;
		}
		result = bits != 0 ? OPTIONS_RUN
				   : options_read(rules, sizeof(rules) / sizeof(rules[0]), options,
						  words, argv + i, error);
		if (result != OPTIONS_RUN)
			return result;
		i += words;
	}
	if (options->cases == 0) {
		options_refuse(error,
			       "no case is named: give all, or some that weir-bench --help lists, "
			       "behind -- if that is there");
		return OPTIONS_BAD;
	}
	if (options->rounds == 0)
		options->rounds = options->in_short ? ROUNDS_SHORT : ROUNDS_DEFAULT;
	return OPTIONS_RUN;
}

int
options_begin(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i + 1;
	return 1;
}
