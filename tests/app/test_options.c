/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line: what is taken, and what each wrong word gets. */
#include "app/cli/say.h"
#include "app/cli/value.h"
#include "options.h"

#include "options_test.h"

const char say_name[] = "weir";

#define LEAST "--ip 192.0.2.2/24 --listen 9000 "

START_TEST(defaults)
{
	taken(LEAST);
	ck_assert_uint_eq(options.n_ports, 0);
	ck_assert_uint_eq(options.n_ips, 1);
	ck_assert_uint_eq(options.ips[0].prefix_len, 24);
	ck_assert_uint_eq(options.ips[0].address.family, 4);
	ck_assert_uint_eq(options.ips[0].address.bytes[12], 192);
	ck_assert_uint_eq(options.ips[0].address.bytes[15], 2);
	ck_assert_uint_eq(options.gateway.family, 0);
	ck_assert_uint_eq(options.n_listeners, 1);
	ck_assert_uint_eq(options.listeners[0].port, 9000);
	ck_assert_uint_eq(options.listeners[0].kind, SINK_DISCARD);
	ck_assert_uint_eq(options.aggregate_limit, 20);
	ck_assert_uint_eq(options.flush, WEIR_FLUSH_NOW);
	ck_assert_uint_eq(options.ack_policy, WEIR_ACK_TRAIN);
	ck_assert_uint_eq(options.ecn, WEIR_ECN_ON);
	ck_assert_uint_eq(options.rx_queue_segs, 64);
	ck_assert_uint_eq(options.receive_buffer.least, 64 << 10);
	ck_assert_uint_eq(options.receive_buffer.most, 4 << 20);
	ck_assert_uint_eq(options.budget_segs, 256);
	ck_assert_uint_eq(options.datagrams, 64);
	ck_assert_uint_eq(options.flows, 65536);
	ck_assert_uint_eq(options.backlog, 1024);
	ck_assert(options.syn_cookies && options.mld && !options.huge_tables);
	ck_assert_uint_eq(options.orphans, 8192);
	ck_assert_uint_eq(options.time_waits, 16384);
	ck_assert_uint_eq(options.keepalive_seconds, 0);
	ck_assert_uint_eq(options.user_timeout_seconds, 0);
	ck_assert_uint_eq(options.tool.buffers, 16384);
	ck_assert_uint_eq(options.tool.seconds, 0);
	ck_assert_uint_eq(options.tool.stats_seconds, 0);
	ck_assert(!options.tool.json && !options.tool.seed_given);
	ck_assert(options.impair == NULL && options.record == NULL);
}
END_TEST

START_TEST(every_option)
{
	taken("--port net_tap0 --port=net_tap1 --ip 192.0.2.2/24 --ip=198.51.100.2/30 "
	      "--gateway 198.51.100.1 --listen 9000:discard --listen=9001:file=/tmp/a=b:c "
	      "--aggregate-limit 64 --flush us=200 --ack stretch --rx-queue-segs 128 ");
	ck_assert_uint_eq(options.n_ports, 2);
	ck_assert_str_eq(options.ports[0], "net_tap0");
	ck_assert_str_eq(options.ports[1], "net_tap1");
	ck_assert_uint_eq(options.n_ips, 2);
	ck_assert_uint_eq(options.ips[1].prefix_len, 30);
	ck_assert_uint_eq(options.gateway.bytes[15], 1);
	ck_assert_uint_eq(options.listeners[1].port, 9001);
	ck_assert_uint_eq(options.listeners[1].kind, SINK_FILE);
	ck_assert_str_eq(options.listeners[1].dir, "/tmp/a=b:c");
	ck_assert_uint_eq(options.aggregate_limit, 64);
	ck_assert_uint_eq(options.flush, WEIR_FLUSH_US);
	ck_assert_uint_eq(options.flush_value, 200);
	ck_assert_uint_eq(options.ack_policy, WEIR_ACK_STRETCH);
	ck_assert_uint_eq(options.rx_queue_segs, 128);

	taken(LEAST "--receive-buffer 4M --budget 1 --impair seed=1,loss=1% --seconds 5 --stats 1 "
		    "--json --record /tmp/x --flows 1000000 --buffers 20000 "
		    "--backlog 77 --syn-cookies off --mld off --ecn accurate --huge-tables on "
		    "--orphans 5 --time-waits 6 --keepalive 7 --user-timeout 8 "
		    "--seed 18446744073709551615");
	ck_assert_uint_eq(options.receive_buffer.least, 4 << 20);
	ck_assert_uint_eq(options.receive_buffer.most, 4 << 20);
	ck_assert_uint_eq(options.ecn, WEIR_ECN_ACCURATE);
	ck_assert_uint_eq(options.budget_segs, 1);
	ck_assert_str_eq(options.impair, "seed=1,loss=1%");
	ck_assert_uint_eq(options.tool.seconds, 5);
	ck_assert_uint_eq(options.tool.stats_seconds, 1);
	ck_assert(options.tool.json && options.tool.seed_given);
	ck_assert_str_eq(options.record, "/tmp/x");
	ck_assert_uint_eq(options.flows, 1000000);
	ck_assert_uint_eq(options.backlog, 77);
	ck_assert(!options.syn_cookies && !options.mld && options.huge_tables);
	ck_assert_uint_eq(options.orphans, 5);
	ck_assert_uint_eq(options.time_waits, 6);
	ck_assert_uint_eq(options.keepalive_seconds, 7);
	ck_assert_uint_eq(options.user_timeout_seconds, 8);
	ck_assert_uint_eq(options.tool.buffers, 20000);
	ck_assert(options.tool.seed == UINT64_MAX);
	ck_assert_uint_eq(options.keepalive_interval_seconds, 75);
	ck_assert_uint_eq(options.keepalive_probes, 9);
	taken(LEAST "--keepalive-interval 75 --keepalive-probes 3 --keepalive 9");
	ck_assert_uint_eq(options.keepalive_interval_seconds, 75);
	ck_assert_uint_eq(options.keepalive_probes, 3);
	refused(LEAST "--keepalive-interval 75", "--keepalive-interval does nothing", "give --keepalive, too");
	refused(LEAST "--keepalive-probes 9", "--keepalive-probes does nothing", "or leave it out");
	refused(LEAST "--syn-cookies maybe", "'maybe'", "give on or off");
	refused(LEAST "--mld maybe", "--mld: 'maybe'", "give on or off");
}
END_TEST

START_TEST(last_one_counts)
{
	taken(LEAST "--flush adaptive --flush polls=2 --aggregate-limit 1 --aggregate-limit 2");
	ck_assert_uint_eq(options.flush, WEIR_FLUSH_POLLS);
	ck_assert_uint_eq(options.flush_value, 2);
	ck_assert_uint_eq(options.aggregate_limit, 2);
	taken(LEAST "--flush polls=2 --flush now");
	ck_assert_uint_eq(options.flush_value, 0);
}
END_TEST

START_TEST(unknown_words)
{
	refused(LEAST "--bogus", "--bogus", "weir --help");
	refused(LEAST "--ipx=1", "--ipx=1", "weir --help");
	refused(LEAST "--i 1", "--i", "weir --help");
	refused(LEAST "word", "word", "weir --help");
	refused(LEAST "-l", "-l", "weir --help");
	refused(LEAST "--json=yes", "--json", "alone");
	refused(LEAST "--seed", "--seed has no value", "weir --help");
}
END_TEST

/* However long a value is, its option and the mend are told. */
START_TEST(long_values)
{
	static const char *const given[][2] = {
	    {"--ip", "give one such as"},     {"--gateway", "give one such as"},
	    {"--listen", "9001:file=/dir"},   {"--flush", "us=N or adaptive"},
	    {"--ack", "stretch or delayed"},  {"--ecn", "on or accurate"},
	    {"--budget", "give 1 to 65536"},  {"--receive-buffer", "K, M or G may follow"},
	    {"--syn-cookies", "give on or off"}, {"--seed", "give 0 to"},
	    {"--absent-", "EAL's go before --"},
	};
	char line[6000], value[5000];

	memset(value, 'a', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		snprintf(line, sizeof(line), "%s=%s", given[i][0], value);
		refused(line, given[i][0], given[i][1]);
		ck_assert_uint_lt(strlen(error), OPTIONS_ERROR);
	}
	snprintf(line, sizeof(line), "--listen 9000:%s", value);
	refused(line, "--listen: '9000:aaa", "give discard, verify or file=DIR");
	snprintf(line, sizeof(line), "--ip %s/24", value);
	refused(line, "--ip: 'aaa", "198.18.0.1/24");
}
END_TEST

START_TEST(empty_word)
{
	ck_assert_int_eq(options_parse(&options, 1, (char *[]){(char *)(uintptr_t) ""}, error),
			 OPTIONS_BAD);
	ck_assert_ptr_nonnull(strstr(error, "an empty word is no option: leave it out"));
}
END_TEST

START_TEST(missing_ones)
{
	refused("", "--ip is missing", "--ip 198.18.0.1/24");
	refused("--listen 9000", "--ip is missing", "--ip 198.18.0.1/24");
	refused("--ip 192.0.2.2/24", "--listen is missing", "--listen 9000");
	refused("--port a --port b --port c --ip 1.0.0.1/8 --ip 2.0.0.1/8 --listen 1",
		"2 of IPv4 and 0 of IPv6", "do not fit 3 ports: give one");
	refused("--port a --ip 1.0.0.1/8 --ip 2.0.0.1/8 --listen 1", "do not fit 1 port:", "one per --port");
	taken("--port a --port b --port c --ip 1.0.0.1/8 --listen 1");
}
END_TEST

START_TEST(addresses)
{
	static const char *const wrong[] = {
	    "192.0.2/24",   "192.0.2.256/24",	  "host/24", "0.0.0.0/24",
	    "224.0.0.1/24", "255.255.255.255/24", "127.0.0.1/8",
	    "::/64",	    "::1/128",		  "ff02::1/64", "2001:db8::g/64",
	};
	char line[256];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(line, sizeof(line), "--listen 9 --ip %s", wrong[i]);
		refused(line, "--ip: '", "such as 198.18.0.1 or 2001:db8::1");
	}
	refused("--listen 9 --ip 127.0.0.1/8", "'127.0.0.1' is a loopback address", "198.18.0.1");
	refused("--listen 9 --ip 0.1.2.3/8", "of net 0", "198.18.0.1");
	refused("--listen 9 --ip 224.0.0.1/8", "no unicast address", "198.18.0.1");
	refused("--listen 9 --ip 255.255.255.255/32", "the broadcast address", "198.18.0.1");
	refused("--listen 9 --ip ::1/128", "the loopback address", "2001:db8::1");
	refused("--listen 9 --ip ::/64", "nobody's address", "2001:db8::1");
	refused("--listen 9 --ip ff02::1/64", "no unicast address", "2001:db8::1");
	refused("--listen 9 --ip 2001:db8::/64", "of all routers", "a host's");
	refused("--listen 9 --ip 2001:db8:0:4000::/50", "of all routers", "a host's");
	refused("--listen 9 --ip ::ffff:127.0.0.1/8", "an address of IPv4", "198.18.0.1");
	refused("--listen 9 --ip ::ffff:1.2.3.4/96", "'::ffff:1.2.3.4' is an address of IPv4",
		"write it as IPv4");
	refused("--listen 9 --ip 198.18.0.1/024", "'024' is wrong", "1 to 32");
	refused("--listen 9 --ip 2001:db8::1/064", "'064' is wrong", "1 to 128");
	taken("--listen 9 --ip 2001:db8::/127");
	taken("--listen 9 --ip 2001:db8::/128");
	taken("--listen 9 --ip 2001:db8::8000:0:0:0/63");
	refused("--listen 9 --ip 192.0.2.2", "no prefix length", "192.0.2.2/24");
	refused("--listen 9 --ip 192.0.2.2/0", "'0' is wrong", "1 to 32");
	refused("--listen 9 --ip 192.0.2.2/33", "'33' is wrong", "1 to 32");
	refused("--listen 9 --ip 192.0.2.2/", "'' is wrong", "1 to 32");
	refused("--listen 9 --ip 192.0.2.2/24x", "'24x' is wrong", "1 to 32");
	refused("--listen 9 --ip 2001:db8::1/0", "'0' is wrong", "1 to 128");
	refused("--listen 9 --ip 2001:db8::1/129", "'129' is wrong", "1 to 128");
	refused("--listen 9 --ip fe80::1%1/64", "names a port", "leave it away");
	refused(LEAST "--gateway 192.0.3.1", "'192.0.3.1'", "in the network");
	refused(LEAST "--gateway 192.0.2.2", "--gateway: '192.0.2.2' is a port's own", "leave it out");
	refused(LEAST "--gateway 192.0.2.0", "--gateway: '192.0.2.0' is the network's own", "a host's");
	refused(LEAST "--gateway 192.0.2.255", "the network's broadcast", "a host's");
	refused("--listen 9 --ip 10.1.2.1/30 --gateway 10.1.2.3", "'10.1.2.3' is the network's", "a host's");
	refused("--listen 9 --ip fd00::1/64 --gateway fd00::2", "'fd00::2' is not an IPv4 address",
		"such as 198.18.0.1");
	taken("--listen 9 --ip 10.1.2.2/31 --gateway 10.1.2.3");
	refused(LEAST "--gateway 192.0.2", "'192.0.2'", "such as 198.18.0.1");
	refused("--listen 9 --ip 2001:db8::1", "no prefix length", "2001:db8::1/64");
	refused("--listen 9 --ip 2001:db8::1/64 --ip 2001:db8::1/56", "given twice", "of its own");
	taken("--listen 9 --ip 2001:db8::1/64");
	taken("--listen 9 --ip 2001:db8::1/64 --ip fe80::1/64 --ip 192.0.2.2/24 "
	      "--gateway 192.0.2.1");
	taken("--port a --port b --ip fd00::1/8 --ip fd00::2/8 --ip 192.0.2.2/24 --listen 9");
	refused("--port a --port b --port c --ip fd00::1/8 --ip fd00::2/8 --listen 9",
		"2 of IPv6 do not fit 3 ports", "one per --port");
	refused("--listen 9 --ip=", "is empty", "such as 198.18.0.1/24");
	refused(LEAST "--gateway=", "is empty", "such as 198.18.0.1");
	refused("--listen 9 --ip 192.0.2.0/24", "'192.0.2.0/24' is the network's own", "a host's");
	refused("--listen 9 --ip 192.0.2.255/24", "the network's broadcast", "a host's");
	refused("--listen 9 --ip 10.1.2.3/30", "the network's broadcast", "a host's");
	refused(LEAST "--ip 192.0.2.2/25", "'192.0.2.2/25' is given twice", "of its own");
	taken("--listen 9 --ip 10.1.2.3/32");
	taken("--listen 9 --ip 10.1.2.2/31");
	taken("--listen 9 --ip 10.1.2.3/31");
	taken("--listen 9 --ip 192.0.3.0/23");
}
END_TEST

START_TEST(networks)
{
	struct ip_option ip;
	struct weir_addr address;

	for (uint32_t prefix_len = 1; prefix_len <= 32; prefix_len++) {
		char text[64];

		snprintf(text, sizeof(text), "170.170.170.170/%u", prefix_len);
		ck_assert_int_eq(value_network(text, &ip, error), 0);
		for (uint32_t bit = 0; bit < 32; bit++) {
			address = ip.address;
			address.bytes[12 + bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
			ck_assert_msg(value_in_network(&ip, &address) == (bit >= prefix_len),
				      "/%u, bit %u", prefix_len, bit);
		}
	}
}
END_TEST

START_TEST(listeners)
{
	refused("--ip 1.0.0.1/8 --listen 9 --listen 9:file=/tmp", "port 9 is given twice",
		"one sink");
	refused("--ip 1.0.0.1/8 --listen 0", "out of range", "1 to 65535");
	refused("--ip 1.0.0.1/8 --listen 65536", "out of range", "1 to 65535");
	refused("--ip 1.0.0.1/8 --listen http", "'http' is not PORT[:SINK]", "such as 9000");
	refused("--ip 1.0.0.1/8 --listen 9x", "'9x' is not PORT[:SINK]", "such as 9000");
	refused("--ip 1.0.0.1/8 --listen +5", "'+5' is not PORT[:SINK]", "such as 9000");
	refused("--ip 1.0.0.1/8 --listen 9000-9010", "'9000-9010' is not", "another by --listen again");
	refused("--ip 1.0.0.1/8 --listen 9000,9001", "'9000,9001' is not", "another by --listen again");
	refused("--ip 1.0.0.1/8 --listen 99999999999999999999", "is not PORT[:SINK]", "one port");
	refused("--ip 1.0.0.1/8 --listen 9:", "no sink is called ''", "discard, verify or file=DIR");
	refused("--ip 1.0.0.1/8 --listen 9:null", "'null'", "discard, verify or file=DIR");
	refused("--ip 1.0.0.1/8 --listen 9:file", "'file'", "discard, verify or file=DIR");
	refused("--ip 1.0.0.1/8 --listen 9:file=", "no directory", "file=DIR");
	refused("--ip 1.0.0.1/8 --listen 9:verify=1", "'verify=1'", "discard, verify or file=DIR");
	taken("--ip 1.0.0.1/8 --listen 1 --listen 65535 --listen 9002:verify");
	ck_assert_uint_eq(options.listeners[1].kind, SINK_DISCARD);
	ck_assert_uint_eq(options.listeners[2].kind, SINK_VERIFY);
}
END_TEST

START_TEST(too_many)
{
	static char names[OPTIONS_LISTENERS + 1][32];
	char *words[2 + 2 * (OPTIONS_LISTENERS + 1)];
	int n = 0;

	words[n++] = (char *)(uintptr_t) "--ip=1.0.0.1/8";
	for (int i = 0; i <= OPTIONS_LISTENERS; i++) {
		snprintf(names[i], sizeof(names[i]), "--listen=%d", 100 + i);
		words[n++] = names[i];
	}
	ck_assert_int_eq(options_parse(&options, n - 1, words, error), OPTIONS_RUN);
	ck_assert_int_eq(options_parse(&options, n, words, error), OPTIONS_BAD);
	ck_assert(strstr(error, "at most 64") != NULL);
	refused("--port a --port b --port a", "'a' is given twice", "once");
	refused("--port a --port b --port c --port d --port e --port f --port g --port h --port i",
		"'i'", "at most 8");
}
END_TEST

START_TEST(numbers)
{
	static const struct {
		const char *name;
		const char *low, *high, *below, *above;
	} ranges[] = {
	    {"--aggregate-limit", "1", "64", "0", "65"},
	    {"--rx-queue-segs", "1", "4096", "0", "4097"},
	    {"--receive-buffer", "4096", "1073741824", "4095", "1073741825"},
	    {"--budget", "1", "65536", "0", "65537"},
	    {"--datagrams", "0", "4096", "4098", "4097"},
	    {"--seconds", "1", "1000000000", "0", "1000000001"},
	    {"--stats", "1", "86400", "0", "86401"},
	    {"--flows", "1", "1048576", "0", "1048577"},
	    {"--backlog", "1", "1048576", "0", "1048577"},
	    {"--buffers", "1024", "16777216", "1023", "16777217"},
	    {"--orphans", "0", "1048576", NULL, "1048577"},
	    {"--time-waits", "1", "1048576", "0", "1048577"},
	    {"--keepalive", "1", "1000000", "0", "1000001"},
	    {"--keepalive-interval", "1", "1000000", "0", "1000001"},
	    {"--keepalive-probes", "1", "15", "0", "16"},
	    {"--listen-connections", "1", "1048576", "0", "1048577"},
	    {"--listen-per-address", "1", "1048576", "0", "1048577"},
	    {"--listen-memory", "65536", "1099511627776", "65535", "1099511627777"},
	    {"--user-timeout", "1", "1000000", "0", "1000001"},
	};
	char line[256], range[64];

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		const char *wrong[] = {"x", "-1", "+1", "1x", "0x10", "1.5", "4294967296000"};

		snprintf(range, sizeof(range), "give %s to %s", ranges[i].low, ranges[i].high);
		for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
			snprintf(line, sizeof(line), LEAST "--keepalive 9 %s %s", ranges[i].name, wrong[k]);
			refused(line, ranges[i].name, range);
		}
		if (ranges[i].below != NULL) {
			snprintf(line, sizeof(line), LEAST "--keepalive 9 %s %s", ranges[i].name,
				 ranges[i].below);
			refused(line, "out of range", range);
		}
		snprintf(line, sizeof(line), LEAST "--keepalive 9 %s %s", ranges[i].name, ranges[i].above);
		refused(line, "out of range", range);
		snprintf(line, sizeof(line), LEAST "--keepalive 9 %s %s", ranges[i].name, ranges[i].low);
		taken(line);
		snprintf(line, sizeof(line), LEAST "--keepalive 9 %s=%s", ranges[i].name, ranges[i].high);
		taken(line);
		snprintf(line, sizeof(line), LEAST "--keepalive 9 %s=", ranges[i].name);
		refused(line, ranges[i].name, range);
	}
	refused(LEAST "--seed 18446744073709551616", "out of range", "0 to");
}
END_TEST

START_TEST(byte_suffixes)
{
	uint64_t value;

	ck_assert_int_eq(value_bytes("64K", 0, UINT64_MAX, &value, error), 0);
	ck_assert_uint_eq(value, 65536);
	ck_assert_int_eq(value_bytes("3m", 0, UINT64_MAX, &value, error), 0);
	ck_assert_uint_eq(value, 3u << 20);
	ck_assert_int_eq(value_bytes("1G", 0, UINT64_MAX, &value, error), 0);
	ck_assert_uint_eq(value, 1u << 30);
	ck_assert_int_eq(value_bytes("1KB", 0, UINT64_MAX, &value, error), -1);
	ck_assert_int_eq(value_bytes("K", 0, UINT64_MAX, &value, error), -1);
	ck_assert_int_eq(value_bytes("18014398509481984K", 0, UINT64_MAX, &value, error), -1);
	ck_assert_int_eq(value_bytes("17179869184G", 0, UINT64_MAX, &value, error), -1);
	refused(LEAST "--receive-buffer 2G", "'2G' is out of range", "give 4096 to");
	refused(LEAST "--receive-buffer 1T", "'1T' is not a number", "K, M or G may follow");
	taken(LEAST "--receive-buffer 128k-1G");
	ck_assert_uint_eq(options.receive_buffer.least, 128 << 10);
	ck_assert_uint_eq(options.receive_buffer.most, 1 << 30);
	refused(LEAST "--receive-buffer 4M-64K", "'4M-64K' ends below", "such as 64K-4M");
	refused(LEAST "--receive-buffer 64K-", "'' is not a number", "give 4096 to");
	refused(LEAST "--receive-buffer -64K", "'-64K' is not a number", "give 4096 to");
	refused(LEAST "--receive-buffer 64K-1M-2M", "'1M-2M' is not a number", "give 4096 to");
	refused(LEAST "--receive-buffer 1K-2M", "'1K' is out of range", "give 4096 to");
	refused(LEAST "--receive-buffer 64K-2G", "'2G' is out of range", "give 4096 to");
	refused(LEAST "--receive-buffer 00000000000000000000000000000065536-1M", "is no range",
		"such as 64K-4M");
}
END_TEST

START_TEST(modes)
{
	static const char *const wrong[] = {"",	    "later", "polls",	 "polls=",     "polls=0",
					    "us=0", "us=x",  "us=10001", "polls=1025", "now=1"};
	char line[128];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(line, sizeof(line), LEAST "--flush=%s", wrong[i]);
		refused(line, "--flush: '", ": give ");
	}
	refused(LEAST "--flush us=0", "'us=0'", "us=1 to us=10000");
	taken(LEAST "--flush adaptive");
	ck_assert_uint_eq(options.flush, WEIR_FLUSH_ADAPTIVE);
	refused(LEAST "--ack none", "'none'", "train, stretch or delayed");
	taken(LEAST "--ack delayed");
	ck_assert_uint_eq(options.ack_policy, WEIR_ACK_DELAYED);
	refused(LEAST "--ecn yes", "'yes'", "off, on or accurate");
	taken(LEAST "--ecn off");
	ck_assert_uint_eq(options.ecn, WEIR_ECN_OFF);
	refused(LEAST "--impair=", "--impair", "seed=1");
	refused(LEAST "--record=", "--record", "give a file");
	refused(LEAST "--port=", "--port", "net_tap0");
}
END_TEST

START_TEST(questions)
{
	char *early[] = {(char *)(uintptr_t) "weir", (char *)(uintptr_t) "--help"};
	char *late[] = {(char *)(uintptr_t) "weir", (char *)(uintptr_t) "-l",
			(char *)(uintptr_t) "1", (char *)(uintptr_t) "--",
			(char *)(uintptr_t) "--help"};

	ck_assert_int_eq(options_early(2, early), OPTIONS_HELP);
	ck_assert_int_eq(options_start(2, early), 2);
	ck_assert_int_eq(options_early(5, late), OPTIONS_RUN);
	ck_assert_int_eq(options_start(5, late), 4);
	ck_assert_int_eq(parse("--help"), OPTIONS_HELP);
	ck_assert_int_eq(parse("--version"), OPTIONS_VERSION);
	ck_assert_int_eq(parse("--bogus --help"), OPTIONS_BAD);
}
END_TEST

/* An option that --help does not tell of is not there for a person. */
START_TEST(help_is_complete)
{
	static const char *const names[] = {
	    "--port NAME",
	    "--ip ADDR/LEN",
	    "--gateway ADDR",
	    "--listen PORT[:SINK]",
	    "--aggregate-limit N",
	    "--flush MODE",
	    "--ack POLICY",
	    "--rx-queue-segs N",
	    "--receive-buffer BYTES",
	    "--budget N",
	    "--datagrams N",
	    "--mld on|off",
	    "--impair SPEC",
	    "--seconds N",
	    "--stats SECONDS",
	    "--json",
	    "--record FILE",
	    "--flows N",
	    "--huge-tables on|off",
	    "--backlog N",
	    "--syn-cookies on|off",
	    "--orphans N",
	    "--time-waits N",
	    "--keepalive SECONDS",
	    "--user-timeout SECONDS",
	    "--buffers N",
	    "--seed N",
	    "--help",
	    "--version",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(strstr(options_help, names[i]) != NULL, "%s", names[i]);
}
END_TEST

/* Whatever the words, an answer comes, and a refusal is one line. */
START_TEST(random_words)
{
	static const char *const pieces[] = {
	    "--ip",	 "--listen",
	    "--port",	 "=",
	    "1",	 "9000",
	    ":file=",	 "192.0.2.2",
	    "/24",	 "%s%n",
	    "--flush",	 "us=",
	    "--json",	 "-",
	    "K",	 "--",
	    ",",	 "99999999999999999999",
	    "--gateway", "adaptive",
	    "\xff",	 "--receive-buffer",
	};
	uint32_t state = 12345;
	char line[512];

	for (int i = 0; i < 20000; i++) {
		size_t used = 0;

		line[0] = '\0';
		for (int k = 0; k < 12; k++) {
			state = state * 1664525 + 1013904223;
			used += (size_t)snprintf(
			    line + used, sizeof(line) - used, "%s%s", state & 0x8000 ? " " : "",
			    pieces[(state >> 16) % (sizeof(pieces) / sizeof(pieces[0]))]);
		}
		if (parse(line) == OPTIONS_BAD)
			ck_assert_msg(error[0] != '\0' && strchr(error, '\n') == NULL, "%s", line);
	}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, defaults);
	UNIT_CASE(s, every_option);
	UNIT_CASE(s, last_one_counts);
	UNIT_CASE(s, unknown_words);
	UNIT_CASE(s, long_values);
	UNIT_CASE(s, empty_word);
	UNIT_CASE(s, missing_ones);
	UNIT_CASE(s, addresses);
	UNIT_CASE(s, networks);
	UNIT_CASE(s, listeners);
	UNIT_CASE(s, too_many);
	UNIT_CASE(s, numbers);
	UNIT_CASE(s, byte_suffixes);
	UNIT_CASE(s, modes);
	UNIT_CASE(s, questions);
	UNIT_CASE(s, help_is_complete);
	UNIT_CASE(s, random_words);
}

UNIT_MAIN("app_options", add)
