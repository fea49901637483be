/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer thread: takes spans from the ring, gathers those of one file, writes them and gives
 * the leases back. It alone touches the files, so a slow disk closes windows and stalls nothing
 * else.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "sink_file.h"

#define BATCH	    1024
#define BATCH_WORTH 64 /* with less waiting, wait a little: fewer, larger writes */
#define NONE	    UINT32_MAX
#define SAID_MOST   16	  /* lines about incomplete files */
#define IDLE_LEAST  20000 /* ns */
#define IDLE_MOST   500000

struct file {
	char *path;
	uint64_t offset; /* bytes written */
	weir_conn conn;
	uint32_t next;	/* file with spans in this batch */
	uint32_t first; /* span of this batch */
	uint32_t last;
	int fd;
	bool failed;
	bool complete;
	bool in_batch;
};

struct file_writer {
	struct file_writer_config config;
	pthread_t thread;
	struct file *files; /* by slot */
	uint32_t touched;
	uint32_t first; /* of the files with spans in this batch, linked by next */
	struct weir_span spans[BATCH];
	uint32_t span_next[BATCH];
	uint32_t n_spans;
	uint32_t said;
	_Atomic int finish;
	_Atomic int ended;
	_Atomic uint64_t stored;
	_Atomic uint64_t incomplete;
	_Atomic uint64_t failed;
};

static void
nap(long ns)
{
	nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

static void
count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* ---- back to the engine ---- */

/* The channel is drained by every poll, so this ends. */
static void
release(struct file_writer *writer, const uint64_t *leases, uint32_t n)
{
	while (n > 0) {
		uint32_t taken = weir_channel_release(writer->config.channel, leases, n);

		leases += taken;
		n -= taken;
		if (taken == 0)
			nap(IDLE_LEAST);
	}
}

static void
close_conn(struct file_writer *writer, weir_conn conn)
{
	while (weir_channel_close_conn(writer->config.channel, conn) == -EAGAIN)
		nap(IDLE_LEAST);
}

static void
abort_conn(struct file_writer *writer, weir_conn conn)
{
	while (weir_channel_abort_conn(writer->config.channel, conn) == -EAGAIN)
		nap(IDLE_LEAST);
}

/* ---- one file ---- */

static const char *
mend(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
		return "make room on the disk";
	case EFBIG:
		return "raise the limit of file sizes (ulimit -f)";
	case EEXIST:
		return "give weir an empty directory";
	case EMFILE:
	case ENFILE:
		return "raise the limit of open files (ulimit -n)";
	case EACCES:
	case EPERM:
	case EROFS:
		return "give weir a directory it may write to";
	default:
		return "check the disk";
	}
}

/* The connection goes, and with it what was written: half a file must not pass for a whole one. */
static void
fail(struct file_writer *writer, struct file *file, int error)
{
	fprintf(stderr, "weir: %s: %s: connection aborted, nothing stored: %s\n",
		file->path != NULL ? file->path : "file sink", strerror(error), mend(error));
	file->failed = true;
	count(&writer->failed);
	if (file->fd >= 0) {
		close(file->fd);
		unlink(file->path);
		file->fd = -1;
	}
	abort_conn(writer, file->conn);
}

static void
open_file(struct file_writer *writer, struct file *file, const struct file_message *message)
{
	const char *dir = writer->config.options->listeners[message->open.listener].dir;
	char address[WEIR_ADDR_TEXT];

	memset(file, 0, sizeof(*file));
	file->fd = -1;
	file->conn = message->conn;
	weir_addr_format(&message->open.remote, address, sizeof(address));
	if (asprintf(&file->path, "%s/%s-%u-%" PRIu64, dir, address, message->open.remote_port,
		     message->open.number) < 0) {
		file->path = NULL;
		fail(writer, file, ENOMEM);
		return;
	}
	/* An earlier run's file of that name stays as it is. */
	file->fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (file->fd < 0)
		fail(writer, file, errno);
}

/* Returns 0 or an errno. Writes all of the vector, in as many calls as it takes. */
static int
write_all(struct file *file, struct iovec *iov, int n)
{
	while (n > 0) {
		ssize_t written = pwritev(file->fd, iov, n, (off_t)file->offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? errno : EIO;
		file->offset += (uint64_t)written;
		for (; n > 0 && (size_t)written >= iov->iov_len; iov++, n--)
			written -= (ssize_t)iov->iov_len;
		if (n > 0) {
			iov->iov_base = (char *)iov->iov_base + written;
			iov->iov_len -= (size_t)written;
		}
	}
	return 0;
}

_Static_assert(BATCH <= IOV_MAX, "a batch of one file is one call");

/* Write the file's spans of this batch and give their leases back. */
static void
flush_file(struct file_writer *writer, struct file *file)
{
	struct iovec iov[BATCH];
	uint64_t leases[BATCH];
	uint32_t n = 0, n_leases = 0;
	int error;

	for (uint32_t i = file->first; i != NONE; i = writer->span_next[i]) {
		const struct weir_span *span = &writer->spans[i];

		iov[n].iov_base = (void *)(uintptr_t)span->data;
		iov[n++].iov_len = span->len;
		if (span->last)
			leases[n_leases++] = span->lease;
	}
	if (!file->failed && n > 0) {
		error = write_all(file, iov, (int)n);
		if (error != 0)
			fail(writer, file, error);
	}
	release(writer, leases, n_leases);
}

/* close() may still report what write() did not, on a network file system. */
static void
end_file(struct file_writer *writer, struct file *file)
{
	if (file->failed)
		return;
	if (close(file->fd) != 0 && errno != EINTR) {
		int error = errno;

		file->fd = -1;
		unlink(file->path);
		fail(writer, file, error);
		return;
	}
	file->fd = -1;
	file->complete = true;
	count(&writer->stored);
	close_conn(writer, file->conn);
}

static const char *
reason_text(uint32_t reason)
{
	switch (reason) {
	case WEIR_CLOSE_RESET:
		return "the peer reset the connection";
	case WEIR_CLOSE_TIMEOUT:
		return "the peer did not answer";
	case WEIR_CLOSE_ABORTED: /* other than after a failure only at the end */
		return "weir ended";
	default:
		return "the connection was closed";
	}
}

static void
forget_file(struct file_writer *writer, struct file *file, const char *reason)
{
	if (file->fd >= 0)
		close(file->fd);
	if (file->path != NULL && !file->failed && !file->complete) {
		count(&writer->incomplete);
		if (writer->said++ < SAID_MOST)
			fprintf(stderr, "weir: %s: incomplete after %" PRIu64 " bytes: %s\n",
				file->path, file->offset, reason);
	}
	free(file->path);
	memset(file, 0, sizeof(*file));
	file->fd = -1;
}

/* ---- a batch ---- */

static void
gather(struct file_writer *writer, struct file *file, uint32_t slot, const struct weir_span *span)
{
	uint32_t i = writer->n_spans++;

	writer->spans[i] = *span;
	writer->span_next[i] = NONE;
	if (!file->in_batch) {
		file->in_batch = true;
		file->first = file->last = NONE;
		file->next = writer->first;
		writer->first = slot;
	}
	if (file->last == NONE)
		file->first = i;
	else
		writer->span_next[file->last] = i;
	file->last = i;
}

static void
flush_batch(struct file_writer *writer)
{
	for (uint32_t slot = writer->first; slot != NONE; slot = writer->files[slot].next) {
		flush_file(writer, &writer->files[slot]);
		writer->files[slot].in_batch = false;
	}
	writer->first = NONE;
	writer->n_spans = 0;
}

static void
take_message(struct file_writer *writer, const struct file_message *message)
{
	struct file *file = &writer->files[message->slot];

	if (message->slot >= writer->touched)
		writer->touched = message->slot + 1;
	if (message->type == FILE_DATA) {
		gather(writer, file, message->slot, &message->span);
		return;
	}
	flush_batch(writer); /* what was sent before is written before */
	if (message->type == FILE_OPEN)
		open_file(writer, file, message);
	else if (message->type == FILE_END)
		end_file(writer, file);
	else
		forget_file(writer, file, reason_text(message->close_reason));
}

static uint32_t
take_batch(struct file_writer *writer)
{
	struct file_ring *ring = writer->config.ring;
	uint32_t first, n = file_ring_waiting(ring, &first);

	n = n < BATCH ? n : BATCH;
	for (uint32_t i = 0; i < n; i++)
		take_message(writer, &ring->messages[(first + i) % FILE_RING_SIZE]);
	flush_batch(writer);
	file_ring_done(ring, n);
	return n;
}

/* ---- the thread ---- */

static void
forget_all(struct file_writer *writer)
{
	for (uint32_t i = 0; i < writer->touched; i++)
		if (writer->files[i].path != NULL)
			forget_file(writer, &writer->files[i], "weir ended");
	if (writer->said > SAID_MOST)
		fprintf(stderr, "weir: %u more files are incomplete\n", writer->said - SAID_MOST);
}

static void *
run(void *arg)
{
	struct file_writer *writer = arg;
	long idle = IDLE_LEAST;

	for (;;) {
		int finish = atomic_load_explicit(&writer->finish, memory_order_acquire);
		uint32_t n = take_batch(writer);

		if (n == 0 && finish)
			break;
		if (n == 0 && idle < IDLE_MOST)
			idle *= 2;
		else if (n != 0)
			idle = IDLE_LEAST;
		if (n < BATCH_WORTH)
			nap(idle);
	}
	forget_all(writer);
	atomic_store_explicit(&writer->ended, 1, memory_order_release);
	return NULL;
}

int
file_writer_start(const struct file_writer_config *config, struct file_writer **writer)
{
	struct file_writer *new = calloc(1, sizeof(*new));
	int rc;

	if (new == NULL)
		return -ENOMEM;
	new->config = *config;
	new->first = NONE;
	new->files = calloc(config->slots, sizeof(*new->files));
	rc = new->files == NULL ? ENOMEM : pthread_create(&new->thread, NULL, run, new);
	if (rc != 0) {
		free(new->files);
		free(new);
		return -rc;
	}
	*writer = new;
	return 0;
}

void
file_writer_finish(struct file_writer *writer)
{
	atomic_store_explicit(&writer->finish, 1, memory_order_release);
}

bool
file_writer_ended(const struct file_writer *writer)
{
	return atomic_load_explicit(&writer->ended, memory_order_acquire) != 0;
}

struct weir_channel *
file_writer_join(struct file_writer *writer)
{
	struct weir_channel *channel = writer->config.channel;

	pthread_join(writer->thread, NULL);
	free(writer->files);
	free(writer);
	return channel;
}

void
file_writer_counters(const struct file_writer *writer, struct sink_counters *counters)
{
	counters->stored = atomic_load_explicit(&writer->stored, memory_order_relaxed);
	counters->incomplete = atomic_load_explicit(&writer->incomplete, memory_order_relaxed);
	counters->failed = atomic_load_explicit(&writer->failed, memory_order_relaxed);
}
