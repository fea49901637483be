/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Play scenario scripts: scripts [--list] [--print NAME] [--generated] [FILE | DIRECTORY]...
 *   --generated  also those that a program writes
 *   --list       name every script with its result
 *   --print NAME write the text of generated script NAME to stdout, and play nothing
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/script/family.h"
#include "tests/script/play.h"

struct runner {
	struct stage *stage;
	const char *print; /* name, or NULL */
	bool list;
	uint32_t played, failed, group_played;
};

static char *
read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t len = 0, room = 0;

	if (file == NULL)
		return NULL;
	do {
		room = 2 * room + 4096;
		text = realloc(text, room);
		if (text == NULL)
			abort();
		len += fread(text + len, 1, room - len - 1, file);
	} while (len == room - 1);
	text[len] = 0;
	fclose(file);
	return text;
}

static void
play(struct runner *runner, const char *name, const char *text)
{
	struct script_error error;
	bool good = play_text(runner->stage, text, &error);

	runner->played++;
	runner->group_played++;
	if (!good) {
		runner->failed++;
		printf("%s:%u: %s\n", name, error.line, error.text);
	}
	if (runner->list)
		printf("%s %s\n", good ? "ok" : "FAILED", name);
}

static void
take(void *user, const char *name, const char *text)
{
	struct runner *runner = user;

	if (runner->print == NULL)
		play(runner, name, text);
	else if (strcmp(runner->print, name) == 0)
		fputs(text, stdout);
}

static int
is_script(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 7 && strcmp(entry->d_name + len - 7, ".script") == 0;
}

static bool
play_file(struct runner *runner, const char *path)
{
	char *text = read_file(path);

	if (text == NULL) {
		fprintf(stderr, "scripts: cannot read %s\n", path);
		return false;
	}
	play(runner, path, text);
	free(text);
	return true;
}

static bool
play_path(struct runner *runner, const char *path)
{
	struct dirent **entries;
	struct stat what;
	bool good = true;
	int n;

	if (stat(path, &what) != 0 || !S_ISDIR(what.st_mode))
		return play_file(runner, path);
	n = scandir(path, &entries, is_script, alphasort);
	if (n <= 0) {
		fprintf(stderr, "scripts: no *.script in %s\n", path);
		return false;
	}
	for (int i = 0; i < n; i++) {
		char file[4096];

		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		good = good && play_file(runner, file);
		free(entries[i]);
	}
	free(entries);
	return good;
}

static void
end_group(struct runner *runner, const char *name)
{
	if (runner->print == NULL)
		printf("%s: %u\n", name, runner->group_played);
	runner->group_played = 0;
}

static void
play_generated(struct runner *runner)
{
	const struct family_taker taker = {take, runner};

	family_states(&taker);
	end_group(runner, "states x flags x places");
	family_orders(&taker);
	end_group(runner, "arrival orders");
	family_overlaps(&taker);
	end_group(runner, "overlaps");
}

int
main(int argc, char **argv)
{
	struct runner runner = {.stage = calloc(1, sizeof(struct stage))};
	bool generated = false, good = true;

	if (runner.stage == NULL)
		abort();
	for (int i = 1; i < argc && good; i++) {
		if (strcmp(argv[i], "--list") == 0)
			runner.list = true;
		else if (strcmp(argv[i], "--generated") == 0)
			generated = true;
		else if (strcmp(argv[i], "--print") == 0 && i + 1 < argc)
			runner.print = argv[++i];
		else
			good = play_path(&runner, argv[i]);
	}
	if (runner.group_played != 0)
		end_group(&runner, "written by hand");
	if (good && (generated || runner.print != NULL))
		play_generated(&runner);
	stage_free(runner.stage);
	if (runner.print == NULL)
		printf("scripts: %u played, %u failed\n", runner.played, runner.failed);
	return good && runner.failed == 0 && (runner.played != 0 || runner.print != NULL)
		       ? EXIT_SUCCESS
		       : EXIT_FAILURE;
}
