/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flow/arena.h"

/* pcapng (draft-ietf-opsawg-pcapng): blocks in the byte order of the machine. */
#define BLOCK_SECTION	 0x0a0d0d0au
#define BLOCK_INTERFACE	 1
#define BLOCK_PACKET	 6
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define OPTION_TSRESOL	 9
#define OPTION_FLAGS	 2
#define TSRESOL_NS	 9
#define LINK_ETHERNET	 1
#define LINK_RAW	 101

#define PARTIALS_MOST 1000 /* names to try */

/* A block is its type, its length, a body and its length again; bodies hold whole words. */
struct block {
	uint32_t words; /* used */
	uint32_t word[3 + 5 + WEIR_RECORD_BYTES / 4 + 3 + 1];
};

static void
put(struct block *block, uint32_t word)
{
	block->word[block->words++] = word;
}

static void
put_pair(struct block *block, uint16_t first, uint16_t second)
{
	uint16_t pair[2] = {first, second};

	memcpy(&block->word[block->words++], pair, sizeof(pair));
}

static void
begin(struct block *block, uint32_t type)
{
	block->words = 0;
	put(block, type);
	put(block, 0); /* length, known at the end */
}

static int
end(struct block *block, FILE *file)
{
	size_t bytes = ((size_t)block->words + 1) * sizeof(uint32_t);

	put(block, (uint32_t)bytes);
	block->word[1] = (uint32_t)bytes;
	return fwrite(block->word, bytes, 1, file) == 1 ? 0 : -EIO;
}

static int
write_section(FILE *file)
{
	struct block block;

	begin(&block, BLOCK_SECTION);
	put(&block, BYTE_ORDER_MAGIC);
	put_pair(&block, 1, 0);	 /* version */
	put(&block, UINT32_MAX); /* length of the section: not given */
	put(&block, UINT32_MAX);
	return end(&block, file);
}

static int
write_interface(FILE *file, uint16_t link)
{
	const uint8_t resolution[4] = {TSRESOL_NS};
	struct block block;

	begin(&block, BLOCK_INTERFACE);
	put_pair(&block, link, 0);
	put(&block, WEIR_RECORD_BYTES); /* snapshot length */
	put_pair(&block, OPTION_TSRESOL, 1);
	memcpy(&block.word[block.words++], resolution, sizeof(resolution));
	put(&block, 0); /* end of options */
	return end(&block, file);
}

static int
write_packet(FILE *file, const struct weir_record_entry *entry, uint32_t interface)
{
	uint32_t words = ((uint32_t)entry->kept + 3) / 4;
	struct block block;

	begin(&block, BLOCK_PACKET);
	put(&block, interface);
	put(&block, (uint32_t)(entry->now_ns >> 32));
	put(&block, (uint32_t)entry->now_ns);
	put(&block, entry->kept);
	put(&block, entry->len);
	if (words != 0)
		block.word[block.words + words - 1] = 0;
	memcpy(&block.word[block.words], entry->bytes, entry->kept);
	block.words += words;
	put_pair(&block, OPTION_FLAGS, 4);
	put(&block, entry->flags & WEIR_RECORD_SENT ? 2 : 1); /* outbound, inbound */
	put(&block, 0);
	return end(&block, file);
}

/* Entry `i` in order of time. */
static const struct weir_record_entry *
entry_at(const struct weir_record *record, uint32_t i)
{
	uint32_t at = record->count < record->size ? i : record->next + i;

	return &record->entries[at < record->size ? at : at - record->size];
}

static bool
has_kind(const struct weir_record *record, bool l3)
{
	for (uint32_t i = 0; i < record->count; i++) {
		if (((entry_at(record, i)->flags & WEIR_RECORD_L3) != 0) == l3)
			return true;
	}
	return false;
}

/* One interface per kind of link there is; a reader wants at least one. */
static int
write_all(const struct weir_record *record, FILE *file)
{
	bool raw = has_kind(record, true);
	bool ethernet = !raw || has_kind(record, false);
	int rc = write_section(file);

	if (rc == 0 && ethernet)
		rc = write_interface(file, LINK_ETHERNET);
	if (rc == 0 && raw)
		rc = write_interface(file, LINK_RAW);
	for (uint32_t i = 0; rc == 0 && i < record->count; i++) {
		const struct weir_record_entry *entry = entry_at(record, i);

		rc = write_packet(file, entry, ethernet && (entry->flags & WEIR_RECORD_L3) != 0);
	}
	return rc;
}

/* Takes over `fd`. */
static int
write_file(const struct weir_record *record, int fd)
{
	FILE *file = fdopen(fd, "wb");
	int rc;

	if (file == NULL) {
		rc = -errno;
		close(fd);
		return rc;
	}
	errno = 0;
	rc = write_all(record, file);
	if (rc != 0 && errno != 0)
		rc = -errno;
	if (fclose(file) != 0 && rc == 0)
		rc = -errno;
	return rc;
}

static int
write_special(const struct weir_record *record, const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : write_file(record, fd);
}

/* A file under a name that nobody has, beside `path`. */
static int
open_partial(const char *path, char *partial, size_t size)
{
	int fd = -1;

	errno = EEXIST;
	for (uint32_t i = 0; fd < 0 && errno == EEXIST && i < PARTIALS_MOST; i++) {
		if (snprintf(partial, size, "%s.%06u", path, i) >= (int)size)
			return -ENAMETOOLONG;
		fd = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	}
	return fd < 0 ? -errno : fd;
}

/* Owner and mode of the file that is replaced, if there is one. Not everyone may give files away. */
static int
take_after(int fd, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (fchown(fd, st.st_uid, st.st_gid) != 0 && errno != EPERM)
		return -errno;
	return fchmod(fd, st.st_mode & 07777) != 0 ? -errno : 0;
}

/* Beside `path`, and renamed when it is whole. */
static int
write_regular(const struct weir_record *record, const char *path)
{
	char partial[PATH_MAX];
	int fd = open_partial(path, partial, sizeof(partial));
	int rc;

	if (fd < 0)
		return fd;
	rc = take_after(fd, path);
	if (rc == 0)
		rc = write_file(record, fd);
	else
		close(fd);
	if (rc == 0 && rename(partial, path) != 0)
		rc = -errno;
	if (rc != 0)
		unlink(partial);
	return rc;
}

/* A file that is there may be replaced; a pipe or a device must not, /dev/null least of all. */
static bool
is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

int
weir_record_write(const struct weir_record *record, const char *path)
{
	char target[PATH_MAX];
	struct stat st;
	int rc;

	if (record->size == 0)
		return -ENOTSUP;
	if (is_special(path))
		return write_special(record, path);
	/* What a link points to is replaced, not the link. */
	if (realpath(path, target) != NULL)
		return write_regular(record, target);
	rc = -errno;
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return rc;
	return write_regular(record, path);
}

int
weir_record_open(struct weir_record *record, uint32_t frames, int node)
{
	*record = (struct weir_record){0};
	if (frames == 0)
		return 0;
	record->entries = weir_arena_alloc(frames * sizeof(*record->entries), node);
	if (record->entries == NULL)
		return -ENOMEM;
	record->size = frames;
	return 0;
}

void
weir_record_close(struct weir_record *record)
{
	weir_arena_free(record->entries, record->size * sizeof(*record->entries));
	*record = (struct weir_record){0};
}

void
weir_record_reset(struct weir_record *record)
{
	record->next = 0;
	record->count = 0;
}
