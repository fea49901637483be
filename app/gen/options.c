/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <inttypes.h>
#include <string.h>

#define FLOWS_MOST   1000000
#define PORTS	     (65536 - OPTIONS_FIRST_PORT) /* connections of one source address */
#define COLLIDE_MOST 32768			  /* a power of two of ports */
#define SOURCES_MOST 65536
#define PPS_MOST     1000000000
#define REQUEST_RR   2048 /* two segments: the second is acknowledged at once */
#define REQUEST	     1024

const char options_help[] =
    "weir-gen [EAL options] -- [options]: send TCP streams through a DPDK port\n"
    "\n"
    "  --ip ADDR/LEN           own address, the first of --sources; required; IPv4 or IPv6\n"
    "  --sources N             own addresses in a row, 1 to 65536, default 1\n"
    "  --port NAME             the port to use; default: the first that EAL found\n"
    "  --gateway ADDR          gateway inside the network of --ip, when --connect is not\n"
    "  --connect ADDR:PORT     the receiver; required; IPv6: [ADDR]:PORT\n"
    "  --flows N               connections that send, 0 to 1000000, default 1\n"
    "  --hold N                idle connections besides, 0 to 1000000, default 0\n"
    "  --run N                 segments of one flow in a row, 1 to 1024, default 1\n"
    "  --mss N                 payload of a segment, 1 to 16384; default: what the MTU allows\n"
    "  --timestamps on|off     default on\n"
    "  --bytes N               end when each flow has sent N bytes; K, M, G are powers of 1024\n"
    "  --seconds N             end after N seconds; with --bytes: the limit for them\n"
    "                          without either: at SIGINT or SIGTERM, but --attack and\n"
    "                          --open-loop end after 10 seconds\n"
    "  --mode MODE             stream (default): keep every window full\n"
    "                          rr: a request, wait until it is acknowledged, the next one\n"
    "                          connect: open, send a request, close, open again\n"
    "  --request BYTES         of --mode rr (default 2K) and connect (default 1K), 1 to 1G\n"
    "  --verify                send the pattern that weir's sink verify checks\n"
    "  --impair SPEC           \"seed=1,loss=1%,dup=1%,reorder=2%,both=1\" on the port\n"
    "  --open-loop PPS         data segments a second whatever is acknowledged, or packets of\n"
    "                          an attack, 1 to 1000000000\n"
    "  --attack KIND           syn: half-open connections; rst, seq: forged RSTs or data beside\n"
    "                          the streams; ooo: tiny ranges behind a hole; tiny: a byte per\n"
    "                          segment; collide: flows that differ in no simple hash\n"
    "  --seed N                seed of every random choice; default: from the system\n"
    "  --stats SECONDS         a report each SECONDS seconds, 0 to 86400, default 1; 0: none\n"
    "  --json                  every counter as one JSON object at the end, on standard output\n"
    "  --buffers N             packet buffers, 2048 to 16777216, default 8192\n"
    "  --help, --version\n"
    "\n"
    "  weir-gen -l 0 --vdev net_tap0,iface=gen0 --no-pci -- --ip 198.18.0.2/24 \\\n"
    "           --connect 198.18.0.1:9000 --flows 8 --run 8 --seconds 5\n";

const char *const options_modes[] = {
    [GENERATOR_STREAM] = "stream",
    [GENERATOR_RR] = "rr",
    [GENERATOR_CONNECT] = "connect",
    NULL,
};

const char *const options_attacks[] = {
    [GENERATOR_ATTACK_NONE] = "none",	    [GENERATOR_ATTACK_SYN] = "syn",
    [GENERATOR_ATTACK_RST] = "rst",	    [GENERATOR_ATTACK_SEQ] = "seq",
    [GENERATOR_ATTACK_OOO] = "ooo",	    [GENERATOR_ATTACK_TINY] = "tiny",
    [GENERATOR_ATTACK_COLLIDE] = "collide",
    NULL,
};

static int
set_ip(struct options *options, const char *text, char *error)
{
	return value_network(text, &options->ip, error);
}

/* Of this link: there is but one port. */
static int
check_scope(const char *text, const struct weir_addr *address, char *error)
{
	if (address->scope == 0)
		return 0;
	return options_refuse(error, "'%s' names a port with '%%': leave it away", text);
}

static int
set_gateway(struct options *options, const char *text, char *error)
{
	options->gateway_text = text;
	if (value_address(text, &options->gateway, error) != 0)
		return -1;
	return check_scope(text, &options->gateway, error);
}

/* Brackets are for what has colons of its own. */
static int
check_brackets(const char *text, const char *colon, const struct weir_addr *target, char *error)
{
	const uint8_t *b = target->bytes + 12;

	if (target->family == 6)
		return 0;
	return options_refuse(error, "'%s': brackets are for IPv6 addresses: give %u.%u.%u.%u%s", text,
			      b[0], b[1], b[2], b[3], colon);
}

/* The address in front of the last colon, out of its brackets, which one of IPv6 has to have. */
static int
read_target(const char *text, const char *colon, struct weir_addr *target, char *error)
{
	bool brackets = text[0] == '[' && colon[-1] == ']';
	size_t len = (size_t)(colon - text) - (brackets ? 2 : 0);
	char address[WEIR_ADDR_TEXT];

	if (!brackets && memchr(text, ':', len) != NULL)
		return options_refuse(error,
				      "'%s': an IPv6 address stands in brackets: give one such as "
				      "[2001:db8::1]:9000",
				      text);
	if (len >= sizeof(address))
		return options_refuse(error,
				      "'%s' is not ADDR:PORT: give one such as 198.18.0.1:9000 or "
				      "[2001:db8::1]:9000",
				      text);
	memcpy(address, text + brackets, len);
	address[len] = '\0';
	if (value_address(address, target, error) != 0 ||
	    (brackets && check_brackets(text, colon, target, error) != 0))
		return -1;
	return check_scope(text, target, error);
}

static int
set_connect(struct options *options, const char *text, char *error)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	if (colon == NULL || (text[0] == '[' && text[strlen(text) - 1] == ']'))
		return options_refuse(error, "'%s' has no port: give %s:9000", text, text);
	if (read_target(text, colon, &options->target, error) != 0)
		return -1;
	if (value_number(colon + 1, 1, 65535, &port, error) != 0)
		return options_refuse(error, "'%s': the port '%s' is wrong: give 1 to 65535", text,
				      colon + 1);
	options->target_text = text;
	options->target_port = (uint16_t)port;
	return 0;
}

static int
set_seed(struct options *options, const char *text, char *error)
{
	return options_set_seed(&options->tool, text, error);
}

static const struct option_rule rules[] = {
    OPTION_OWN("--ip", set_ip),
    OPTION_NUMBER("--sources", sources, 1, SOURCES_MOST),
    OPTION_TEXT("--port", port, "the name is empty: give one such as net_tap0"),
    OPTION_OWN("--gateway", set_gateway),
    OPTION_OWN("--connect", set_connect),
    OPTION_NUMBER("--flows", flows, 0, FLOWS_MOST),
    OPTION_NUMBER("--hold", hold, 0, FLOWS_MOST),
    OPTION_NUMBER("--run", run, 1, 1024),
    OPTION_NUMBER("--mss", mss, 1, 16384),
    OPTION_SWITCH("--timestamps", timestamps),
    OPTION_BYTES("--bytes", bytes, 1, UINT64_C(1) << 50),
    OPTION_NUMBER("--seconds", tool.seconds, 1, 1000000000),
    OPTION_WORD("--mode", mode, options_modes),
    OPTION_BYTES("--request", request_bytes, 1, UINT64_C(1) << 30),
    OPTION_FLAG("--verify", verify),
    OPTION_TEXT("--impair", impair, "the text is empty: give one such as seed=1,loss=1%"),
    OPTION_NUMBER("--open-loop", open_loop_pps, 1, PPS_MOST),
    OPTION_WORD("--attack", attack, options_attacks),
    OPTION_OWN("--seed", set_seed),
    OPTION_NUMBER("--stats", tool.stats_seconds, 0, 86400),
    OPTION_FLAG("--json", tool.json),
    OPTION_NUMBER("--buffers", tool.buffers, 2048, 16777216),
};

/* ---- what one option alone cannot know ---- */

static uint32_t
host_order(const struct weir_addr *address)
{
	const uint8_t *b = address->bytes + 12;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Is it one of our own addresses? They differ in the last word alone. */
static bool
is_own(const struct options *options, const struct weir_addr *address)
{
	return memcmp(address->bytes, options->ip.address.bytes, 12) == 0 &&
	       host_order(address) - host_order(&options->ip.address) < options->sources;
}

/* Each flow of the attack has an address of its own. */
static uint32_t
addresses(const struct options *options)
{
	if (options->attack != GENERATOR_ATTACK_COLLIDE)
		return options->sources;
	return options->flows + options->hold;
}

static int
check_sources(const struct options *options, char *error)
{
	uint32_t bits = options->ip.address.family == 6 ? 128 : 32; /* of which the last word counts */
	uint32_t rest = bits - options->ip.prefix_len;
	uint32_t mask = rest < 32 ? ~UINT32_C(0) << rest : 0;
	uint32_t first = host_order(&options->ip.address);
	uint64_t left = (uint64_t)(first | ~mask) - first + 1;

	if (addresses(options) <= left)
		return 0;
	return options_refuse(error,
			      "--ip: '%.64s' has %" PRIu64 " address%s from there on, %u are "
			      "needed: give a lower address or a shorter prefix",
			      options->ip.text, left, left == 1 ? "" : "es", addresses(options));
}

/* Refuses what no host in the network of --ip has: `text` says it to `option`. */
static int
check_host(const struct options *options, const char *option, const char *text,
	   const struct weir_addr *address, char *error)
{
	struct ip_option host = {
	    .text = text, .address = *address, .prefix_len = options->ip.prefix_len};
	char reason[OPTIONS_ERROR];

	if (value_host(&host, reason) == 0)
		return 0;
	return options_refuse(error, "%s: %.400s", option, reason);
}

static int
check_target(const struct options *options, char *error)
{
	if (options->target.family != options->ip.address.family)
		return options_refuse(error,
				      "--connect: '%.64s' is not of the family of --ip '%.64s': "
				      "give two of one family",
				      options->target_text, options->ip.text);
	if (is_own(options, &options->target))
		return options_refuse(error,
				      "--connect: '%.64s' is one of our own addresses: give the "
				      "receiver's",
				      options->target_text);
	if (options->gateway.family == 0) {
		if (value_in_network(&options->ip, &options->target))
			return check_host(options, "--connect", options->target_text,
					  &options->target, error);
		return options_refuse(error,
				      "--connect: '%.64s' is not in the network of --ip '%.64s': "
				      "give --gateway too",
				      options->target_text, options->ip.text);
	}
	if (!value_in_network(&options->ip, &options->gateway) ||
	    is_own(options, &options->gateway))
		return options_refuse(error,
				      "--gateway: '%.64s' is not another address in the network "
				      "of --ip '%.64s': give one that is",
				      options->gateway_text, options->ip.text);
	return check_host(options, "--gateway", options->gateway_text, &options->gateway, error);
}

static int
check_flows(const struct options *options, char *error)
{
	uint64_t flows = (uint64_t)options->flows + options->hold;
	uint64_t sources = (flows + PORTS - 1) / PORTS; /* that they need */

	if (flows == 0 && options->attack != GENERATOR_ATTACK_SYN)
		return options_refuse(error, "--flows is 0 and so is --hold: give one of them");
	if (flows > FLOWS_MOST)
		return options_refuse(
		    error, "--flows and --hold are %" PRIu64 " together: give at most %u", flows,
		    FLOWS_MOST);
	if (options->attack == GENERATOR_ATTACK_COLLIDE && flows > COLLIDE_MOST)
		return options_refuse(error,
				      "--flows: %" PRIu64 " are too many for --attack "
				      "collide: give at most %u",
				      flows, COLLIDE_MOST);
	if (options->attack != GENERATOR_ATTACK_COLLIDE && sources > options->sources)
		return options_refuse(error,
				      "--flows: %" PRIu64 " need %" PRIu64 " own addresses: give "
				      "--sources %" PRIu64,
				      flows, sources, sources);
	return 0;
}

static int
check_mode(const struct options *options, char *error)
{
	if (options->mode == GENERATOR_STREAM && options->request_bytes == 0)
		return 0;
	if (options->mode == GENERATOR_STREAM)
		return options_refuse(error, "--request goes with --mode rr or connect: give one of "
					     "them, or leave it out");
	if (options->attack != GENERATOR_ATTACK_NONE)
		return options_refuse(error,
				      "--attack %s goes with --mode stream alone: leave one "
				      "of them out",
				      options_attacks[options->attack]);
	if (options->open_loop_pps != 0)
		return options_refuse(error, "--open-loop goes with --mode stream alone: leave one "
					     "of them out");
	if (options->bytes != 0 && options->bytes < options->request_bytes)
		return options_refuse(error,
				      "--bytes %" PRIu64 " is less than one --request of %u: "
				      "give more",
				      options->bytes, options->request_bytes);
	return 0;
}

/* What an attack takes no notice of. */
static int
check_attack(const struct options *options, char *error)
{
	const uint32_t attack = options->attack;
	const bool syn = attack == GENERATOR_ATTACK_SYN, ooo = attack == GENERATOR_ATTACK_OOO;
	const struct {
		bool idle;
		const char *option;
	} idle[] = {
	    {(syn || ooo) && options->verify, "--verify"},
	    {(syn || ooo) && options->bytes != 0, "--bytes"},
	    {(syn || ooo) && options->run != 1, "--run"},
	    {syn && options->flows > 1, "--flows"},
	    {syn && options->hold != 0, "--hold"},
	    {attack == GENERATOR_ATTACK_TINY && options->mss != 0, "--mss"},
	    {attack == GENERATOR_ATTACK_COLLIDE && options->sources != 1, "--sources"},
	};

	for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++)
		if (idle[i].idle)
			return options_refuse(error,
					      "%s means nothing with --attack %s: leave one of "
					      "them out",
					      idle[i].option, options_attacks[attack]);
	return 0;
}

/* What asks idle connections to send. */
static int
check_senders(const struct options *options, char *error)
{
	const char *option = options->bytes != 0	   ? "--bytes"
			     : options->verify		   ? "--verify"
			     : options->open_loop_pps != 0 ? "--open-loop"
							   : NULL;

	if (options->flows != 0 || options->attack != GENERATOR_ATTACK_NONE || option == NULL)
		return 0;
	return options_refuse(error,
			      "%s means nothing with --flows 0, where nobody sends: leave one of "
			      "them out",
			      option);
}

static int
check_together(const struct options *options, char *error)
{
	if (options->ip.text == NULL)
		return options_refuse(error, "--ip is missing: give an address of your own after "
					     "--, such as --ip 198.18.0.2/24");
	if (options->target.family == 0)
		return options_refuse(error, "--connect is missing: give the receiver after --, "
					     "such as --connect 198.18.0.1:9000");
	if (check_sources(options, error) != 0 || check_target(options, error) != 0 ||
	    check_flows(options, error) != 0 || check_mode(options, error) != 0 ||
	    check_attack(options, error) != 0)
		return -1;
	return check_senders(options, error);
}

static void
set_defaults(struct options *options)
{
	memset(options, 0, sizeof(*options));
	options->sources = 1;
	options->flows = 1;
	options->run = 1;
	options->timestamps = true;
	options->mode = GENERATOR_STREAM;
	options->tool.stats_seconds = 1;
	options->tool.buffers = 8192;
}

/* Defaults that depend on other options. Nothing that takes no notice of its peer runs for ever. */
static void
complete(struct options *options)
{
	if (options->request_bytes == 0 && options->mode != GENERATOR_STREAM)
		options->request_bytes = options->mode == GENERATOR_RR ? REQUEST_RR : REQUEST;
	if (options->tool.seconds == 0 &&
	    (options->open_loop_pps != 0 || options->attack != GENERATOR_ATTACK_NONE))
		options->tool.seconds = OPTIONS_BOUND_SECONDS;
}

enum options_result
options_parse(struct options *options, int argc, char **argv, char *error)
{
	enum options_result result;

	error[0] = '\0';
	set_defaults(options);
	result = options_read(rules, sizeof(rules) / sizeof(rules[0]), options, argc, argv, error);
	complete(options);
	if (result == OPTIONS_RUN && check_together(options, error) != 0)
		return OPTIONS_BAD;
	return result;
}
