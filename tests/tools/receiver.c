/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A TCP receiver on the kernel's stack that checks the generator's content.
 *
 *   receiver --listen A:P|[A6]:P [--check] [--slow MS] [--seconds N]
 *
 * Reads every connection to its end and closes it then; with --check each byte has to be that of the
 * pattern for the peer's port and the offset. --slow waits so long before each read. Says "ready"
 * when it listens; ends at SIGTERM or after --seconds N (default 60) with one line
 * "total closed N bytes N wrong N reset N". Exit 0 when nothing was wrong and nothing reset.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "app/generator/pattern.h"

#define CONNS  65536 /* by descriptor */
#define EVENTS 64
#define BLOCK  65536

static struct {
	union {
		struct sockaddr any;
		struct sockaddr_in ip4;
		struct sockaddr_in6 ip6;
	} at;
	socklen_t at_bytes;
	uint32_t slow_ms;
	uint32_t seconds;
	bool check;
} cfg = {.seconds = 60};

struct conn {
	uint64_t offset;
	uint16_t port;
	bool wrong;
};

static struct conn conns[CONNS];
static struct generator_pattern pattern;
static uint64_t closed, bytes, wrong, resets;
static volatile sig_atomic_t ended;

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "receiver: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
on_end(int sig)
{
	(void)sig;
	ended = 1;
}

static int
listen_there(void)
{
	int fd = socket(cfg.at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, &cfg.at.any, cfg.at_bytes) != 0 || listen(fd, 4096) != 0)
		die("listen");
	return fd;
}

static void
watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		die("epoll_ctl");
}

static void
accept_all(int epoll, int listener)
{
	struct sockaddr_in6 from; /* its port lies where that of IPv4 does */
	socklen_t len = sizeof(from);
	int fd;

	while ((fd = accept4(listener, (struct sockaddr *)&from, &len,
			     SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		if (fd >= CONNS)
			die("too many connections");
		conns[fd] = (struct conn){.port = ntohs(from.sin6_port)};
		watch(epoll, fd);
		len = sizeof(from);
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		die("accept");
}

static void
check(struct conn *conn, const uint8_t *data, uint32_t len)
{
	if (cfg.check && !conn->wrong &&
	    !generator_pattern_check(&pattern, conn->port, conn->offset, data, len)) {
		fprintf(stderr, "receiver: port %u: wrong content after byte %" PRIu64 "\n",
			conn->port, conn->offset);
		conn->wrong = true;
		wrong++;
	}
	conn->offset += len;
	bytes += len;
}

static void
read_some(int fd)
{
	static uint8_t block[BLOCK];
	ssize_t n;

	if (cfg.slow_ms != 0)
		usleep(cfg.slow_ms * 1000);
	n = read(fd, block, sizeof(block));
	if (n > 0) {
		check(&conns[fd], block, (uint32_t)n);
		return;
	}
	if (n < 0 && errno == EAGAIN)
		return;
	closed += n == 0;
	resets += n < 0;
	close(fd);
}

static void
serve(int epoll, int listener)
{
	struct epoll_event events[EVENTS];

	while (!ended) {
		int n = epoll_wait(epoll, events, EVENTS, 1000);

		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				accept_all(epoll, listener);
			else
				read_some(events[i].data.fd);
		}
	}
}

static _Noreturn void
usage(const char *why)
{
	fprintf(stderr, "receiver: %s\nusage: receiver --listen A:P [options], see its source\n", why);
	exit(2);
}

static void
parse_address(char *text)
{
	char *colon = strrchr(text, ':');
	long port = colon != NULL ? strtol(colon + 1, NULL, 10) : 0;
	bool good;

	if (colon == NULL || port < 1 || port > 65535)
		usage("--listen wants ADDRESS:PORT");
	*colon = '\0';
	if (text[0] == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		cfg.at.ip6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
						   .sin6_port = htons((uint16_t)port)};
		cfg.at_bytes = sizeof(cfg.at.ip6);
		good = inet_pton(AF_INET6, text + 1, &cfg.at.ip6.sin6_addr) == 1;
	} else {
		cfg.at.ip4 = (struct sockaddr_in){.sin_family = AF_INET,
						  .sin_port = htons((uint16_t)port)};
		cfg.at_bytes = sizeof(cfg.at.ip4);
		good = inet_pton(AF_INET, text, &cfg.at.ip4.sin_addr) == 1;
	}
	if (!good)
		usage("--listen wants an address, one of IPv6 in brackets");
}

static uint32_t
number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || value > 86400)
		usage("a number is wrong");
	return (uint32_t)value;
}

static void
parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{"listen", 1, NULL, 'l'},  {"check", 0, NULL, 'c'}, {"slow", 1, NULL, 's'},
		{"seconds", 1, NULL, 't'}, {NULL, 0, NULL, 0},
	};
	int name;

	while ((name = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (name) {
		case 'l': parse_address(optarg); break;
		case 'c': cfg.check = true; break;
		case 's': cfg.slow_ms = number(optarg); break;
		case 't': cfg.seconds = number(optarg); break;
		default: usage("unknown option");
		}
	}
	if (optind != argc || cfg.at_bytes == 0)
		usage("an argument too many, or --listen is missing");
}

static void
catch_end(int number_)
{
	struct sigaction action = {.sa_handler = on_end};

	sigaction(number_, &action, NULL);
}

int
main(int argc, char **argv)
{
	struct rlimit limit;
	int epoll, listener;

	parse_options(argc, argv);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max < CONNS ? limit.rlim_max : CONNS;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	generator_pattern_fill(&pattern);
	catch_end(SIGTERM);
	catch_end(SIGINT);
	catch_end(SIGALRM);
	alarm(cfg.seconds);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		die("epoll_create1");
	listener = listen_there();
	watch(epoll, listener);
	puts("ready");
	fflush(stdout);
	serve(epoll, listener);
	printf("total closed %" PRIu64 " bytes %" PRIu64 " wrong %" PRIu64 " reset %" PRIu64 "\n",
	       closed, bytes, wrong, resets);
	return wrong != 0 || resets != 0 ? 1 : 0;
}
