/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole server on the public API: it says how many bytes each connection has brought.
 *
 *   cc server.c -o server $(pkg-config --cflags --libs weir libdpdk)
 *   server -l 1 --no-pci --vdev net_tap0,iface=weir0 -- net_tap0 198.18.0.1 24 9000
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_log.h>
#include <weir.h>

static volatile sig_atomic_t stop;
static char runtime_dir[4096];

static void
on_signal(int number)
{
	(void)number;
	stop = 1;
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Without a copy: the bytes are looked at where the port put them, and given back at once. */
static void
take(struct weir_stack *stack, weir_conn conn)
{
	struct weir_span spans[64];
	uint64_t leases[64];
	int n;

	while ((n = weir_conn_lease(stack, conn, spans, 64)) > 0) {
		uint32_t whole = 0;

		for (int i = 0; i < n; i++) /* here are spans[i].len bytes at spans[i].data */
			if (spans[i].last)
				leases[whole++] = spans[i].lease;
		weir_lease_release(stack, leases, whole);
	}
}

/* The cookie of a connection is its listener's until it gets one of its own. */
static void
on_events(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	(void)user;
	for (uint32_t i = 0; i < n; i++) {
		switch (events[i].type) {
		case WEIR_EVENT_DATA:
			take(stack, events[i].conn);
			break;
		case WEIR_EVENT_FIN:
			weir_conn_close(stack, events[i].conn);
			break;
		case WEIR_EVENT_CLOSED:
			printf("closed (%" PRIu32 ") after %" PRIu64 " bytes\n", events[i].flags,
			       events[i].bytes);
			break;
		default:
			break;
		}
	}
}

static int
open_stack(struct weir_stack **stack, struct weir_port **port, char **words)
{
	struct weir_config config;
	struct weir_port_config address = {.size = sizeof(address)};
	struct weir_listen_config listen;
	int rc;

	weir_config_init(&config);
	config.flows = 1024;
	config.buffers = 8192;
	config.seed = now_ns(); /* better from getrandom() where strangers can connect */
	config.now_ns = now_ns();
	weir_listen_config_init(&listen);
	listen.port = (uint16_t)strtoul(words[3], NULL, 10);
	address.prefix_len = (uint32_t)strtoul(words[2], NULL, 10);
	rc = weir_addr_parse(words[1], &address.address);
	if (rc == 0)
		rc = weir_stack_create(&config, stack);
	if (rc == 0)
		rc = weir_port_open_ethdev(words[0], port);
	if (rc == 0)
		rc = weir_stack_attach(*stack, *port, &address);
	return rc == 0 ? weir_listen(*stack, &listen) : rc;
}

/* EAL leaves it; one that another process uses is not empty, and stays. */
static void
remove_runtime_dir(void)
{
	rmdir(runtime_dir);
}

/* What rte_eal_init returns. It tells of errors alone, unless --log-level says otherwise. */
static int
start_eal(int argc, char **argv)
{
	int n;

	atexit(remove_runtime_dir); /* before EAL's own, so that it runs after them */
	rte_log_set_global_level(RTE_LOG_ERR);
	n = rte_eal_init(argc, argv);
	if (n >= 0)
		snprintf(runtime_dir, sizeof(runtime_dir), "%s", rte_eal_get_runtime_dir());
	return n;
}

int
main(int argc, char **argv)
{
	struct weir_stack *stack = NULL;
	struct weir_port *port = NULL;
	int n = start_eal(argc, argv), rc;

	if (n < 0 || argc - n != 5) {
		fprintf(stderr, "server: give EAL options -- PORT ADDRESS PREFIX-LENGTH TCP-PORT\n");
		return 1;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	rc = open_stack(&stack, &port, argv + n + 1);
	if (rc != 0)
		fprintf(stderr, "server: %s\n", strerror(-rc));
	else
		weir_stack_set_handler(stack, on_events, NULL);
	while (rc == 0 && !stop)
		weir_engine_poll(weir_stack_engine(stack, 0), now_ns());
	if (stack != NULL && weir_stack_destroy(stack) != 0) {
		fprintf(stderr, "server: buffers were not given back\n");
		rc = -EFAULT;
	}
	if (port != NULL)
		weir_port_close(port);
	rte_eal_cleanup();
	return rc == 0 ? 0 : 1;
}
