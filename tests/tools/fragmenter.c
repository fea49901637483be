/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What no router does with IPv6, and a sender only to packets that it may not send whole: cuts TCP
 * segments into fragments (RFC 8200 4.5). Joins two interfaces.
 *
 *   fragmenter FROM TO PACKET_BYTES [--backwards] [--seconds N]
 *
 * A TCP packet from FROM that is longer than PACKET_BYTES goes to TO in fragments that are not, the last
 * one first with --backwards; all else passes whole, both ways. Says "ready" when it listens; ends at
 * SIGTERM or after N seconds (default 60) with one line "total cut N fragments N passed N lost N".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_MAX	65536
#define ETHER		14
#define IP6		40
#define FRAGMENT	8
#define NEXT_TCP	6
#define NEXT_FRAGMENT	44
#define RING_BYTES	(8 << 20)

static struct {
	int from, to; /* sockets */
	uint32_t packet_bytes;
	bool backwards;
	uint32_t seconds;
} cfg = {.seconds = 60};

static uint64_t cut, fragments, passed, lost;
static volatile sig_atomic_t ended;

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "fragmenter: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
on_end(int sig)
{
	(void)sig;
	ended = 1;
}

static int
open_interface(const char *name)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct packet_mreq all = {.mr_type = PACKET_MR_PROMISC};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1, bytes = RING_BYTES;

	at.sll_ifindex = all.mr_ifindex = (int)if_nametoindex(name);
	if (fd < 0 || at.sll_ifindex == 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) != 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		die(name);
	return fd;
}

/* A full device is waited for: nothing is to be lost here. */
static void
pass(int fd, const uint8_t *frame, uint32_t len)
{
	while (send(fd, frame, len, 0) < 0) {
		if (errno != ENOBUFS || ended) {
			lost++;
			return;
		}
		usleep(100);
	}
}

/* The fragment of `whole` with `len` bytes at `off` of what follows the IP header. */
static void
pass_fragment(const uint8_t *whole, uint32_t off, uint32_t len, bool more, uint32_t id)
{
	uint8_t frame[ETHER + IP6 + FRAGMENT + FRAME_MAX], *ip = frame + ETHER;
	uint8_t *header = ip + IP6;
	uint16_t field = htons((uint16_t)(FRAGMENT + len));

	memcpy(frame, whole, ETHER + IP6);
	memcpy(ip + 4, &field, 2);
	ip[6] = NEXT_FRAGMENT;
	header[0] = NEXT_TCP;
	header[1] = 0;
	field = htons((uint16_t)(off | more));
	memcpy(header + 2, &field, 2);
	id = htonl(id);
	memcpy(header + 4, &id, 4);
	memcpy(header + FRAGMENT, whole + ETHER + IP6 + off, len);
	pass(cfg.to, frame, ETHER + IP6 + FRAGMENT + len);
	fragments++;
}

static void
pass_cut(const uint8_t *frame, uint32_t payload)
{
	static uint32_t id = 0x10000;
	uint32_t piece = (cfg.packet_bytes - IP6 - FRAGMENT) & ~7u, n = (payload + piece - 1) / piece;

	id++;
	cut++;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = (cfg.backwards ? n - 1 - i : i) * piece;
		bool more = at + piece < payload;

		pass_fragment(frame, at, more ? piece : payload - at, more, id);
	}
}

/* One frame from the one to the other. */
static void
carry(int from)
{
	static uint8_t frame[FRAME_MAX];
	ssize_t n = recv(from, frame, sizeof(frame), MSG_TRUNC | MSG_DONTWAIT);
	uint32_t payload;

	if (n < ETHER || n > FRAME_MAX)
		return;
	payload = n >= ETHER + IP6 ? (uint32_t)frame[ETHER + 4] << 8 | frame[ETHER + 5] : 0;
	if (from == cfg.from && frame[12] == 0x86 && frame[13] == 0xdd && payload != 0 &&
	    frame[ETHER + 6] == NEXT_TCP && IP6 + payload > cfg.packet_bytes &&
	    ETHER + IP6 + payload <= (uint32_t)n) {
		pass_cut(frame, payload);
		return;
	}
	pass(from == cfg.from ? cfg.to : cfg.from, frame, (uint32_t)n);
	passed++;
}

static void
serve(void)
{
	struct pollfd fds[2] = {{.fd = cfg.from, .events = POLLIN}, {.fd = cfg.to, .events = POLLIN}};

	while (!ended) {
		if (poll(fds, 2, 1000) < 0 && errno != EINTR)
			die("poll");
		for (int i = 0; i < 2; i++)
			if (fds[i].revents & POLLIN)
				carry(fds[i].fd);
	}
}

static uint32_t
number(const char *text, uint32_t low, uint32_t high)
{
	char *end;
	unsigned long value = text != NULL ? strtoul(text, &end, 10) : 0;

	if (text == NULL || end == text || *end != '\0' || value < low || value > high) {
		fprintf(stderr, "fragmenter: a number is wrong: see its source\n");
		exit(2);
	}
	return (uint32_t)value;
}

int
main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_end};

	if (argc < 4) {
		fprintf(stderr, "usage: fragmenter FROM TO PACKET_BYTES [options], see its source\n");
		return 2;
	}
	cfg.packet_bytes = number(argv[3], IP6 + FRAGMENT + 8, 1500);
	for (int i = 4; i < argc; i++) {
		if (strcmp(argv[i], "--backwards") == 0)
			cfg.backwards = true;
		else if (strcmp(argv[i], "--seconds") == 0)
			cfg.seconds = number(argv[++i], 1, 86400);
		else
			number(argv[i], 1, 0);
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	alarm(cfg.seconds);
	cfg.from = open_interface(argv[1]);
	cfg.to = open_interface(argv[2]);
	puts("ready");
	fflush(stdout);
	serve();
	printf("total cut %lu fragments %lu passed %lu lost %lu\n", (unsigned long)cut,
	       (unsigned long)fragments, (unsigned long)passed, (unsigned long)lost);
	return 0;
}
