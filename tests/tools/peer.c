/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The other end: a TCP client on the kernel's stack. What it sends is a function of seed, connection
 * index and offset, so that `peer data` prints again what `peer send` sent.
 *
 *   peer send --connect A:P [--conns N] [--bytes N] [--seed N] [--mss N] [--congestion NAME]
 *             [--pattern [--wrong OFFSET]]        the generator's content, one byte of it changed
 *   peer data --index N --bytes N [--seed N]              the same bytes on standard output
 *   peer loop --connect A:P [--conns N] [--bytes N] --times N
 *   peer idle --connect A:P [--conns N] --hold SECONDS
 *
 * `send` samples what `ss -ti` shows of each connection and reports its stalls: stall_ms, the longest
 * time in which nothing was acknowledged; lost_again, the retransmissions by timeout after which
 * another timeout passed; over_ms, by how much a wait exceeded the retransmission timeout in force during
 * it, and what the kernel's timer adds to that (stall.h). A retransmission that is lost again
 * doubles that timeout and begins a new wait (RFC 6298 5.5, 5.7).
 *
 * Every connection is half-closed after its data and then waits for the other side's FIN, so success
 * means that all of it was acknowledged. --seconds N bounds the run (default 120). Exit 0 only when
 * every connection ended well.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "app/generator/pattern.h"
#include "tests/tools/stall.h"

#define BLOCK_WORDS 8192 /* 64 KiB: stays in the second-level cache between filling and sending */
#define STACK_BYTES (256 * 1024)
#define SAMPLE_US   5000
#define SYN_SENT    2 /* tcpi_state */

static struct {
	struct sockaddr_storage to;
	socklen_t to_len;
	uint32_t conns;
	uint32_t index;
	uint32_t times;
	uint32_t hold_s;
	uint32_t seconds;
	uint64_t bytes;
	uint64_t seed;
	int mss;
	const char *congestion;
	bool pattern;
	uint64_t wrong; /* offset of a byte to change */
} cfg = {.wrong = UINT64_MAX, .conns = 1, .seconds = 120, .seed = 1, .times = 1, .hold_s = 1};

struct conn {
	uint32_t index;
	atomic_int fd; /* -1: not open; the sampler reads it */
	uint16_t port;
	uint64_t sent;
	struct stall stall;
	uint32_t rto_us; /* worst seen */
	uint32_t retrans;
	uint64_t done; /* connections that ended well */
	bool failed;
	struct tcp_info last; /* when it had ended */
};

static atomic_uint next_turn; /* loop mode: turns handed out so far */

static uint64_t
clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* Words [first, first + BLOCK_WORDS) of the stream of connection `index`. */
static void
fill(uint64_t *block, uint32_t index, uint64_t first)
{
	uint64_t key = mix(mix(cfg.seed + 1) + index);

	for (uint32_t i = 0; i < BLOCK_WORDS; i++)
		block[i] = mix(key + (first + i) * UINT64_C(0x9e3779b97f4a7c15));
}

static struct generator_pattern pattern;

/* The generator's content from `offset` on, which depends on the port that it comes from. */
static void
fill_pattern(uint8_t *block, uint16_t port, uint64_t offset)
{
	for (uint32_t i = 0; i < BLOCK_WORDS * 8; i += GENERATOR_PATTERN_PIECE)
		memcpy(block + i, generator_pattern_at(&pattern, port, offset + i),
		       GENERATOR_PATTERN_PIECE);
	if (cfg.wrong - offset < BLOCK_WORDS * 8)
		block[cfg.wrong - offset] ^= 0xff;
}

static bool
fail(struct conn *conn, const char *what)
{
	fprintf(stderr, "peer: connection %" PRIu32 ": %s: %s\n", conn->index, what,
		strerror(errno));
	conn->failed = true;
	return false;
}

static bool
set_options(struct conn *conn, int fd)
{
	if (cfg.mss != 0 &&
	    setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &cfg.mss, sizeof(cfg.mss)) != 0)
		return fail(conn, "--mss");
	if (cfg.congestion != NULL &&
	    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cfg.congestion,
		       (socklen_t)strlen(cfg.congestion)) != 0)
		return fail(conn, "--congestion");
	return true;
}

static uint16_t
port_of(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;

	return ntohs(address->ss_family == AF_INET6 ? in6->sin6_port : in->sin_port);
}

static bool
conn_open(struct conn *conn)
{
	struct sockaddr_storage local = {0};
	socklen_t len = sizeof(local);
	int fd = socket(cfg.to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fail(conn, "socket");
	atomic_store(&conn->fd, fd);
	if (!set_options(conn, fd))
		return false;
	if (connect(fd, (struct sockaddr *)&cfg.to, cfg.to_len) != 0)
		return fail(conn, "connect");
	if (getsockname(fd, (struct sockaddr *)&local, &len) == 0)
		conn->port = port_of(&local);
	return true;
}

static bool
send_all(struct conn *conn, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(atomic_load(&conn->fd), data, len, MSG_NOSIGNAL);

		if (n < 0)
			return fail(conn, "send");
		data += n;
		len -= (size_t)n;
		conn->sent += (uint64_t)n;
	}
	return true;
}

static bool
send_stream(struct conn *conn)
{
	uint64_t block[BLOCK_WORDS];

	for (uint64_t off = 0; off < cfg.bytes; off += sizeof(block)) {
		uint64_t left = cfg.bytes - off;

		if (cfg.pattern)
			fill_pattern((uint8_t *)block, conn->port, off);
		else
			fill(block, conn->index, off / sizeof(block[0]));
		if (!send_all(conn, (const uint8_t *)block,
			      left < sizeof(block) ? (size_t)left : sizeof(block)))
			return false;
	}
	return true;
}

/* FIN, then read until the other side's FIN: all that was sent is acknowledged then. */
static bool
conn_finish(struct conn *conn)
{
	char trash[4096];
	ssize_t n;

	if (shutdown(atomic_load(&conn->fd), SHUT_WR) != 0)
		return fail(conn, "shutdown");
	do
		n = recv(atomic_load(&conn->fd), trash, sizeof(trash), 0);
	while (n > 0);
	return n == 0 || fail(conn, "recv");
}

static void
conn_close(struct conn *conn)
{
	int fd = atomic_exchange(&conn->fd, -1);

	if (fd >= 0)
		close(fd);
}

static void
note_last(struct conn *conn)
{
	socklen_t len = sizeof(conn->last);

	if (atomic_load(&conn->fd) >= 0)
		getsockopt(atomic_load(&conn->fd), IPPROTO_TCP, TCP_INFO, &conn->last, &len);
}

static void *
send_thread(void *arg)
{
	struct conn *conn = arg;

	if (conn_open(conn) && send_stream(conn) && conn_finish(conn))
		conn->done = 1;
	note_last(conn);
	return NULL;
}

static void *
loop_thread(void *arg)
{
	struct conn *conn = arg;

	while (!conn->failed && atomic_fetch_add(&next_turn, 1) < cfg.times) {
		if (conn_open(conn) && send_stream(conn) && conn_finish(conn))
			conn->done++;
		conn_close(conn);
	}
	return NULL;
}

static void *
idle_thread(void *arg)
{
	struct conn *conn = arg;

	if (!conn_open(conn))
		return NULL;
	sleep(cfg.hold_s);
	if (conn_finish(conn))
		conn->done = 1;
	return NULL;
}

static void
sample_one(struct conn *conn)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int fd = atomic_load(&conn->fd);

	if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return;
	conn->retrans = info.tcpi_total_retrans;
	if (info.tcpi_state == SYN_SENT) /* not measured yet: the kernel's initial timeout */
		return;
	if (info.tcpi_rto > conn->rto_us)
		conn->rto_us = info.tcpi_rto;
	stall_sample(&conn->stall, &info, clock_ns());
}

static atomic_bool sampling;

/* Often, since a timeout is in force only while nothing arrives. */
static void *
sample_thread(void *arg)
{
	struct conn *conns = arg;

	while (atomic_load(&sampling)) {
		for (uint32_t i = 0; i < cfg.conns; i++)
			sample_one(&conns[i]);
		usleep(SAMPLE_US);
	}
	return NULL;
}

static void
start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	err = pthread_create(thread, &attr, run, arg);
	pthread_attr_destroy(&attr);
	if (err != 0) {
		fprintf(stderr, "peer: thread: %s\n", strerror(err));
		exit(1);
	}
}

static int
report(const struct conn *conns, uint64_t ns, bool each)
{
	uint64_t done = 0, bytes = 0;
	uint32_t rto_us = 0, retrans = 0, lost_again = 0;
	uint64_t stall_us = 0;
	int64_t over_us = 0;
	bool failed = false;

	for (uint32_t i = 0; i < cfg.conns; i++) {
		const struct conn *c = &conns[i];

		if (each)
			printf("conn %" PRIu32 " port %u bytes %" PRIu64 " rto_ms %" PRIu32
			       " retrans %" PRIu32 " stall_ms %" PRIu64 " lost_again %" PRIu32
			       " over_ms %" PRId64 "\n",
			       c->index, c->port, c->sent, c->rto_us / 1000, c->retrans,
			       c->stall.longest_us / 1000, c->stall.lost_again, c->stall.over_us / 1000);
		done += c->done;
		bytes += c->sent;
		retrans += c->retrans;
		rto_us = c->rto_us > rto_us ? c->rto_us : rto_us;
		stall_us = c->stall.longest_us > stall_us ? c->stall.longest_us : stall_us;
		over_us = c->stall.over_us > over_us ? c->stall.over_us : over_us;
		lost_again += c->stall.lost_again;
		failed |= c->failed;
	}
	printf("total done %" PRIu64 " bytes %" PRIu64 " ms %" PRIu64 " rto_ms %" PRIu32
	       " retrans %" PRIu32 " stall_ms %" PRIu64 " lost_again %" PRIu32 " over_ms %" PRId64 "\n",
	       done, bytes, ns / 1000000, rto_us / 1000, retrans, stall_us / 1000, lost_again,
	       over_us / 1000);
	return failed ? 1 : 0;
}

/* TCPI_OPT_ bits, payload of a full segment, packets that the other side says it saw marked. */
static void
report_agreed(const struct conn *conns)
{
	for (uint32_t i = 0; i < cfg.conns; i++)
		printf("agreed %" PRIu32 " port %u options %u mss %u ce %u\n", conns[i].index,
		       conns[i].port, conns[i].last.tcpi_options, conns[i].last.tcpi_snd_mss,
		       conns[i].last.tcpi_delivered_ce);
}

static int
run_conns(void *(*run)(void *), bool each)
{
	struct conn *conns = calloc(cfg.conns, sizeof(*conns));
	pthread_t *threads = calloc((size_t)cfg.conns + 1, sizeof(*threads));
	uint64_t began = clock_ns();
	int status;

	if (conns == NULL || threads == NULL) {
		fprintf(stderr, "peer: out of memory\n");
		return 1;
	}
	for (uint32_t i = 0; i < cfg.conns; i++) {
		conns[i].index = i;
		atomic_init(&conns[i].fd, -1);
	}
	atomic_store(&sampling, each);
	if (each)
		start(&threads[cfg.conns], sample_thread, conns);
	for (uint32_t i = 0; i < cfg.conns; i++)
		start(&threads[i], run, &conns[i]);
	for (uint32_t i = 0; i < cfg.conns; i++)
		pthread_join(threads[i], NULL);
	if (atomic_exchange(&sampling, false))
		pthread_join(threads[cfg.conns], NULL);
	if (each)
		report_agreed(conns);
	status = report(conns, clock_ns() - began, each);
	for (uint32_t i = 0; i < cfg.conns; i++)
		conn_close(&conns[i]);
	free(conns);
	free(threads);
	return status;
}

static int
run_data(void)
{
	static uint64_t block[BLOCK_WORDS];

	for (uint64_t off = 0; off < cfg.bytes; off += sizeof(block)) {
		uint64_t left = cfg.bytes - off;
		size_t n = left < sizeof(block) ? (size_t)left : sizeof(block);

		fill(block, cfg.index, off / sizeof(block[0]));
		if (fwrite(block, 1, n, stdout) != n) {
			perror("peer: data");
			return 1;
		}
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

static _Noreturn void
usage(const char *why)
{
	fprintf(stderr, "peer: %s\nusage: peer send|data|loop|idle [options], see its source\n",
		why);
	exit(2);
}

/* 192.0.2.1:9000, [2001:db8::1]:9000 or [fe80::1%eth0]:9000 */
static void
parse_target(char *text)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				       .ai_socktype = SOCK_STREAM};
	char *colon = strrchr(text, ':'), *end;
	struct addrinfo *found;

	if (colon == NULL)
		usage("--connect wants ADDRESS:PORT");
	*colon = '\0';
	end = colon - 1;
	if (*text == '[' && *end == ']') {
		text++;
		*end = '\0';
	}
	if (getaddrinfo(text, colon + 1, &hints, &found) != 0)
		usage("--connect wants ADDRESS:PORT, an address of IPv6 in brackets");
	memcpy(&cfg.to, found->ai_addr, found->ai_addrlen);
	cfg.to_len = found->ai_addrlen;
	freeaddrinfo(found);
	if (port_of(&cfg.to) == 0)
		usage("--connect wants a port of 1 to 65535");
}

static uint64_t
number(const char *text, uint64_t most)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value > most)
		usage("a number is wrong");
	return value;
}

static void
parse_option(int name)
{
	switch (name) {
	case 'c': parse_target(optarg); break;
	case 'n': cfg.conns = (uint32_t)number(optarg, 100000); break;
	case 'b': cfg.bytes = number(optarg, UINT64_MAX / 2); break;
	case 's': cfg.seed = number(optarg, UINT64_MAX / 2); break;
	case 'i': cfg.index = (uint32_t)number(optarg, UINT32_MAX); break;
	case 't': cfg.times = (uint32_t)number(optarg, INT32_MAX); break;
	case 'h': cfg.hold_s = (uint32_t)number(optarg, 86400); break;
	case 'l': cfg.seconds = (uint32_t)number(optarg, 86400); break;
	case 'm': cfg.mss = (int)number(optarg, 65535); break;
	case 'g': cfg.congestion = optarg; break;
	case 'p': cfg.pattern = true; break;
	case 'w': cfg.wrong = number(optarg, UINT64_MAX / 2); break;
	default: usage("unknown option");
	}
}

static void
parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{"connect", 1, NULL, 'c'}, {"conns", 1, NULL, 'n'},
		{"bytes", 1, NULL, 'b'},   {"seed", 1, NULL, 's'},
		{"index", 1, NULL, 'i'},   {"times", 1, NULL, 't'},
		{"hold", 1, NULL, 'h'},    {"seconds", 1, NULL, 'l'},
		{"mss", 1, NULL, 'm'},     {"congestion", 1, NULL, 'g'},
		{"pattern", 0, NULL, 'p'}, {"wrong", 1, NULL, 'w'},
		{NULL, 0, NULL, 0},
	};
	int name;

	while ((name = getopt_long(argc, argv, "", options, NULL)) != -1)
		parse_option(name);
	if (optind != argc || cfg.conns == 0)
		usage("an argument too many, or --conns 0");
}

/* The limit that keeps an orphan from living for ever. */
static void
out_of_time(int sig)
{
	static const char text[] = "peer: --seconds are over\n";
	ssize_t ignored = write(2, text, sizeof(text) - 1);

	(void)sig;
	(void)ignored;
	_exit(3);
}

static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		usage("a mode is missing");
	parse_options(argc - 1, argv + 1);
	if (strcmp(argv[1], "data") == 0)
		return run_data();
	if (cfg.to_len == 0)
		usage("--connect is missing");
	generator_pattern_fill(&pattern);
	raise_file_limit();
	signal(SIGALRM, out_of_time);
	alarm(cfg.seconds);
	if (strcmp(argv[1], "send") == 0)
		return run_conns(send_thread, true);
	if (strcmp(argv[1], "loop") == 0)
		return run_conns(loop_thread, false);
	if (strcmp(argv[1], "idle") == 0)
		return run_conns(idle_thread, false);
	usage("mode is send, data, loop or idle");
}
