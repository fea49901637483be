/* SPDX-License-Identifier: BSD-3-Clause */
#include "impair_spec.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define PERCENT	     (WEIR_IMPAIR_ALWAYS / 100)
#define DELAY_MAX_NS 60000000000u /* more is a slip of the pen */

/* Text from `at` up to `end`; what is understood is cut off its front. */
struct text {
	const char *at;
	const char *end;
};

static bool
read_number(struct text *text, uint64_t *number)
{
	const char *first = text->at;

	*number = 0;
	for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++) {
		uint64_t digit = (uint64_t)(*text->at - '0');

		if (*number > (UINT64_MAX - digit) / 10)
			return false;
		*number = *number * 10 + digit;
	}
	return text->at != first;
}

static bool
read_rest(struct text *text, const char *word)
{
	size_t len = (size_t)(text->end - text->at);

	return len == strlen(word) && memcmp(text->at, word, len) == 0;
}

/* Digits behind the point, each worth a tenth of the one before. */
static bool
read_decimals(struct text *text, uint64_t *rate)
{
	const char *first = text->at;
	uint64_t worth = PERCENT;

	for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++) {
		worth /= 10;
		*rate += worth * (uint64_t)(*text->at - '0');
	}
	return text->at != first;
}

/* "1%", "0.25%" */
static bool
read_rate(struct text value, uint32_t *rate)
{
	uint64_t parts;

	if (!read_number(&value, &parts) || parts > 100)
		return false;
	parts *= PERCENT;
	if (value.at < value.end && *value.at == '.') {
		value.at++;
		if (!read_decimals(&value, &parts))
			return false;
	}
	*rate = (uint32_t)parts;
	return parts <= WEIR_IMPAIR_ALWAYS && read_rest(&value, "%");
}

/* "0", "200us", "5ms" */
static bool
read_delay(struct text value, uint64_t *ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};
	uint64_t number;

	if (!read_number(&value, &number) || number > DELAY_MAX_NS)
		return false;
	*ns = 0;
	if (number == 0 && read_rest(&value, ""))
		return true;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (read_rest(&value, units[i].name)) {
			*ns = number * units[i].ns;
			return *ns <= DELAY_MAX_NS;
		}
	}
	return false;
}

static bool
read_whole(struct text value, uint64_t *number)
{
	return read_number(&value, number) && value.at == value.end;
}

static bool
read_both(struct text value, uint32_t *both)
{
	uint64_t number;

	if (!read_whole(value, &number) || number > 1)
		return false;
	*both = (uint32_t)number;
	return true;
}

/* What a word begins with: an effect and its rate, or one of these. */
enum word { WORD_SEED = WEIR_IMPAIR_EFFECTS, WORD_DELAY, WORD_BOTH, WORDS };

static uint32_t
read_name(struct text name)
{
	static const char *const names[WORDS] = {
	    [WEIR_IMPAIR_LOSS] = "loss",	 [WEIR_IMPAIR_DUP] = "dup",
	    [WEIR_IMPAIR_REORDER] = "reorder",	 [WEIR_IMPAIR_CORRUPT] = "corrupt",
	    [WEIR_IMPAIR_TRUNCATE] = "truncate", [WEIR_IMPAIR_CE] = "ce",
	    [WORD_SEED] = "seed",		 [WORD_DELAY] = "delay",
	    [WORD_BOTH] = "both",
	};
	uint32_t i = 0;

	while (i < WORDS && !read_rest(&name, names[i]))
		i++;
	return i;
}

/* `seen` has a bit for each name that was read: each is given once. */
static bool
read_word(struct text word, struct weir_impair_spec *spec, uint32_t *seen)
{
	struct text name = word, value = word;
	uint32_t which;

	name.end = memchr(word.at, '=', (size_t)(word.end - word.at));
	if (name.end == NULL)
		return false;
	value.at = name.end + 1;
	which = read_name(name);
	if ((*seen & 1u << which) != 0)
		return false;
	*seen |= 1u << which;
	switch (which) {
	case WORD_SEED:
		return read_whole(value, &spec->seed);
	case WORD_DELAY:
		return read_delay(value, &spec->delay_ns);
	case WORD_BOTH:
		return read_both(value, &spec->both);
	default:
		return which < WEIR_IMPAIR_EFFECTS && read_rate(value, &spec->rate[which]);
	}
}

int
weir_impair_spec_parse(const char *text, struct weir_impair_spec *spec, const char **error)
{
	struct text word = {text, text};
	uint32_t seen = 0;

	*spec = (struct weir_impair_spec){0};
	*error = NULL;
	if (*text == '\0')
		return 0;
	for (;; text = word.end + 1) { /* behind a comma there is another word */
		word.at = text;
		word.end = text + strcspn(text, ",");
		if (!read_word(word, spec, &seen)) {
			*error = word.at;
			return -EINVAL;
		}
		if (*word.end == '\0')
			return 0;
	}
}
