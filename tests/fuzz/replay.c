/* SPDX-License-Identifier: BSD-3-Clause */
/* Every input of a kept corpus once, without libFuzzer: replay FILE | DIRECTORY... */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_MAX 65536

static uint32_t replayed;

static int
replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data, *exact;
	size_t size;

	if (file == NULL) {
		fprintf(stderr, "replay: cannot read %s\n", path);
		return 1;
	}
	data = malloc(INPUT_MAX);
	size = fread(data, 1, INPUT_MAX, file);
	fclose(file);
	exact = realloc(data, size != 0 ? size : 1); /* so that a sanitizer sees its end */
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	replayed++;
	return 0;
}

static int
replay_directory(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort), failed = 0;

	for (int i = 0; i < n; i++) {
		char file[4096];

		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			failed |= replay_file(file);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return failed | (n < 0);
}

int
main(int argc, char **argv)
{
	struct stat what;
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= stat(argv[i], &what) == 0 && S_ISDIR(what.st_mode)
				  ? replay_directory(argv[i])
				  : replay_file(argv[i]);
	printf("replayed %u inputs\n", replayed);
	return failed != 0 || replayed == 0;
}
