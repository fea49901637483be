/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <string.h>

#include "app/cli/value.h"
#include "words.h"

const char options_help[] =
    "weir [EAL options] -- [options]: receive TCP streams from DPDK ports\n"
    "\n"
    "  --ip ADDR/LEN           address of a port; one for each port in order, or one for all;\n"
    "                          of IPv4, IPv6 or both; a single port takes several of IPv6\n"
    "  --listen PORT[:SINK]    accept connections; SINK is discard (default), verify or\n"
    "                          file=DIR; repeatable\n"
    "  --port NAME             a port to use; repeatable; default: every one that EAL found\n"
    "  --gateway ADDR          by which peers outside of the network of --ip are answered;\n"
    "                          default: the way they came\n"
    "  --aggregate-limit N     segments per aggregate, 1 to 64, default 20\n"
    "  --flush MODE            now (default), polls=N, us=N or adaptive\n"
    "  --ack POLICY            train (default), stretch or delayed\n"
    "  --ecn SETTING           off, on (default: RFC 3168) or accurate (AccECN, too)\n"
    "  --rx-queue-segs N       segments a flow's receive queue holds, 1 to 4096, default 64\n"
    "  --receive-buffer BYTES  per connection, 4K to 1G; or MIN-MAX: tuned by rate and round trip;\n"
    "                          default 64K-4M\n"
    "  --budget N              segments served per poll, 1 to 65536, default 256\n"
    "  --datagrams N           packets in fragments that wait at once for the rest, 0 to 4096,\n"
    "                          default 64; 0 drops all fragments\n"
    "  --mld on|off            report the IPv6 groups of the ports to switches, default on\n"
    "  --impair SPEC           \"seed=1,loss=1%,dup=1%,reorder=2%,corrupt=0%\" on every port\n"
    "  --seconds N             end after N seconds; default: at SIGINT or SIGTERM\n"
    "  --stats SECONDS         a report each SECONDS seconds; default: none\n"
    "  --json                  every counter as one JSON object at the end, on standard output\n"
    "  --record FILE           headers of the last frames as pcapng, at SIGUSR1 and at the end\n"
    "  --flows N               connections at once, 1 to 1048576, default 65536\n"
    "  --huge-tables on|off    their state in transparent huge pages, default off\n"
    "  --backlog N             half-open connections of a port, 1 to 1048576, default 1024\n"
    "  --syn-cookies on|off    answer SYNs beyond the backlog by cookies, default on\n"
    "  --listen-connections N  connections of a listening port at once, 1 to 1048576\n"
    "  --listen-per-address N  of them, of one remote address (of IPv6 one /64), 1 to 1048576\n"
    "  --listen-memory BYTES   what a listening port's connections hold together, 64K to 1T, and\n"
    "                          at least 64 buffers\n"
    "  --orphans N             connections closed here and not yet by the peer, 0 to 1048576,\n"
    "                          default 8192; beyond it closing resets\n"
    "  --time-waits N          connections in TIME-WAIT, 1 to 1048576, default 16384\n"
    "  --keepalive SECONDS     probe a connection that was silent for so long; default: off\n"
    "  --keepalive-interval SECONDS  between two probes, default 75\n"
    "  --keepalive-probes N    without an answer end the connection, 1 to 15, default 9\n"
    "  --user-timeout SECONDS  end a connection that leaves a FIN or probes unanswered; default: 7\n"
    "                          retransmissions of the FIN, all probes\n"
    "  --buffers N             packet buffers, 1024 to 16777216, default 16384\n"
    "  --seed N                seed of every secret and random choice; default: from the system\n"
    "  --help, --version\n"
    "\n"
    "  weir -l 1 --vdev net_tap0,iface=weir0 --no-pci -- --ip 198.18.0.1/24 --listen 9000\n";

static int
set_port(struct options *options, const char *text, char *error)
{
	if (*text == '\0')
		return options_refuse(error, "the name is empty: give one such as net_tap0");
	if (options->n_ports == OPTIONS_PORTS)
		return options_refuse(error, "'%s' is one too many: give at most %d ports", text,
				      OPTIONS_PORTS);
	for (uint32_t i = 0; i < options->n_ports; i++)
		if (strcmp(options->ports[i], text) == 0)
			return options_refuse(error, "'%s' is given twice: give each port once",
					      text);
	options->ports[options->n_ports++] = text;
	return 0;
}

static int
set_ip(struct options *options, const char *text, char *error)
{
	struct ip_option ip, *all;
	uint32_t *n;

	if (value_network(text, &ip, error) != 0)
		return -1;
	all = ip.address.family == 4 ? options->ips : options->ips6;
	n = ip.address.family == 4 ? &options->n_ips : &options->n_ips6;
	if (*n == OPTIONS_PORTS)
		return options_refuse(error, "'%s' is one too many: give one per port, at most %d",
				      text, OPTIONS_PORTS);
	for (uint32_t i = 0; i < *n; i++)
		if (memcmp(&all[i].address, &ip.address, sizeof(ip.address)) == 0)
			return options_refuse(error,
					      "'%s' is given twice: give each port an address of "
					      "its own, or one for all",
					      text);
	all[(*n)++] = ip;
	return 0;
}

static int
set_gateway(struct options *options, const char *text, char *error)
{
	options->gateway_text = text;
	if (value_address(text, &options->gateway, error) != 0)
		return -1;
	return value_ipv4(text, &options->gateway, error);
}

static int
set_listen(struct options *options, const char *text, char *error)
{
	struct listen_option listener;

	if (words_listen(text, &listener, error) != 0)
		return -1;
	for (uint32_t i = 0; i < options->n_listeners; i++)
		if (options->listeners[i].port == listener.port)
			return options_refuse(error,
					      "port %u is given twice: give each port one sink",
					      listener.port);
	if (options->n_listeners == OPTIONS_LISTENERS)
		return options_refuse(error, "'%s' is one too many: give at most %d", text,
				      OPTIONS_LISTENERS);
	options->listeners[options->n_listeners++] = listener;
	return 0;
}

static int
set_flush(struct options *options, const char *text, char *error)
{
	return words_flush(text, &options->flush, &options->flush_value, error);
}

static int
set_receive_buffer(struct options *options, const char *text, char *error)
{
	return words_receive_buffer(text, &options->receive_buffer, error);
}

static int
set_seed(struct options *options, const char *text, char *error)
{
	return options_set_seed(&options->tool, text, error);
}

static const char *const ack_policies[] = {
    [WEIR_ACK_TRAIN] = "train", [WEIR_ACK_STRETCH] = "stretch", [WEIR_ACK_DELAYED] = "delayed", NULL};

static const char *const ecn_settings[] = {
    [WEIR_ECN_OFF] = "off", [WEIR_ECN_ON] = "on", [WEIR_ECN_ACCURATE] = "accurate", NULL};

static const struct option_rule rules[] = {
    OPTION_OWN("--port", set_port),
    OPTION_OWN("--ip", set_ip),
    OPTION_OWN("--gateway", set_gateway),
    OPTION_OWN("--listen", set_listen),
    OPTION_NUMBER("--aggregate-limit", aggregate_limit, 1, 64),
    OPTION_OWN("--flush", set_flush),
    OPTION_WORD("--ack", ack_policy, ack_policies),
    OPTION_WORD("--ecn", ecn, ecn_settings),
    OPTION_NUMBER("--rx-queue-segs", rx_queue_segs, 1, 4096),
    OPTION_OWN("--receive-buffer", set_receive_buffer),
    OPTION_NUMBER("--budget", budget_segs, 1, 65536),
    OPTION_NUMBER("--datagrams", datagrams, 0, 4096),
    OPTION_SWITCH("--mld", mld),
    OPTION_TEXT("--impair", impair, "the text is empty: give one such as seed=1,loss=1%"),
    OPTION_NUMBER("--seconds", tool.seconds, 1, 1000000000),
    OPTION_NUMBER("--stats", tool.stats_seconds, 1, 86400),
    OPTION_FLAG("--json", tool.json),
    OPTION_TEXT("--record", record, "the name is empty: give a file such as weir.pcapng"),
    OPTION_NUMBER("--flows", flows, 1, 1048576),
    OPTION_SWITCH("--huge-tables", huge_tables),
    OPTION_NUMBER("--backlog", backlog, 1, 1048576),
    OPTION_SWITCH("--syn-cookies", syn_cookies),
    OPTION_NUMBER("--listen-connections", listen_connections, 1, 1048576),
    OPTION_NUMBER("--listen-per-address", listen_per_address, 1, 1048576),
    OPTION_BYTES("--listen-memory", listen_memory, 65536, UINT64_C(1) << 40),
    OPTION_NUMBER("--orphans", orphans, 0, 1048576),
    OPTION_NUMBER("--time-waits", time_waits, 1, 1048576),
    OPTION_NUMBER("--keepalive", keepalive_seconds, 1, 1000000),
    OPTION_NUMBER("--keepalive-interval", keepalive_interval_seconds, 1, 1000000),
    OPTION_NUMBER("--keepalive-probes", keepalive_probes, 1, 15),
    OPTION_NUMBER("--user-timeout", user_timeout_seconds, 1, 1000000),
    OPTION_NUMBER("--buffers", tool.buffers, 1024, 16777216),
    OPTION_OWN("--seed", set_seed),
};

/* The first of `ips` in whose network `address` lies, or NULL. */
static const struct ip_option *
network_of(const struct ip_option *ips, uint32_t n, const struct weir_addr *address)
{
	for (uint32_t i = 0; i < n; i++)
		if (value_in_network(&ips[i], address))
			return &ips[i];
	return NULL;
}

static int
check_gateway(const struct options *options, char *error)
{
	const struct ip_option *ips = options->ips;
	const struct ip_option *network = network_of(ips, options->n_ips, &options->gateway);
	struct ip_option gateway = {.text = options->gateway_text, .address = options->gateway};
	char reason[OPTIONS_ERROR];

	if (options->gateway.family == 0)
		return 0;
	if (network == NULL)
		return options_refuse(
		    error, "--gateway: '%.64s' is in the network of no --ip: give one that is",
		    options->gateway_text);
	for (uint32_t i = 0; i < options->n_ips; i++)
		if (memcmp(&ips[i].address, &gateway.address, sizeof(gateway.address)) == 0)
			return options_refuse(error,
					      "--gateway: '%.64s' is a port's own address: give "
					      "the gateway's, or leave it out",
					      options->gateway_text);
	gateway.prefix_len = network->prefix_len;
	if (value_host(&gateway, reason) != 0)
		return options_refuse(error, "--gateway: %s", reason);
	return 0;
}

bool
options_ips_fit(const struct options *options, uint32_t n_ports)
{
	return (options->n_ips <= 1 || options->n_ips == n_ports) &&
	       (options->n_ips6 <= 1 || options->n_ips6 == n_ports || n_ports == 1);
}

static int
check_keepalive(const struct options *options, char *error)
{
	bool interval = options->keepalive_interval_seconds != 0;

	if (options->keepalive_seconds != 0 || (!interval && options->keepalive_probes == 0))
		return 0;
	return options_refuse(error,
			      "--keepalive-%s does nothing without --keepalive: give --keepalive, too, or "
			      "leave it out",
			      interval ? "interval" : "probes");
}

/* What one option alone cannot know. */
static int
check_together(const struct options *options, char *error)
{
	if (options->n_ips == 0 && options->n_ips6 == 0)
		return options_refuse(
		    error, "--ip is missing: give the port its address after --, such as "
			   "--ip 198.18.0.1/24");
	if (options->n_listeners == 0)
		return options_refuse(
		    error, "--listen is missing: give a port to listen on after --, such "
			   "as --listen 9000");
	if (options->n_ports != 0 && !options_ips_fit(options, options->n_ports))
		return options_refuse(error,
				      "--ip: %u of IPv4 and %u of IPv6 do not fit %u port%s: give one, "
				      "or one per --port in the same order",
				      options->n_ips, options->n_ips6, options->n_ports,
				      options->n_ports == 1 ? "" : "s");
	if (check_keepalive(options, error) != 0)
		return -1;
	return check_gateway(options, error);
}

static void
set_defaults(struct options *options)
{
	struct weir_config config;
	struct weir_listen_config listen;

	weir_config_init(&config);
	weir_listen_config_init(&listen);
	memset(options, 0, sizeof(*options));
	options->aggregate_limit = config.aggregate_limit;
	options->flush = config.flush;
	options->flush_value = config.flush_value;
	options->ack_policy = listen.ack_policy;
	options->ecn = listen.ecn;
	options->rx_queue_segs = config.rx_queue_segs;
	options->receive_buffer.least = listen.receive_buffer_min;
	options->receive_buffer.most = listen.receive_buffer_max;
	options->budget_segs = config.budget_segs;
	options->datagrams = config.datagrams;
	options->mld = config.mld != 0;
	options->flows = config.flows;
	options->huge_tables = config.huge_tables != 0;
	options->backlog = listen.backlog;
	options->syn_cookies = listen.syn_cookies != 0;
	options->orphans = config.orphans;
	options->time_waits = config.time_wait_entries;
	options->tool.buffers = config.buffers;
}

/* Zero meant until here that they were not given. */
static void
set_keepalive_defaults(struct options *options)
{
	struct weir_listen_config listen;

	weir_listen_config_init(&listen);
	if (options->keepalive_interval_seconds == 0)
		options->keepalive_interval_seconds = listen.keepalive_interval_ms / 1000;
	if (options->keepalive_probes == 0)
		options->keepalive_probes = listen.keepalive_probes;
}

enum options_result
options_parse(struct options *options, int argc, char **argv, char *error)
{
	enum options_result result;

	error[0] = '\0';
	set_defaults(options);
	result = options_read(rules, sizeof(rules) / sizeof(rules[0]), options, argc, argv, error);
	if (result == OPTIONS_RUN && check_together(options, error) != 0)
		return OPTIONS_BAD;
	set_keepalive_defaults(options);
	return result;
}
