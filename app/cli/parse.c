/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/parse.h"

#include <stdio.h>
#include <string.h>

#include "app/cli/say.h"
#include "app/cli/value.h"

int
options_refuse(char *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_fit(error, OPTIONS_ERROR, format, args);
	va_end(args);
	return -1;
}

/* The rule for a word such as "--ip" or "--ip=198.18.0.1/24"; *value is what follows '='. */
static const struct option_rule *
find_rule(const struct option_rule *rules, size_t n, const char *word, const char **value)
{
	size_t len = strcspn(word, "=");

	*value = word[len] == '=' ? word + len + 1 : NULL;
	for (size_t i = 0; i < n; i++)
		if (strlen(rules[i].name) == len && memcmp(rules[i].name, word, len) == 0)
			return &rules[i];
	return NULL;
}

static int
store_number(const struct option_rule *rule, char *field, const char *text, char *error)
{
	uint64_t number;
	uint32_t low_half;
	int rc = rule->kind == OPTION_IS_BYTES
		     ? value_bytes(text, rule->low, rule->high, &number, error)
		     : value_number(text, rule->low, rule->high, &number, error);

	if (rc != 0)
		return rc;
	low_half = (uint32_t)number;
	memcpy(field, rule->size == sizeof(low_half) ? (void *)&low_half : &number, rule->size);
	return 0;
}

const char *const options_switch[] = {"on", "off", NULL};

/* "a, b or c" */
static void
list_words(const char *const *words, char *list, size_t size)
{
	size_t used = 0;

	for (uint32_t i = 0; words[i] != NULL && used < size; i++) {
		const char *between = i == 0 ? "" : words[i + 1] != NULL ? ", " : " or ";

		used += (size_t)snprintf(list + used, size - used, "%s%s", between, words[i]);
	}
}

static int
find_word(const char *const *words, const char *text, uint32_t *place, char *error)
{
	char list[OPTIONS_ERROR / 4];

	for (*place = 0; words[*place] != NULL; ++*place)
		if (strcmp(text, words[*place]) == 0)
			return 0;
	list_words(words, list, sizeof(list));
	return options_refuse(error, "'%s' is wrong: give %s", text, list);
}

static int
store_word(const struct option_rule *rule, char *field, const char *text, char *error)
{
	uint32_t place;

	if (find_word(rule->words, text, &place, error) != 0)
		return -1;
	if (rule->kind == OPTION_IS_SWITCH)
		memcpy(field, &(bool){place == 0}, sizeof(bool));
	else
		memcpy(field, &place, sizeof(place));
	return 0;
}

static int
store(const struct option_rule *rule, struct options *options, const char *text, char *error)
{
	char *field = (char *)options + rule->offset;

	switch (rule->kind) {
	case OPTION_IS_FLAG:
		memcpy(field, &(bool){true}, sizeof(bool));
		return 0;
	case OPTION_IS_NUMBER:
	case OPTION_IS_BYTES:
		return store_number(rule, field, text, error);
	case OPTION_IS_TEXT:
		if (*text == '\0')
			return options_refuse(error, "%s", rule->empty);
		memcpy(field, &text, sizeof(text));
		return 0;
	case OPTION_IS_WORD:
	case OPTION_IS_SWITCH:
		return store_word(rule, field, text, error);
	default:
		return rule->set(options, text, error);
	}
}

/* argv[*at] has the rule `rule`; *at moves on when the value is the next word. */
static int
apply(const struct option_rule *rule, struct options *options, const char *value, int argc,
      char **argv, int *at, char *error)
{
	char reason[OPTIONS_ERROR];
	bool has_value = rule->kind != OPTION_IS_FLAG;

	if (!has_value && value != NULL)
		return options_refuse(error, "%s takes no value: give %s alone", rule->name,
				      rule->name);
	if (has_value && value == NULL) {
		if (*at + 1 == argc)
			return options_refuse(error,
					      "%s has no value: %s --help says which it takes",
					      rule->name, say_name);
		value = argv[++*at];
	}
	if (store(rule, options, value, reason) != 0)
		return options_refuse(error, "%s: %s", rule->name, reason);
	return 0;
}

static enum options_result
asks(const char *word)
{
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return OPTIONS_HELP;
	if (strcmp(word, "--version") == 0)
		return OPTIONS_VERSION;
	return OPTIONS_RUN;
}

static void
no_such_option(const char *word, char *error)
{
	if (*word == '\0')
		options_refuse(error, "an empty word is no option: leave it out, or see which variable "
				      "of the shell is empty");
	else
		options_refuse(error,
			       "%s: there is no such option: %s --help lists them, EAL's go before --",
			       word, say_name);
}

enum options_result
options_read(const struct option_rule *rules, size_t n, struct options *options, int argc,
	     char **argv, char *error)
{
	for (int i = 0; i < argc; i++) {
		enum options_result asked = asks(argv[i]);
		const struct option_rule *rule;
		const char *value;

		if (asked != OPTIONS_RUN)
			return asked;
		rule = find_rule(rules, n, argv[i], &value);
		if (rule == NULL) {
			no_such_option(argv[i], error);
			return OPTIONS_BAD;
		}
		if (apply(rule, options, value, argc, argv, &i, error) != 0)
			return OPTIONS_BAD;
	}
	return OPTIONS_RUN;
}

int
options_set_seed(struct tool_options *options, const char *text, char *error)
{
	options->seed_given = true;
	return value_number(text, 0, UINT64_MAX, &options->seed, error);
}

int
options_start(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i + 1;
	return argc;
}

bool
options_undivided(int argc, char **argv)
{
	return argc > 1 && options_start(argc, argv) == argc && strcmp(argv[argc - 1], "--") != 0;
}

int
options_eal_argc(int argc, char **argv)
{
	return argc == 1 || options_undivided(argc, argv) ? argc : options_start(argc, argv) - 1;
}

enum options_result
options_early(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		enum options_result asked = asks(argv[i]);

		if (asked != OPTIONS_RUN)
			return asked;
	}
	return OPTIONS_RUN;
}
