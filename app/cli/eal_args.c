/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/eal_args.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cli/value.h"
#include "app/cli/vdevs.h"

#define MB		   (UINT64_C(1) << 20)
#define BUFFER_OVERHEAD	   256 /* mbuf, mempool header, cache-line padding */
#define BESIDE_BUFFERS_MB  64  /* EAL, rings of the ports, malloc's rounding */
#define LEAST_BESIDE_MB    8  /* with less it never starts */
#define PAGE		   4096u
#define BUFFER_BYTES_LEAST 2176
#define BUFFER_BYTES_MOST  65472 /* an mbuf's data room is a 16-bit number */
#define HEADROOM	   128
#define MEMORY_MOST_MB	   (UINT64_C(1) << 30)

/* Memory for the buffers alone. Ordinary pages hold whole buffers only, most often one each. */
static uint64_t
pool_mb(uint32_t buffers, uint32_t buffer_bytes, bool no_huge)
{
	uint32_t bytes = buffer_bytes + BUFFER_OVERHEAD;

	if (no_huge)
		bytes = bytes <= PAGE ? PAGE / (PAGE / bytes) : (bytes + PAGE - 1) / PAGE * PAGE;
	return ((uint64_t)buffers * bytes + MB - 1) / MB;
}

uint64_t
eal_args_need_mb(uint32_t buffers, uint32_t buffer_bytes, bool no_huge)
{
	return pool_mb(buffers, buffer_bytes, no_huge) + BESIDE_BUFFERS_MB;
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
	const char *huge_asked; /* --socket-mem, --huge-dir: hugepages or nothing */
	bool log_level;
	uint64_t memory_mb;
};

static bool
is_long(const char *word, const char *name)
{
	size_t len = strlen(name);

	return strncmp(word, name, len) == 0 && (word[len] == '\0' || word[len] == '=');
}

/* The value of an option that is there, whose word is argv[*at]: behind its '=', in the next word, or
 * for -m right behind it. "" when there is none. */
static const char *
value_of(const char *word, size_t len, int argc, char **argv, int *at)
{
	if (word[len] == '=')
		return word + len + 1;
	if (word[len] != '\0')
		return word + len;
	return *at + 1 < argc ? argv[++*at] : "";
}

static int
read_memory(struct eal_words *words, const char *text, char *error)
{
	char reason[OPTIONS_ERROR];

	if (value_number(text, 1, MEMORY_MOST_MB, &words->memory_mb, reason) == 0)
		return 0;
	return options_refuse(error, "-m: %s, in MB, or leave it out", reason);
}

/* A secondary process gets its ports and buffers from a primary one, and waits for it for ever. */
static int
read_process_type(const char *text, char *error)
{
	if (strcmp(text, "primary") == 0)
		return 0;
	return options_refuse(error,
			      "--proc-type=%.64s: only a primary process owns ports: leave it out",
			      text);
}

/* It becomes a directory's name; EAL says so of one that cannot, and goes on without. */
static int
read_file_prefix(const char *text, char *error)
{
	if (strchr(text, '/') == NULL && strcmp(text, ".") != 0 && strcmp(text, "..") != 0)
		return 0;
	return options_refuse(error,
			      "--file-prefix '%s' is no name of a directory: give one without '/', such as w",
			      text);
}

/* "LEVEL" or, of some components, "PATTERN:LEVEL" or "REGEX,LEVEL". EAL passes over one that it does
 * not understand; it takes the beginning of a name, too. */
static int
read_log_level(const char *text, char *error)
{
	static const char *const names[] = {"emergency", "alert",  "critical", "error",
					    "warning",	 "notice", "info",     "debug"};
	const char *comma = strchr(text, ','), *sign = comma != NULL ? comma : strchr(text, ':');
	const char *level = sign != NULL ? sign + 1 : text;
	size_t len = strlen(level);
	char reason[OPTIONS_ERROR];
	uint64_t number;

	if (strcmp(text, "help") == 0 || value_number(level, 1, 8, &number, reason) == 0)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (len != 0 && strncmp(level, names[i], len) == 0)
			return 0;
	return options_refuse(error,
			      "--log-level: '%s' is no level: give emergency, alert, critical, error, "
			      "warning, notice, info or debug, of one component as in lib.eal:debug",
			      text);
}

static int
read_words(struct eal_words *words, int argc, char **argv, char *error)
{
	int rc = 0;

	memset(words, 0, sizeof(*words));
	for (int i = 1; i < argc && rc == 0; i++) {
		const char *word = argv[i];

		words->no_huge |= is_long(word, "--no-huge");
		words->in_memory |= is_long(word, "--in-memory");
		words->no_shconf |= is_long(word, "--no-shconf");
		words->log_level |= is_long(word, "--log-level");
		if (is_long(word, "--socket-mem") || is_long(word, "--huge-dir"))
			words->huge_asked = word;
		if (is_long(word, "--proc-type"))
			rc = read_process_type(value_of(word, 11, argc, argv, &i), error);
		else if (is_long(word, "--file-prefix"))
			rc = read_file_prefix(value_of(word, 13, argc, argv, &i), error);
		else if (is_long(word, "--log-level"))
			rc = read_log_level(value_of(word, 11, argc, argv, &i), error);
		else if (strncmp(word, "-m", 2) == 0)
			rc = read_memory(words, value_of(word, 2, argc, argv, &i), error);
	}
	return rc;
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

uint32_t
eal_args_vdev_bytes(int argc, char **argv)
{
	uint32_t mtu, room = vdevs_room_bytes(argc, argv, HEADROOM, &mtu);
	uint32_t bytes = eal_args_buffer_bytes(mtu);

	room = room < BUFFER_BYTES_MOST ? room : BUFFER_BYTES_MOST;
	return room > bytes ? room : bytes;
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
	args->memory_mb = eal_args_need_mb(facts->buffers, facts->buffer_bytes, true);
	snprintf(args->text, sizeof(args->text), "%" PRIu64, args->memory_mb);
	add(args, (char *)(uintptr_t) "-m");
	add(args, args->text);
}

/* Ours first: behind a last word whose value was forgotten they would be taken for it, and EAL looks
 * for --log-level only up to a word it does not know. 22.11 refuses --in-memory beside --no-huge, and
 * needs --no-shconf there. */
static void
write_words(struct eal_args *args, const struct eal_words *words, const struct eal_facts *facts,
	    int argc, char **argv)
{
	add(args, argv[0]);
	if (!words->log_level)
		add(args, (char *)(uintptr_t) "--log-level=error");
	if (args->no_huge && !words->no_huge)
		add(args, (char *)(uintptr_t) "--no-huge");
	if (args->no_huge && !words->no_shconf)
		add(args, (char *)(uintptr_t) "--no-shconf");
	if (args->no_huge && words->memory_mb == 0)
		add_memory(args, facts);
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

	if (words->no_huge || words->huge_asked != NULL)
		return words->no_huge;
	if (wanted == 0)
		wanted = eal_args_need_mb(facts->buffers, facts->buffer_bytes, false);
	return facts->hugepages_free_mb < wanted;
}

static int
check_pages(const struct eal_args *args, int argc, char **argv, char *error)
{
	const char *vdev = args->no_huge ? vdevs_huge(argc, argv) : NULL;

	if (vdev == NULL)
		return 0;
	return options_refuse(error,
			      "--vdev %.*s receives nothing without hugepages: reserve some, such as "
			      "echo 512 > /proc/sys/vm/nr_hugepages, or take net_af_packet",
			      (int)vdevs_len(vdev), vdev);
}

/* What the machine cannot give. */
static int
check_machine(const struct eal_args *args, const struct eal_words *words,
	      const struct eal_facts *facts, char *error)
{
	if (words->huge_asked != NULL && !words->no_huge && facts->hugepages_free_mb == 0)
		return options_refuse(error,
				      "%.64s: no hugepages are free: leave it out, or reserve some, "
				      "such as echo 512 > /proc/sys/vm/nr_hugepages",
				      words->huge_asked);
	if (!args->no_huge || args->memory_mb <= facts->memory_free_mb)
		return 0;
	if (words->memory_mb != 0)
		return options_refuse(error,
				      "-m %" PRIu64 " is more than the %" PRIu64
				      " MB that are free: give -m %" PRIu64 ", or leave it out",
				      args->memory_mb, facts->memory_free_mb,
				      eal_args_need_mb(facts->buffers, facts->buffer_bytes, true));
	return options_refuse(error,
			      "%u buffers of %u bytes need %" PRIu64 " MB, but %" PRIu64
			      " MB are free: %s",
			      facts->buffers, facts->buffer_bytes, args->memory_mb,
			      facts->memory_free_mb,
			      facts->fixed ? "free some" : "give fewer --buffers");
}

int
eal_args_build(struct eal_args *args, int argc, char **argv, const struct eal_facts *facts,
	       char *error)
{
	struct eal_words words;

	memset(args, 0, sizeof(*args));
	if (read_words(&words, argc, argv, error) != 0 || vdevs_check(argc, argv, error) != 0)
		return -1;
	args->argv = calloc((size_t)argc + 8, sizeof(*args->argv));
	if (args->argv == NULL)
		return options_refuse(error, "there is no memory for the arguments: free some");
	args->no_huge = chooses_no_huge(&words, facts);
	args->memory_mb = words.memory_mb;
	args->log_level = words.log_level;
	write_words(args, &words, facts, argc, argv);
	if (args->no_huge && (!words.no_huge || words.in_memory))
		explain(args, &words, facts);
	if (check_machine(args, &words, facts, error) != 0 ||
	    check_pages(args, argc, argv, error) != 0)
		return -1;
	return eal_args_check(args, facts, error);
}

void
eal_args_free(struct eal_args *args)
{
	free(args->argv);
	args->argv = NULL;
}

int
eal_args_check(const struct eal_args *args, const struct eal_facts *facts, char *error)
{
	uint32_t buffers = facts->buffers, bytes = facts->buffer_bytes;

	/* With hugepages -m is only where EAL begins; it takes more as it needs them. */
	if (!args->no_huge || args->memory_mb == 0)
		return 0;
	if (args->memory_mb >= pool_mb(buffers, bytes, true) + LEAST_BESIDE_MB)
		return 0;
	return options_refuse(error,
			      "-m %" PRIu64 " is too small for %u buffers of %u bytes: give -m %" PRIu64
			      "%s",
			      args->memory_mb, buffers, bytes, eal_args_need_mb(buffers, bytes, true),
			      facts->fixed ? "" : " or fewer --buffers");
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
