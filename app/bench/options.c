/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rounds.h"

#define ROUNDS_DEFAULT 15
#define ROUNDS_SHORT   1

__attribute__((format(printf, 2, 3))) static enum options_result
refuse(char *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, OPTIONS_ERROR, format, args);
	va_end(args);
	return OPTIONS_BAD;
}

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

static enum options_result
parse_rounds(struct options *options, const char *text, char *error)
{
	char *end;
	long rounds = text == NULL ? 0 : strtol(text, &end, 10);

	if (text == NULL)
		return refuse(error, "--rounds has no value: give one such as 15");
	if (*text == '\0' || *end != '\0' || rounds < 1 || rounds > ROUNDS_MOST)
		return refuse(error, "--rounds: '%s' is out of range: give 1 to 101", text);
	options->rounds = (uint32_t)rounds;
	return OPTIONS_RUN;
}

/* The value of --rounds: behind '=' or the next word; *i moves on to it. */
static const char *
value_of(int argc, char **argv, int *i, const char *name)
{
	size_t len = strlen(name);

	if (argv[*i][len] == '=')
		return argv[*i] + len + 1;
	return *i + 1 < argc ? argv[++*i] : NULL;
}

static bool
is_rounds(const char *word)
{
	return strcmp(word, "--rounds") == 0 || strncmp(word, "--rounds=", 9) == 0;
}

static enum options_result
parse_word(struct options *options, int argc, char **argv, int *i, char *error)
{
	const char *word = argv[*i];

	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return OPTIONS_HELP;
	if (strcmp(word, "--version") == 0)
		return OPTIONS_VERSION;
	if (is_rounds(word))
		return parse_rounds(options, value_of(argc, argv, i, "--rounds"), error);
	if (strcmp(word, "--json") == 0)
		options->json = true;
	else if (strcmp(word, "--short") == 0)
		options->in_short = true;
	else if (strcmp(word, "--strict") == 0)
		options->strict = true;
	else
		return refuse(error, "%s: there is no such option: weir-bench --help lists them",
			      word);
	return OPTIONS_RUN;
}

enum options_result
options_parse(struct options *options, int argc, char **argv, const struct options_name *names,
	      uint32_t n_names, char *error)
{
	enum options_result result;

	memset(options, 0, sizeof(*options));
	for (int i = 0; i < argc; i++) {
		uint32_t bits = bits_of(argv[i], names, n_names);

		if (bits == 0 && argv[i][0] != '-')
			return refuse(
			    error,
			    "'%s' is no case: give all, or some that weir-bench --help lists",
			    argv[i]);
		options->cases |= bits;
		if (bits != 0)
			continue;
		result = parse_word(options, argc, argv, &i, error);
		if (result != OPTIONS_RUN)
			return result;
	}
	if (options->cases == 0)
		return refuse(error,
			      "no case is named: give all, or some that weir-bench --help lists");
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
