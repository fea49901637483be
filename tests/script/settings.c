/* SPDX-License-Identifier: BSD-3-Clause */
/* The lines of a script that set something up, and what all lines are read with. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/script/parser.h"
#include "weir.h"

const struct script_stack script_default_stack = {
	.buffers = 512, .flows = 16, .syns = 16, .time_waits = 16, .time_wait_ms = 60000,
	.orphans = 1024};
const struct script_listen script_default_listen = {.port = 9000, .buffer = 65536, .buffer_max = 65536,
							 .backlog = 1024,
							 .ecn = WEIR_ECN_ON};

bool
script_wrong(struct parser *parser, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(parser->why, SCRIPT_TEXT, format, arguments);
	va_end(arguments);
	return false;
}

int
script_find_name(const char *const *names, const char *name)
{
	for (int i = 0; name != NULL && names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

bool
script_to_unsigned(const char *word, uint32_t least, uint32_t most, uint32_t *value)
{
	struct script_number number;

	if (word == NULL || !script_number_parse(word, &number) || number.edge ||
	    number.value < least || number.value > most)
		return false;
	*value = (uint32_t)number.value;
	return true;
}

bool
script_to_duration(const char *word, uint64_t *ns)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = {{"ns", 1},
		     {"us", 1000},
		     {"ms", 1000000},
		     {"s", 1000000000},
		     {"min", 60000000000},
		     {"h", 3600000000000},
		     {"d", 86400000000000}};
	char *end;
	uint64_t n = strtoull(word, &end, 10);

	if (end == word || end - word > 6)
		return false;
	for (uint32_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].unit) == 0) {
			*ns = n * units[i].ns;
			return true;
		}
	return false;
}

struct script_line *
script_add(struct parser *parser, enum script_kind kind, const char *text)
{
	struct script *script = parser->script;
	struct script_line *line;

	if (script->n_lines == parser->room) {
		parser->room = parser->room * 2 + 16;
		script->lines =
			realloc(script->lines, parser->room * sizeof(script->lines[0]));
		if (script->lines == NULL)
			abort();
	}
	line = &script->lines[script->n_lines++];
	memset(line, 0, sizeof(*line));
	line->number = parser->number;
	line->kind = kind;
	snprintf(line->text, sizeof(line->text), "%s", text);
	return line;
}

/* ---- settings ---- */

/* The next word of the form KEY=VALUE: its two halves. False at the end; *key NULL when it is none. */
static bool
next_setting(char **save, char **key, char **value)
{
	char *word = strtok_r(NULL, " ", save), *equal;

	if (word == NULL)
		return false;
	equal = strchr(word, '=');
	*key = equal == NULL ? NULL : word;
	*value = equal == NULL ? word : equal + 1;
	if (equal != NULL)
		*equal = 0;
	return true;
}

static bool
bad_setting(struct parser *parser, const char *key, const char *value)
{
	return script_wrong(parser, "bad setting \"%.40s%s%.40s\"", key == NULL ? "" : key,
		     key == NULL ? "" : "=", value);
}

static bool
parse_stack(struct parser *parser, char **save, const char *text)
{
	struct script_stack *stack = &script_add(parser, SCRIPT_STACK, text)->stack;
	char *key, *value;
	uint64_t ns;

	*stack = script_default_stack;
	while (next_setting(save, &key, &value)) {
		bool good = false;

		if (key != NULL && strcmp(key, "buffers") == 0)
			good = script_to_unsigned(value, 64, 8192, &stack->buffers);
		else if (key != NULL && strcmp(key, "flows") == 0)
			good = script_to_unsigned(value, 1, 1024, &stack->flows);
		else if (key != NULL && strcmp(key, "syns") == 0)
			good = script_to_unsigned(value, 1, 1024, &stack->syns);
		else if (key != NULL && strcmp(key, "time_waits") == 0)
			good = script_to_unsigned(value, 1, 1024, &stack->time_waits);
		else if (key != NULL && strcmp(key, "orphans") == 0)
			good = script_to_unsigned(value, 1, 1024, &stack->orphans);
		else if (key != NULL && strcmp(key, "limit") == 0)
			good = script_to_unsigned(value, 1, 64, &stack->limit);
		else if (key != NULL && strcmp(key, "time_wait") == 0 && script_to_duration(value, &ns)) {
			stack->time_wait_ms = (uint32_t)(ns / 1000000);
			good = true;
		}
		if (!good)
			return bad_setting(parser, key, value);
	}
	parser->script->limit = stack->limit;
	return true;
}

static bool
to_switch(const char *value, bool *on)
{
	*on = strcmp(value, "on") == 0;
	return *on || strcmp(value, "off") == 0;
}

static bool
to_ms(const char *value, uint32_t *ms)
{
	uint64_t ns;

	if (!script_to_duration(value, &ns))
		return false;
	*ms = (uint32_t)(ns / 1000000);
	return true;
}

static bool
to_ecn(const char *value, uint32_t *ecn)
{
	static const char *const settings[] = {"off", "on", "accurate", NULL};

	*ecn = (uint32_t)script_find_name(settings, value);
	return script_find_name(settings, value) >= 0;
}

/* BYTES, or MIN-MAX of a tuned one. */
static bool
to_buffer(const char *value, struct script_listen *listen)
{
	char least[16];
	size_t len = strcspn(value, "-");

	if (len >= sizeof(least))
		return false;
	memcpy(least, value, len);
	least[len] = 0;
	return script_to_unsigned(least, 4096, 1u << 30, &listen->buffer) &&
	       script_to_unsigned(value[len] == 0 ? value : value + len + 1, listen->buffer,
				  1u << 30, &listen->buffer_max);
}

static bool
set_listen(struct script_listen *listen, const char *key, const char *value)
{
	static const char *const policies[] = {"train", "stretch", "delayed", NULL};
	bool on;

	if (strcmp(key, "buffer") == 0)
		return to_buffer(value, listen);
	if (strcmp(key, "backlog") == 0)
		return script_to_unsigned(value, 1, 1024, &listen->backlog);
	if (strcmp(key, "ecn") == 0)
		return to_ecn(value, &listen->ecn);
	if (strcmp(key, "keepalive") == 0)
		return to_ms(value, &listen->keepalive_ms);
	if (strcmp(key, "interval") == 0)
		return to_ms(value, &listen->interval_ms);
	if (strcmp(key, "probes") == 0)
		return script_to_unsigned(value, 1, 15, &listen->probes);
	if (strcmp(key, "connections") == 0)
		return script_to_unsigned(value, 1, 1024, &listen->connections);
	if (strcmp(key, "memory") == 0)
		return script_to_unsigned(value, 64, 8192, &listen->memory);
	if (strcmp(key, "per_address") == 0)
		return script_to_unsigned(value, 1, 1024, &listen->per_address);
	if (strcmp(key, "user_timeout") == 0)
		return to_ms(value, &listen->user_timeout_ms);
	if (strcmp(key, "ack") == 0) {
		listen->ack_policy = (uint16_t)script_find_name(policies, value);
		return script_find_name(policies, value) >= 0;
	}
	if (strcmp(key, "cookies") != 0 || !to_switch(value, &on))
		return false;
	listen->no_cookies = !on;
	return true;
}

static bool
parse_listen(struct parser *parser, char **save, const char *text)
{
	struct script_listen *listen = &script_add(parser, SCRIPT_LISTEN, text)->listen;
	char *key, *value;
	uint32_t port;

	if (!script_to_unsigned(strtok_r(NULL, " ", save), 1, UINT16_MAX, &port))
		return script_wrong(parser, "listen needs a port");
	*listen = script_default_listen;
	listen->port = (uint16_t)port;
	while (next_setting(save, &key, &value))
		if (key == NULL || !set_listen(listen, key, value))
			return bad_setting(parser, key, value);
	return true;
}

static bool
set_remote(struct script_remote *remote, const char *key, const char *value)
{
	uint32_t n;

	if (strcmp(key, "ts") == 0)
		return to_switch(value, &remote->ts);
	if (strcmp(key, "sack") == 0)
		return to_switch(value, &remote->sack);
	if (strcmp(key, "ecn") == 0)
		return to_ecn(value, &remote->ecn);
	if (strcmp(key, "iss") == 0)
		return script_to_unsigned(value, 0, UINT32_MAX, &remote->iss);
	if (strcmp(key, "clock") == 0)
		return script_to_unsigned(value, 0, UINT32_MAX, &remote->clock);
	if (strcmp(key, "ws") == 0 && strcmp(value, "off") == 0) {
		remote->wscale = -1;
		return true;
	}
	if (!script_to_unsigned(value, 0, UINT16_MAX, &n))
		return false;
	if (strcmp(key, "ws") == 0)
		remote->wscale = (int)(n & 0xff);
	else if (strcmp(key, "mss") == 0)
		remote->mss = (uint16_t)n;
	else if (strcmp(key, "port") == 0)
		remote->port = (uint16_t)n;
	else if (strcmp(key, "to") == 0)
		remote->to = (uint16_t)n;
	else if (strcmp(key, "host") == 0)
		remote->host = (uint8_t)(n % SCRIPT_HOSTS);
	else
		return false;
	return true;
}

struct script_remote
script_default_remote(uint32_t index)
{
	return (struct script_remote){.name = "A",
				      .port = (uint16_t)(40000 + index),
				      .to = 9000,
				      .ts = true,
				      .sack = true,
				      .wscale = 7,
				      .mss = 1460,
				      .iss = 1000000 * (index + 1),
				      .clock = 1000};
}

static int
find_remote(const struct parser *parser, const char *name)
{
	for (uint32_t i = 0; name != NULL && i < parser->n_remotes; i++)
		if (strcmp(parser->remotes[i].name, name) == 0)
			return (int)i;
	return -1;
}

static bool
parse_remote(struct parser *parser, char **save, const char *text)
{
	const char *name = strtok_r(NULL, " ", save);
	struct script_remote remote;
	char *key, *value;

	if (name == NULL || strchr(name, '=') != NULL || strlen(name) >= sizeof(remote.name))
		return script_wrong(parser, "remote needs a name");
	if (find_remote(parser, name) >= 0 || parser->n_remotes == SCRIPT_REMOTES)
		return script_wrong(parser, "remote %.40s is there already, or too many", name);
	remote = script_default_remote(parser->n_remotes);
	snprintf(remote.name, sizeof(remote.name), "%s", name);
	while (next_setting(save, &key, &value))
		if (key == NULL || !set_remote(&remote, key, value))
			return bad_setting(parser, key, value);
	parser->current = parser->n_remotes;
	parser->remotes[parser->n_remotes++] = remote;
	script_add(parser, SCRIPT_REMOTE, text)->remote = remote;
	return true;
}

static bool
parse_with(struct parser *parser, char **save, const char *text)
{
	const char *name = strtok_r(NULL, " ", save);
	int i = find_remote(parser, name);

	if (i < 0)
		return script_wrong(parser, "no remote \"%.40s\"", name == NULL ? "" : name);
	parser->current = (uint32_t)i;
	script_add(parser, SCRIPT_WITH, text)->with = (uint32_t)i;
	return true;
}

const char *const script_call_names[] = {"read",  "discard", "lease",	"release",
					 "close", "shutdown", "linger", "abort", "nothing", NULL};

static bool
parse_on(struct parser *parser, char **save, const char *text)
{
	int event = script_find_name(script_event_names, strtok_r(NULL, " ", save));
	int call = script_find_name(script_call_names, strtok_r(NULL, " ", save));
	struct script_line *line;

	if (event <= 0 || call < 0)
		return script_wrong(parser, "on EVENT CALL");
	line = script_add(parser, SCRIPT_ON, text);
	line->on.event = (uint32_t)event;
	line->on.call = (enum script_call)call;
	return true;
}

bool
script_parse_setting(struct parser *parser, const char *word, char **save, const char *line, bool *known)
{
	bool early = strcmp(word, "stack") == 0 || strcmp(word, "listen") == 0;

	*known = true;
	if (early && parser->begun)
		return script_wrong(parser, "%s stands before all else", word);
	if (strcmp(word, "stack") == 0)
		return parse_stack(parser, save, line);
	if (strcmp(word, "listen") == 0)
		return parse_listen(parser, save, line);
	if (strcmp(word, "remote") == 0)
		return parse_remote(parser, save, line);
	if (strcmp(word, "with") == 0)
		return parse_with(parser, save, line);
	if (strcmp(word, "on") == 0)
		return parse_on(parser, save, line);
	*known = false;
	return true;
}
