/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line by rules: what every tool does with its words, before EAL starts. */
#ifndef APP_CLI_PARSE_H
#define APP_CLI_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_ERROR 512

enum options_result {
	OPTIONS_RUN,
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_BAD, /* error (OPTIONS_ERROR bytes): one line, the thing and the mend */
};

struct options; /* each tool's own */

enum option_kind {
	OPTION_IS_OWN,	  /* set() knows what it is */
	OPTION_IS_FLAG,	  /* no value: a bool becomes true */
	OPTION_IS_NUMBER, /* in [low, high], 4 or 8 bytes */
	OPTION_IS_BYTES,  /* the same with a suffix K, M or G */
	OPTION_IS_TEXT,	  /* not empty; stays valid */
	OPTION_IS_WORD,	  /* one of `words`, whose place becomes a uint32_t */
	OPTION_IS_SWITCH, /* on or off: a bool */
};

struct option_rule {
	const char *name; /* with its dashes */
	enum option_kind kind;
	/* 0, or -1 with the reason in `error`. `text` stays valid. */
	int (*set)(struct options *options, const char *text, char *error);
	size_t offset, size; /* of the field */
	uint64_t low, high;
	const char *empty; /* what an empty text is told */
	const char *const *words; /* ended by NULL */
};

#define OPTION_FIELD(field_)                                                                       \
	.offset = offsetof(struct options, field_), .size = sizeof(((struct options *)0)->field_)
#define OPTION_OWN(name_, set_)                                                                    \
	{                                                                                          \
		.name = name_, .kind = OPTION_IS_OWN, .set = set_                                  \
	}
#define OPTION_FLAG(name_, field_)                                                                 \
	{                                                                                          \
		.name = name_, .kind = OPTION_IS_FLAG, OPTION_FIELD(field_)                        \
	}
#define OPTION_NUMBER(name_, field_, low_, high_)                                                  \
	{                                                                                          \
		.name = name_, .kind = OPTION_IS_NUMBER, OPTION_FIELD(field_), .low = low_,        \
		.high = high_                                                                      \
	}
#define OPTION_BYTES(name_, field_, low_, high_)                                                   \
	{                                                                                          \
		.name = name_, .kind = OPTION_IS_BYTES, OPTION_FIELD(field_), .low = low_,         \
		.high = high_                                                                      \
	}
#define OPTION_TEXT(name_, field_, empty_)                                                         \
	{                                                                                          \
		.name = name_, .kind = OPTION_IS_TEXT, OPTION_FIELD(field_), .empty = empty_       \
	}

#define OPTION_WORD(name_, field_, words_)                                                         \
	{                                                                                          \
		.name = name_, .kind = OPTION_IS_WORD, OPTION_FIELD(field_), .words = words_       \
	}
#define OPTION_SWITCH(name_, field_)                                                               \
	{                                                                                          \
		.name = name_, .kind = OPTION_IS_SWITCH, OPTION_FIELD(field_),                     \
		.words = options_switch                                                            \
	}
extern const char *const options_switch[];

/* Read argv[0..argc), which holds options only (no program name): "--ip TEXT" or "--ip=TEXT". Ends
 * at the first word that is wrong or asks for help or the version. */
enum options_result options_read(const struct option_rule *rules, size_t n, struct options *options,
				 int argc, char **argv, char *error);

/* What the tools that poll have in common. */
struct tool_options {
	uint32_t buffers;
	uint32_t seconds;	/* 0: until a signal */
	uint32_t stats_seconds; /* 0: no reports */
	bool json;
	bool seed_given;
	uint64_t seed;
};

int options_set_seed(struct tool_options *options, const char *text, char *error);

/* Where argv's own options begin: one past "--", or argc when there is none. */
int options_start(int argc, char **argv);

/* Is there no "--" at all, though there are words? */
bool options_undivided(int argc, char **argv);

/* How many words of argv are EAL's, the program's name included. */
int options_eal_argc(int argc, char **argv);

/* Does `argv` ask for help or the version before any "--"? */
enum options_result options_early(int argc, char **argv);

/* Write a reason into `error`; returns -1. */
__attribute__((format(printf, 2, 3))) int options_refuse(char *error, const char *format, ...);

#endif
