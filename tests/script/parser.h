/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the two files that read scripts. */
#ifndef WEIR_TESTS_SCRIPT_PARSER_H
#define WEIR_TESTS_SCRIPT_PARSER_H

#include "tests/script/script.h"

struct parser {
	struct script *script;
	uint32_t room;
	uint32_t number; /* of the line being read */
	struct script_remote remotes[SCRIPT_REMOTES];
	uint32_t n_remotes;
	uint32_t current;
	bool begun; /* something but a setting was seen */
	char *why;
};

extern const char *const script_call_names[]; /* by enum script_call */

/* Say what is wrong with the line; always false. */
bool script_wrong(struct parser *parser, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Index of `name` in a list that ends with NULL, -1 when it is not there. */
int script_find_name(const char *const *names, const char *name);
bool script_to_unsigned(const char *word, uint32_t least, uint32_t most, uint32_t *value);
bool script_to_duration(const char *word, uint64_t *ns);
struct script_line *script_add(struct parser *parser, enum script_kind kind, const char *text);
struct script_remote script_default_remote(uint32_t index);
/* *known tells whether `word` is a setting at all. */
bool script_parse_setting(struct parser *parser, const char *word, char **save, const char *line,
			  bool *known);

#endif
