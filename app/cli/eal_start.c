/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/eal_start.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_log.h>

#include "app/cli/say.h"
#include "app/cli/vdevs.h"

struct kept_back {
	int fd; /* -1: nothing is */
	int out;
	int err;
};

static void
keep_back(struct kept_back *kept)
{
	fflush(stdout);
	fflush(stderr);
	kept->fd = memfd_create("weir-eal", MFD_CLOEXEC);
	if (kept->fd < 0)
		return;
	kept->out = dup(STDOUT_FILENO);
	kept->err = dup(STDERR_FILENO);
	dup2(kept->fd, STDOUT_FILENO);
	dup2(kept->fd, STDERR_FILENO);
}

static void
give_back(int from, int to)
{
	if (from < 0) { /* was closed before, too */
		close(to);
		return;
	}
	dup2(from, to);
	close(from);
}

static void
let_through(struct kept_back *kept)
{
	if (kept->fd < 0)
		return;
	fflush(stdout);
	fflush(stderr);
	give_back(kept->out, STDOUT_FILENO);
	give_back(kept->err, STDERR_FILENO);
	lseek(kept->fd, 0, SEEK_SET);
}

/* The first line that says something, without the program's name or "EAL: " before it. */
static void
first_line(struct eal_said *said, const char *program)
{
	size_t len = strlen(program);
	char text[2048];
	ssize_t n = read(said->fd, text, sizeof(text) - 1);
	const char *at = text;

	text[n > 0 ? n : 0] = '\0';
	at += strspn(at, "\n");
	if (strncmp(at, program, len) == 0 && strncmp(at + len, ": ", 2) == 0)
		at += len + 2;
	else if (strncmp(at, "EAL: ", 5) == 0)
		at += 5;
	snprintf(said->first, sizeof(said->first), "%.*s", (int)strcspn(at, "\n"), at);
}

static char runtime_dir[4096];

/* EAL leaves it. One that another process uses is not empty, and stays. */
static void
remove_runtime_dir(void)
{
	if (runtime_dir[0] != '\0')
		rmdir(runtime_dir);
}

static bool
is_port(const char *name)
{
	struct rte_dev_iterator at;
	uint16_t id = RTE_MAX_ETHPORTS;

	if (name[0] != '\0' && rte_eth_iterator_init(&at, name) == 0)
		id = rte_eth_iterator_next(&at);
	if (id != RTE_MAX_ETHPORTS)
		rte_eth_iterator_cleanup(&at);
	return id != RTE_MAX_ETHPORTS;
}

/* A PCI address that the machine does not have. The domain 0000 may be left out. */
static bool
is_absent(const char *name)
{
	const char *colon = strchr(name, ':');
	char path[128];

	if (colon == NULL || name[strspn(name, "0123456789abcdefABCDEF:.")] != '\0')
		return false;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s%s",
		 strchr(colon + 1, ':') == NULL ? "0000:" : "", name);
	return access(path, F_OK) != 0;
}

/* What -a or --allow names. */
static int
check_allowed(const struct eal_args *args, const char *option, const char *said, char *error)
{
	const char *device;
	int at = 1;

	while ((device = vdevs_next(option, args->argc, args->argv, &at)) != NULL) {
		char name[RTE_ETH_NAME_MAX_LEN];

		snprintf(name, sizeof(name), "%.*s", (int)vdevs_len(device), device);
		if (is_port(name))
			continue;
		if (is_absent(name))
			return options_refuse(error,
					      "%s %s: there is no such PCI device here: lspci -D "
					      "lists those there are",
					      option, name);
		return options_refuse(error,
				      "%s %s became no port%s%s: give it to DPDK (dpdk-devbind.py "
				      "-b vfio-pci) and leave out --no-pci",
				      option, name, said[0] != '\0' ? ": EAL says " : "", said);
	}
	return 0;
}

/* EAL goes on without the words and the devices that it could not use. */
static int
check_used(const struct eal_args *args, const char *stray, const char *said, char *error)
{
	const char *device, *because = said[0] != '\0' ? ": EAL says " : "";
	uint16_t id;
	int at = 1;

	if (stray != NULL)
		return options_refuse(
		    error, "'%.64s' is no option of EAL: correct what stands before --", stray);
	while ((device = vdevs_next("--vdev", args->argc, args->argv, &at)) != NULL) {
		char name[RTE_ETH_NAME_MAX_LEN];

		snprintf(name, sizeof(name), "%.*s", (int)vdevs_len(device), device);
		if (rte_eth_dev_get_port_by_name(name, &id) != 0)
			return options_refuse(
			    error, "--vdev %s became no port%s%s: correct its arguments%s", name,
			    because, said, geteuid() != 0 ? ", or start it as root" : "");
	}
	if (check_allowed(args, "-a", said, error) != 0)
		return -1;
	return check_allowed(args, "--allow", said, error);
}

/* EAL moves the words about, those that it does not know to the end, and writes over one: it gets a
 * list of its own. *stray is the first that it did not know, or NULL. */
static int
init(const struct eal_args *args, const char **stray)
{
	size_t size = ((size_t)args->argc + 1) * sizeof(*args->argv);
	char **words = malloc(size);
	int rc;

	if (words == NULL) {
		rte_errno = ENOMEM;
		return -1;
	}
	memcpy(words, args->argv, size);
	rc = rte_eal_init(args->argc, words);
	*stray = rc >= 0 && rc + 1 < args->argc ? words[rc + 1] : NULL;
	free(words);
	return rc;
}

int
eal_start(const struct eal_args *args, struct eal_said *said, char *error)
{
	struct kept_back kept = {.fd = -1};
	const char *stray;
	int rc;

	atexit(remove_runtime_dir); /* before EAL's own, so that it runs after them */
	if (!args->log_level)
		keep_back(&kept);
	rc = init(args, &stray);
	let_through(&kept);
	said->fd = kept.fd;
	said->first[0] = '\0';
	if (said->fd >= 0)
		first_line(said, args->argv[0]);
	if (rc >= 0) {
		/* virtio says at every look at a link that it is down; the tools say it once. */
		if (!args->log_level)
			rte_log_set_level_pattern("pmd.net.virtio.*", RTE_LOG_CRIT);
		snprintf(runtime_dir, sizeof(runtime_dir), "%s", rte_eal_get_runtime_dir());
		if (check_used(args, stray, said->first, error) == 0)
			return 0;
		rte_eal_cleanup();
		return -1;
	}
	if (strstr(said->first, "option") != NULL) /* getopt's words */
		return options_refuse(error,
				      "EAL says %s: its options go before --, those of %s behind it",
				      said->first, say_name);
	return options_refuse(error,
			      "EAL does not start: %s: correct what stands before --, or add "
			      "--log-level=debug there to see why",
			      said->first[0] != '\0' ? said->first : rte_strerror(rte_errno));
}

void
eal_said_end(struct eal_said *said, bool tell)
{
	char text[4096];
	ssize_t n;

	if (said->fd < 0)
		return;
	lseek(said->fd, 0, SEEK_SET);
	while (tell && (n = read(said->fd, text, sizeof(text))) > 0)
		fwrite(text, 1, (size_t)n, stderr);
	close(said->fd);
	said->fd = -1;
}
