/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plays scripts. Stimuli up to the first expectation are one step; then comes a poll, and all that
 * it brought must be expected: packets and events in their order, drops by name.
 */
#include "tests/script/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_NS 1000 /* time that passes when a script says nothing */

struct play {
	struct stage *stage;
	const struct script_line *line;
	uint32_t remote;
	bool stimulated; /* something waits for its poll */
	uint32_t seen, events; /* of the last poll, met so far */
	uint32_t drops[WEIR_STATS_DROPS]; /* of the last poll, not met yet */
	bool any_drops;
};

static void
poll_step(struct play *play)
{
	struct stage *stage = play->stage;

	stage_poll(stage);
	play->stimulated = false;
	play->seen = play->events = 0;
	play->any_drops = false;
	for (uint32_t i = 0; i < WEIR_STATS_DROPS; i++)
		play->drops[i] = (uint32_t)(stage->engine->tcp.stats.drops[i] -
					    stage->before.drops[i]);
}

static void
write_event(const struct stage *stage, const struct stage_event *event, char *to, uint32_t size)
{
	if (event->type == WEIR_EVENT_DATA)
		snprintf(to, size, "event data %llu (%s)", (unsigned long long)event->bytes,
			 stage->remotes[event->remote].is.name);
	else
		snprintf(to, size, "event %s%s%s (%s)", script_event_names[event->type],
			 event->type == WEIR_EVENT_CLOSED ? " " : "",
			 event->type == WEIR_EVENT_CLOSED ? script_reason_names[event->flags] : "",
			 stage->remotes[event->remote].is.name);
}

/* Before time goes on: everything that the last poll brought was expected. */
static void
end_step(struct play *play)
{
	struct stage *stage = play->stage;
	char text[SCRIPT_TEXT];

	if (play->stimulated)
		poll_step(play);
	if (play->seen < stage->n_seen) {
		stage_write(&stage->seen[play->seen], text, sizeof(text));
		stage_fail(stage, "before this, also came: %s", text);
	}
	if (play->events < stage->n_events) {
		write_event(stage, &stage->events[play->events], text, sizeof(text));
		stage_fail(stage, "before this, also came: %s", text);
	}
	for (uint32_t i = 0; i < WEIR_STATS_DROPS && !play->any_drops; i++)
		if (play->drops[i] != 0)
			stage_fail(stage, "before this, also came: drop %s %u",
				   weir_stats_drop_name(i), play->drops[i]);
}

/* ---- stimuli ---- */

static void
stimulate(struct play *play)
{
	struct stage *stage = play->stage;
	const struct script_line *line = play->line;

	if (!play->stimulated || line->kind == SCRIPT_AFTER) {
		end_step(play);
		stage->n_seen = stage->n_events = 0;
		memset(play->drops, 0, sizeof(play->drops));
		play->seen = play->events = 0;
		play->stimulated = true;
		stage->before = stage->engine->tcp.stats;
		stage->now_ns += line->kind == SCRIPT_AFTER ? line->after_ns : STEP_NS;
	}
	if (line->kind == SCRIPT_INJECT)
		stage_inject(stage, play->remote, &line->packet);
	else if (line->kind == SCRIPT_CALL)
		stage_call(stage, play->remote, line->call.call, line->call.bytes);
}

/* ---- expectations ---- */

static bool
same_options(const struct script_packet *want, const struct script_packet *got)
{
	static const uint32_t bits[] = {SCRIPT_GIVEN_MSS, SCRIPT_GIVEN_SACKOK, SCRIPT_GIVEN_WS,
					SCRIPT_GIVEN_TS, SCRIPT_GIVEN_ACCECN};

	for (uint32_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if ((want->given & bits[i] & ~got->given) != 0 ||
		    (want->absent & bits[i] & got->given) != 0)
			return false;
	if (((want->given & SCRIPT_GIVEN_MSS) != 0 && want->mss != got->mss) ||
	    ((want->given & SCRIPT_GIVEN_WS) != 0 && want->wscale != got->wscale) ||
	    ((want->given & SCRIPT_GIVEN_TSVAL) != 0 && want->tsval != got->tsval) ||
	    ((want->given & SCRIPT_GIVEN_TSECR) != 0 && want->tsecr != got->tsecr) ||
	    ((want->given & SCRIPT_GIVEN_ACCECN) != 0 &&
	     (want->n_accecn != got->n_accecn ||
	      memcmp(want->accecn, got->accecn, sizeof(want->accecn)) != 0)))
		return false;
	return want->n_sacks == got->n_sacks &&
	       memcmp(want->sacks, got->sacks, sizeof(want->sacks)) == 0;
}

static bool
same_packet(const struct play *play, const struct stage_seen *seen)
{
	const struct script_packet *want = &play->line->packet, *got = &seen->packet;

	if (seen->remote != play->remote || want->flags != got->flags ||
	    want->seq.value != got->seq.value || want->end.value != got->end.value)
		return false;
	if ((want->given & SCRIPT_GIVEN_ACK) != 0 && want->ack.value != got->ack.value)
		return false;
	if ((want->given & SCRIPT_GIVEN_WIN) != 0 && want->win != got->win)
		return false;
	if ((want->given & SCRIPT_GIVEN_EDGE) != 0 &&
	    (int32_t)stage_number(play->stage, play->remote, want->edge) != got->edge.value)
		return false;
	return same_options(want, got);
}

static void
expect_packet(struct play *play)
{
	struct stage *stage = play->stage;
	char text[SCRIPT_TEXT];

	if (play->line->packet.given & SCRIPT_GIVEN_ANY) {
		play->seen = stage->n_seen;
		return;
	}
	for (uint32_t i = 0; i < play->line->packet.times; i++) {
		if (play->seen == stage->n_seen) {
			stage_fail(stage, "nothing came");
			return;
		}
		if (!same_packet(play, &stage->seen[play->seen++])) {
			stage_write(&stage->seen[play->seen - 1], text, sizeof(text));
			stage_fail(stage, "came: %s", text);
			return;
		}
	}
}

static void
expect_event(struct play *play)
{
	struct stage *stage = play->stage;
	const struct script_line *line = play->line;
	const struct stage_event *event = &stage->events[play->events];
	char text[SCRIPT_TEXT];

	if (play->events == stage->n_events) {
		stage_fail(stage, "no event came");
		return;
	}
	play->events++;
	if (event->remote == play->remote && event->type == line->event.type &&
	    (event->type != WEIR_EVENT_DATA || event->bytes == line->event.bytes) &&
	    (event->type != WEIR_EVENT_CLOSED || event->flags == line->event.reason))
		return;
	write_event(stage, event, text, sizeof(text));
	stage_fail(stage, "came: %s", text);
}

static void
expect_drop(struct play *play)
{
	const struct script_line *line = play->line;
	uint32_t *left;

	if (line->drop.reason < 0) {
		play->any_drops = true;
		return;
	}
	left = &play->drops[line->drop.reason];
	if (*left != line->drop.n)
		stage_fail(play->stage, "dropped so: %u", *left);
	*left = 0;
}

static void
expect_count(struct play *play)
{
	const struct stage *stage = play->stage;
	uint64_t was, is;

	memcpy(&was, (const char *)&stage->before + play->line->count.offset, sizeof(was));
	memcpy(&is, (const char *)&stage->engine->tcp.stats + play->line->count.offset,
	       sizeof(is));
	if (is - was != play->line->count.n)
		stage_fail(play->stage, "it moved by %llu", (unsigned long long)(is - was));
}

static void
expect(struct play *play)
{
	struct stage *stage = play->stage;
	const struct script_line *line = play->line;
	uint64_t n;

	if (play->stimulated)
		poll_step(play);
	switch (line->kind) {
	case SCRIPT_EXPECT:
		expect_packet(play);
		break;
	case SCRIPT_EVENT:
		expect_event(play);
		break;
	case SCRIPT_DROP:
		expect_drop(play);
		break;
	case SCRIPT_COUNT:
		expect_count(play);
		break;
	case SCRIPT_LEVEL:
		n = stage_level(stage, play->remote, line->level.level);
		if (n != line->level.n)
			stage_fail(stage, "it is %llu", (unsigned long long)n);
		break;
	default:
		n = stage_state(stage, play->remote);
		if (n != line->state)
			stage_fail(stage, "it is %s", script_state_names[n]);
		break;
	}
}

static void
perform(struct play *play)
{
	const struct script_line *line = play->line;
	struct stage *stage = play->stage;

	switch (line->kind) {
	case SCRIPT_STACK:
	case SCRIPT_LISTEN:
		break; /* done before */
	case SCRIPT_REMOTE:
		stage_remote(stage, &line->remote);
		play->remote = stage->n_remotes - 1;
		break;
	case SCRIPT_WITH:
		play->remote = line->with;
		break;
	case SCRIPT_ON:
		stage->on[line->on.event] = line->on.call;
		break;
	case SCRIPT_AFTER:
	case SCRIPT_INJECT:
	case SCRIPT_CALL:
		stimulate(play);
		break;
	default:
		expect(play);
		break;
	}
}

static void
begin(struct stage *stage, const struct script *script, uint32_t limit)
{
	const struct script_stack *stack = &script_default_stack;
	bool listens = false;

	for (uint32_t i = 0; i < script->n_lines; i++)
		if (script->lines[i].kind == SCRIPT_STACK)
			stack = &script->lines[i].stack;
	stage_begin(stage, stack, limit);
	for (uint32_t i = 0; i < script->n_lines; i++) {
		if (script->lines[i].kind != SCRIPT_LISTEN)
			continue;
		stage_listen(stage, &script->lines[i].listen);
		listens = true;
	}
	if (!listens)
		stage_listen(stage, &script_default_listen);
}

bool
play_script(struct stage *stage, const struct script *script, uint32_t limit,
	    struct script_error *error)
{
	struct play play = {.stage = stage};

	begin(stage, script, limit);
	for (uint32_t i = 0; i < script->n_lines && stage->error[0] == 0; i++) {
		play.line = &script->lines[i];
		perform(&play);
	}
	if (stage->error[0] == 0)
		end_step(&play);
	if (stage->error[0] == 0)
		stage_finish(stage);
	if (stage->error[0] == 0)
		return true;
	for (; stage->in_head < stage->in_tail; stage->in_head++)
		weir_buf_free(&stage->pool, stage->in[stage->in_head]);
	stage->in_head = stage->in_tail = 0;
	error->line = play.line->number;
	snprintf(error->text, sizeof(error->text), "%.100s: %.120s (limit %u%s)", play.line->text,
		 stage->error, limit, stage->ip6 ? ", IPv6" : "");
	return false;
}

/* The first line in which two transcripts differ. */
static void
write_difference(const char *first, const char *now, const struct stage *stage, uint32_t limit,
		 struct script_error *error)
{
	while (*first != 0 && *now != 0) {
		size_t a = strcspn(first, "\n"), b = strcspn(now, "\n");

		if (a != b || strncmp(first, now, a) != 0)
			break;
		first += a + (first[a] != 0);
		now += b + (now[b] != 0);
	}
	error->line = 0;
	snprintf(error->text, sizeof(error->text), "first: %.*s; limit %u%s: %.*s",
		 (int)strcspn(first, "\n"), first, limit, stage->ip6 ? ", IPv6" : "",
		 (int)strcspn(now, "\n"), now);
}

/* One more performance, which must come out as the first one did. */
static bool
play_again(struct stage *stage, const struct script *script, uint32_t limit, bool ip6,
	   char **first, struct script_error *error)
{
	stage->ip6 = ip6;
	if (!play_script(stage, script, limit, error))
		return false;
	if (*first == NULL)
		*first = strdup(stage->transcript);
	/* A cookie lies in the timestamp, and depends on the addresses. */
	if (strcmp(*first, stage->transcript) == 0 ||
	    (ip6 && stage->engine->tcp.stats.cookies_sent != 0))
		return true;
	write_difference(*first, stage->transcript, stage, limit, error);
	return false;
}

bool
play_text(struct stage *stage, const char *text, struct script_error *error)
{
	struct script *script = script_parse(text, error);
	uint32_t least, most;
	char *first = NULL;
	bool good;

	if (script == NULL)
		return false;
	least = script->limit != 0 ? script->limit : 1;
	most = script->limit != 0 ? script->limit : 20;
	good = play_again(stage, script, least, false, &first, error) &&
	       (least == most || play_again(stage, script, most, false, &first, error)) &&
	       play_again(stage, script, most, true, &first, error);
	free(first);
	script_free(script);
	return good;
}
