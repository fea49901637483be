/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets as a script writes them: FLAGS SEQ[:END] [ack N] [win N] ... [<options>]. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/script/script.h"
#include "wire/seg.h"

static const char flag_letters[] = "FSRP.UEWA"; /* by bit; A is AE (RFC 9768) */

void
script_flags_write(uint16_t flags, char to[10])
{
	uint32_t n = 0;

	for (uint32_t i = 1; i <= 9; i++) { /* SYN first, as it is spoken */
		uint32_t bit = i == 9 ? 0 : i;

		if (flags >> bit & 1)
			to[n++] = flag_letters[bit];
	}
	if (n == 0)
		to[n++] = '-';
	to[n] = 0;
}

static bool
parse_flags(const char *word, uint16_t *flags)
{
	*flags = 0;
	if (strcmp(word, "-") == 0)
		return true;
	for (; *word != 0; word++) {
		const char *at = strchr(flag_letters, *word);

		if (at == NULL || (*flags >> (at - flag_letters) & 1) != 0)
			return false;
		*flags |= (uint16_t)(1u << (at - flag_letters));
	}
	return true;
}

static bool
parse_integer(const char *word, int64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoll(word, &end, 10);
	return end != word && *end == 0 && errno == 0 && *value >= -(1ll << 32) &&
	       *value < 1ll << 33;
}

bool
script_number_parse(const char *word, struct script_number *number)
{
	number->edge = strncmp(word, "edge", 4) == 0;
	number->value = 0;
	if (!number->edge)
		return parse_integer(word, &number->value);
	if (word[4] == 0)
		return true;
	return (word[4] == '+' || word[4] == '-') && parse_integer(word + 4, &number->value);
}

static bool
parse_unsigned(const char *word, uint32_t most, uint32_t *value)
{
	int64_t n;

	if (word == NULL || !parse_integer(word, &n) || n < 0 || n > most)
		return false;
	*value = (uint32_t)n;
	return true;
}

static bool
parse_range(char *word, struct script_number *start, struct script_number *end)
{
	char *colon = strchr(word, ':');

	if (colon == NULL) {
		if (!script_number_parse(word, start))
			return false;
		*end = *start;
		return true;
	}
	*colon = 0;
	return script_number_parse(word, start) && script_number_parse(colon + 1, end) &&
	       (start->edge != end->edge || start->value <= end->value);
}

/* ---- options ---- */

static bool
put(struct script_packet *packet, const uint8_t *bytes, uint32_t len)
{
	if (packet->options_len + len > SCRIPT_OPTIONS)
		return false;
	memcpy(packet->options + packet->options_len, bytes, len);
	packet->options_len = (uint8_t)(packet->options_len + len);
	return true;
}

static void
store(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static bool
option_ts(struct script_packet *packet, char **words, uint32_t n)
{
	uint8_t bytes[12] = {1, 1, 8, 10};

	if (n < 2 || n > 3)
		return false;
	packet->given |= SCRIPT_GIVEN_TS;
	if (strcmp(words[1], "*") != 0) {
		if (!parse_unsigned(words[1], UINT32_MAX, &packet->tsval))
			return false;
		packet->given |= SCRIPT_GIVEN_TSVAL;
	}
	if (n == 3) {
		if (!parse_unsigned(words[2], UINT32_MAX, &packet->tsecr))
			return false;
		packet->given |= SCRIPT_GIVEN_TSECR;
	}
	store(bytes + 4, packet->tsval);
	store(bytes + 8, packet->tsecr);
	return put(packet, bytes, sizeof(bytes));
}

static bool
option_sack(struct script_packet *packet, char **words, uint32_t n)
{
	uint8_t bytes[36] = {1, 1, 5};

	if (n < 2 || n > 5)
		return false;
	for (uint32_t i = 1; i < n; i++) {
		struct script_number start, end;

		if (!parse_range(words[i], &start, &end) || start.edge || end.edge)
			return false;
		packet->sacks[i - 1][0] = (uint32_t)start.value;
		packet->sacks[i - 1][1] = (uint32_t)end.value;
		store(bytes + 8 * i - 4, (uint32_t)start.value);
		store(bytes + 8 * i, (uint32_t)end.value);
	}
	packet->n_sacks = n - 1;
	bytes[3] = (uint8_t)(2 + 8 * (n - 1));
	return put(packet, bytes, 4 + 8 * (n - 1));
}

/* RFC 9768 3.2.3: kind 172 or 174, up to three counters. */
static bool
option_accecn(struct script_packet *packet, char **words, uint32_t n)
{
	uint8_t bytes[11];

	if (n > 4 || (strcmp(words[0], "accecn0") != 0 && strcmp(words[0], "accecn1") != 0))
		return false;
	packet->given |= SCRIPT_GIVEN_ACCECN;
	packet->n_accecn = n;
	packet->accecn[0] = bytes[0] = words[0][6] == '0' ? 172 : 174;
	bytes[1] = (uint8_t)(3 * n - 1);
	for (uint32_t i = 1; i < n; i++) {
		uint8_t value[4];

		if (!parse_unsigned(words[i], (1u << 24) - 1, &packet->accecn[i]))
			return false;
		store(value, packet->accecn[i]);
		memcpy(bytes + 3 * i - 1, value + 1, 3);
	}
	return put(packet, bytes, 3 * n - 1);
}

/* Bytes as they are, for options that are wrong on purpose. */
static bool
option_hex(struct script_packet *packet, const char *digits)
{
	uint8_t byte;
	unsigned int value;

	for (; digits[0] != 0; digits += 2) {
		if (digits[1] == 0 || sscanf(digits, "%2x", &value) != 1)
			return false;
		byte = (uint8_t)value;
		if (!put(packet, &byte, 1))
			return false;
	}
	return true;
}

static bool
option_absent(struct script_packet *packet, const char *name)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} options[] = {{"noaccecn", SCRIPT_GIVEN_ACCECN},
		       {"nomss", SCRIPT_GIVEN_MSS},
		       {"nosackOK", SCRIPT_GIVEN_SACKOK},
		       {"nows", SCRIPT_GIVEN_WS},
		       {"nots", SCRIPT_GIVEN_TS}};

	for (uint32_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strcmp(name, options[i].name) == 0) {
			packet->absent |= options[i].bit;
			return true;
		}
	return false;
}

static bool
parse_option(struct script_packet *packet, char **words, uint32_t n, bool expected)
{
	static const uint8_t nop = 1, sack_permitted[2] = {4, 2};
	uint32_t value;

	if (strcmp(words[0], "mss") == 0 && n == 2 && parse_unsigned(words[1], UINT16_MAX, &value)) {
		packet->given |= SCRIPT_GIVEN_MSS;
		packet->mss = (uint16_t)value;
		return put(packet, (uint8_t[]){2, 4, (uint8_t)(value >> 8), (uint8_t)value}, 4);
	}
	if (strcmp(words[0], "ws") == 0 && n == 2 && parse_unsigned(words[1], UINT8_MAX, &value)) {
		packet->given |= SCRIPT_GIVEN_WS;
		packet->wscale = (uint8_t)value;
		return put(packet, (uint8_t[]){3, 3, (uint8_t)value}, 3);
	}
	if (strcmp(words[0], "sackOK") == 0 && n == 1) {
		packet->given |= SCRIPT_GIVEN_SACKOK;
		return put(packet, sack_permitted, 2);
	}
	if (strcmp(words[0], "ts") == 0)
		return option_ts(packet, words, n);
	if (strcmp(words[0], "sack") == 0)
		return option_sack(packet, words, n);
	if (strncmp(words[0], "accecn", 6) == 0)
		return option_accecn(packet, words, n);
	if (strcmp(words[0], "nop") == 0 && n == 1 && !expected)
		return put(packet, &nop, 1);
	if (strcmp(words[0], "hex") == 0 && n == 2 && !expected)
		return option_hex(packet, words[1]);
	return expected && n == 1 && option_absent(packet, words[0]);
}

static bool
parse_options(char *text, bool expected, struct script_packet *packet, char *why)
{
	char *save = NULL;

	packet->given |= SCRIPT_GIVEN_OPTIONS;
	for (char *option = strtok_r(text, ",", &save); option != NULL;
	     option = strtok_r(NULL, ",", &save)) {
		char copy[SCRIPT_TEXT], *words[8], *inner = NULL;
		uint32_t n = 0;

		snprintf(copy, sizeof(copy), "%s", option);
		for (char *word = strtok_r(option, " ", &inner); word != NULL && n < 8;
		     word = strtok_r(NULL, " ", &inner))
			words[n++] = word;
		if (n != 0 && parse_option(packet, words, n, expected))
			continue;
		snprintf(why, SCRIPT_TEXT, "bad option \"%.80s\"", copy);
		return false;
	}
	return true;
}

/* ---- the rest ---- */

/* A word that stands alone; false when there is none of that name. */
static bool
parse_mark(const char *word, struct script_packet *packet)
{
	if (strcmp(word, "ce") == 0)
		packet->ecn = 3;
	else if (strcmp(word, "ect0") == 0)
		packet->ecn = 2;
	else if (strcmp(word, "ect1") == 0)
		packet->ecn = 1;
	else if (strcmp(word, "badsum") == 0)
		packet->bad_checksum = true;
	else if (strcmp(word, "other") == 0)
		packet->other_bytes = true;
	else
		return false;
	return true;
}

/* A word and its value; false when there is none of that name or the value is bad. */
static bool
parse_field(const char *word, const char *value, bool expected, struct script_packet *packet)
{
	uint32_t n;

	if (strcmp(word, "ack") == 0) {
		packet->given |= SCRIPT_GIVEN_ACK;
		return value != NULL && script_number_parse(value, &packet->ack) &&
		       !packet->ack.edge;
	}
	if (strcmp(word, "edge") == 0 && expected) {
		packet->given |= SCRIPT_GIVEN_EDGE;
		return value != NULL && script_number_parse(value, &packet->edge);
	}
	if (!parse_unsigned(value, UINT16_MAX, &n))
		return false;
	if (strcmp(word, "win") == 0) {
		packet->given |= SCRIPT_GIVEN_WIN;
		packet->win = (uint16_t)n;
		return true;
	}
	packet->urgent = (uint16_t)n;
	return strcmp(word, "urg") == 0 && !expected;
}

static bool
parse_words(char *text, bool expected, struct script_packet *packet, char *why)
{
	char *save = NULL, *flags = strtok_r(text, " ", &save), *range = strtok_r(NULL, " ", &save);

	if (flags == NULL || !parse_flags(flags, &packet->flags)) {
		snprintf(why, SCRIPT_TEXT, "bad flags \"%.40s\": letters of %s, or -",
			 flags == NULL ? "" : flags, flag_letters);
		return false;
	}
	if (range == NULL || !parse_range(range, &packet->seq, &packet->end)) {
		snprintf(why, SCRIPT_TEXT, "bad sequence number \"%.40s\"",
			 range == NULL ? "" : range);
		return false;
	}
	for (char *word = strtok_r(NULL, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save)) {
		char *value;

		if (word[0] == 'x' && parse_unsigned(word + 1, 100000, &packet->times) &&
		    packet->times != 0)
			continue;
		if (!expected && parse_mark(word, packet))
			continue;
		value = strtok_r(NULL, " ", &save);
		if (parse_field(word, value, expected, packet))
			continue;
		snprintf(why, SCRIPT_TEXT, "bad field \"%.40s%s%.40s\"", word,
			 value == NULL ? "" : " ", value == NULL ? "" : value);
		return false;
	}
	return true;
}

bool
script_packet_parse(char *text, bool expected, struct script_packet *packet, char *why)
{
	char *open = strchr(text, '<'), *close = strrchr(text, '>');

	memset(packet, 0, sizeof(*packet));
	packet->times = 1;
	packet->win = UINT16_MAX;
	if ((open == NULL) != (close == NULL) || (open != NULL && close < open)) {
		snprintf(why, SCRIPT_TEXT, "options stand between < and >");
		return false;
	}
	if (open != NULL) {
		if (close[1] != 0 && strspn(close + 1, " ") != strlen(close + 1)) {
			snprintf(why, SCRIPT_TEXT, "options stand at the end of the line");
			return false;
		}
		*open = *close = 0;
		if (!parse_options(open + 1, expected, packet, why))
			return false;
	}
	return parse_words(text, expected, packet, why);
}
