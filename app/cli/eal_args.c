/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/eal_args.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MB		   (UINT64_C(1) << 20)
#define BUFFER_OVERHEAD	   256 /* mbuf, mempool header, cache-line padding */
#define BESIDE_BUFFERS_MB  64  /* EAL, rings of the ports, malloc's rounding */
#define BUFFER_BYTES_LEAST 2176
#define BUFFER_BYTES_MOST  65472 /* an mbuf's data room is a 16-bit number */
#define HEADROOM	   128

uint64_t
eal_args_pool_mb(uint32_t buffers, uint32_t buffer_bytes)
{
	return ((uint64_t)buffers * (buffer_bytes + BUFFER_OVERHEAD) + MB - 1) / MB;
}

uint64_t
eal_args_need_mb(uint32_t buffers, uint32_t buffer_bytes)
{
	return eal_args_pool_mb(buffers, buffer_bytes) + BESIDE_BUFFERS_MB;
}

uint32_t
eal_args_buffer_bytes(uint32_t mtu)
{
	uint32_t bytes = (mtu + 14 + 8 + HEADROOM + 63) & ~UINT32_C(63);

	if (bytes < BUFFER_BYTES_LEAST)
		return BUFFER_BYTES_LEAST;
	return bytes < BUFFER_BYTES_MOST ? bytes : BUFFER_BYTES_MOST;
}

/* ---- what the command line says ---- */

struct eal_words {
	bool no_huge;
	bool in_memory;
	bool no_shconf;
	bool huge_asked; /* --socket-mem, --huge-dir: hugepages or nothing */
	bool log_level;
	uint64_t memory_mb;
};

static bool
is_long(const char *word, const char *name)
{
	size_t len = strlen(name);

	return strncmp(word, name, len) == 0 && (word[len] == '\0' || word[len] == '=');
}

static void
read_words(struct eal_words *words, int argc, char **argv)
{
	memset(words, 0, sizeof(*words));
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		words->no_huge |= is_long(word, "--no-huge");
		words->in_memory |= is_long(word, "--in-memory");
		words->no_shconf |= is_long(word, "--no-shconf");
		words->huge_asked |= is_long(word, "--socket-mem") || is_long(word, "--huge-dir");
		words->log_level |= is_long(word, "--log-level");
		if (strcmp(word, "-m") == 0 && i + 1 < argc)
			words->memory_mb = strtoull(argv[++i], NULL, 10);
		else if (strncmp(word, "-m", 2) == 0)
			words->memory_mb = strtoull(word + 2, NULL, 10);
	}
}

/* The value of key= in a vdev's argument list, or NULL. */
static const char *
vdev_key(const char *vdev, const char *key)
{
	size_t len = strlen(key);

	for (const char *at = strchr(vdev, ','); at != NULL; at = strchr(at, ',')) {
		at++;
		if (strncmp(at, key, len) == 0)
			return at + len;
	}
	return NULL;
}

static uint64_t
read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned long long number = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%llu", &number) != 1)
		number = 0;
	fclose(file);
	return number;
}

static uint32_t
vdev_bytes(const char *vdev)
{
	const char *framesz = vdev_key(vdev, "framesz="), *iface = vdev_key(vdev, "iface=");
	uint32_t bytes = BUFFER_BYTES_LEAST;
	char path[128];

	if (iface != NULL) {
		snprintf(path, sizeof(path), "/sys/class/net/%.*s/mtu", (int)strcspn(iface, ","),
			 iface);
		bytes = eal_args_buffer_bytes((uint32_t)read_number(path));
	}
	if (framesz != NULL) { /* af_packet asks for a buffer that takes a whole ring frame */
		unsigned long size = strtoul(framesz, NULL, 10) + HEADROOM;

		if (size > bytes)
			bytes = size < BUFFER_BYTES_MOST ? (uint32_t)size : BUFFER_BYTES_MOST;
	}
	return bytes;
}

uint32_t
eal_args_vdev_bytes(int argc, char **argv)
{
	uint32_t most = BUFFER_BYTES_LEAST;

	for (int i = 1; i < argc; i++) {
		const char *vdev = NULL;
		uint32_t bytes;

		if (strncmp(argv[i], "--vdev=", 7) == 0)
			vdev = argv[i] + 7;
		else if (strcmp(argv[i], "--vdev") == 0 && i + 1 < argc)
			vdev = argv[++i];
		bytes = vdev != NULL ? vdev_bytes(vdev) : 0;
		most = bytes > most ? bytes : most;
	}
	return most;
}

/* ---- the new argument list ---- */

static void
add(struct eal_args *args, char *word)
{
	args->argv[args->argc++] = word;
	args->argv[args->argc] = NULL;
}

static void
add_memory(struct eal_args *args, const struct eal_facts *facts)
{
	args->memory_mb = eal_args_need_mb(facts->buffers, facts->buffer_bytes);
	snprintf(args->text, sizeof(args->text), "%" PRIu64, args->memory_mb);
	add(args, (char *)(uintptr_t) "-m");
	add(args, args->text);
}

/* 22.11 refuses --in-memory beside --no-huge, and needs --no-shconf there. */
static void
copy_words(struct eal_args *args, int argc, char **argv)
{
	add(args, argv[0]);
	if (!args->log_level) /* first: EAL looks for it only up to a word it does not know */
		add(args, (char *)(uintptr_t) "--log-level=error");
	for (int i = 1; i < argc; i++)
		if (!args->no_huge || !is_long(argv[i], "--in-memory"))
			add(args, argv[i]);
}

static void
explain(struct eal_args *args, const struct eal_words *words, const struct eal_facts *facts)
{
	const char *dropped = words->in_memory ? ", without --in-memory" : "";

	if (words->no_huge)
		snprintf(args->note, sizeof(args->note),
			 "--no-huge: running with --no-huge -m %" PRIu64 " --no-shconf%s",
			 args->memory_mb, dropped);
	else if (facts->hugepages_free_mb == 0)
		snprintf(args->note, sizeof(args->note),
			 "no free hugepages: continuing with --no-huge -m %" PRIu64
			 " --no-shconf%s",
			 args->memory_mb, dropped);
	else
		snprintf(args->note, sizeof(args->note),
			 "only %" PRIu64 " MB of hugepages are free: continuing with --no-huge -m "
			 "%" PRIu64 " --no-shconf%s",
			 facts->hugepages_free_mb, args->memory_mb, dropped);
}

static bool
chooses_no_huge(const struct eal_words *words, const struct eal_facts *facts)
{
	uint64_t wanted = words->memory_mb;

	if (words->no_huge || words->huge_asked)
		return words->no_huge;
	if (wanted == 0)
		wanted = eal_args_need_mb(facts->buffers, facts->buffer_bytes);
	return facts->hugepages_free_mb < wanted;
}

int
eal_args_build(struct eal_args *args, int argc, char **argv, const struct eal_facts *facts,
	       char *error)
{
	struct eal_words words;

	memset(args, 0, sizeof(*args));
	args->argv = calloc((size_t)argc + 8, sizeof(*args->argv));
	if (args->argv == NULL) {
		snprintf(error, OPTIONS_ERROR, "there is no memory for the arguments: free some");
		return -1;
	}
	read_words(&words, argc, argv);
	args->no_huge = chooses_no_huge(&words, facts);
	args->memory_mb = words.memory_mb;
	args->log_level = words.log_level;
	copy_words(args, argc, argv);
	if (args->no_huge) {
		if (!words.no_huge)
			add(args, (char *)(uintptr_t) "--no-huge");
		if (!words.no_shconf)
			add(args, (char *)(uintptr_t) "--no-shconf");
		if (words.memory_mb == 0)
			add_memory(args, facts);
		if (!words.no_huge || words.in_memory)
			explain(args, &words, facts);
		if (args->memory_mb > facts->memory_free_mb) {
			snprintf(error, OPTIONS_ERROR,
				 "%u buffers of %u bytes need %" PRIu64 " MB, but %" PRIu64
				 " MB are free: give fewer --buffers",
				 facts->buffers, facts->buffer_bytes, args->memory_mb,
				 facts->memory_free_mb);
			return -1;
		}
	}
	return eal_args_check(args, facts->buffers, facts->buffer_bytes, error);
}

void
eal_args_free(struct eal_args *args)
{
	free(args->argv);
	args->argv = NULL;
}

int
eal_args_check(const struct eal_args *args, uint32_t buffers, uint32_t buffer_bytes, char *error)
{
	/* With hugepages -m is only where EAL begins; it takes more as it needs them. */
	if (!args->no_huge || args->memory_mb == 0)
		return 0;
	if (args->memory_mb >= eal_args_pool_mb(buffers, buffer_bytes) + BESIDE_BUFFERS_MB / 4)
		return 0;
	snprintf(error, OPTIONS_ERROR,
		 "-m %" PRIu64 " is too small for %u buffers of %u bytes: give -m %" PRIu64
		 " or fewer --buffers",
		 args->memory_mb, buffers, buffer_bytes, eal_args_need_mb(buffers, buffer_bytes));
	return -1;
}

/* ---- the machine ---- */

static uint64_t
hugepages_free_mb(void)
{
	static const char dir_name[] = "/sys/kernel/mm/hugepages";
	DIR *dir = opendir(dir_name);
	struct dirent *entry;
	uint64_t sum_kb = 0;
	char path[512];

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, "hugepages-", 10) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s/free_hugepages", dir_name, entry->d_name);
		sum_kb += read_number(path) * strtoull(entry->d_name + 10, NULL, 10);
	}
	closedir(dir);
	return sum_kb >> 10;
}

static uint64_t
memory_free_mb(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kb = UINT64_MAX;
	char line[256];

	if (file == NULL)
		return UINT64_MAX;
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "MemAvailable: %llu kB", &kb) == 1)
			break;
	fclose(file);
	return kb >> 10;
}

void
eal_facts_read(struct eal_facts *facts)
{
	facts->hugepages_free_mb = hugepages_free_mb();
	facts->memory_free_mb = memory_free_mb();
}
