/* SPDX-License-Identifier: BSD-3-Clause */
/* A script's text, line by line. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/script/parser.h"
#include "weir.h"

const char *const script_state_names[] = {"closed",	"established",	"fin-wait-1",
					  "fin-wait-2", "close-wait",	"closing",
					  "last-ack",	"syn-received", "time-wait",
					  NULL};
const char *const script_event_names[] = {"none", "accepted", "data", "fin", "closed", NULL};
const char *const script_reason_names[] = {"done", "reset", "aborted", "timeout", NULL};

static bool parse_line(struct parser *parser, const char *line);

/* ---- stimuli and expectations ---- */

static bool
parse_packet(struct parser *parser, const char *text, bool expected)
{
	struct script_line *line = script_add(parser, expected ? SCRIPT_EXPECT : SCRIPT_INJECT, text);
	char copy[SCRIPT_TEXT], why[SCRIPT_TEXT];

	if (expected && strcmp(text, "< *") == 0) {
		line->packet.given = SCRIPT_GIVEN_ANY;
		return true;
	}
	snprintf(copy, sizeof(copy), "%s", text + 1);
	return script_packet_parse(copy, expected, &line->packet, why) ||
	       script_wrong(parser, "%.200s", why);
}

static bool
parse_call(struct parser *parser, int call, char **save, const char *text)
{
	const char *bytes = strtok_r(NULL, " ", save);
	struct script_line *line = script_add(parser, SCRIPT_CALL, text);

	line->call.call = (enum script_call)call;
	line->call.bytes = UINT32_MAX;
	if (call == SCRIPT_LINGER)
		return script_to_unsigned(bytes, 0, INT32_MAX, &line->call.bytes) ||
		       script_wrong(parser, "linger needs milliseconds");
	if (call != SCRIPT_READ && call != SCRIPT_DISCARD)
		return bytes == NULL || script_wrong(parser, "%s takes no number", script_call_names[call]);
	return (bytes != NULL && strcmp(bytes, "all") == 0) ||
	       script_to_unsigned(bytes, 0, UINT32_MAX - 1, &line->call.bytes) ||
	       script_wrong(parser, "%s needs a number of bytes, or all", script_call_names[call]);
}

static bool
parse_event(struct parser *parser, char **save, const char *text)
{
	int type = script_find_name(script_event_names, strtok_r(NULL, " ", save));
	const char *word = strtok_r(NULL, " ", save);
	struct script_line *line = script_add(parser, SCRIPT_EVENT, text);
	uint32_t bytes;
	int reason;

	if (type <= 0)
		return script_wrong(parser, "event accepted, data N, fin or closed REASON");
	line->event.type = (uint32_t)type;
	if (type == WEIR_EVENT_DATA) {
		if (!script_to_unsigned(word, 0, UINT32_MAX, &bytes))
			return script_wrong(parser, "event data needs a number of bytes");
		line->event.bytes = bytes;
	} else if (type == WEIR_EVENT_CLOSED) {
		reason = script_find_name(script_reason_names, word);
		if (reason < 0)
			return script_wrong(parser, "event closed done, reset, aborted or timeout");
		line->event.reason = (uint32_t)reason;
	}
	return true;
}

static bool
parse_drop(struct parser *parser, char **save, const char *text)
{
	const char *name = strtok_r(NULL, " ", save), *n = strtok_r(NULL, " ", save), *known;
	struct script_line *line = script_add(parser, SCRIPT_DROP, text);

	line->drop.n = 1;
	line->drop.reason = -1;
	if (name != NULL && strcmp(name, "any") == 0)
		return true;
	for (uint32_t i = 0; name != NULL && (known = weir_stats_drop_name(i)) != NULL; i++)
		if (strcmp(known, name) == 0)
			line->drop.reason = (int)i;
	if (line->drop.reason < 0)
		return script_wrong(parser, "no drop reason \"%.40s\"", name == NULL ? "" : name);
	return n == NULL || script_to_unsigned(n, 1, UINT32_MAX, &line->drop.n) ||
	       script_wrong(parser, "bad number \"%.40s\"", n);
}

static bool
parse_count(struct parser *parser, char **save, const char *text)
{
#define COUNTER(name) {#name, offsetof(struct weir_stats, name)}
	static const struct {
		const char *name;
		uint32_t offset;
	} counters[] = {
		COUNTER(slow_segs),	  COUNTER(acks_train),	   COUNTER(acks_single),
		COUNTER(trains),	  COUNTER(dup_acks),	   COUNTER(window_updates),
		COUNTER(orphans_reset), COUNTER(time_wait_skipped), COUNTER(fins_again), COUNTER(keepalives),
		COUNTER(timeouts), COUNTER(orphans), COUNTER(refused),
		COUNTER(ts_missing),	  COUNTER(answers_limited), COUNTER(resets_received),
		COUNTER(resets_sent),	  COUNTER(options_malformed), COUNTER(edges_held),
		COUNTER(window_rounded_down), COUNTER(pruned),	   COUNTER(collapsed),
		COUNTER(accepted),	  COUNTER(closed),	   COUNTER(syn_acks),
		COUNTER(syn_acks_again),  COUNTER(syn_expired),	   COUNTER(cookies_sent),
		COUNTER(cookies_accepted), COUNTER(cookies_refused),
		COUNTER(receive_buffers_raised), COUNTER(receive_buffers_lowered),
		COUNTER(receive_buffers_refused),
	};
#undef COUNTER
	const char *name = strtok_r(NULL, " ", save);
	struct script_line *line = script_add(parser, SCRIPT_COUNT, text);
	uint32_t n;

	for (uint32_t i = 0; name != NULL && i < sizeof(counters) / sizeof(counters[0]); i++) {
		if (strcmp(counters[i].name, name) != 0)
			continue;
		line->count.offset = counters[i].offset;
		if (!script_to_unsigned(strtok_r(NULL, " ", save), 0, UINT32_MAX, &n))
			return script_wrong(parser, "count NAME N");
		line->count.n = n;
		return true;
	}
	return script_wrong(parser, "no counter \"%.40s\"", name == NULL ? "" : name);
}

static bool
parse_level(struct parser *parser, int level, char **save, const char *text)
{
	struct script_line *line = script_add(parser, SCRIPT_LEVEL, text);
	uint32_t n;

	line->level.level = (enum script_level)level;
	if (!script_to_unsigned(strtok_r(NULL, " ", save), 0, UINT32_MAX, &n))
		return script_wrong(parser, "a number of bytes is missing");
	line->level.n = n;
	return true;
}

static bool
parse_state(struct parser *parser, const char *name, const char *text)
{
	int state = script_find_name(script_state_names, name);

	if (state < 0)
		return script_wrong(parser, "no state \"%.40s\"", name == NULL ? "" : name);
	script_add(parser, SCRIPT_STATE, text)->state = (uint32_t)state;
	return true;
}

/* ---- lines that stand for several ---- */

static bool
parse_lines(struct parser *parser, const char *const *lines, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!parse_line(parser, lines[i]))
			return false;
	return true;
}

static bool
expand_open(struct parser *parser, bool completed)
{
	static const char *const paths[][4] = {
		[WEIR_ECN_OFF] = {"> S 0", "< S. 0 ack 1", "> . 1 ack 1", "event accepted"},
		[WEIR_ECN_ON] = {"> SEW 0", "< S.E 0 ack 1", "> . 1 ack 1", "event accepted"},
		[WEIR_ECN_ACCURATE] = {"> SEWA 0", "< S.W 0 ack 1", "> .W 1 ack 1",
				       "event accepted"},
	};

	return parse_lines(parser, paths[parser->remotes[parser->current].ecn],
			   completed ? 4 : 2);
}

static bool
expand_enter(struct parser *parser, const char *name)
{
	static const char *const paths[][7] = {
		[WEIR_EVENT_ACCEPTED] = {NULL},
		[2] = {"close", "< F. 1 ack 1"},
		[3] = {"close", "< F. 1 ack 1", "> . 1 ack 2"},
		[4] = {"> F. 1 ack 1", "< . 1 ack 2", "event fin"},
		[5] = {"close", "< F. 1 ack 1", "> F. 1 ack 1", "< . 2 ack 2"},
		[6] = {"> F. 1 ack 1", "< . 1 ack 2", "event fin", "close", "< F. 1 ack 2"},
		[8] = {"close", "< F. 1 ack 1", "> . 1 ack 2", "> F. 1 ack 2", "< . 2 ack 2",
		       "event closed done"},
	};
	int state = script_find_name(script_state_names, name);
	uint32_t n = 0;

	if (state <= 0)
		return script_wrong(parser, "no state \"%.40s\" to enter", name == NULL ? "" : name);
	if (state == SCRIPT_STATE_SYN_RECEIVED)
		return expand_open(parser, false) && parse_state(parser, name, "enter");
	while (paths[state][n] != NULL)
		n++;
	return expand_open(parser, true) && parse_lines(parser, paths[state], n) &&
	       parse_state(parser, name, "enter");
}

/* Spend the quick ACKs of a connection's start: 1,600 bytes. */
static bool
expand_warm(struct parser *parser)
{
	for (uint32_t i = 0; i < 16; i++) {
		const bool ace = parser->remotes[parser->current].ecn == WEIR_ECN_ACCURATE;
		const char *flags = ace ? ".EA" : ".";
		char segment[40], ack[40];
		const char *const lines[] = {segment, ack, "event data 100"};

		snprintf(segment, sizeof(segment), "> %s %u:%u ack 1", flags, 1 + 100 * i,
			 101 + 100 * i);
		snprintf(ack, sizeof(ack), "< %s 1 ack %u", flags, 101 + 100 * i);
		if (!parse_lines(parser, lines, 3))
			return false;
	}
	return true;
}

/* ---- all of it ---- */

static bool
parse_words(struct parser *parser, const char *word, char **save, const char *line)
{
	static const char *const levels[] = {"unread", "leased", "held", "window", "buffer", NULL};
	int call = script_find_name(script_call_names, word), level = script_find_name(levels, word);

	if (parser->n_remotes == 0) {
		parser->remotes[parser->n_remotes++] = script_default_remote(0);
		script_add(parser, SCRIPT_REMOTE, "remote A")->remote = parser->remotes[0];
	}
	parser->begun = true;
	if (word[0] == '>' || word[0] == '<')
		return parse_packet(parser, line, word[0] == '<');
	if (word[0] == '+')
		return script_to_duration(word + 1, &script_add(parser, SCRIPT_AFTER, line)->after_ns) ||
		       script_wrong(parser, "bad time \"%.40s\"", word);
	if (call >= 0 && call != SCRIPT_NOTHING)
		return parse_call(parser, call, save, line);
	if (level >= 0)
		return parse_level(parser, level, save, line);
	if (strcmp(word, "event") == 0)
		return parse_event(parser, save, line);
	if (strcmp(word, "drop") == 0)
		return parse_drop(parser, save, line);
	if (strcmp(word, "count") == 0)
		return parse_count(parser, save, line);
	if (strcmp(word, "state") == 0)
		return parse_state(parser, strtok_r(NULL, " ", save), line);
	if (strcmp(word, "open") == 0)
		return expand_open(parser, true);
	if (strcmp(word, "warm") == 0)
		return expand_warm(parser);
	if (strcmp(word, "enter") == 0)
		return expand_enter(parser, strtok_r(NULL, " ", save));
	return script_wrong(parser, "unknown word \"%.40s\"", word);
}

static bool
parse_line(struct parser *parser, const char *line)
{
	char copy[SCRIPT_TEXT], *save = NULL, *word;
	bool known, good;

	snprintf(copy, sizeof(copy), "%s", line);
	word = strtok_r(copy, " ", &save);
	if (word == NULL || word[0] == '#')
		return true;
	good = script_parse_setting(parser, word, &save, line, &known);
	if (!known)
		good = parse_words(parser, word, &save, line);
	if (!good || word[0] == '>' || word[0] == '<')
		return good;
	word = strtok_r(NULL, " ", &save);
	return word == NULL || script_wrong(parser, "\"%.40s\" is one word too many", word);
}

/* Copy a line without its end, its tabs and the blanks around it; false when it is too long. */
static bool
tidy(const char *from, size_t len, char to[SCRIPT_TEXT])
{
	while (len != 0 && (*from == ' ' || *from == '\t')) {
		from++;
		len--;
	}
	while (len != 0 && (from[len - 1] == ' ' || from[len - 1] == '\t' || from[len - 1] == '\r'))
		len--;
	if (len >= SCRIPT_TEXT)
		return false;
	for (size_t i = 0; i < len; i++)
		to[i] = from[i] == '\t' ? ' ' : from[i];
	to[len] = 0;
	return true;
}

static bool
parse_text(struct parser *parser, const char *text)
{
	if (strncmp(text, "# RFC ", 6) != 0) {
		parser->number = 1;
		return script_wrong(parser, "the first line names the RFC section: # RFC 9293 3.10.7: ...");
	}
	while (*text != 0) {
		size_t len = strcspn(text, "\n");
		char line[SCRIPT_TEXT];

		parser->number++;
		if (!tidy(text, len, line))
			return script_wrong(parser, "longer than %d bytes", SCRIPT_TEXT - 1);
		if (!parse_line(parser, line))
			return false;
		text += len + (text[len] == '\n');
	}
	return parser->begun || script_wrong(parser, "nothing happens in this script");
}

struct script *
script_parse(const char *text, struct script_error *error)
{
	struct parser parser = {.why = error->text};

	parser.script = calloc(1, sizeof(*parser.script));
	if (parser.script == NULL)
		abort();
	error->text[0] = 0;
	if (!parse_text(&parser, text)) {
		error->line = parser.number;
		script_free(parser.script);
		return NULL;
	}
	return parser.script;
}

void
script_free(struct script *script)
{
	free(script->lines);
	free(script);
}
