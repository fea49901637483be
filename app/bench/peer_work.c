/* SPDX-License-Identifier: BSD-3-Clause */
/* One epoll instance over non-blocking sockets: with 64 KiB and more per call this costs Linux no
 * more than blocking calls do, and one process serves any number of connections. */
#include "peer_work.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define BLOCK_BYTES (128u << 10) /* stays in the second-level cache */
#define EVENTS	    64

struct work {
	const struct peer_job *job;
	struct peer_counters *counters;
	int epoll;
	int listener;
	uint64_t left; /* PEER_SEND: bytes still to send */
	uint32_t open; /* connections */
	uint64_t began_ns;
	uint8_t block[BLOCK_BYTES];
};

static struct work work; /* of this process, which does one job */

static uint64_t
clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool
watch(int fd, uint32_t events, int operation)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	return epoll_ctl(work.epoll, operation, fd, &event) == 0;
}

/* A page belongs to one writer: plain stores of atomics suffice. */
static void
add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

/* ---- connecting ---- */

static const char *
connect_one(void)
{
	const struct peer_job *job = work.job;
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(job->port),
				 .sin_addr.s_addr = htonl(job->address)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return "socket";
	if (job->congestion != NULL && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, job->congestion,
						  (socklen_t)strlen(job->congestion)) != 0)
		return job->congestion;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS)
		return "connect";
	work.open++;
	return watch(fd, EPOLLOUT, EPOLL_CTL_ADD) ? NULL : "epoll";
}

static const char *
connect_all(void)
{
	const char *why = NULL;

	work.began_ns = clock_ns();
	for (uint32_t i = 0; i < work.job->flows && why == NULL; i++)
		why = connect_one();
	return why;
}

/* ---- sending ---- */

/* The end of the other side follows when it has acknowledged everything. */
static const char *
end_sending(int fd)
{
	if (shutdown(fd, SHUT_WR) != 0)
		return "shutdown";
	return watch(fd, EPOLLIN, EPOLL_CTL_MOD) ? NULL : "epoll";
}

static const char *
send_more(int fd, uint32_t events)
{
	uint64_t left = work.job->bytes == 0 ? UINT64_MAX : work.left;
	ssize_t n;

	if (events & EPOLLIN) {
		close(fd);
		work.open--;
		add(&work.counters->connections, 1);
		atomic_store(&work.counters->elapsed_ns, clock_ns() - work.began_ns);
		return NULL;
	}
	if (left == 0)
		return end_sending(fd);
	n = send(fd, work.block, left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN ? NULL : "send";
	work.left -= work.job->bytes == 0 ? 0 : (uint64_t)n;
	add(&work.counters->bytes, (uint64_t)n);
	return NULL;
}

/* Open, send, close, wait until the other side has closed too; another one takes its place. */
static const char *
request(int fd, uint32_t events)
{
	if (events & EPOLLIN) {
		close(fd);
		work.open--;
		add(&work.counters->connections, 1);
		return connect_one();
	}
	if (send(fd, work.block, (size_t)work.job->bytes, MSG_NOSIGNAL) != (ssize_t)work.job->bytes)
		return "send";
	return end_sending(fd);
}

/* ---- receiving ---- */

static const char *
listen_on(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(work.job->port),
				 .sin_addr.s_addr = htonl(work.job->address)};
	int on = 1;

	work.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (work.listener < 0)
		return "socket";
	setsockopt(work.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(work.listener, (struct sockaddr *)&at, sizeof(at)) != 0)
		return "bind";
	if (listen(work.listener, 8192) != 0)
		return "listen";
	if (!watch(work.listener, EPOLLIN, EPOLL_CTL_ADD))
		return "epoll";
	atomic_store(&work.counters->state, PEER_READY);
	return NULL;
}

static void
end_received(int fd)
{
	close(fd);
	work.open--;
	add(&work.counters->connections, 1);
}

static const char *
receive(int fd)
{
	int flags = work.job->trim ? MSG_TRUNC : 0;
	ssize_t n = recv(fd, work.block, BLOCK_BYTES, flags);

	if (n > 0)
		add(&work.counters->bytes, (uint64_t)n);
	else if (n == 0 || errno == ECONNRESET)
		end_received(fd);
	else if (errno != EAGAIN)
		return "recv";
	return NULL;
}

/* The least number of calls: what has come is read at once, and only a connection that does not end
 * with it is watched. */
static const char *
serve(int fd)
{
	ssize_t n;

	while ((n = recv(fd, work.block, BLOCK_BYTES, 0)) > 0)
		add(&work.counters->bytes, (uint64_t)n);
	if (n == 0 || errno == ECONNRESET) {
		end_received(fd);
		return NULL;
	}
	if (errno != EAGAIN)
		return "recv";
	return NULL;
}

static const char *
accept_all(void)
{
	const char *why = NULL;
	int fd;

	while (why == NULL &&
	       (fd = accept4(work.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		uint32_t open = ++work.open;

		if (work.job->kind == PEER_ACCEPT)
			why = serve(fd);
		if (why == NULL && work.open == open && !watch(fd, EPOLLIN, EPOLL_CTL_ADD))
			why = "epoll";
	}
	return why != NULL || errno == EAGAIN || errno == ECONNABORTED ? why : "accept";
}

/* ---- the loop ---- */

static const char *
handle(const struct epoll_event *event)
{
	int fd = event->data.fd;

	if (fd == work.listener)
		return accept_all();
	switch (work.job->kind) {
	case PEER_SEND:
		return send_more(fd, event->events);
	case PEER_CONNECT:
		return request(fd, event->events);
	case PEER_ACCEPT:
		return serve(fd);
	default:
		return receive(fd);
	}
}

const char *
peer_work(const struct peer_job *job, struct peer_counters *counters)
{
	bool listens = job->kind == PEER_RECEIVE || job->kind == PEER_ACCEPT;
	const char *why;

	work.job = job;
	work.counters = counters;
	work.listener = -1;
	work.left = job->bytes;
	work.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (work.epoll < 0)
		return "epoll";
	why = listens ? listen_on() : connect_all();
	while (why == NULL && (listens || work.open != 0)) {
		struct epoll_event events[EVENTS];
		int n = epoll_wait(work.epoll, events, EVENTS, -1);

		for (int i = 0; i < n && why == NULL; i++)
			why = handle(&events[i]);
	}
	return why;
}
