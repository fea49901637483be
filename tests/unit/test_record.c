/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/record.h"
#include "flow/buffer.h"
#include "tests/unit/unit.h"

#define ROOM (RTE_PKTMBUF_HEADROOM + 2048)

struct fixture {
	struct weir_pool pool;
	struct weir_record record;
	char dir[32];
	char path[64];
};

static void
set_up(struct fixture *f, uint32_t frames)
{
	ck_assert_int_eq(weir_pool_open_heap(&f->pool, 64, ROOM), 0);
	ck_assert_int_eq(weir_record_open(&f->record, frames, -1), 0);
	strcpy(f->dir, "/tmp/weir-record-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/r.pcapng", f->dir);
}

static void
tear_down(struct fixture *f)
{
	unlink(f->path);
	ck_assert_int_eq(rmdir(f->dir), 0); /* nothing else was left there */
	weir_record_close(&f->record);
	ck_assert_uint_eq(weir_pool_close(&f->pool), 0);
}

static uint8_t
byte_of(uint32_t frame, uint32_t i)
{
	return (uint8_t)(frame * 31 + i * 7 + 1);
}

/* Record a frame of `len` bytes in segments of `split`, 0: one. */
static void
add_frame(struct fixture *f, uint32_t frame, uint64_t now_ns, uint32_t len, uint32_t split,
	  uint32_t flags)
{
	struct rte_mbuf *head = NULL, **tail = &head;
	uint32_t off = 0;

	do {
		uint32_t n = split != 0 && split < len - off ? split : len - off;

		*tail = weir_buf_alloc(&f->pool);
		ck_assert_ptr_nonnull(*tail);
		for (uint32_t i = 0; i < n; i++)
			rte_pktmbuf_mtod(*tail, uint8_t *)[i] = byte_of(frame, off + i);
		(*tail)->data_len = (uint16_t)n;
		tail = &(*tail)->next;
		off += n;
	} while (off < len);
	head->pkt_len = len;
	weir_record_add(&f->record, now_ns, head, flags);
	weir_buf_free(&f->pool, head);
}

/* What a strict reader of the format finds in a file. */
struct packet {
	uint64_t ns;
	uint32_t link, kept, len, direction;
	uint8_t bytes[WEIR_RECORD_BYTES];
};

struct capture {
	uint8_t file[1 << 20];
	size_t size;
	uint32_t n_interfaces;
	uint32_t link[4];
	uint32_t n;
	struct packet packets[1024];
};

static uint32_t
u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint16_t
u16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The value of option `code` in [at, end), which must be a complete list; NULL when absent. */
static const uint8_t *
option(const uint8_t *at, const uint8_t *end, uint16_t code, uint16_t len)
{
	const uint8_t *found = NULL;

	while (at < end) {
		uint32_t padded = (u16(at + 2) + 3u) & ~3u;

		ck_assert(at + 4 + padded <= end);
		if (u16(at) == 0) {
			ck_assert_uint_eq(u16(at + 2), 0);
			ck_assert_ptr_eq(at + 4, end);
			return found;
		}
		for (uint32_t i = u16(at + 2); i < padded; i++)
			ck_assert_uint_eq(at[4 + i], 0);
		if (u16(at) == code) {
			ck_assert_uint_eq(u16(at + 2), len);
			found = at + 4;
		}
		at += 4 + padded;
	}
	ck_abort_msg("option list has no end");
	return NULL;
}

static void
read_interface(struct capture *c, const uint8_t *body, const uint8_t *end)
{
	const uint8_t *resolution = option(body + 8, end, 9, 1);

	ck_assert_uint_lt(c->n_interfaces, 4);
	ck_assert_uint_eq(c->n, 0);
	c->link[c->n_interfaces++] = u16(body);
	ck_assert_uint_eq(u16(body + 2), 0);
	ck_assert_uint_eq(u32(body + 4), WEIR_RECORD_BYTES);
	ck_assert_ptr_nonnull(resolution);
	ck_assert_uint_eq(*resolution, 9);
}

static void
read_packet(struct capture *c, const uint8_t *body, const uint8_t *end)
{
	struct packet *packet = &c->packets[c->n++];
	uint32_t padded;
	const uint8_t *flags;

	ck_assert_uint_lt(u32(body), c->n_interfaces);
	packet->link = c->link[u32(body)];
	packet->ns = (uint64_t)u32(body + 4) << 32 | u32(body + 8);
	packet->kept = u32(body + 12);
	packet->len = u32(body + 16);
	padded = (packet->kept + 3) & ~3u;
	ck_assert_uint_le(packet->kept, WEIR_RECORD_BYTES);
	ck_assert_uint_le(packet->kept, packet->len);
	ck_assert(body + 20 + padded <= end);
	for (uint32_t i = packet->kept; i < padded; i++)
		ck_assert_uint_eq(body[20 + i], 0);
	memcpy(packet->bytes, body + 20, packet->kept);
	flags = option(body + 20 + padded, end, 2, 4);
	ck_assert_ptr_nonnull(flags);
	packet->direction = u32(flags);
}

static void
read_section(const uint8_t *body, const uint8_t *end)
{
	ck_assert_uint_eq(u32(body), 0x1a2b3c4d);
	ck_assert_uint_eq(u16(body + 4), 1);
	ck_assert_uint_eq(u16(body + 6), 0);
	ck_assert_uint_eq(u32(body + 8), UINT32_MAX);
	ck_assert_uint_eq(u32(body + 12), UINT32_MAX);
	ck_assert_ptr_eq(body + 16, end);
}

static void
read_blocks(struct capture *c)
{
	for (size_t at = 0; at < c->size;) {
		const uint8_t *block = c->file + at;
		uint32_t len;

		ck_assert_uint_ge(c->size - at, 12);
		len = u32(block + 4);
		ck_assert_uint_eq(len % 4, 0);
		ck_assert_uint_ge(len, 12);
		ck_assert_uint_le(len, c->size - at);
		ck_assert_uint_eq(u32(block + len - 4), len);
		ck_assert((u32(block) == 0x0a0d0d0a) == (at == 0));
		if (at == 0)
			read_section(block + 8, block + len - 4);
		else if (u32(block) == 1)
			read_interface(c, block + 8, block + len - 4);
		else if (u32(block) == 6)
			read_packet(c, block + 8, block + len - 4);
		else
			ck_abort_msg("unknown block");
		at += len;
	}
}

/* Write the record and read it back. */
static struct capture *
capture(struct fixture *f)
{
	struct capture *c = calloc(1, sizeof(*c));
	FILE *file;

	ck_assert_int_eq(weir_record_write(&f->record, f->path), 0);
	file = fopen(f->path, "rb");
	ck_assert_ptr_nonnull(file);
	c->size = fread(c->file, 1, sizeof(c->file), file);
	fclose(file);
	read_blocks(c);
	ck_assert_uint_ge(c->n_interfaces, 1);
	return c;
}

static void
assert_packet(const struct packet *packet, uint32_t frame, uint32_t len)
{
	ck_assert_uint_eq(packet->len, len);
	ck_assert_uint_eq(packet->kept, len < WEIR_RECORD_BYTES ? len : WEIR_RECORD_BYTES);
	for (uint32_t i = 0; i < packet->kept; i++)
		ck_assert_uint_eq(packet->bytes[i], byte_of(frame, i));
}

START_TEST(frames_come_back)
{
	struct fixture f;
	struct capture *c;

	set_up(&f, 300);
	for (uint32_t i = 0; i < 200; i++)
		add_frame(&f, i, 5000000000123u + i * 7, i + 1, 0,
			  i & 1 ? WEIR_RECORD_SENT : WEIR_RECORD_RECEIVED);
	c = capture(&f);
	ck_assert_uint_eq(c->n, 200);
	ck_assert_uint_eq(c->n_interfaces, 1);
	for (uint32_t i = 0; i < 200; i++) {
		assert_packet(&c->packets[i], i, i + 1);
		ck_assert_uint_eq(c->packets[i].ns, 5000000000123u + i * 7);
		ck_assert_uint_eq(c->packets[i].direction, i & 1 ? 2 : 1);
		ck_assert_uint_eq(c->packets[i].link, 1);
	}
	free(c);
	tear_down(&f);
}
END_TEST

START_TEST(headers_across_segments)
{
	struct fixture f;
	struct capture *c;

	set_up(&f, 300);
	for (uint32_t split = 30; split < 140; split++)
		add_frame(&f, split, split, 400, split, WEIR_RECORD_RECEIVED);
	c = capture(&f);
	ck_assert_uint_eq(c->n, 110);
	for (uint32_t i = 0; i < 110; i++)
		assert_packet(&c->packets[i], 30 + i, 400);
	free(c);
	tear_down(&f);
}
END_TEST

/* At every fill level the last frames are there, oldest first. */
START_TEST(ring_keeps_the_last)
{
	for (uint32_t size = 1; size < 8; size++) {
		struct fixture f;

		set_up(&f, size);
		for (uint32_t n = 0; n < 20; n++) {
			struct capture *c = capture(&f);
			uint32_t first = n < size ? 0 : n - size;

			ck_assert_uint_eq(c->n, n - first);
			for (uint32_t i = 0; i < c->n; i++) {
				assert_packet(&c->packets[i], first + i, 60);
				ck_assert_uint_eq(c->packets[i].ns, first + i);
			}
			free(c);
			add_frame(&f, n, n, 60, 0, WEIR_RECORD_RECEIVED);
		}
		tear_down(&f);
	}
}
END_TEST

START_TEST(bare_ip_has_its_own_interface)
{
	struct fixture f;
	struct capture *c;

	set_up(&f, 8);
	add_frame(&f, 1, 1, 60, 0, WEIR_RECORD_RECEIVED | WEIR_RECORD_L3);
	c = capture(&f);
	ck_assert_uint_eq(c->n_interfaces, 1);
	ck_assert_uint_eq(c->packets[0].link, 101);
	free(c);
	add_frame(&f, 2, 2, 60, 0, WEIR_RECORD_SENT);
	add_frame(&f, 3, 3, 60, 0, WEIR_RECORD_SENT | WEIR_RECORD_L3);
	c = capture(&f);
	ck_assert_uint_eq(c->n_interfaces, 2);
	ck_assert_uint_eq(c->packets[0].link, 101);
	ck_assert_uint_eq(c->packets[1].link, 1);
	ck_assert_uint_eq(c->packets[2].link, 101);
	ck_assert_uint_eq(c->packets[2].direction, 2);
	free(c);
	tear_down(&f);
}
END_TEST

START_TEST(record_of_nothing)
{
	struct fixture f;

	set_up(&f, 0);
	add_frame(&f, 1, 1, 60, 0, WEIR_RECORD_RECEIVED);
	ck_assert_int_eq(weir_record_write(&f.record, f.path), -ENOTSUP);
	ck_assert_int_eq(access(f.path, F_OK), -1);
	tear_down(&f);
}
END_TEST

START_TEST(reset_forgets)
{
	struct fixture f;
	struct capture *c;

	set_up(&f, 4);
	for (uint32_t i = 0; i < 6; i++)
		add_frame(&f, i, i, 60, 0, WEIR_RECORD_RECEIVED);
	weir_record_reset(&f.record);
	add_frame(&f, 9, 9, 60, 0, WEIR_RECORD_RECEIVED);
	c = capture(&f);
	ck_assert_uint_eq(c->n, 1);
	assert_packet(&c->packets[0], 9, 60);
	free(c);
	tear_down(&f);
}
END_TEST

START_TEST(errors_leave_no_file)
{
	char path[5000];
	struct fixture f;
	struct stat st;

	set_up(&f, 4);
	add_frame(&f, 1, 1, 60, 0, WEIR_RECORD_RECEIVED);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(weir_record_write(&f.record, path), -ENAMETOOLONG);
	snprintf(path, sizeof(path), "%s/none/r.pcapng", f.dir);
	ck_assert_int_eq(weir_record_write(&f.record, path), -ENOENT);
	/* The last step fails: a directory stands where the file should go. */
	ck_assert_int_eq(mkdir(f.path, 0700), 0);
	ck_assert_int_eq(weir_record_write(&f.record, f.path), -EISDIR);
	ck_assert_int_eq(stat(f.path, &st), 0);
	ck_assert(S_ISDIR(st.st_mode));
	rmdir(f.path);
	/* There is no room for the file. */
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){0, RLIM_INFINITY}), 0);
	ck_assert_int_eq(weir_record_write(&f.record, f.path), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
	ck_assert_int_eq(access(f.path, F_OK), -1);
	tear_down(&f);
}
END_TEST

static void
put_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "wb");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

/* Whatever else the user has beside the record stays as it is; of a link, the target is replaced. */
START_TEST(other_files_stay)
{
	char other[80], link_path[80], text[16] = "";
	struct fixture f;
	struct stat st;
	FILE *file;

	set_up(&f, 4);
	add_frame(&f, 1, 1, 60, 0, WEIR_RECORD_RECEIVED);
	snprintf(other, sizeof(other), "%s.tmp", f.path);
	snprintf(link_path, sizeof(link_path), "%s/link", f.dir);
	put_text(other, "mine");
	put_text(f.path, "old");
	ck_assert_int_eq(symlink("r.pcapng", link_path), 0);
	ck_assert_int_eq(weir_record_write(&f.record, link_path), 0);
	ck_assert_int_eq(lstat(link_path, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(stat(f.path, &st), 0);
	ck_assert_int_gt(st.st_size, 28);
	file = fopen(other, "rb");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
	ck_assert_str_eq(text, "mine");
	fclose(file);
	unlink(other);
	unlink(link_path);
	tear_down(&f);
}
END_TEST

static void
assert_mode(const char *path, mode_t mode)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, mode);
}

/* A new file gets what the umask leaves, one that is replaced keeps its mode and its owner. */
START_TEST(modes_are_the_users)
{
	struct fixture f;
	struct stat st;

	set_up(&f, 4);
	add_frame(&f, 1, 1, 60, 0, WEIR_RECORD_RECEIVED);
	umask(027);
	ck_assert_int_eq(weir_record_write(&f.record, f.path), 0);
	assert_mode(f.path, 0640);
	ck_assert_int_eq(chmod(f.path, 0604), 0);
	ck_assert_int_eq(weir_record_write(&f.record, f.path), 0);
	assert_mode(f.path, 0604);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(f.path, 65534, 65534), 0);
		ck_assert_int_eq(weir_record_write(&f.record, f.path), 0);
		ck_assert_int_eq(stat(f.path, &st), 0);
		ck_assert_uint_eq(st.st_uid, 65534);
		ck_assert_uint_eq(st.st_gid, 65534);
		assert_mode(f.path, 0604);
	}
	unlink(f.path);
	umask(0);
	ck_assert_int_eq(weir_record_write(&f.record, f.path), 0);
	assert_mode(f.path, 0666);
	tear_down(&f);
}
END_TEST

/* What a link to nowhere means is not known; it stays. */
START_TEST(a_link_to_nowhere_is_refused)
{
	struct fixture f;
	struct stat st;

	set_up(&f, 4);
	add_frame(&f, 1, 1, 60, 0, WEIR_RECORD_RECEIVED);
	ck_assert_int_eq(symlink("none", f.path), 0);
	ck_assert_int_eq(weir_record_write(&f.record, f.path), -ENOENT);
	ck_assert_int_eq(lstat(f.path, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	unlink(f.path);
	ck_assert_int_eq(symlink("r.pcapng", f.path), 0);
	ck_assert_int_eq(weir_record_write(&f.record, f.path), -ELOOP);
	tear_down(&f);
}
END_TEST

/* A file of an earlier end, half written, is in nobody's way. */
START_TEST(names_that_are_taken)
{
	char taken[2][80];
	struct fixture f;

	set_up(&f, 4);
	add_frame(&f, 1, 1, 60, 0, WEIR_RECORD_RECEIVED);
	for (int i = 0; i < 2; i++) {
		snprintf(taken[i], sizeof(taken[i]), "%s.%06d", f.path, i);
		put_text(taken[i], "mine");
	}
	ck_assert_int_eq(weir_record_write(&f.record, f.path), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(unlink(taken[i]), 0);
	tear_down(&f);
}
END_TEST

/* A pipe or a device is written to; it is never replaced by a file. */
START_TEST(a_device_stays_a_device)
{
	struct fixture f;
	struct stat st;
	uint8_t head[4];
	int fd;

	set_up(&f, 4);
	add_frame(&f, 1, 1, 60, 0, WEIR_RECORD_RECEIVED);
	ck_assert_int_eq(mkfifo(f.path, 0600), 0);
	fd = open(f.path, O_RDWR | O_NONBLOCK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(weir_record_write(&f.record, f.path), 0);
	ck_assert_int_eq(stat(f.path, &st), 0);
	ck_assert(S_ISFIFO(st.st_mode));
	ck_assert_int_eq(read(fd, head, sizeof(head)), sizeof(head));
	ck_assert_uint_eq(head[0], 0x0a);
	close(fd);
	unlink(f.path);
	tear_down(&f);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, frames_come_back);
	UNIT_CASE(s, headers_across_segments);
	UNIT_CASE(s, ring_keeps_the_last);
	UNIT_CASE(s, bare_ip_has_its_own_interface);
	UNIT_CASE(s, record_of_nothing);
	UNIT_CASE(s, reset_forgets);
	UNIT_CASE(s, errors_leave_no_file);
	UNIT_CASE(s, other_files_stay);
	UNIT_CASE(s, modes_are_the_users);
	UNIT_CASE(s, a_link_to_nowhere_is_refused);
	UNIT_CASE(s, names_that_are_taken);
	UNIT_CASE(s, a_device_stays_a_device);
}

UNIT_MAIN("record", add)
