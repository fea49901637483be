/* SPDX-License-Identifier: BSD-3-Clause */
/* When weir-gen doubts its peer, when it gives up, and what it then says of the run. */
#include "../unit/unit.h"

#include <string.h>

#include "patience.h"
#include "verdict.h"

#define SECOND UINT64_C(1000000000)

static struct options options;
static struct generator_stats stats;
static struct patience patience;
static struct patience_facts facts;
static char text[VERDICT_TEXT];

static void
begin(void)
{
	bool say;

	memset(&options, 0, sizeof(options));
	options.target_text = "192.0.2.1:9000";
	options.flows = 4;
	options.mode = GENERATOR_STREAM; /* without requests */
	stats = (struct generator_stats){
	    .size = sizeof(stats),
	    .opened = 4,
	    .closed = 4,
	    .bytes_sent = 4000,
	    .bytes_acked = 4000,
	};
	facts = (struct patience_facts){
	    .stats = &stats,
	    .link_up = true,
	    .resolved = true,
	    .waiting = true,
	};
	patience_start(&patience, SECOND);
	patience_tick(&patience, &facts, SECOND, &say); /* has seen what came so far */
}

static bool
give_up_at(uint64_t seconds, bool *say)
{
	return patience_tick(&patience, &facts, SECOND + seconds * SECOND, say);
}

START_TEST(doubts_once_then_gives_up)
{
	bool say;

	begin();
	stats.bytes_acked = 3999;
	ck_assert(!give_up_at(1, &say) && !say);
	ck_assert(!give_up_at(2, &say) && say);
	ck_assert(!give_up_at(9, &say) && !say);
	ck_assert(give_up_at(10, &say));
	ck_assert_int_eq(patience_cause(&facts), PATIENCE_SILENT);
}
END_TEST

START_TEST(life_returns)
{
	bool say;

	begin();
	stats.bytes_acked = 3999;
	give_up_at(9, &say);
	stats.acks_received++;
	ck_assert(!give_up_at(10, &say) && !say);
	ck_assert(!give_up_at(11, &say) && !say);
	ck_assert(!give_up_at(12, &say) && say);
	ck_assert(give_up_at(20, &say));
}
END_TEST

/* All is acknowledged and the window shut: probes are up to a minute apart. */
START_TEST(closed_window_takes_longer)
{
	bool say;

	begin();
	ck_assert(!give_up_at(70, &say) && !say);
	ck_assert(give_up_at(75, &say));
}
END_TEST

START_TEST(nothing_to_wait_for)
{
	bool say;

	begin();
	facts.waiting = false;
	ck_assert(!give_up_at(1000, &say) && !say);
	facts.waiting = true;
	stats.bytes_acked = 3999;
	ck_assert(!give_up_at(1009, &say));
	ck_assert(give_up_at(1010, &say));
}
END_TEST

/* The link is told by others, and a device that has gone is not waited for. */
START_TEST(link_and_device)
{
	bool say;

	begin();
	facts.link_up = false;
	ck_assert(!give_up_at(9, &say) && !say);
	ck_assert(give_up_at(10, &say) && !say);
	ck_assert_int_eq(patience_cause(&facts), PATIENCE_LINK);
	begin();
	facts.gone = true;
	facts.link_up = false;
	ck_assert(give_up_at(0, &say) && !say);
	ck_assert_int_eq(patience_cause(&facts), PATIENCE_GONE);
}
END_TEST

START_TEST(unresolved_without_waiting)
{
	bool say;

	begin();
	facts.resolved = facts.waiting = false;
	ck_assert(!give_up_at(2, &say) && say);
	ck_assert(give_up_at(10, &say));
	ck_assert_int_eq(patience_cause(&facts), PATIENCE_UNRESOLVED);
}
END_TEST

static bool
judge(enum patience_cause cause, bool interrupted)
{
	struct verdict_facts judged = {
	    .stats = stats,
	    .cause = cause,
	    .interrupted = interrupted,
	    .port = "net_tap0",
	};

	text[0] = '\0';
	return verdict(&options, &judged, text);
}

/* Missed, with a line that holds this word. */
static void
missed(const char *word)
{
	ck_assert(!judge(PATIENCE_GOOD, false));
	ck_assert_msg(strstr(text, word) != NULL, "no '%s' in: %s", word, text);
	ck_assert_ptr_null(strchr(text, '\n'));
}

START_TEST(good_runs)
{
	begin();
	ck_assert(judge(PATIENCE_GOOD, false));
	options.bytes = 1000;
	ck_assert(judge(PATIENCE_GOOD, false));
	options.mode = GENERATOR_CONNECT;
	options.request_bytes = 1024;
	options.bytes = 1024;
	ck_assert(judge(PATIENCE_GOOD, false));
}
END_TEST

START_TEST(missed_runs)
{
	begin();
	stats.opened = stats.closed = 0;
	missed("no connection");
	stats.reset = 4;
	missed("refuses connections");
	begin();
	stats.reset = 1;
	missed("1 connection was reset");
	stats.reset = 2;
	missed("2 connections were reset");
	begin();
	stats.failed = 2;
	missed("2 connections timed out");
	stats.failed = 1;
	missed("1 connection timed out");
	begin();
	stats.bytes_acked = 3000;
	missed("1000 of 4000 bytes were not acknowledged");
	begin();
	options.bytes = 1001;
	options.tool.seconds = 3;
	missed("within --seconds 3");
	options.mode = GENERATOR_CONNECT;
	options.request_bytes = 1024;
	options.bytes = 2048;
	missed("within --seconds 3");
}
END_TEST

/* A person who ends a run knows that --bytes are missed; what went wrong before is still told. */
START_TEST(interrupted_runs)
{
	begin();
	options.bytes = 5000;
	ck_assert(judge(PATIENCE_GOOD, true));
	stats.failed = 1;
	ck_assert(!judge(PATIENCE_GOOD, true));
	begin();
	stats.opened = stats.closed = 0;
	ck_assert(judge(PATIENCE_GOOD, true));
}
END_TEST

START_TEST(hostile_runs)
{
	begin();
	options.attack = GENERATOR_ATTACK_SYN;
	stats.opened = 0;
	stats.attack_packets = 1;
	ck_assert(judge(PATIENCE_GOOD, false));
	stats.attack_packets = 0;
	ck_assert(!judge(PATIENCE_GOOD, false));
	ck_assert_ptr_nonnull(strstr(text, "nobody answers for 192.0.2.1:9000"));
	ck_assert(judge(PATIENCE_GOOD, true));
	options.attack = GENERATOR_ATTACK_OOO;
	stats.opened = 4;
	stats.bytes_acked = 0;
	ck_assert(judge(PATIENCE_GOOD, false));
	options.attack = GENERATOR_ATTACK_RST;
	ck_assert(!judge(PATIENCE_GOOD, false));
	options.open_loop_pps = 1;
	ck_assert(judge(PATIENCE_GOOD, false));
	stats.reset = 1;
	ck_assert(!judge(PATIENCE_GOOD, false));
}
END_TEST

START_TEST(causes_name_thing_and_mend)
{
	static const struct {
		enum patience_cause cause;
		const char *thing, *mend;
	} lines[] = {
	    {PATIENCE_GONE, "net_tap0", "make it again"},
	    {PATIENCE_LINK, "net_tap0 has no link", "other end"},
	    {PATIENCE_UNRESOLVED, "ARP for 192.0.2.1: ", "--connect"},
	    {PATIENCE_SILENT, "192.0.2.1:9000", "receiver"},
	};

	begin();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		ck_assert(!judge(lines[i].cause, true));
		ck_assert_msg(strstr(text, lines[i].thing) != NULL, "%s", text);
		ck_assert_msg(strstr(text, lines[i].mend) != NULL, "%s", text);
	}
	options.gateway.family = 4;
	options.gateway_text = "192.0.2.254";
	judge(PATIENCE_UNRESOLVED, false);
	ck_assert_msg(strstr(text, "192.0.2.254") != NULL, "%s", text);
	options.gateway.family = 0;
	options.target.family = 6;
	options.target_text = "[2001:db8::1]:9000";
	judge(PATIENCE_UNRESOLVED, false);
	ck_assert_msg(strstr(text, "solicitations for [2001:db8::1]: ") != NULL, "%s", text);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, doubts_once_then_gives_up);
	UNIT_CASE(s, life_returns);
	UNIT_CASE(s, closed_window_takes_longer);
	UNIT_CASE(s, nothing_to_wait_for);
	UNIT_CASE(s, link_and_device);
	UNIT_CASE(s, unresolved_without_waiting);
	UNIT_CASE(s, good_runs);
	UNIT_CASE(s, missed_runs);
	UNIT_CASE(s, interrupted_runs);
	UNIT_CASE(s, hostile_runs);
	UNIT_CASE(s, causes_name_thing_and_mend);
}

UNIT_MAIN("app_gen_verdict", add)
