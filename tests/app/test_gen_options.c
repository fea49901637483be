/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-gen's command line: what is taken, and what each wrong word gets. */
#include "app/cli/say.h"
#include "options.h"

#include "options_test.h"

const char say_name[] = "weir-gen";

#define LEAST "--ip 192.0.2.9/24 --connect 192.0.2.1:9000 "

START_TEST(defaults)
{
	taken(LEAST);
	ck_assert(options.port == NULL && options.impair == NULL);
	ck_assert_uint_eq(options.ip.prefix_len, 24);
	ck_assert_uint_eq(options.ip.address.bytes[15], 9);
	ck_assert_uint_eq(options.target.bytes[15], 1);
	ck_assert_uint_eq(options.target_port, 9000);
	ck_assert_uint_eq(options.gateway.family, 0);
	ck_assert_uint_eq(options.sources, 1);
	ck_assert_uint_eq(options.flows, 1);
	ck_assert_uint_eq(options.hold, 0);
	ck_assert_uint_eq(options.run, 1);
	ck_assert_uint_eq(options.mss, 0);
	ck_assert_uint_eq(options.bytes, 0);
	ck_assert_uint_eq(options.tool.seconds, 0);
	ck_assert_uint_eq(options.mode, GENERATOR_STREAM);
	ck_assert_uint_eq(options.attack, GENERATOR_ATTACK_NONE);
	ck_assert_uint_eq(options.open_loop_pps, 0);
	ck_assert_uint_eq(options.tool.stats_seconds, 1);
	ck_assert_uint_eq(options.tool.buffers, 8192);
	ck_assert(options.timestamps && !options.verify && !options.tool.json && !options.tool.seed_given);
}
END_TEST

START_TEST(every_option)
{
	taken("--ip=10.0.0.1/8 --sources 16 --port net_tap0 --gateway 10.0.1.0 --connect "
	      "192.0.2.1:65535 --flows 1000000 --hold 0 --run 1024 --mss 16384 --timestamps off "
	      "--bytes 3G --seconds 7 --verify --impair loss=1%");
	ck_assert_uint_eq(options.sources, 16);
	ck_assert_str_eq(options.port, "net_tap0");
	ck_assert_uint_eq(options.gateway.bytes[14], 1);
	ck_assert_uint_eq(options.target_port, 65535);
	ck_assert_uint_eq(options.flows, 1000000);
	ck_assert_uint_eq(options.run, 1024);
	ck_assert_uint_eq(options.mss, 16384);
	ck_assert_uint_eq(options.bytes, UINT64_C(3) << 30);
	ck_assert_uint_eq(options.tool.seconds, 7);
	ck_assert_str_eq(options.impair, "loss=1%");
	ck_assert(options.verify && !options.timestamps);
	taken(LEAST "--mode rr --request 64 --seed 0 --stats 0 --json --buffers 4096 --hold 5");
	ck_assert_uint_eq(options.mode, GENERATOR_RR);
	ck_assert_uint_eq(options.request_bytes, 64);
	ck_assert(options.tool.seed_given && options.tool.seed == 0 && options.tool.json);
	ck_assert_uint_eq(options.tool.stats_seconds, 0);
	ck_assert_uint_eq(options.tool.buffers, 4096);
	ck_assert_uint_eq(options.hold, 5);
}
END_TEST

/* The words of --mode and --attack are those of the tables. */
START_TEST(named_numbers)
{
	char line[256];

	for (uint32_t i = 0; i <= GENERATOR_CONNECT; i++) {
		snprintf(line, sizeof(line), LEAST "--mode %s", options_modes[i]);
		taken(line);
		ck_assert_uint_eq(options.mode, i);
	}
	for (uint32_t i = GENERATOR_ATTACK_SYN; i <= GENERATOR_ATTACK_COLLIDE; i++) {
		snprintf(line, sizeof(line), LEAST "--attack %s", options_attacks[i]);
		taken(line);
		ck_assert_uint_eq(options.attack, i);
	}
}
END_TEST

START_TEST(requests)
{
	taken(LEAST "--mode rr");
	ck_assert_uint_eq(options.request_bytes, 2048);
	taken(LEAST "--mode connect");
	ck_assert_uint_eq(options.request_bytes, 1024);
	refused(LEAST "--mode connect --bytes 1023", "--bytes 1023", "more");
	taken(LEAST "--mode connect --bytes 1024");
	refused(LEAST "--mode rr --request 0", "'0'", "1 to 1073741824");
	taken(LEAST "--mode stream");
	ck_assert_uint_eq(options.request_bytes, 0);
	refused(LEAST "--request 2K", "--request goes with", "--mode rr or connect");
}
END_TEST

/* What takes no notice of its peer ends by itself. */
START_TEST(always_bounded)
{
	taken(LEAST);
	ck_assert_uint_eq(options.tool.seconds, 0);
	taken(LEAST "--attack syn");
	ck_assert_uint_eq(options.tool.seconds, OPTIONS_BOUND_SECONDS);
	taken(LEAST "--open-loop 1000");
	ck_assert_uint_eq(options.tool.seconds, OPTIONS_BOUND_SECONDS);
	taken(LEAST "--seconds 99 --attack rst --open-loop 1000");
	ck_assert_uint_eq(options.tool.seconds, 99);
}
END_TEST

START_TEST(unknown_words)
{
	refused(LEAST "--bogus", "--bogus", "weir-gen --help");
	refused(LEAST "stray", "stray", "weir-gen --help");
	refused(LEAST "--verify=yes", "--verify", "alone");
	refused(LEAST "--flows", "--flows has no value", "weir-gen --help");
	refused(LEAST "--mode sideways", "'sideways'", "stream, rr or connect");
	refused(LEAST "--attack loud", "'loud'", "none, syn, rst, seq, ooo, tiny or collide");
	taken(LEAST "--attack syn --attack none");
	ck_assert_uint_eq(options.attack, GENERATOR_ATTACK_NONE);
	refused(LEAST "--timestamps maybe", "'maybe'", "on or off");
	ck_assert_int_eq(parse(LEAST "--help"), OPTIONS_HELP);
	ck_assert_int_eq(parse("--version"), OPTIONS_VERSION);
}
END_TEST

START_TEST(ranges)
{
	static const char *const wrong[][2] = {
	    {"--sources 0", "1 to 65536"},
	    {"--sources 65537", "1 to 65536"},
	    {"--flows -1", "0 to 1000000"},
	    {"--flows 1000001", "0 to 1000000"},
	    {"--hold x", "0 to 1000000"},
	    {"--run 0", "1 to 1024"},
	    {"--run 1025", "1 to 1024"},
	    {"--mss 0", "1 to 16384"},
	    {"--mss 16385", "1 to 16384"},
	    {"--bytes 0", "1 to"},
	    {"--bytes 2000000000G", "1 to"},
	    {"--seconds 0", "1 to 1000000000"},
	    {"--open-loop 0", "1 to 1000000000"},
	    {"--stats 86401", "0 to 86400"},
	    {"--seed 1.5", "0 to"},
	    {"--buffers 2047", "2048 to 16777216"},
	};
	char line[256];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(line, sizeof(line), LEAST "%s", wrong[i][0]);
		refused(line, wrong[i][0] + strcspn(wrong[i][0], " ") + 1, wrong[i][1]);
	}
}
END_TEST

START_TEST(missing_ones)
{
	refused("--connect 192.0.2.1:9000", "--ip is missing", "--ip 198.18.0.2/24");
	refused("--ip 192.0.2.9/24", "--connect is missing", "--connect 198.18.0.1:9000");
	refused(LEAST "--flows 0", "--flows is 0", "give one");
	taken(LEAST "--flows 0 --hold 1");
	taken(LEAST "--flows 0 --attack syn");
}
END_TEST

START_TEST(targets)
{
	refused("--ip 192.0.2.9/24 --connect 192.0.2.1", "has no port", "192.0.2.1:9000");
	refused("--ip 192.0.2.9/24 --connect 192.0.2.1:0", "'0' is wrong", "1 to 65535");
	refused("--ip 192.0.2.9/24 --connect 192.0.2.1:65536", "'65536' is wrong", "1 to 65535");
	refused("--ip 192.0.2.9/24 --connect 192.0.2.1:", "'' is wrong", "1 to 65535");
	refused("--ip 192.0.2.9/24 --connect host:9000", "'host'", "such as 198.18.0.1");
	refused("--ip 192.0.2.9/24 --connect [192.0.2.1]:9000", "'[192.0.2.1]:9000': brackets",
		"give 192.0.2.1:9000");
	refused("--ip 192.0.2.9/24 --connect [::ffff:192.0.2.1]:9000", "is an address of IPv4",
		"write it as IPv4");
	refused("--ip 192.0.2.9/24 --connect 224.0.0.1:9000", "unicast", "such as 198.18.0.1");
	refused("--ip 192.0.2.9/24 --connect 192.0.2.255:9000",
		"--connect: '192.0.2.255:9000' is the network's broadcast", "a host's");
	refused("--ip 192.0.2.9/24 --connect 198.18.0.1:9000 --gateway 192.0.2.0",
		"--gateway: '192.0.2.0' is the network's own", "a host's");
	refused("--ip 192.0.2.9/24 --connect 192.0.2.9:9000", "one of our own", "receiver's");
	refused("--ip 192.0.2.9/24 --sources 4 --connect 192.0.2.12:1", "one of our own",
		"receiver's");
	taken("--ip 192.0.2.9/24 --sources 4 --connect 192.0.2.13:1");
	refused("--ip 192.0.2.9/24 --connect 192.0.3.1:1", "not in the network", "--gateway");
	taken("--ip 192.0.2.9/24 --connect 192.0.3.1:1 --gateway 192.0.2.1");
	refused("--ip 192.0.2.9/24 --connect 192.0.3.1:1 --gateway 192.0.4.1", "'192.0.4.1'",
		"in the network");
	refused("--ip 192.0.2.9/24 --connect 192.0.3.1:1 --gateway 192.0.2.9", "'192.0.2.9'",
		"another address");
}
END_TEST

START_TEST(targets_of_ip6)
{
	static const uint8_t target[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

	taken("--ip 2001:db8::9/64 --connect [2001:db8::1]:9000");
	ck_assert_uint_eq(options.ip.address.family, 6);
	ck_assert_uint_eq(options.ip.prefix_len, 64);
	ck_assert_uint_eq(options.target.family, 6);
	ck_assert_mem_eq(options.target.bytes, target, sizeof(target));
	ck_assert_uint_eq(options.target_port, 9000);
	taken("--ip fe80::9/64 --connect [fe80::1]:1");
	taken("--ip 2001:db8::9/64 --connect [2001:db8:1::1]:1 --gateway 2001:db8::fe");
	taken("--ip 2001:db8::9/64 --sources 4 --connect [2001:db8::d]:1");
	taken("--ip 2001:db8::9/64 --connect [2001:db8:0:0:1::9]:1"); /* the last word alone is ours */
	refused("--ip 2001:db8::9/64 --connect 2001:db8::1:9000", "brackets", "[2001:db8::1]:9000");
	refused("--ip 2001:db8::9/64 --connect [2001:db8::1]", "has no port", "[2001:db8::1]:9000");
	refused("--ip 2001:db8::9/64 --connect [2001:db8::1]:", "'' is wrong", "1 to 65535");
	refused("--ip 2001:db8::9/64 --connect [2001:db8::1:9000", "brackets", "[2001:db8::1]:9000");
	refused("--ip 2001:db8::9/64 --connect :9000", "is empty", "2001:db8::1");
	refused("--ip 2001:db8::9/64 --connect []:9000", "is empty", "2001:db8::1");
	refused("--ip 2001:db8::9/64 --connect [ff02::1]:9000", "unicast", "2001:db8::1");
	refused("--ip 2001:db8::9/64 --connect [fe80::1%3]:9000", "'%'", "leave it away");
	refused("--ip 2001:db8::9/64 --connect 192.0.2.1:9000", "not of the family", "one family");
	refused("--ip 192.0.2.9/24 --connect [2001:db8::1]:9000", "not of the family", "one family");
	refused("--ip 2001:db8::9/64 --connect [2001:db8::9]:1", "one of our own", "receiver's");
	refused("--ip 2001:db8::9/64 --sources 4 --connect [2001:db8::c]:1", "one of our own",
		"receiver's");
	refused("--ip 2001:db8::9/64 --connect [2001:db8:1::1]:1", "not in the network", "--gateway");
	refused("--ip 2001:db8::9/64 --connect [2001:db8:1::1]:1 --gateway 192.0.2.1", "'192.0.2.1'",
		"in the network");
	refused("--ip 2001:db8::9/129 --connect [2001:db8::1]:1", "'129' is wrong", "1 to 128");
}
END_TEST

/* Every connection has an address and a port of its own. */
START_TEST(room_for_flows)
{
	taken(LEAST "--flows 64512");
	refused(LEAST "--flows 64513", "64513 need 2 own addresses", "--sources 2");
	refused(LEAST "--flows 64512 --hold 1", "64513", "--sources 2");
	taken(LEAST "--flows 64513 --sources 2");
	refused(LEAST "--flows 1000000 --hold 1 --sources 16", "1000001 together",
		"at most 1000000");
	refused("--ip 192.0.2.250/24 --sources 7 --connect 192.0.2.1:1", "has 6 addresses",
		"lower address");
	taken("--ip 192.0.2.250/24 --sources 6 --connect 192.0.2.1:1");
	taken("--ip 2001:db8::fffa/64 --sources 7 --connect [2001:db8::1]:1");
	refused("--ip 2001:db8::fffa/112 --sources 7 --connect [2001:db8::1]:1", "has 6 addresses",
		"lower address");
	refused("--ip 2001:db8::ffff:fffa/96 --sources 7 --connect [2001:db8::1]:1",
		"has 6 addresses", "lower address");
	refused("--ip 2001:db8::9/128 --sources 2 --connect [2001:db8::1]:1 --gateway 2001:db8::1",
		"has 1 address from there", "lower address");
	refused(LEAST "--attack collide --flows 248", "has 247 addresses", "shorter prefix");
	taken("--ip 10.0.0.1/8 --connect 10.1.0.1:1 --attack collide --flows 32768");
	refused("--ip 10.0.0.1/8 --connect 10.1.0.1:1 --attack collide --flows 32769", "too many",
		"at most 32768");
}
END_TEST

START_TEST(what_does_not_go_together)
{
	refused(LEAST "--mode rr --attack tiny", "--attack tiny", "leave one");
	refused(LEAST "--mode connect --open-loop 5", "--open-loop", "leave one");
	taken(LEAST "--attack tiny --open-loop 5");
	taken(LEAST "--attack collide --open-loop 5 --verify --bytes 1M --mss 100 --run 8");
	taken(LEAST "--attack syn --flows 1 --mss 100 --sources 4 --open-loop 5");
	taken(LEAST "--attack ooo --flows 8 --hold 8 --mss 100");
	taken(LEAST "--attack tiny --verify --bytes 1M");
	taken(LEAST "--attack seq --verify --bytes 1M");
	taken(LEAST "--attack rst --flows 0 --hold 8");
}
END_TEST

/* Nothing that was asked for is left undone in silence. */
START_TEST(what_means_nothing)
{
	static const char *const idle[][2] = {
	    {"syn", "--verify"},  {"syn", "--bytes 1M"}, {"syn", "--hold 4"},  {"syn", "--run 8"},
	    {"syn", "--flows 8"}, {"ooo", "--verify"},	 {"ooo", "--bytes 1M"}, {"ooo", "--run 8"},
	    {"tiny", "--mss 100"}, {"collide", "--sources 4"},
	};
	char line[256], thing[64];

	for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
		snprintf(line, sizeof(line), LEAST "--attack %s %s", idle[i][0], idle[i][1]);
		snprintf(thing, sizeof(thing), "%.*s means nothing with --attack %s",
			 (int)strcspn(idle[i][1], " "), idle[i][1], idle[i][0]);
		refused(line, thing, "leave one");
	}
	refused(LEAST "--flows 0 --hold 4 --bytes 1M", "--bytes means nothing", "leave one");
	refused(LEAST "--flows 0 --hold 4 --verify", "--verify means nothing", "leave one");
	refused(LEAST "--flows 0 --hold 4 --open-loop 5", "--open-loop means nothing", "leave one");
}
END_TEST

/* Every word of the help is an option, and the bound is what it says. */
START_TEST(help_is_true)
{
	char word[32];

	for (const char *at = options_help; (at = strstr(at, "\n  --")) != NULL; at++) {
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(at + 3, " ,"), at + 3);
		ck_assert_msg(parse(word) != OPTIONS_BAD || strstr(error, "no such") == NULL,
			      "%s is no option", word);
	}
	ck_assert(strstr(options_help, "after 10 seconds") != NULL);
	ck_assert_int_eq(OPTIONS_BOUND_SECONDS, 10);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, defaults);
	UNIT_CASE(s, every_option);
	UNIT_CASE(s, named_numbers);
	UNIT_CASE(s, requests);
	UNIT_CASE(s, always_bounded);
	UNIT_CASE(s, unknown_words);
	UNIT_CASE(s, ranges);
	UNIT_CASE(s, missing_ones);
	UNIT_CASE(s, targets);
	UNIT_CASE(s, targets_of_ip6);
	UNIT_CASE(s, room_for_flows);
	UNIT_CASE(s, what_does_not_go_together);
	UNIT_CASE(s, what_means_nothing);
	UNIT_CASE(s, help_is_true);
}

UNIT_MAIN("app_gen_options", add)
