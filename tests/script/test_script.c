/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader and the player of scripts: what is wrong is found, and said where and what. */
#include <stdio.h>
#include <string.h>

#include "tests/script/play.h"
#include "tests/unit/unit.h"

#define FIRST "# RFC 9293 3.10.7: a test\n"

static struct stage *stage;

static void
set_up(void)
{
	stage = calloc(1, sizeof(*stage));
	ck_assert_ptr_nonnull(stage);
}

static void
tear_down(void)
{
	stage_free(stage);
}

static void
bad(const char *text, uint32_t line, const char *message)
{
	struct script_error error;
	struct script *script = script_parse(text, &error);

	ck_assert_msg(script == NULL, "taken: %s", text);
	ck_assert_msg(strstr(error.text, message) != NULL, "%s: \"%s\" lacks \"%s\"", text,
		      error.text, message);
	ck_assert_uint_eq(error.line, line);
}

START_TEST(bad_lines_are_named)
{
	static const char *const lines[][2] = {
		{"jump 7", "unknown word \"jump\""},
		{"open now", "\"now\" is one word too many"},
		{"enter nowhere", "no state \"nowhere\""},
		{"enter", "no state"},
		{"state half-open", "no state \"half-open\""},
		{"+10", "bad time \"+10\""},
		{"+ms", "bad time"},
		{"+10weeks", "bad time"},
		{"> X 1 ack 1", "bad flags \"X\""},
		{"> .. 1 ack 1", "bad flags \"..\""},
		{">", "bad flags"},
		{"> . one ack 1", "bad sequence number \"one\""},
		{"> . 5:1 ack 1", "bad sequence number"},
		{"> .", "bad sequence number"},
		{"> . 1 ack", "bad field \"ack\""},
		{"> . 1 ack edge", "bad field \"ack edge\""},
		{"> . 1 win 65536", "bad field \"win 65536\""},
		{"> . 1 edge 5", "bad field \"edge 5\""},
		{"> . 1 x0", "bad field \"x0\""},
		{"< . 1 ce", "bad field \"ce\""},
		{"< . 1 urg 1", "bad field \"urg 1\""},
		{"> S 0 <mss>", "bad option \"mss\""},
		{"> S 0 <mss 70000>", "bad option \"mss 70000\""},
		{"> S 0 <mss 1460,window 7>", "bad option \"window 7\""},
		{"> S 0 <hex 0>", "bad option \"hex 0\""},
		{"> S 0 <sack 1:2 3:4 5:6 7:8 9:10>", "bad option"},
		{"> S 0 <nots>", "bad option \"nots\""},
		{"> S 0 <mss 1460", "options stand between"},
		{"> S 0 <mss 1460> win 5", "options stand at the end"},
		{"event", "event accepted"},
		{"event data", "needs a number"},
		{"event closed well", "event closed done"},
		{"drop everything", "no drop reason \"everything\""},
		{"drop tcp_old none", "bad number \"none\""},
		{"count sheep 5", "no counter \"sheep\""},
		{"count trains", "count NAME N"},
		{"unread", "a number of bytes is missing"},
		{"read", "needs a number of bytes"},
		{"close 5", "close takes no number"},
		{"with B", "no remote \"B\""},
		{"remote", "remote needs a name"},
		{"remote B ts=maybe", "bad setting \"ts=maybe\""},
		{"remote B colour=red", "bad setting \"colour=red\""},
		{"remote B quickly", "bad setting \"quickly\""},
		{"on data", "on EVENT CALL"},
		{"listen", "listen needs a port"},
		{"listen 9000 ack=never", "bad setting \"ack=never\""},
		{"listen 9000 buffer=1", "bad setting \"buffer=1\""},
		{"stack buffers=1", "bad setting \"buffers=1\""},
		{"stack time_wait=soon", "bad setting \"time_wait=soon\""},
	};
	char text[256];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), FIRST "\n%s\nopen\n", lines[i][0]);
		bad(text, 3, lines[i][1]);
	}
}
END_TEST

START_TEST(bad_scripts_are_named)
{
	char text[600];

	bad("open\n", 1, "the first line names the RFC section");
	bad(FIRST, 1, "nothing happens");
	bad(FIRST "open\nlisten 9001\n", 3, "listen stands before all else");
	bad(FIRST "open\nstack limit=1\n", 3, "stack stands before all else");
	bad(FIRST "remote A\nremote A\n", 3, "is there already");
	snprintf(text, sizeof(text), FIRST "%0400d\n", 0);
	bad(text, 2, "longer than");
}
END_TEST

START_TEST(lines_are_understood)
{
	struct script_error error;
	struct script *script = script_parse(
		FIRST "stack limit=3\n\t> SEW 0:10 win 5 urg 7 ce other x2 <mss 536,nop,ws 3>  \n"
		      "< R.F -5 ack 7 edge edge+1 <nots,sack 1:2>\n+2min\n",
		&error);
	const struct script_packet *packet;

	ck_assert_msg(script != NULL, "%s", error.text);
	ck_assert_uint_eq(script->limit, 3);
	ck_assert_uint_eq(script->n_lines, 5); /* the remote that was not named among them */
	packet = &script->lines[2].packet;
	ck_assert_uint_eq(packet->flags, 0xc2);
	ck_assert_int_eq(packet->end.value, 10);
	ck_assert_uint_eq(packet->win, 5);
	ck_assert_uint_eq(packet->urgent, 7);
	ck_assert_uint_eq(packet->ecn, 3);
	ck_assert(packet->other_bytes && !packet->bad_checksum);
	ck_assert_uint_eq(packet->times, 2);
	ck_assert_uint_eq(packet->options_len, 8);
	ck_assert_int_eq(memcmp(packet->options, "\2\4\2\30\1\3\3\3", 8), 0);
	packet = &script->lines[3].packet;
	ck_assert_uint_eq(packet->flags, 0x15);
	ck_assert_int_eq(packet->seq.value, -5);
	ck_assert(packet->edge.edge && packet->edge.value == 1);
	ck_assert_uint_eq(packet->n_sacks, 1);
	ck_assert_uint_eq(packet->absent, SCRIPT_GIVEN_TS);
	ck_assert_uint_eq(script->lines[4].after_ns, 120000000000);
	ck_assert_uint_eq(script->lines[4].number, 5);
	script_free(script);
}
END_TEST

/* The script must fail at `line`, and say so. */
static void
fails(const char *text, uint32_t line, const char *message)
{
	struct script_error error;

	ck_assert_msg(!play_text(stage, text, &error), "played: %s", text);
	ck_assert_msg(strstr(error.text, message) != NULL, "%s: \"%s\" lacks \"%s\"", text,
		      error.text, message);
	ck_assert_uint_eq(error.line, line);
}

#define OPEN FIRST "open\n"

START_TEST(what_did_not_come_is_said)
{
	fails(FIRST "> S 0\n< S. 0 ack 2\n", 3, "< S. 0 ack 2: came: < S. 0 ack 1 win");
	fails(OPEN "< . 1 ack 1\n", 3, "nothing came");
	fails(OPEN "event fin\n", 3, "no event came");
	fails(OPEN "> . 1:11 ack 1\n< . 1 ack 11 <sack 1:2>\n", 4, "came: < . 1 ack 11");
	fails(OPEN "> . 11:21 ack 1\n< . 1 ack 1\n", 4, "<ts 0 1000,sack 11:21>");
	fails(OPEN "> . 1:11 ack 1\n< . 1 ack 11 <nots>\n", 4, "came: < . 1 ack 11");
	fails(OPEN "> . 1:11 ack 1\n< . 1 ack 11 <ts * 1001>\n", 4, "came: < . 1 ack 11");
	fails(OPEN "> . 1:11 ack 1\n< . 1 ack 11 win 7\n", 4, "came: < . 1 ack 11");
	fails(OPEN "> . 1:11 ack 1\n< . 1 ack 11\nevent data 9\n", 5, "came: event data 10 (A)");
	fails(OPEN "> . -9:1 ack 1\n< . 1 ack 1 <sack -9:1>\ndrop tcp_old 2\n", 5, "dropped so: 1");
	fails(OPEN "> . -9:1 ack 1\n< . 1 ack 1 <sack -9:1>\ndrop tcp_paws\n", 5, "dropped so: 0");
	fails(OPEN "> . 1 ack 1\ncount slow_segs 2\n", 4, "it moved by 1");
	fails(OPEN "state last-ack\n", 3, "it is established");
	fails(OPEN "unread 4\n", 3, "it is 0");
	fails(OPEN "read 4\n", 3, "0 bytes could be read, not 4");
	fails(FIRST "close\n", 2, "the call failed");
}
END_TEST

START_TEST(what_else_came_is_said)
{
	fails(FIRST "> S 0\n+1ms\n", 3, "also came: < S. 0 ack 1");
	fails(FIRST "> S 0\n", 2, "also came: < S. 0 ack 1");
	fails(OPEN "> . 1:11 ack 1\n< . 1 ack 11\n+1ms\n", 5, "also came: event data 10 (A)");
	fails(OPEN "> . -9:1 ack 1\n< . 1 ack 1 <sack -9:1>\nclose\n", 5,
	      "also came: drop tcp_old 1");
	fails(OPEN "> . 1:11 ack 1 x2\n< . 1 ack 11\nevent data 10\ndrop any\n", 6,
	      "also came: < . 1 ack 11");
}
END_TEST

/* A stage that failed plays the next script as if nothing had been. */
START_TEST(failures_leave_nothing_behind)
{
	struct script_error error;

	for (uint32_t i = 0; i < 3; i++) {
		fails(OPEN "on data nothing\n> . 1:11 ack 1\n+1ms\n", 5, "also came");
		ck_assert_msg(play_text(stage,
					OPEN "on data nothing\n> . 1:11 ack 1\n< . 1 ack 11\n"
					     "event data 10\nlease\nleased 10\n",
					&error),
			      "%u: %s", error.line, error.text);
	}
}
END_TEST

START_TEST(wrong_content_is_found)
{
	fails(OPEN "> . 1:11 ack 1 other\n< . 1 ack 11\nevent data 10\n", 4,
	      "wrong content at offset 0");
}
END_TEST

START_TEST(limits_must_not_differ)
{
	/* This policy counts aggregates, and a script that does not name its limit is found out. */
	static const char text[] = FIRST "listen 9000 ack=stretch\nopen\n%s"
					 "> . 1601:1701 ack 1\n> . 1701:1801 ack 1\n";
	char open[2048] = "", script[4096];
	struct script_error error;

	for (uint32_t i = 0; i < 16; i++)
		snprintf(open + strlen(open), sizeof(open) - strlen(open),
			 "> . %u:%u ack 1\n< . 1 ack %u\nevent data 100\n", 1 + 100 * i,
			 101 + 100 * i, 101 + 100 * i);
	snprintf(script, sizeof(script), text, open);
	strcat(script, "< . 1 ack 1801\nevent data 200\n");
	ck_assert(!play_text(stage, script, &error));
	ck_assert_ptr_nonnull(strstr(error.text, "limit 1)"));
}
END_TEST

static void
add(Suite *s)
{
	TCase *played = tcase_create("played");

	UNIT_CASE(s, bad_lines_are_named);
	UNIT_CASE(s, bad_scripts_are_named);
	UNIT_CASE(s, lines_are_understood);
	tcase_add_checked_fixture(played, set_up, tear_down);
	tcase_set_timeout(played, 120);
	tcase_add_test(played, what_did_not_come_is_said);
	tcase_add_test(played, what_else_came_is_said);
	tcase_add_test(played, failures_leave_nothing_behind);
	tcase_add_test(played, wrong_content_is_found);
	tcase_add_test(played, limits_must_not_differ);
	suite_add_tcase(s, played);
}

UNIT_MAIN("script", add)
